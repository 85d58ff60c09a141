"""The scripted guessers."""

from __future__ import annotations

from statistics import fmean, stdev
from typing import Any

import pytest

import arena
from arena.core import Match, stream
from arena.core.bots import Bot, options_of
from arena.games.guess08.bots import (
    ALIASES,
    BOTS,
    equilibrium,
    fixed,
    last_target,
    level_k,
    monotone,
    monotone_random,
)


def numbers(bot: Bot, seed: int = 1, *, others: int = 60, preset: str = "default", **options: Any) -> list[int]:
    """What the bot says in seat 2 while all others always say the same."""
    match, rng = arena.match(f"guess08/{preset}", seed=seed), stream(seed, "bots")
    while not match.done:
        for seat, ask in list(match.pending().items()):
            plain: Any = {"number": others} if preset == "predict" else others
            match.submit(seat, bot(match.view(seat), ask, rng, **options) if seat == "player_2" else plain)
    return said(match, "player_2")


def said(match: Match, seat: str) -> list[int]:
    return [e.facts["numbers"][seat] for e in match.events if e.kind == "round"]


def test_monotone_goes_down_by_five() -> None:
    assert numbers(monotone) == [40, 35, 30, 25, 20, 15, 10, 5, 1, 1]
    assert numbers(monotone, start=12, step=3) == [12, 9, 6, 3, 1, 1, 1, 1, 1, 1]


def test_monotone_random_draws_its_step_once() -> None:
    steps = set()
    for seed in range(60):
        sequence = numbers(monotone_random, seed)
        step = sequence[0] - sequence[1]
        steps.add(step)

        assert sequence == [max(1, 40 - step * i) for i in range(10)]
    assert steps == {0, 1, 2, 3, 4, 5}


def test_fixed_without_spread_says_its_mean() -> None:
    assert numbers(fixed, mean=33.9, sd=0) == [33] * 10


def test_fixed_draws_from_a_normal_distribution() -> None:
    drawn = [x for seed in range(80) for x in numbers(fixed, seed)]

    assert fmean(drawn) == pytest.approx(39.5, abs=0.6)  # cut to the whole part
    assert stdev(drawn) == pytest.approx(5, abs=0.5)


def test_numbers_are_clipped() -> None:
    assert numbers(fixed, mean=400, sd=1) == [100] * 10
    assert numbers(fixed, mean=-7, sd=1) == [1] * 10


def test_last_target_follows_the_target() -> None:
    """Others say 60: targets (240 + own) · 0.16 = 44.8, 45.44, 45.6."""
    assert numbers(last_target, sd=0)[:4] == [40, 44, 45, 45]
    assert 30 < fmean(numbers(last_target, sd=5)[1:]) < 60


def test_level_k_and_equilibrium() -> None:
    assert numbers(level_k) == [40] * 10
    assert numbers(level_k, k=3) == [26] * 10
    assert numbers(equilibrium) == [1] * 10


@pytest.mark.parametrize("name", BOTS)
def test_every_bot_answers_forms_too_and_survives_elimination(name: str) -> None:
    bot = BOTS[name]
    assert len(numbers(bot, preset="predict")) == 10
    match, rng = arena.match("guess08/short-lived", seed=2), stream(2)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            match.submit(seat, bot(match.view(seat), ask, rng) if seat == "player_0" else ask.sample(rng))
    assert match.payoffs


def test_options_and_aliases() -> None:
    assert options_of(fixed) == {"mean": (float, 40), "sd": (float, 5)}
    assert options_of(monotone_random) == {"start": (int, 40), "most": (int, 5)}
    assert {ALIASES[short] for short in ("fix", "last", "mono", "monorand")} <= set(BOTS)
