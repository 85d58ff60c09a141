"""Who sits at a table: a bot's function, a model with a method, or a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from arena.core.asks import Answer, Ask
from arena.core.bots import Bot, is_control
from arena.core.errors import UsageError
from arena.core.game import Game
from arena.core.methods import Method
from arena.core.seeds import Rng
from arena.core.view import View
from arena.models.names import AgentName
from arena.models.types import Sampling
from arena.registry import common_bots, game_bots, methods

_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed", "reasoning")


@dataclass(frozen=True)
class BotPlayer:
    """A scripted player; answers at once and costs nothing."""

    name: str
    bot: Bot
    options: Mapping[str, Any] = field(default_factory=dict)

    kind = "bot"

    @property
    def is_control(self) -> bool:
        return is_control(self.bot)

    def answer(self, view: View, ask: Ask, rng: Rng) -> Answer:
        return self.bot(view, ask, rng, **self.options)


@dataclass(frozen=True)
class ModelPlayer:
    """A model behind a method."""

    name: str
    model: Any  # arena.models.names.ModelName
    method: Method
    options: Mapping[str, Any] = field(default_factory=dict)
    memory: str = "full"
    persona: str = ""
    prompts: str | None = None
    sampling: Sampling = field(default_factory=Sampling)
    max_tokens_given: bool = False
    timeout_s: float = 120.0

    kind = "model"


class Person(Protocol):
    """Someone who answers in a terminal. `notes`: what each seat wrote down for itself; kept with the record."""

    notes: dict[str, str]

    async def answer(self, view: View, ask: Ask, problem: str | None) -> Answer: ...


@dataclass(frozen=True)
class HumanPlayer:
    name: str
    person: Person

    kind = "human"


Player = BotPlayer | ModelPlayer | HumanPlayer


def make_player(agent: AgentName, game: type[Game], person: Person | None = None) -> Player:
    """The player that a resolved name means, at a table of `game`."""
    if agent.kind == "human":
        if person is None:
            raise UsageError("a human can play in `arena play` only")
        return HumanPlayer(agent.canonical, person)
    if agent.kind == "bot":
        return BotPlayer(agent.canonical, find_bot(agent.bot, game), dict(agent.bot_options))
    if agent.model is None:
        raise UsageError(f"{agent.canonical} names no model")
    method, options = _method(agent.methods)
    settings = dict(agent.model.options)
    sampling = Sampling(
        **{key: settings[key] for key in _SAMPLING if settings.get(key) is not None},
        stop=tuple(filter(None, str(settings.get("stop") or "").split("|"))),
    )
    return ModelPlayer(
        name=agent.canonical,
        model=agent.model,
        method=method,
        options=options,
        memory=agent.memory,
        persona=agent.persona,
        prompts=agent.prompts,
        sampling=sampling,
        max_tokens_given=settings.get("max_tokens") is not None,
        timeout_s=float(settings.get("timeout") or 120.0),
    )


def find_bot(name: str, game: type[Game]) -> Bot:
    """The function of a canonical bot name: `GAME-NAME` for a game's own, else one of agents/."""
    own = name.removeprefix(f"{game.name}-")
    if name.startswith(f"{game.name}-") and own in game_bots(game):
        return game_bots(game)[own]
    if name in common_bots():
        return common_bots()[name]
    raise UsageError(f"bot/{name} does not play {game.name}")


def _method(stack: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[Method, Mapping[str, Any]]:
    wrapping = [entry for entry in stack if entry[0] != "direct"] or [("direct", {})]
    if len(wrapping) > 1:
        raise UsageError(f"{wrapping[0][0]} does not wrap another method ({wrapping[1][0]})")
    name, options = wrapping[0]
    return methods()[name], options
