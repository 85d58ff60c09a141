"""What a run is told to do, resolved and frozen: the part of it that is measured, and the resources it may use.

`Policy` is part of every match's identity; `Limits` may change when a run is resumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from arena.core.canonical import digest
from arena.core.errors import StoreError


@dataclass(frozen=True)
class Policy:
    """What happens to an answer that is not legal, and the clock, if one is set."""

    reasks: int = 1
    then: Literal["fallback", "forfeit"] = "fallback"
    forfeit_after: int = 1
    turn_s: float | None = None
    match_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        illegal = {"reasks": self.reasks, "then": self.then, "forfeit_after": self.forfeit_after}
        if self.turn_s is None and self.match_s is None:
            return {"illegal": illegal}
        return {"illegal": illegal, "clock": {"turn_s": self.turn_s, "match_s": self.match_s}}


@dataclass(frozen=True)
class Limits:
    """Resources: changing them changes no result."""

    concurrency: int | None = None  # None = 64 calls to servers in flight, batches of local models, adaptive limits
    live_matches: int = 4096
    budget_usd: float | None = None
    tokens: int | None = None
    wall_s: float | None = None
    max_failed: int = 10
    void_passes: int = 2
    void_wait_s: float = 60.0
    void_restart: bool = False
    allow_unpriced: bool = False

    def divided(self, n: int) -> Limits:
        """The part of one of `n` who must not use more than this together; a session divides what is not given."""
        return replace(
            self,
            concurrency=self.concurrency and max(1, self.concurrency // n),
            live_matches=max(1, self.live_matches // n),
            budget_usd=None if self.budget_usd is None else self.budget_usd / n,
            tokens=None if self.tokens is None else self.tokens // n,
        )


@dataclass(frozen=True)
class GamePlan:
    """One game of a run: the name to find it by, config fields over its preset, and its number of matches."""

    name: str
    set: Mapping[str, Any] = field(default_factory=dict)
    matches: int = 1


@dataclass(frozen=True)
class Recording:
    """What is kept beside the messages and replies."""

    reasoning: bool = True
    tokens: bool = False
    logprobs: bool = False


@dataclass(frozen=True)
class Settings:
    """A whole run, resolved."""

    games: tuple[GamePlan, ...]
    agents: tuple[str, ...]  # canonical names, with selectors where given
    seed: int
    schedule: Mapping[str, Any] = field(default_factory=lambda: {"kind": "paired"})
    policy: Policy = Policy()
    limits: Limits = Limits()
    recording: Recording = Recording()
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    journal: Literal["wal", "delete"] = "wal"
    executor: Literal["async", "processes"] = "async"
    workers: int = 1
    shard: str | None = None

    @property
    def shards(self) -> tuple[int, int]:
        """Which shard this is, and of how many: (1, 1) for a whole run."""
        which, _, number = (self.shard or "1/1").partition("/")
        return int(which), int(number)

    def has_block(self, block: int) -> bool:
        """Whether a block of the plan is this shard's to play."""
        which, number = self.shards
        return (block - 1) % number == which - 1

    def measured(self) -> dict[str, Any]:
        """What is measured: the part whose change makes another run."""
        return {
            "games": [asdict(game) for game in self.games],
            "agents": list(self.agents),
            "seed": self.seed,
            "schedule": dict(self.schedule),
            "record": asdict(self.recording),
            "models": {name: dict(options) for name, options in self.models.items()},
            **self.policy.as_json(),
        }

    def as_json(self) -> dict[str, Any]:
        """The resolved run file, as the manifest freezes it."""
        resources = {"limits": asdict(self.limits), "journal": self.journal, "executor": self.executor}
        return self.measured() | resources | {"workers": self.workers, "shard": self.shard}

    def sha256(self) -> str:
        return digest(self.measured())

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Settings:
        """Settings from a manifest."""
        try:
            return cls._from_json(data)
        except (KeyError, TypeError) as error:
            hint = "install the release that wrote it; nothing was changed"
            raise StoreError(f"the run's settings are those of another release: {error}", hint=hint) from error

    @classmethod
    def _from_json(cls, data: Mapping[str, Any]) -> Settings:
        illegal, clock = data["illegal"], data.get("clock") or {}
        return cls(
            games=tuple(GamePlan(**game) for game in data["games"]),
            agents=tuple(data["agents"]),
            seed=data["seed"],
            schedule=data["schedule"],
            policy=Policy(**illegal, **clock),
            limits=Limits(**data["limits"]),
            recording=Recording(**data["record"]),
            models=data["models"],
            journal=data["journal"],
            executor=data["executor"],
            workers=data["workers"],
            shard=data["shard"],
        )
