"""Leduc's published figures: exact uniform exploitability, the value by linear programming, and the solved policy."""

from __future__ import annotations

import json
import time
from fractions import Fraction as F
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

import arena
from arena.core import stream
from arena.games._poker import (
    Node,
    Policy,
    best_reply,
    cfr_plus,
    exploitability,
    information_sets,
    nash_conv,
    uniform,
    value,
)
from arena.games.leduc.bots import nash
from arena.games.leduc.exact import POLICY_FILE, nash_policy, tree
from arena.games.leduc.rules import DEALS
from arena.games.leduc.solve import ITERATIONS, solve

VALUE = -0.0856064


def test_there_are_288_information_sets_after_suits_are_merged() -> None:
    assert len(information_sets(tree())) == 288
    assert len(information_sets(tree(), 0)) == len(information_sets(tree(), 1)) == 144


def test_uniform_play_has_the_published_nash_conv() -> None:
    policy = uniform(tree())

    assert best_reply(tree(), policy, 0)[0] == F(167, 80)
    assert best_reply(tree(), policy, 1)[0] == F(383, 144)
    assert nash_conv(tree(), policy) == F(1709, 360)
    assert float(nash_conv(tree(), policy)) == pytest.approx(4.7472222, abs=5e-8)
    assert float(exploitability(tree(), policy)) == pytest.approx(2.3736111, abs=5e-8)
    assert value(tree(), policy) == F(-5, 64)


def test_the_value_of_the_game_by_linear_programming() -> None:
    assert value_by_linear_program() == pytest.approx(VALUE, abs=5e-8)


def test_the_committed_policy_is_an_equilibrium_within_a_thousandth() -> None:
    policy, floats = nash_policy(), tree().floats()
    head = json.loads(POLICY_FILE.read_text(encoding="utf-8"))

    assert exploitability(floats, policy) < 1e-3
    assert exploitability(floats, policy) == pytest.approx(head["exploitability"], abs=1e-6)
    assert value(floats, policy) == pytest.approx(VALUE, abs=2e-4)
    assert policy.keys() == information_sets(tree()).keys()
    assert all(sum(chances) == pytest.approx(1, abs=1e-9) and min(chances) >= 0 for chances in policy.values())


def test_the_solver_reaches_a_thousandth_in_six_hundred_iterations() -> None:
    assert exploitability(tree().floats(), cfr_plus(tree(), 600)) < 1e-3


@pytest.mark.long
def test_the_committed_policy_is_what_the_command_writes() -> None:
    assert solve(ITERATIONS) == POLICY_FILE.read_text(encoding="utf-8")


def test_floats_and_fractions_agree() -> None:
    exact = uniform(tree())
    rounded: Policy = {name: [float(p) for p in chances] for name, chances in exact.items()}

    assert nash_conv(tree().floats(), rounded) == pytest.approx(float(nash_conv(tree(), exact)), abs=1e-12)


def test_exploitability_of_a_policy_takes_less_than_a_fifth_of_a_second() -> None:
    policy, floats, began = nash_policy(), tree().floats(), time.process_time()
    exploitability(floats, policy)

    assert time.process_time() - began < 0.2


def test_the_scripted_equilibrium_player_plays_the_policy() -> None:
    """All 24 deals, 150 streams each: the shares of moves in the first round come within five standard errors."""
    counts: dict[str, dict[str, int]] = {}
    for deal, seed in product(DEALS, range(150)):
        rng = stream(seed, "bots", deal)
        match = arena.match("leduc", seed=seed, deal=deal)
        history: list[str] = []
        while not match.done and "public" not in [e.kind for e in match.events]:
            ((seat, ask),) = match.pending().items()
            move = nash(match.view(seat), ask, rng)
            here = counts.setdefault(
                f"{deal[int(seat == 'player_1')]}:{' '.join(history)}", dict.fromkeys(_moves(ask.options), 0)
            )
            here[move] += 1
            history.append(move)
            match.submit(seat, move)

    assert len(counts) == 18
    for name, here in counts.items():
        n = sum(here.values())
        for chance, seen in zip(nash_policy()[name], here.values(), strict=True):
            p = float(chance)
            assert abs(seen / n - p) <= 5 * (p * (1 - p) / n) ** 0.5 + 1 / n, (name, here)


def test_equilibrium_against_itself_pays_the_value() -> None:
    """Every deal equally often by its share: the mean over the 120 deals, 40 times, within four standard errors."""
    results = [_played(deal, seed) for deal, share in DEALS.items() for seed in range(40 * int(share * 120))]

    mean = float(np.mean(results))
    assert abs(mean - VALUE) <= 4 * float(np.std(results)) / len(results) ** 0.5


def value_by_linear_program() -> float:
    """The value to player 0 in sequence form: its best realisation plan against the best answer to it.

    Independent of the solver and of best_reply: only the tree's leaves are used.
    """
    root, chance, deals = tree().root, tree().chance, len(tree().deals)
    sequences: tuple[dict[str, int], dict[str, int]] = ({"": 0}, {"": 0})
    parents: tuple[dict[str, str], dict[str, str]] = ({}, {})
    leaves: dict[tuple[int, int], float] = {}

    def walk(node: Node, deal: int, own: tuple[str, str]) -> None:
        if not node.children:
            pair = sequences[0][own[0]], sequences[1][own[1]]
            leaves[pair] = leaves.get(pair, 0.0) + float(chance[deal]) * node.chips[deal]
            return
        name = next(key for key, members in node.groups if deal in members)
        parents[node.player][name] = own[node.player]
        for move, child in zip(node.moves, node.children, strict=True):
            sequence = f"{name}>{move}"
            known = sequences[node.player]
            known.setdefault(sequence, len(known))
            walk(child, deal, (sequence, own[1]) if node.player == 0 else (own[0], sequence))

    for deal in range(deals):
        walk(root, deal, ("", ""))

    def constraints(player: int) -> np.ndarray:
        """Row 0: the empty sequence is played. Then for each set: the moves' plans sum to the plan that led there."""
        sets = list(parents[player])
        rows = np.zeros((1 + len(sets), len(sequences[player])))
        rows[0, 0] = 1
        for i, name in enumerate(sets, 1):
            rows[i, sequences[player][parents[player][name]]] = -1
            for sequence, column in sequences[player].items():
                if sequence.rpartition(">")[0] == name:
                    rows[i, column] = 1
        return rows

    own, other = constraints(0), constraints(1)
    pay = np.zeros((len(sequences[0]), len(sequences[1])))
    for (row, column), chips in leaves.items():
        pay[row, column] = chips
    plan, price = own.shape[1], other.shape[0]
    # max price[0]  subject to  other.T @ price <= pay.T @ plan,  own @ plan = (1, 0, …),  plan >= 0
    answer = linprog(
        c=np.concatenate([np.zeros(plan), [-1.0], np.zeros(price - 1)]),
        A_ub=np.hstack([-pay.T, other.T]),
        b_ub=np.zeros(other.shape[1]),
        A_eq=np.hstack([own, np.zeros((own.shape[0], price))]),
        b_eq=np.concatenate([[1.0], np.zeros(own.shape[0] - 1)]),
        bounds=[(0, None)] * plan + [(None, None)] * price,
    )
    assert answer.success and answer.fun is not None
    return -float(answer.fun)


def _moves(options: tuple[str, ...] | None) -> tuple[str, ...]:
    return options or ()


def _played(deal: str, seed: int) -> float:
    rng = stream(seed, deal)
    match = arena.match("leduc", seed=seed, deal=deal)
    while not match.done:
        ((seat, ask),) = match.pending().items()
        match.submit(seat, nash(match.view(seat), ask, rng))
    assert match.payoffs is not None
    return match.payoffs["player_0"]
