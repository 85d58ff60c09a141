"""Nash averaging: reference values, clones, and the cyclic share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from arena.leaderboards import nash

Tables = Callable[..., Any]
RPS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


def antisymmetric(n: int, seed: int) -> Any:
    A = np.random.default_rng(seed).normal(size=(n, n))
    return A - A.T


def test_equilibria_agree_with_the_reference_values(oracle: Callable[[str], Any]) -> None:
    for game in oracle("nash_averaging")["games"]:
        found = nash.maxent(game["payoff"])

        assert np.abs(found.nash - game["nash"]).max() < 2e-6
        assert np.abs(found.rating - game["rating"]).max() < 2e-6


@pytest.mark.parametrize(("a", "b", "c"), [(1, 2, 3), (5, 0.1, 1), (1e-4, 1, 1), (1e6, 2e6, 3e6)])
def test_weighted_rock_paper_scissors(a: float, b: float, c: float) -> None:
    found = nash.maxent([[0, -a, b], [a, 0, -c], [-b, c, 0]])

    assert np.allclose(found.nash, np.array([c, b, a]) / (a + b + c), atol=1e-9)
    assert np.abs(found.rating).max() < 1e-9 * max(a, b, c)


def test_the_best_of_a_ladder_takes_all_and_others_are_rated_below_zero() -> None:
    strength = np.array([1.0, 3.0, 2.0])

    found = nash.maxent(strength[:, None] - strength)

    assert found.nash.tolist() == [0, 1, 0]
    assert found.rating.tolist() == [-2, 0, -1]


def test_equals_share_equally() -> None:
    assert nash.maxent(np.zeros((4, 4))).nash.tolist() == [0.25] * 4


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 7), st.integers(0, 10_000))
def test_it_is_an_equilibrium_and_clones_share_their_mass(n: int, seed: int) -> None:
    A = antisymmetric(n, seed)
    found = nash.maxent(A)
    cloned = nash.maxent(A[np.ix_([*range(n), 0, 0], [*range(n), 0, 0])])

    assert (found.nash >= 0).all()
    assert abs(found.nash.sum() - 1) < 1e-12
    assert found.rating.max() < 1e-9 * np.abs(A).max()
    assert np.allclose(cloned.nash[[0, n, n + 1]], found.nash[0] / 3, atol=1e-7)
    assert np.allclose(cloned.nash[1:n], found.nash[1:], atol=1e-7)
    assert np.allclose(cloned.rating[:n], found.rating, atol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_among_many_equilibria_it_has_the_largest_entropy(seed: int) -> None:
    """Against a general optimiser, on games of small whole numbers, where equilibria are often many."""
    rng = np.random.default_rng(seed)
    A = rng.integers(-1, 2, (6, 6)).astype(float)
    A -= A.T
    found = nash.maxent(A)
    start = 0.999 * found.nash + 0.001 / 6
    optimise: Any = minimize
    other = optimise(
        lambda p: float((p * np.log(np.maximum(p, 1e-300))).sum()),
        start,
        method="SLSQP",
        bounds=[(0, 1)] * 6,
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1},
            {"type": "ineq", "fun": lambda p: -A @ p},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    feasible = (A @ other.x).max() < 1e-7 and abs(other.x.sum() - 1) < 1e-9

    def entropy(p: Any) -> float:
        return float(-(p[p > 0] * np.log(p[p > 0])).sum())

    assert found.rating.max() < 1e-8
    if feasible:
        assert entropy(found.nash) >= entropy(other.x) - 1e-6


def test_two_ladders_side_by_side_share_by_entropy() -> None:
    """a and b each beat nothing of the other; c loses to both: every mixture of a and b is an equilibrium."""
    A = np.array([[0.0, 0, 1], [0, 0, 1], [-1, -1, 0]])

    assert np.allclose(nash.maxent(A).nash, [0.5, 0.5, 0])


def test_an_inequality_may_bind() -> None:
    """Every mixture of a and b but for c, which beats a: with more than half of a, c would gain."""
    A = np.array([[0.0, 0, -3], [0, 0, 1], [3, -1, 0]])

    found = nash.maxent(A)

    assert np.allclose(found.nash, [0.25, 0.75, 0], atol=1e-8)


@pytest.mark.parametrize(
    "A", [np.zeros((2, 3)), [[0, 1], [1, 0]], [[0, np.nan], [0, 0]], np.zeros((0, 0)), np.zeros(3)]
)
def test_bad_payoffs_are_named(A: Any) -> None:
    with pytest.raises(ValueError, match="payoffs"):
        nash.maxent(A)


# --- from matches ---------------------------------------------------------------------------------------------------


def test_logits_are_log_odds_with_half_a_win_each_way() -> None:
    table = pd.DataFrame({"a": ["x"] * 5, "b": ["y"] * 5, "score": [1, 1, 1, 0.5, 0]})

    found = nash.logits(table)

    assert found.agents == ["x", "y"]
    assert found.A[0, 1] == pytest.approx(np.log(4 / 2))
    assert found.A[1, 0] == -found.A[0, 1]
    assert found.variance[0, 1] == pytest.approx(1 / 4 + 1 / 2)
    assert found.counts[0, 1] == 5


def test_pairs_that_never_met_are_listed_and_the_model_fills_them() -> None:
    rows = [(f"p{i}", f"p{i + 1}", s) for i in range(5) for s in (1, 0, 1)]
    table = pd.DataFrame(rows, columns=["a", "b", "score"])

    with pytest.raises(ValueError, match=r"p0 and p2, .*p1 and p3.* and 5 more pairs.*source='model'"):
        nash.logits(table)
    found = nash.logits(table, source="model")
    assert np.allclose(found.A, -found.A.T)
    assert nash.cyclic_share(found.A) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="source"):
        nash.logits(table, source="guess")  # type: ignore[arg-type]  # a wrong word, on purpose


def test_teams_share_the_weight_of_their_comparison(villages: Tables) -> None:
    found = nash.logits(villages(3, 60))

    assert found.counts.sum() / 2 == pytest.approx(120)


def test_rate_gives_masses_with_intervals(duels: Tables) -> None:
    rated = nash.rate(duels(4, 80), seed=2, bootstrap=100)

    table = rated.table
    assert list(table.columns) == ["agent", "nash_mass", "nash_lo", "nash_hi", "cyclic_share"]
    assert abs(table["nash_mass"].sum() - 1) < 1e-9
    assert (table["nash_lo"] <= table["nash_hi"]).all()
    assert table["cyclic_share"].nunique(dropna=False) == 1
    assert nash.rate(duels(4, 80), seed=2, bootstrap=100).table.equals(table)


# --- cyclic share ---------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=6))
def test_a_ladder_has_no_cyclic_share(strength: list[float]) -> None:
    r = np.array(strength)
    assume(np.ptp(r) > 1e-3)

    assert nash.cyclic_share(r[:, None] - r) == pytest.approx(0, abs=1e-9)


def test_rock_paper_scissors_is_all_cyclic() -> None:
    assert nash.cyclic_share(RPS) == pytest.approx(1)


def test_noise_is_taken_out_of_both_sums() -> None:
    """A ladder seen with noise: without the variance the noise looks cyclic."""
    rng = np.random.default_rng(0)
    r = np.linspace(-1.5, 1.5, 12)
    noise = np.triu(rng.normal(0, 0.5, (12, 12)), 1)
    A = r[:, None] - r + noise - noise.T

    assert nash.cyclic_share(A) > 0.05
    assert nash.cyclic_share(A, np.full((12, 12), 0.25)) < 0.03
    assert np.isnan(nash.cyclic_share(noise - noise.T, np.full((12, 12), 0.5)))
