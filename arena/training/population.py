"""Who the learner meets: distributions over opponents, one draw a match (a side, where there are more than two).

Everything is a pure function of the settings, the registered policies and the record, so a resumed run draws the same.
`psro` and `pfsp` read results; `league:FILE` and `game` are lists that somebody wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.core.game import Game
from arena.core.seeds import Rng
from arena.models.names import parse_name
from arena.training.recipes.from_game import game_mix
from arena.training.settings import TrainSettings, read_file

LEARNER = "learner"
LIVE = "live"  # a rollout's word for the policy that is being trained


@dataclass(frozen=True)
class Opponent:
    """One entry: a name for some side (empty = any), its weight, and config fields of its matches."""

    name: str
    weight: float = 1.0
    side: str = ""
    set: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, words: Sequence[str]) -> bool:
        return not self.side or self.side in words


@dataclass(frozen=True)
class Score:
    """What the learner made of one opponent so far: wins (ties half) and matches, both discounted."""

    won: float
    played: float

    @property
    def mean(self) -> float:
        """With a Beta(1,1) prior."""
        return (self.won + 1) / (self.played + 2)


def past(settings: TrainSettings, role: str, k: int, kept: Collection[int] = ()) -> list[str]:
    """Every registered policy of a role before iteration k, the untrained start included. What an iteration kept as it
    was is a copy, and counts once."""
    return [f"league/{settings.policy(role, j)}" for j in _past(settings, role, k, kept)]


def _past(settings: TrainSettings, role: str, k: int, kept: Collection[int]) -> list[int]:
    return [j for j in range(k) if j == 0 or (role in settings.roles_of(j) and j not in kept)]


def opponents(
    settings: TrainSettings,
    game: type[Game],
    role: str,
    k: int,
    champion: str,
    *,
    scores: Mapping[str, Score] | None = None,
    meta: Mapping[str, float] | None = None,
    kept: Collection[int] = (),
) -> list[Opponent]:
    """The distribution for a role's seats when they are not the learner's. `champion` is that role's; `kept` are the
    iterations that left its policy as it was."""
    pool = [recorded(name, game) for name in settings.params.pool]
    found = _opponents(
        settings, game, role, _past(settings, role, k, kept), k, champion, pool, scores or {}, meta or {}
    )
    return [replace(entry, name=recorded(entry.name, game)) for entry in found]


def recorded(name: str, game: type[Game]) -> str:
    """An agent's name as the record writes it: `bot/tit-for-tat` is a bot of one game there."""
    is_as_written = name == LEARNER or (name.startswith("league/") and "?" not in name)
    return name if is_as_written else parse_name(name, game).canonical


def _opponents(
    settings: TrainSettings,
    game: type[Game],
    role: str,
    iterations: Sequence[int],
    k: int,
    champion: str,
    pool: Sequence[str],
    scores: Mapping[str, Score],
    meta: Mapping[str, float],
) -> list[Opponent]:
    spec = settings.opponents
    own = [f"league/{settings.policy(role, j)}" for j in iterations]
    if spec in ("self", "latest"):
        return [Opponent(champion)]
    if spec == "fsp":
        return [Opponent(name) for name in dict.fromkeys([*own, *pool])]
    if spec == "pfsp":
        names = dict.fromkeys([*own, *pool])
        return [Opponent(name, pfsp_weight(scores.get(name), settings.params.pfsp)) for name in names]
    if spec == "psro":
        names = dict.fromkeys([*own, *pool])
        return [Opponent(name, meta.get(name, 1.0 / len(names))) for name in names]
    if spec == "fxp":
        return _fxp(settings, dict(zip(iterations, own, strict=True)), k)
    if spec == "game":
        return from_mix(game)
    if spec.startswith("league:"):
        return from_file(Path(spec.removeprefix("league:")), never=champion)
    return [_named(text) for text in settings.fixed_opponents]


def pfsp_weight(score: Score | None, kind: str) -> float:
    """`hard`: (1-p)^2, those the learner loses to; `even`: p(1-p), those it is level with."""
    p = (score or Score(0.0, 0.0)).mean
    return (1 - p) ** 2 if kind == "hard" else p * (1 - p)


def draw(entries: Sequence[Opponent], words: Sequence[str], rng: Rng) -> Opponent:
    """One opponent for a seat of these names (its id, role, side)."""
    fitting = [entry for entry in entries if entry.fits(words) and entry.weight > 0]
    if not fitting:
        raise UsageError(f"no opponent is named for {' / '.join(words)}")
    mark = rng.random() * sum(entry.weight for entry in fitting)
    for entry in fitting:
        mark -= entry.weight
        if mark < 0:
            return entry
    return fitting[-1]


def _named(text: str) -> Opponent:
    from arena.models.names import parse_list

    ((selector, name),) = parse_list(text)
    return Opponent(name, side=selector or "")


def _fxp(settings: TrainSettings, names: Mapping[int, str], k: int) -> list[Opponent]:
    """Fictitious cross-play, main and counters in turn: odd iterations train the main policy against half its own past
    and half the counters, even ones a counter against the past mains (shares and schedule are ours)."""
    mains = [name for j, name in names.items() if j == 0 or not is_counter(settings, j)]
    counters = [name for j, name in names.items() if j and is_counter(settings, j)]
    if is_counter(settings, k):
        return [Opponent(name) for name in mains]
    half = 0.5 if counters else 1.0
    return [Opponent(name, half / len(mains)) for name in mains] + [
        Opponent(name, 0.5 / len(counters)) for name in counters
    ]


def is_counter(settings: TrainSettings, k: int) -> bool:
    """Whether iteration k trains a counter policy, which starts from the base."""
    return settings.opponents == "fxp" and k % 2 == 0


def from_mix(game: type[Game]) -> list[Opponent]:
    """The mix that the game's recipes.py declares: MIX = ({"name", "weight", "side", "set"}, …); the name `learner`
    stands for the current policy of that side."""
    mix = game_mix(game)
    if mix is None:
        raise UsageError(
            f"{game.name} declares no mix of opponents, so --opponents game means nothing here",
            hint="--opponents self, or league:FILE.toml",
        )
    return [_entry(item, game.name) for item in mix]


def from_file(path: Path, *, never: str = "") -> list[Opponent]:
    """`[[opponent]] name, weight, side`; names are checked by the caller. `no_model_on_both_sides` (MaKTO's pool rule)
    leaves out the learner's own name, `never`."""
    data = read_file(path)
    entries = data.get("opponent")
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"{path} holds no [[opponent]] with a name and a weight")
    unknown = set(data) - {"opponent", "no_model_on_both_sides"}
    if unknown:
        raise UsageError(f"{path}: unknown keys {', '.join(sorted(unknown))}")
    found = [_entry(item, str(path)) for item in entries]
    return [entry for entry in found if not data.get("no_model_on_both_sides") or entry.name != never]


def _entry(item: Any, where: str) -> Opponent:
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        raise UsageError(f"{where}: every opponent needs a name")
    if unknown := set(item) - {"name", "weight", "side", "set"}:
        raise UsageError(f"{where}: an opponent has no {', '.join(sorted(unknown))}; it has name, weight, side, set")
    weight = item.get("weight", 1.0)
    if not isinstance(weight, int | float) or weight < 0:
        raise UsageError(f"{where}: the weight of {item['name']} must be a number from 0 up")
    return Opponent(item["name"], float(weight), str(item.get("side", "")), dict(item.get("set", {})))
