"""Exact values of random teams with evil that always fails, by recursion and by playing."""

from __future__ import annotations

from fractions import Fraction as F
from math import sqrt

import pytest

from arena.core import Match, Rng, stream
from arena.games.avalon.oracles import good_wins, quest_success, random_approval, three_successes
from arena.registry import make_game

# players: success of each quest; all approve: three successes, good wins; random votes: p, three successes, good wins
TABLE = {
    5: ("3/10 1/10 3/10 1/10 1/10", F(229, 6250), F(229, 9375), F(1, 2), 0.032104, 0.021402),
    6: ("2/5 1/5 1/15 1/5 1/15", F(1057, 28125), F(1057, 37500), F(11, 32), 0.021973, 0.016480),
    7: ("2/7 4/35 4/35 13/35 1/35", F(355058, 10504375), F(532587, 21008750), F(1, 2), 0.029735, 0.022301),
    8: ("5/28 1/14 1/14 2/7 1/56", F(22747, 2151296), F(22747, 2689120), F(93, 256), 0.006749, 0.005400),
    9: ("5/21 5/42 5/42 17/42 1/21", F(395585, 10890936), F(1977925, 65345616), F(1, 2), 0.031856, 0.026547),
    10: ("1/6 1/14 1/14 11/42 1/42", F(1271, 129654), F(6355, 777924), F(193, 512), 0.006538, 0.005448),
}


@pytest.mark.parametrize("players", TABLE)
def test_the_recursion_gives_the_published_table(players: int) -> None:
    quests, all_three, all_good, p, random_three, random_good = TABLE[players]

    assert quest_success(players) == tuple(map(F, quests.split()))
    assert three_successes(players) == all_three
    assert good_wins(players) == all_good
    assert random_approval(players) == p
    assert round(float(three_successes(players, p)), 6) == random_three
    assert round(float(good_wins(players, p)), 6) == random_good


def played(players: int, seed: int, votes: str, fifth_reject: str) -> tuple[bool, bool]:
    """One match of the oracle's players: whether three quests succeeded, whether good won."""
    game, _ = make_game(f"avalon/p{players}", {"talk_rounds": 0, "fifth_reject": fifth_reject})
    match, rng = Match(game, seed), Rng(seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            fixed = {"quest": "fail", "team_vote": votes}.get(ask.name, "random")
            match.submit(seat, ask.sample(rng) if fixed == "random" else fixed)
    reached = match.turns[-1].ask.name == "assassinate"
    return reached, match.outcome["winner_team"] == "good"


def check(players: int, matches: int, votes: str, fifth_reject: str, approval: F) -> None:
    seeds = stream("avalon oracle", players, votes, fifth_reject)
    results = [played(players, seeds.getrandbits(60), votes, fifth_reject) for _ in range(matches)]
    for column, exact in enumerate((three_successes(players, approval), good_wins(players, approval))):
        seen, p = sum(r[column] for r in results), float(exact)

        assert abs(seen - matches * p) < 4 * sqrt(matches * p * (1 - p)), f"{seen} of {matches}, expected {p:.6f}"


WAYS = {
    "all approve": ("approve", "evil_wins", None),
    "random votes": ("random", "evil_wins", "random"),
    "random votes, auto_pass": ("random", "auto_pass", None),  # the team always goes in the end
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("players", [5, 7])
def test_play_meets_the_recursion(players: int, way: str) -> None:
    votes, fifth, approval = WAYS[way]
    check(players, 1500, votes, fifth, random_approval(players) if approval else F(1))


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("players", TABLE)
def test_50_000_matches_meet_the_recursion(players: int, way: str) -> None:
    votes, fifth, approval = WAYS[way]
    check(players, 50_000, votes, fifth, random_approval(players) if approval else F(1))
