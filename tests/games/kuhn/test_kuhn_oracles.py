"""Kuhn's published figures, in exact fractions, and the engine against the tree."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import product

import pytest

import arena
from arena.core import Rng, stream
from arena.core.bots import Bot
from arena.games._poker import (
    Number,
    Policy,
    best_reply,
    cfr_plus,
    exploitability,
    information_sets,
    nash_conv,
    uniform,
    value,
)
from arena.games.kuhn.bots import bet_probability, loose, nash, tight
from arena.games.kuhn.exact import equilibrium, tree
from arena.games.kuhn.rules import DEALS

ALPHAS = (F(0), F(1, 6), F(1, 3))


def test_each_player_has_six_information_sets() -> None:
    assert len(information_sets(tree(), 0)) == len(information_sets(tree(), 1)) == 6
    assert information_sets(tree())["Q:pass bet"] == ("fold", "call")


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_equilibrium_family_cannot_be_exploited_and_is_worth_minus_one_eighteenth(alpha: F) -> None:
    assert nash_conv(tree(), equilibrium(alpha)) == 0
    assert value(tree(), equilibrium(alpha)) == F(-1, 18)


def test_the_family_by_hand() -> None:
    policy = equilibrium(F(1, 6))

    bets = {name: chances[1] for name, chances in policy.items()}
    assert bets == {
        "J:": F(1, 6),
        "Q:": F(0),
        "K:": F(1, 2),
        "J:pass bet": F(0),
        "Q:pass bet": F(1, 2),
        "K:pass bet": F(1),
        "J:pass": F(1, 3),
        "Q:pass": F(0),
        "K:pass": F(1),
        "J:bet": F(0),
        "Q:bet": F(1, 3),
        "K:bet": F(1),
    }


@pytest.mark.parametrize("alpha", [F(1, 3) + F(1, 100), F(1, 2)])
def test_bluffing_more_often_than_the_family_can_be_exploited(alpha: F) -> None:
    policy = dict(equilibrium(F(1, 3)))
    policy["J:"] = (1 - alpha, alpha)

    assert nash_conv(tree(), policy) > 0


def test_uniform_play_loses_eleven_twelfths_to_best_replies() -> None:
    policy = uniform(tree())

    assert best_reply(tree(), policy, 0)[0] == F(1, 2)
    assert best_reply(tree(), policy, 1)[0] == F(5, 12)
    assert nash_conv(tree(), policy) == F(11, 12)
    assert exploitability(tree(), policy) == F(11, 24)


def test_the_best_reply_never_folds_a_king_nor_calls_with_a_jack() -> None:
    reply = best_reply(tree(), uniform(tree()), 0)[1] | best_reply(tree(), uniform(tree()), 1)[1]

    assert reply["K:bet"] == reply["K:pass bet"] == "call"
    assert reply["J:bet"] == reply["J:pass bet"] == "fold"


def test_the_solver_comes_near_the_equilibrium() -> None:
    policy = cfr_plus(tree(), 500)

    assert exploitability(tree().floats(), policy) < 1e-3
    assert value(tree().floats(), policy) == pytest.approx(-1 / 18, abs=2e-3)


def test_what_the_scripted_players_win_from_each_other() -> None:
    """The table of the README: uniform, nash, loose, tight, on average over both seats; then their exploitability."""
    king, rest = (F(0), F(1)), {"loose": (F(1, 4), F(3, 4)), "tight": (F(1), F(0))}
    policies: dict[str, Policy] = {"uniform": uniform(tree()), "nash": equilibrium(F(1, 3))}
    for name, chances in rest.items():
        policies[name] = {key: king if key[0] == "K" else chances for key in information_sets(tree())}

    table = [[_margin(one, other) for other in policies.values()] for one in policies.values()]
    assert table == [
        [0, F(-1, 6), F(-7, 24), F(-1, 24)],
        [F(1, 6), 0, F(19, 192), 0],
        [F(7, 24), F(-19, 192), 0, F(-1, 32)],
        [F(1, 24), 0, F(1, 32), 0],
    ]
    assert [exploitability(tree(), policy) for policy in policies.values()] == [F(11, 24), 0, F(49, 192), F(1, 4)]


def test_the_scripted_equilibrium_player_plays_the_table() -> None:
    """Six deals, 1000 streams each: the shares of bets come within four standard errors."""
    counts: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for deal, seed in product(DEALS, range(1000)):
        rng = stream(seed, "bots", deal)
        match = arena.match("kuhn", seed=seed, deal=deal)
        history: tuple[str, ...] = ()
        while not match.done:
            ((seat, ask),) = match.pending().items()
            move = nash(match.view(seat), ask, rng, alpha=1 / 6)
            told = counts.setdefault((deal[int(seat == "player_1")], history), [0, 0])
            told[move in ("bet", "call")] += 1
            history = (*history, move)
            match.submit(seat, move)

    assert len(counts) == 12
    for (card, history), (passes, bets) in counts.items():
        chance, n = float(bet_probability(card, history, F(1, 6))), passes + bets
        assert abs(bets / n - chance) <= 4 * (chance * (1 - chance) / n) ** 0.5, (card, history)


@pytest.mark.parametrize(
    ("first", "second", "chips"),
    [
        (tight, tight, F(0)),  # J and Q check it through or fold to a king, whoever holds it
        (nash, tight, None),
    ],
)
def test_played_matches_agree_with_the_tree(first: Bot, second: Bot, chips: F | None) -> None:
    """Over all six deals the engine pays what the tree says of the same policies."""
    total = sum(_played(first, second, deal, seed) for deal in DEALS for seed in range(400)) / (6 * 400)

    policy = {name: (F(name[0] != "K"), F(name[0] == "K")) for name in information_sets(tree())}
    if first is nash:
        policy |= {name: equilibrium(F(1, 3))[name] for name in information_sets(tree(), 0)}  # type: ignore[misc]
    expected = value(tree(), policy)
    if chips is not None:
        assert expected == chips
        assert total == chips
    else:
        assert total == pytest.approx(float(expected), abs=0.1)


def test_a_loose_player_bets_more_than_a_tight_one() -> None:
    rng = stream(1, "bots")
    match = arena.match("kuhn", seed=1, deal="JQ")
    ((seat, ask),) = match.pending().items()

    wild = [loose(match.view(seat), ask, rng) for _ in range(400)]
    assert 0.65 < wild.count("bet") / 400 < 0.85
    assert tight(match.view(seat), ask, rng) == "check"


def _played(first: Bot, second: Bot, deal: str, seed: int) -> float:
    rng: Rng = stream(seed, deal)
    match = arena.match("kuhn", seed=seed, deal=deal)
    while not match.done:
        ((seat, ask),) = match.pending().items()
        bot = first if seat == "player_0" else second
        match.submit(seat, bot(match.view(seat), ask, rng))
    assert match.payoffs is not None
    return match.payoffs["player_0"]


def _margin(one: Policy, other: Policy) -> Number:
    """What `one` wins from `other` on average over both seats."""
    first = information_sets(tree(), 0)
    seated = [{key: (a if key in first else b)[key] for key in one} for a, b in ((one, other), (other, one))]
    return (value(tree(), seated[0]) - value(tree(), seated[1])) / 2
