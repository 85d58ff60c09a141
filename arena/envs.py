"""PettingZoo views of any game: thin over `Match`, for the tools that speak PettingZoo.

    env = arena.env("kuhn")                                # AEC: one seat after another
    env.reset(seed=7)
    for seat in env.agent_iter():
        observation, reward, terminated, truncated, info = env.last()
        env.step(None if terminated else env.action_space(seat).sample())

    env = arena.parallel_env("kuhn")                       # Parallel: everybody at once
    observations, infos = env.reset(seed=7)
    while env.agents:
        answers = {seat: env.action_space(seat).sample() for seat in env.agents}
        observations, rewards, terminated, truncated, infos = env.step(answers)

What the words mean here:

- An *action* is an answer to the open ask of its seat, as `Match.submit` takes it, and None where nothing is asked.
  `action_space(seat)` follows the ask: `sample()` draws a legal answer (seeded by `space.seed`), `contains()` checks
  one. An illegal action raises `IllegalAnswer` and changes nothing.
- An *observation* is `{"text", "observation"}`. The text is what the seat has to read since its last answer: first the
  rules, then what happened and the ask. A seat that is not asked has nothing to read yet; what happens meanwhile comes
  with its next ask, or when the match is over. So every event is written out once or twice a seat, however long the
  match. The numbers are: is the seat asked, is the match over, answers that it gave, events that it saw.
- `infos[seat]` is empty unless the seat is asked; then `ask` is the whole ask as JSON, and `legal` lists the legal
  answers where they are few (the options of a choice, true and false, an integer range of at most 256).
- *Rewards* are 0 until the match ends, then the payoffs. Every seat stays an agent until the end; nothing truncates.
- Asks that are open at the same time come one seat after another in the AEC view, in seat order, and no seat sees an
  answer before all are in. A parallel step takes the answers of all seats that are asked and ignores the others'.
- `reset(seed=None)` draws a seed. `env.unwrapped.match` is the match itself.

`env` guards the order of calls as PettingZoo's environments do; `raw_env` does not.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Space
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.wrappers import OrderEnforcingWrapper

from arena.core.asks import Answer, Ask, Choice, Flag, Range
from arena.core.errors import IllegalAnswer
from arena.core.match import Match
from arena.core.seeds import stream
from arena.play import new_match
from arena.registry import make_game

Observation = dict[str, Any]

_FEW = 256
_MOST = 2**31 - 1  # of any number in an observation; a match has fewer events


def env(name: str, **config: Any) -> Any:
    """The AEC view of a game, with PettingZoo's guard around the order of calls."""
    return OrderEnforcingWrapper(SeatBySeat(name, **config))


def raw_env(name: str, **config: Any) -> SeatBySeat:
    """The AEC view of a game."""
    return SeatBySeat(name, **config)


def parallel_env(name: str, **config: Any) -> AllAtOnce:
    """The Parallel view of a game."""
    return AllAtOnce(name, **config)


# --- what a seat sees ----------------------------------------------------------------------------------------------


def observation_of(match: Match, seat: str) -> Observation:
    """The observation of `seat` now."""
    view = match.view(seat)
    asked = seat in match.pending()
    numbers = (asked, match.done, len(view.exchanges), len(view.events))
    text = _unread(view.messages()) if asked or match.done else ""
    return {"observation": np.array(numbers, dtype=np.int64), "text": text}


def info_of(match: Match, seat: str) -> dict[str, Any]:
    """The open ask of `seat` as JSON, with its legal answers where they are few."""
    ask = match.pending().get(seat)
    if ask is None:
        return {}
    legal = few_legal_answers(ask)
    return {"ask": ask.spec()} | ({} if legal is None else {"legal": legal})


def few_legal_answers(ask: Ask) -> list[Answer] | None:
    """All legal answers of a lone choice, flag or short range; None where there are many or they have parts."""
    if isinstance(ask, Choice):
        return list(ask.options or ())
    if isinstance(ask, Flag):
        return [False, True]
    if isinstance(ask, Range) and ask.high - ask.low < _FEW:
        return list(range(ask.low, ask.high + 1))
    return None


def _unread(messages: Iterable[Mapping[str, str]]) -> str:
    """The contents of the messages after the seat's last answer."""
    unread: list[str] = []
    for message in messages:
        if message["role"] == "assistant":
            unread.clear()
        else:
            unread.append(message["content"])
    return "\n\n".join(unread)


class AnswerSpace(Space):  # type: ignore[misc]  # gymnasium is untyped here
    """The legal answers of the ask that is open now; None where nothing is asked."""

    def __init__(self, ask: Callable[[], Ask | None]) -> None:
        super().__init__()
        self._ask = ask
        self.seed()

    def seed(self, seed: int | None = None) -> int:
        seed = secrets.randbits(63) if seed is None else seed
        self._draws = stream("action_space", seed)
        return seed

    def sample(self, mask: object = None, probability: object = None) -> Answer:
        """A legal answer. Masks do not apply: the space holds nothing illegal."""
        ask = self._ask()
        return None if ask is None else ask.sample(self._draws)

    def contains(self, x: Any) -> bool:
        ask = self._ask()
        if ask is None:
            return x is None
        try:
            ask.check(x)
        except IllegalAnswer:
            return False
        return True

    def __repr__(self) -> str:
        return f"AnswerSpace({self._ask()})"


class TextSpace(Space):  # type: ignore[misc]  # gymnasium is untyped here
    """Any text. (`gymnasium.spaces.Text` has a fixed set of characters and a cap, which prompts do not keep.)"""

    def __init__(self) -> None:
        super().__init__(dtype=str)

    def sample(self, mask: object = None, probability: object = None) -> str:
        return ""

    def contains(self, x: Any) -> bool:
        return isinstance(x, str)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextSpace)

    def __hash__(self) -> int:
        return hash(TextSpace)

    def __repr__(self) -> str:
        return "TextSpace()"


class _Seats:
    """What both views share: the game, the match being played, and the spaces of the seats."""

    def __init__(self, name: str, **config: Any) -> None:
        self._game, self._preset = make_game(name, config)
        self.metadata = {
            "name": f"{self._game.name}_v{self._game.version}",
            "render_modes": ["ansi"],
            "is_parallelizable": True,
        }
        self.render_mode = "ansi"
        self.possible_agents = [f"player_{i}" for i in range(self._game.seat_count())]
        self.agents: list[str] = []
        self._match: Match | None = None
        self._answer_spaces = {seat: AnswerSpace(self._asker(seat)) for seat in self.possible_agents}
        self._observation_spaces = {
            seat: Dict({"observation": Box(0, _MOST, shape=(4,), dtype=np.int64), "text": TextSpace()})
            for seat in self.possible_agents
        }

    def observation_space(self, agent: str) -> gymnasium.Space:
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> AnswerSpace:
        return self._answer_spaces[agent]

    @property
    def match(self) -> Match:
        """The match that is played, from the first `reset` on."""
        if self._match is None:
            raise RuntimeError("call reset() first")
        return self._match

    def close(self) -> None:
        if self._match is not None:
            self._match.close()

    def _start(self, seed: int | None) -> Match:
        self.close()
        self._match = new_match(self._game, secrets.randbits(63) if seed is None else seed, preset=self._preset)
        self.agents = list(self.possible_agents)
        return self._match

    def _asker(self, seat: str) -> Callable[[], Ask | None]:
        return lambda: None if self._match is None else self._match.pending().get(seat)


class SeatBySeat(_Seats, AECEnv):  # type: ignore[misc]  # pettingzoo is untyped here
    """The AEC view: `agent_selection` is the first seat that is asked."""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        match = self._start(seed)
        self.terminations = dict.fromkeys(self.agents, match.done)
        self.truncations = dict.fromkeys(self.agents, False)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self._skip_agent_selection = None
        self._select(match)

    def observe(self, agent: str) -> Observation:
        return observation_of(self.match, agent)

    def step(self, action: Answer) -> None:
        seat, match = self.agent_selection, self.match
        if self.terminations[seat]:
            self._was_dead_step(action)
            return
        match.submit(seat, action)
        self._cumulative_rewards[seat] = 0.0
        self._clear_rewards()
        if match.payoffs is not None:
            self.rewards = dict(match.payoffs)
            self.terminations = dict.fromkeys(self.agents, True)
        self._accumulate_rewards()
        self._select(match)

    def render(self) -> str:
        """What the seat that is asked has to read."""
        return str(self.observe(self.agent_selection)["text"])

    def _select(self, match: Match) -> None:
        self.agent_selection = next(iter(match.pending()), self.agents[0])
        self.infos = {seat: info_of(match, seat) for seat in self.agents}


class AllAtOnce(_Seats, ParallelEnv):  # type: ignore[misc]  # pettingzoo is untyped here
    """The Parallel view: a step answers every ask that is open."""

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        match = self._start(seed)
        return self._seen(match), {seat: info_of(match, seat) for seat in self.agents}

    def step(
        self, actions: Mapping[str, Answer]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        match = self.match
        asked = match.pending()
        for seat, ask in asked.items():  # all are checked before one is played
            if seat not in actions:
                raise IllegalAnswer(f"{seat} is asked {ask.name!r} and gives no answer")
            ask.check(actions[seat])
        for seat in asked:
            match.submit(seat, actions[seat])
        seats, over = self.agents, match.done
        rewards = dict.fromkeys(seats, 0.0) if match.payoffs is None else dict(match.payoffs)
        infos = {seat: info_of(match, seat) for seat in seats}
        seen = self._seen(match)
        if over:
            self.agents = []
        return seen, rewards, dict.fromkeys(seats, over), dict.fromkeys(seats, False), infos

    def render(self) -> str:
        """What the seats that are asked have to read, one after another."""
        match = self.match
        return "\n\n".join(str(observation_of(match, seat)["text"]) for seat in match.pending())

    def _seen(self, match: Match) -> dict[str, Observation]:
        return {seat: observation_of(match, seat) for seat in self.agents}
