"""The Bayes player: its posterior worked by hand, its votes, its assassin."""

from __future__ import annotations

from fractions import Fraction as F
from math import isclose, sqrt

import pytest

import arena
from arena.core import stream
from arena.games.avalon.bots import BOTS
from arena.games.avalon.bots.bayes import merlin_chances
from arena.games.avalon.bots.naive import consistent, shares
from arena.games.avalon.bots.notes import Played, Voted, notes
from arena.games.avalon.bots.posterior import belief, fails_chance
from arena.games.avalon.bots.sets import members, set_of, sets
from tests.games.avalon.tables import course, new, votes_of

BAYES = BOTS["bayes"]


def test_chances_of_fail_cards() -> None:
    assert [fails_chance(0, 1, f) for f in range(2)] == [1, 0]
    assert [fails_chance(1, 1, f) for f in range(3)] == pytest.approx([0.1, 0.9, 0])
    assert [fails_chance(2, 1, f) for f in range(3)] == pytest.approx([0.01, 0.18, 0.81])
    assert [fails_chance(1, 2, f) for f in range(2)] == [0.5, 0.5]
    assert [fails_chance(3, 2, f) for f in range(4)] == pytest.approx([0.001, 0.027, 0.243, 0.729])


def test_a_posterior_worked_by_hand() -> None:
    """Servant 1; player_0 leads and proposes {0, 1}; seats 2 and 3 reject; no fail.

    Six worlds of weight 1. Lead: worlds with 0 evil x .9. P({0, 1} good) is then 3 / (3 + 3 x .9) = 10/19 = p.
    Ballot ratios (evil over good): approving .8/p if 0 is evil, else .3/p; rejecting .2/(1-p), else .7/(1-p).
    Quest: evil 0 on the team hides its fail with .1, else 1.
    """
    match = course(new(), {"team": (0, 1), "no": (2, 3)})
    p = F(10, 19)
    yes = {True: F(4, 5) / p, False: F(3, 10) / p}
    no = {True: F(1, 5) / (1 - p), False: F(7, 10) / (1 - p)}
    weights = {
        (0, 2): F(9, 10) * yes[True] * no[True] * F(1, 10),
        (0, 3): F(9, 10) * yes[True] * no[True] * F(1, 10),
        (0, 4): F(9, 10) * yes[True] * yes[True] * F(1, 10),
        (2, 3): no[False] * no[False],
        (2, 4): no[False] * yes[False],
        (3, 4): no[False] * yes[False],
    }
    total = sum(weights.values())
    wanted = [float(sum(w for world, w in weights.items() if seat in world) / total) for seat in range(5)]

    assert belief(notes(match.view("player_1"))).is_evil() == pytest.approx(wanted)


def test_sight_and_the_lady_leave_only_worlds_that_agree() -> None:
    deal = ["merlin", "percival", "servant", "servant", "assassin", "morgana", "oberon"]
    match = new("full7", deal, talk_rounds=0, lady=True)
    merlin, percival = (belief(notes(match.view(f"player_{i}"))).is_evil() for i in (0, 1))

    assert merlin == [0, 0, 0, 0, 1, 1, 1]
    assert percival == pytest.approx([0.5, 0, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert belief(notes(match.view("player_0")), open_eyed=False).is_evil() == pytest.approx([0] + [0.5] * 6)
    course(match, {"team": (0, 1)}, {"team": (0, 1, 2)})
    match.submit("player_6", "player_2")  # Oberon holds the Lady first
    assert belief(notes(match.view("player_6"))).is_evil()[2] == 0


def test_bayes_merlin_votes_for_clean_teams_but_for_its_disguise() -> None:
    """An evil leader takes Merlin along: his eyes say no; closed, three times in ten, it is the leader's best team."""
    votes = []
    for seed in range(400):
        match = new(first_leader=3)
        match.submit("player_3", ["player_0", "player_3"])
        votes.append(BAYES(match.view("player_0"), match.pending()["player_0"], stream(seed)))

    assert abs(votes.count("approve") - 120) < 4 * sqrt(400 * 0.3 * 0.7)


def test_bayes_good_never_rejects_a_last_chance() -> None:
    match = new("p5", talk_rounds=0)
    course(match, *[{"team": (0, 1), "no": range(5)}] * 4)

    assert votes_of(match, BAYES, [3, 4], range(3)) == ["approve"] * 3


def test_the_bayes_assassin_reads_the_ballots() -> None:
    """Good seat 1 votes with the truth throughout, 0 (Merlin) once in four, 2 twice."""
    rounds = [
        {"team": (3, 1), "no": (1, 2), "fail": ()},
        {"team": (0, 1, 2), "no": (0, 2, 3, 4)},
        {"team": (0, 1, 2), "no": (2,)},
        {"team": (0, 1), "no": (0,)},
    ]
    match = course(new(), *rounds)
    chances = merlin_chances(notes(match.view("player_3")))
    # each agreement is worth .9/.6, each difference .1/.4
    odds = [F(3, 2) * F(1, 4) ** 3, F(3, 2) ** 4, F(3, 2) ** 2 * F(1, 4) ** 2]

    assert chances == pytest.approx([*(float(o / sum(odds)) for o in odds), 0, 0])
    assert BAYES(match.view("player_3"), match.pending()["player_3"], stream(1)) == "player_1"


def test_assassin_random_differs_from_bayes_in_the_strike_only() -> None:
    named = set()
    for seed in range(60):
        a, b = (arena.match("avalon/mute5", seed=seed) for _ in range(2))
        rng = stream(seed)
        while not a.done and "assassinate" not in {ask.name for ask in a.pending().values()}:
            for seat, ask in list(a.pending().items()):
                state = rng.getstate()
                answer = BAYES(a.view(seat), ask, rng)
                rng.setstate(state)
                assert BOTS["assassin-random"](b.view(seat), ask, rng) == answer
                a.submit(seat, answer)
                b.submit(seat, answer)
        if not a.done:
            (seat, ask) = next(iter(a.pending().items()))
            named |= {
                (bot(a.view(seat), ask, stream(i)), name)
                for i in range(20)
                for name, bot in BOTS.items()
                if name != "naive"
            }
    assert len({target for target, name in named if name == "assassin-random"}) == 5


def test_sets_are_counted_as_bits() -> None:
    assert members(set_of([4, 1, 9])) == [1, 4, 9]
    assert len(sets(10, 4)) == 210
    assert len(sets(10, 5)) == 252
    assert isclose(sum(shares(10, 4, consistent(10, 4, 0, []))), 4)
    assert [type(e).__name__ for e in notes(course(new(), {"team": (0, 1)}).view("player_1")).evidence] == [
        *("Proposed", Voted.__name__, Played.__name__)
    ]
