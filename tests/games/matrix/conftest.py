"""Ways to play a matrix match in a test: by scripted answers, and by bots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

import arena
from arena.core import Match, Rng
from arena.games.matrix.bots import ALIASES, BOTS

Answer = Any
Script = Callable[[str, Any], Answer]


@pytest.fixture
def play() -> Callable[..., Match]:
    """play("matrix/ipd", answer, **config): `answer(seat, ask)` says what each seat answers, until the end."""

    def run(name: str, answer: Script, *, seed: int = 1, **config: Any) -> Match:
        match = arena.match(name, seed=seed, **config)
        while not match.done:
            for seat, ask in match.pending().items():
                match.submit(seat, answer(seat, ask))
        return match

    return run


@pytest.fixture
def play_rounds(play: Callable[..., Match]) -> Callable[..., Match]:
    """play_rounds("matrix/ipd", [("cooperate", "defect"), …]): these actions, round by round."""

    def run(name: str, profiles: Sequence[Sequence[Any]], **config: Any) -> Match:
        done: dict[str, int] = {}

        def answer(seat: str, ask: Any) -> Any:
            at = done[seat] = done.get(seat, -1) + 1
            return profiles[at][int(seat.removeprefix("player_"))]

        return play(name, answer, **{"rounds": len(profiles), **config})

    return run


@pytest.fixture
def play_bots() -> Callable[..., Match]:
    """play_bots("matrix/ipd", ["tft", "zd"], options=[{}, {"chi": 2}]): bots by name or alias, one for each seat."""

    def run(
        name: str, bots: Sequence[str], *, seed: int = 1, options: Sequence[Mapping[str, Any]] = (), **config: Any
    ) -> Match:
        match = arena.match(name, seed=seed, **config)
        players = {seat: BOTS[ALIASES.get(bot, bot)] for seat, bot in zip(match.seats, bots, strict=True)}
        given = dict(zip(match.seats, options, strict=True)) if options else {}
        rngs = {seat: Rng(1000 * seed + i) for i, seat in enumerate(match.seats)}
        while not match.done:
            for seat, ask in match.pending().items():
                match.submit(seat, players[seat](match.view(seat), ask, rngs[seat], **given.get(seat, {})))
        return match

    return run
