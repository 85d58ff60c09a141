"""Exact floors: the published recursion's tables, and matches without powers against them."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import Any

import pytest

from arena.core import Match, stream
from arena.games.werewolf.oracles import parity_day, parity_night, sides_day, sides_night, village_floor
from arena.games.werewolf.presets import PRESETS
from arena.registry import make_game

# (wolves, others): P(village wins), day first and night first.
PARITY = {
    (1, 2): ("1/3", "0"),
    (1, 3): ("1/4", "1/3"),
    (1, 4): ("7/15", "1/4"),
    (1, 5): ("3/8", "7/15"),
    (1, 6): ("19/35", "3/8"),
    (2, 3): ("2/15", "0"),
    (2, 4): ("1/12", "2/15"),
    (2, 5): ("8/35", "1/12"),
    (2, 6): ("5/32", "8/35"),
    (2, 7): ("94/315", "5/32"),
    (3, 6): ("4/35", "1/32"),
    (3, 7): ("11/160", "4/35"),
    (3, 10): ("16/77", "27/256"),
    (3, 12): ("526/2145", "125/896"),
    (4, 8): ("1/32", "40/693"),
    (4, 11): ("784/6435", "47/896"),
}
# (wolves, gods without powers, villagers)
SIDES = {
    (3, 3, 3): ("8/105", "9/320"),
    (2, 2, 3): ("4/25", "3/40"),
    (2, 2, 2): ("1/12", "4/45"),
    (1, 1, 3): ("1/3", "3/16"),
    (1, 2, 2): ("17/45", "1/4"),
}


@pytest.mark.parametrize("size", PARITY)
def test_the_parity_recursion_gives_the_published_fractions(size: tuple[int, int]) -> None:
    day, night = PARITY[size]

    assert parity_day(*size) == Fraction(day)
    assert parity_night(*size) == Fraction(night)


@pytest.mark.parametrize("size", SIDES)
def test_the_side_kill_recursion_gives_the_published_fractions(size: tuple[int, int, int]) -> None:
    day, night = SIDES[size]

    assert sides_day(*size) == Fraction(day)
    assert sides_night(*size) == Fraction(night)


def test_mini5_and_duel5_have_the_floor_of_a_day_first_match_of_one_wolf_among_five() -> None:
    for preset in ("mini5", "duel5"):
        game, _ = make_game(f"werewolf/{preset}")
        floor = village_floor(game.config.roles, game.config.win, game.config.first_night_kill)

        assert floor == Fraction(7, 15)


def test_every_preset_has_a_floor_between_none_and_all() -> None:
    for preset in PRESETS:
        game, _ = make_game(f"werewolf/{preset}")
        floor = village_floor(game.config.roles, game.config.win, game.config.first_night_kill)

        assert 0 < floor < 1, preset


# --- matches ----------------------------------------------------------------------------------------------------

SILENT: dict[str, Any] = {
    "rounds": 0,
    "vote_tie": "random",
    "vote_self": False,
    "vote_abstain": False,
    "wolf_abstain": False,
    "wolf_self_kill": False,
}


def village_wins(roles: dict[str, int], win: str, night_first: bool, matches: int) -> int:
    game, _ = make_game("werewolf/makto9g", {**SILENT, "roles": roles, "win": win, "first_night_kill": night_first})
    wins = 0
    for seed in range(matches):
        match, rng = Match(game, seed), stream("oracle", seed)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                match.submit(seat, ask.sample(rng))
        wins += match.outcome["winner_team"] == "village"
    return wins


def assert_near(wins: int, matches: int, p: Fraction, sigmas: int = 3) -> None:
    """Within three standard errors of the binomial; the seeds are fixed, so a pass stays a pass."""
    sigma = sqrt(float(p * (1 - p)) * matches)
    assert abs(wins - float(p) * matches) <= sigmas * sigma, f"{wins} of {matches}, expected {float(p):.4f}"


@pytest.mark.parametrize(("size", "night_first"), [((1, 4), False), ((2, 5), False), ((2, 6), True)])
def test_random_matches_meet_the_parity_floor(size: tuple[int, int], night_first: bool) -> None:
    wins = village_wins({"wolf": size[0], "villager": size[1]}, "parity", night_first, 2000)

    assert_near(wins, 2000, (parity_night if night_first else parity_day)(*size))


@pytest.mark.parametrize(("size", "night_first"), [((2, 2, 3), False), ((1, 2, 2), True)])
def test_random_matches_meet_the_side_kill_floor(size: tuple[int, int, int], night_first: bool) -> None:
    roles = dict(zip(("wolf", "seer", "villager"), size, strict=True))

    assert_near(
        village_wins(roles, "side_kill", night_first, 2000), 2000, (sides_night if night_first else sides_day)(*size)
    )


@pytest.mark.long
@pytest.mark.parametrize("size", PARITY)
@pytest.mark.parametrize("night_first", [False, True])
def test_twenty_thousand_matches_meet_the_parity_floor(size: tuple[int, int], night_first: bool) -> None:
    wins = village_wins({"wolf": size[0], "villager": size[1]}, "parity", night_first, 20_000)

    assert_near(wins, 20_000, (parity_night if night_first else parity_day)(*size), sigmas=4)  # of 42 such tests


@pytest.mark.long
@pytest.mark.parametrize("size", SIDES)
@pytest.mark.parametrize("night_first", [False, True])
def test_twenty_thousand_matches_meet_the_side_kill_floor(size: tuple[int, int, int], night_first: bool) -> None:
    roles = dict(zip(("wolf", "seer", "villager"), size, strict=True))

    assert_near(
        village_wins(roles, "side_kill", night_first, 20_000),
        20_000,
        (sides_night if night_first else sides_day)(*size),
        sigmas=4,
    )
