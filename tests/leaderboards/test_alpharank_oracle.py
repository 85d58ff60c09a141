"""alpha-Rank against 40-digit references, and what must hold for every game."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from arena.leaderboards import alpharank
from arena.leaderboards.alpharank import chain, elimination, finite, limit

Oracle = Callable[[str], Any]

mpmath: Any = pytest.importorskip("mpmath")
FAST = settings(max_examples=40, deadline=None)
PAYOFFS = st.floats(-5, 5, allow_nan=False, width=32)


def games(oracle: Oracle) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = oracle("alpharank")["games"]
    return found


def assert_agrees(pi: Any, reference: Any, where: str) -> None:
    expected = np.array(reference)
    large = expected > 1e-25

    assert pi.shape == expected.shape, where
    assert (pi >= 0).all(), where
    assert abs(pi.sum() - 1) < 1e-12, where
    assert np.abs(pi - expected).max() <= 1e-9, where
    assert (np.abs(pi - expected)[large] <= 1e-7 * expected[large]).all(), where


def test_every_finite_cell_agrees_with_the_40_digit_reference(oracle: Oracle) -> None:
    cells = 0
    for game in games(oracle):
        for cell in game["finite"]:
            pi = alpharank.stationary(game["payoffs"], cell["alpha"], m=cell["m"])
            assert_agrees(pi, cell["pi"], f"{game['name']} m {cell['m']} alpha {cell['alpha']}")
            cells += 1

    assert cells == 308


def test_every_exact_limit_agrees(oracle: Oracle) -> None:
    for game in games(oracle):
        pi = alpharank.stationary(game["payoffs"])
        assert_agrees(pi, game["infinite_limit"], game["name"])


def test_every_perturbed_chain_agrees(oracle: Oracle) -> None:
    for game in games(oracle):
        for cell in game["infinite_eps"]:
            pi = alpharank.stationary(game["payoffs"], eps=cell["eps"])
            assert_agrees(pi, cell["pi"], f"{game['name']} eps {cell['eps']}")


def test_a_sweep_is_a_row_of_stationary_for_each_alpha(oracle: Oracle) -> None:
    payoffs = games(oracle)[8]["payoffs"]

    rows = alpharank.sweep(payoffs, [0.1, 1, 10], m=20)

    assert rows.shape == (3, 16)
    for alpha, row in zip([0.1, 1, 10], rows, strict=True):
        assert (row == alpharank.stationary(payoffs, alpha, m=20)).all()


# --- games whose answer is known ------------------------------------------------------------------------------------

RPS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
DILEMMA = [np.array([[3.0, 0], [5, 1]]), np.array([[3.0, 5], [0, 1]])]
SEXES = [np.array([[3.0, 0], [0, 2]]), np.array([[2.0, 0], [0, 3]])]
CHICKEN = [np.array([[0.0, -1], [1, -10]]), np.array([[0.0, 1], [-1, -10]])]
PENNIES = [np.array([[1.0, -1], [-1, 1]]), np.array([[-1.0, 1], [1, -1]])]


@pytest.mark.parametrize("alpha", [0, 1e-9, 0.1, 1, 10, 100, 1e4, None])
def test_rock_paper_scissors_is_uniform_at_every_alpha(alpha: float | None) -> None:
    assert np.allclose(alpharank.stationary(RPS, alpha), 1 / 3, atol=1e-12)


def test_the_prisoners_dilemma_ends_in_mutual_defection() -> None:
    assert alpharank.stationary(DILEMMA).tolist() == [0, 0, 0, 1]
    assert alpharank.stationary(DILEMMA, 100)[3] > 1 - 1e-12


@pytest.mark.parametrize(("game", "equilibria"), [(SEXES, [0, 3]), (CHICKEN, [1, 2])])
def test_coordination_shares_its_mass_between_the_pure_equilibria(game: Any, equilibria: list[int]) -> None:
    expected = np.zeros(4)
    expected[equilibria] = 0.5

    assert np.allclose(alpharank.stationary(game), expected, atol=1e-15)
    assert [s.tolist() for s in alpharank.sinks(game)] == [[e] for e in equilibria]


def test_matching_pennies_is_a_quarter_each() -> None:
    assert np.allclose(alpharank.stationary(PENNIES), 0.25, atol=1e-15)


def test_a_transitive_game_gives_everything_to_the_best() -> None:
    strength = np.arange(5.0)
    M = strength[:, None] - strength

    assert alpharank.stationary(M).tolist() == [0, 0, 0, 0, 1]


def test_alpha_zero_is_uniform() -> None:
    assert np.allclose(alpharank.stationary(DILEMMA, 0), 0.25)
    assert np.allclose(alpharank.stationary(np.random.default_rng(0).random((7, 7)), 0), 1 / 7)


# --- forms and states -----------------------------------------------------------------------------------------------


def test_the_accepted_forms_of_payoffs_mean_the_same() -> None:
    assert np.allclose(alpharank.stationary([RPS], 1), alpharank.stationary(RPS, 1))
    assert np.allclose(alpharank.stationary(RPS.tolist(), 1), alpharank.stationary(RPS, 1))
    assert np.allclose(alpharank.stationary(np.stack(DILEMMA), 1), alpharank.stationary(DILEMMA, 1))
    assert np.allclose(alpharank.stationary([t.tolist() for t in DILEMMA], 1), alpharank.stationary(DILEMMA, 1))


def test_a_symmetric_game_may_be_declared_a_single_population() -> None:
    M = np.array([[0.0, 2], [1, 3]])

    assert alpharank.stationary([M, M.T], 1, single_population=True).shape == (2,)
    assert alpharank.stationary([M, M.T], 1).shape == (4,)


def test_states_are_profiles_with_the_last_population_fastest() -> None:
    """Population 0 prefers its strategy 1, population 1 its strategy 2, whatever the other does."""
    first = np.zeros((2, 3))
    first[1] = 1
    second = np.zeros((2, 3))
    second[:, 2] = 1

    pi = alpharank.stationary([first, second])

    assert pi.reshape(2, 3)[1, 2] == 1
    assert alpharank.sinks([first, second])[0].tolist() == [5]


# --- properties -----------------------------------------------------------------------------------------------------


@FAST
@given(arrays.arrays(float, (2, 3, 3), elements=PAYOFFS), st.permutations(range(3)), st.sampled_from([0.5, 20.0, None]))
def test_relabelling_strategies_permutes_the_masses(tables: Any, order: list[int], alpha: float | None) -> None:
    pi = alpharank.stationary(list(tables), alpha).reshape(3, 3)

    moved = alpharank.stationary([t[order] for t in tables], alpha).reshape(3, 3)

    assert np.allclose(moved, pi[order], rtol=1e-9, atol=1e-12)


@FAST
@given(
    arrays.arrays(np.int64, (3, 2, 2, 2), elements=st.integers(-8, 8)),
    arrays.arrays(np.int64, (3, 2, 2), elements=st.integers(-8, 8)),
    st.sampled_from([1.0, 50.0, None]),
)
def test_payoffs_that_do_not_depend_on_the_own_strategy_change_nothing(
    tables: Any, extra: Any, alpha: float | None
) -> None:
    shifted = [t + np.expand_dims(e, k) for k, (t, e) in enumerate(zip(tables, extra, strict=True))]

    assert np.allclose(
        alpharank.stationary(shifted, alpha), alpharank.stationary(list(tables), alpha), rtol=1e-9, atol=1e-12
    )


@FAST
@given(arrays.arrays(np.int64, (2, 5, 5), elements=st.integers(-6, 6)), st.sampled_from([1.0, 30.0, None]))
def test_adding_a_symmetric_matrix_changes_nothing_in_a_single_population(tables: Any, alpha: float | None) -> None:
    M, extra = tables

    pi = alpharank.stationary(M + extra + extra.T, alpha)

    assert np.allclose(pi, alpharank.stationary(M, alpha), rtol=1e-9, atol=1e-12)


@FAST
@given(st.integers(0, 10_000))
def test_finite_alpha_tends_to_the_limit_of_one_sink_class(seed: int) -> None:
    """With several, errors at finite alpha differ in size, and the odds between classes with them."""
    rng = np.random.default_rng(seed)
    tables = [rng.permutation(9).reshape(3, 3).astype(float) for _ in range(2)]
    assume(len(alpharank.sinks(tables)) == 1)

    assert np.allclose(alpharank.stationary(tables, 1e4), alpharank.stationary(tables), atol=1e-9)


def tied_games(n: int, seed: int) -> list[list[Any]]:
    """Small games with many ties, some of common interest, so that several sink classes are frequent."""
    rng = np.random.default_rng(seed)
    shapes = [(2, 2), (3, 3), (2, 2, 2), (3, 2, 2), (2, 2, 2, 2)]
    found = []
    for _ in range(n):
        shape = shapes[rng.integers(len(shapes))]
        tables = [rng.integers(0, 3, shape).astype(float) for _ in shape]
        found.append([tables[0]] * len(shape) if rng.random() < 0.3 else tables)
    return found


def test_contraction_equals_elimination_in_leading_orders() -> None:
    several = 0
    for tables in tied_games(400, seed=1):
        game = chain.read(tables)
        reference = limit._leading_orders(chain.moves(game), game.n_states)
        several += len(alpharank.sinks(tables)) > 1

        assert np.abs(limit.solve(game) - reference).max() < 1e-14
    assert several > 40


def test_the_limit_equals_the_chain_at_vanishing_error_in_many_digits() -> None:
    for tables in tied_games(40, seed=2):
        game = chain.read(tables)
        moves = chain.moves(game)
        better, worse = chain.compare(moves)
        with mpmath.workdps(60):
            eps = mpmath.mpf(10) ** -25
            rates = [1 - eps if b else eps if w else mpmath.mpf(1) / 2 for b, w in zip(better, worse, strict=True)]
            reference = _eliminated(game.n_states, moves, rates)

        assert np.abs(limit.solve(game) - reference).max() < 1e-14


def _eliminated(n: int, moves: chain.Moves, rates: list[Any]) -> Any:
    """Elimination as in the textbook, in arbitrary precision."""
    Q = [[mpmath.mpf(0)] * n for _ in range(n)]
    for source, target, rate in zip(moves.source, moves.target, rates, strict=True):
        Q[source][target] = rate
    for k in range(n - 1, 0, -1):
        total = mpmath.fsum(Q[k][:k])
        for i in range(k):
            Q[i][k] /= total
            for j in range(k):
                if i != j:
                    Q[i][j] += Q[i][k] * Q[k][j]
    p = [mpmath.mpf(1)]
    for k in range(1, n):
        p.append(mpmath.fsum(p[i] * Q[i][k] for i in range(k)))
    return np.array([float(x / mpmath.fsum(p)) for x in p])


def test_large_games_are_contracted_the_same_with_sparse_solves(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        tables = [rng.random((25, 25)) for _ in range(2)]
        if len(alpharank.sinks(tables)) > 1:
            dense = alpharank.stationary(tables)
            with monkeypatch.context() as patch:
                patch.setattr(limit, "MAX_DENSE", 2)

                assert np.abs(alpharank.stationary(tables) - dense).max() < 1e-12
            checked += 1
    assert checked > 5


def test_a_large_class_is_solved_by_iteration_as_by_elimination(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    tables = [rng.random((12, 12)) for _ in range(2)]
    dense = alpharank.stationary(tables)

    monkeypatch.setattr(limit, "MAX_DENSE", 2)

    assert len(alpharank.sinks(tables)[0]) > 100
    assert np.abs(alpharank.stationary(tables) - dense).max() < 1e-11


# --- defects of others ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [15.0, 100.0, 1e4, 1e6])
def test_large_alpha_times_m_does_not_overflow(alpha: float) -> None:
    pi = alpharank.stationary(RPS * 3, alpha, m=100)

    assert np.isfinite(pi).all()
    assert np.allclose(pi, 1 / 3)


@pytest.mark.parametrize("alpha", [0.5, 1, 5, 50, 500])
def test_a_coordination_game_has_one_answer(alpha: float) -> None:
    pi = alpharank.stationary([np.diag([10.0, 10.0])] * 2, alpha)

    assert np.allclose(pi[[0, 3]], 0.5, atol=0.02 if alpha < 1 else 1e-9)
    assert (pi >= 0).all()


def test_odds_of_equilibria_survive_rates_that_no_float_holds() -> None:
    """Exit rates of about e^-680 and e^-691: dropping the smaller one would leave an equilibrium without exit."""
    table = np.diag([13.88, 14.10])

    pi = alpharank.stationary([table, table], 1.0, m=50)

    exits = 49 * (14.10 - 13.88)
    assert np.isclose(np.log(pi[3] / pi[0]), exits, atol=0.01)


def test_payoffs_that_nearly_tie_are_not_called_ties() -> None:
    M = np.array([[0.5, 0.5 + 1e-6], [0.5, 0.5]])

    assert alpharank.stationary(M).tolist() == [1, 0]
    assert np.allclose(alpharank.stationary(np.array([[0.5, 0.5 + 1e-14], [0.5, 0.5]])), 0.5)


def test_the_safe_path_agrees_with_the_fast_one_where_both_apply() -> None:
    rng = np.random.default_rng(5)
    for shape in ((6, 6), (3, 3, 3)):
        moves = chain.moves(chain.read([rng.random(shape) for _ in shape]))
        logs = chain.log_rates(moves.gain, 20.0, 50)
        n = int(np.prod(shape))

        fast = finite.solve(moves, logs, n)
        safe = elimination.gth_logs(finite._dense(moves, logs, np.arange(n), n))

        assert np.allclose(fast, safe, rtol=1e-9, atol=1e-30)


# --- limits and bad input -------------------------------------------------------------------------------------------


def test_too_many_states_name_the_number_and_the_way_out() -> None:
    coordination = np.diag(np.full(56, 100.0))
    with pytest.raises(ValueError, match=r"3,136 states.*safe path.*infinite alpha"):
        alpharank.stationary([coordination, coordination], 100.0)
    with pytest.raises(ValueError, match=r"10,201 states.*fast path.*fewer strategies"):
        alpharank.stationary([np.random.default_rng(0).random((101, 101)) for _ in range(2)], 0.01)


def test_the_limit_of_many_states_with_double_errors_is_refused(
    monkeypatch: pytest.MonkeyPatch, oracle: Oracle
) -> None:
    monkeypatch.setattr(limit, "MAX_ORDERS", 31)
    with pytest.raises(ValueError, match="32 states are too many"):
        alpharank.stationary(games(oracle)[-1]["payoffs"])


BAD = [
    ([np.zeros((2, 2)), np.zeros((2, 3))], {}, "different shapes"),
    (np.zeros((2, 3)), {}, "square"),
    ([np.zeros((2, 3))], {}, "square"),
    ([np.zeros((2, 2, 2))] * 2, {}, "2 dimensions"),
    ([[0.0, 1.0], [1.0]], {}, "differ in length"),
    (np.zeros((0, 0)), {}, "empty"),
    ([], {}, "empty"),
    (np.array([[0.0, np.nan], [0, 0]]), {}, "not finite"),
    ([["a", "b"], ["c", "d"]], {}, "numbers"),
    (np.zeros((2, 2)), {"alpha": -1.0}, "alpha"),
    (np.zeros((2, 2)), {"alpha": float("nan")}, "alpha"),
    (np.zeros((2, 2)), {"alpha": 1.0, "m": 1}, "m must"),
    (np.zeros((2, 2)), {"alpha": 1.0, "m": 2.5}, "m must"),
    (np.zeros((2, 2)), {"eps": 0.0}, "eps"),
    (np.zeros((2, 2)), {"eps": 0.5}, "eps"),
    (np.zeros((2, 2)), {"eps": 0.1, "alpha": 1.0}, "eps"),
    (np.zeros((2, 2)), {"single_population": False}, "single population"),
    ([np.array([[0.0, 1], [2, 3]])] * 2, {"single_population": True}, "transposed"),
    ([np.zeros((2, 2, 2))] * 3, {"single_population": True}, "cannot be a single population"),
    (np.array([[0.0, 1e300], [0, 0]]), {"alpha": 1e10}, "too large"),
]


@pytest.mark.parametrize(("payoffs", "options", "match"), BAD)
def test_bad_payoffs_and_options_are_named(payoffs: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        alpharank.stationary(payoffs, **options)


def test_the_input_is_not_modified() -> None:
    M = np.random.default_rng(0).random((5, 5))
    before = M.copy()

    alpharank.stationary(M, 10)
    alpharank.stationary(M)

    assert (before == M).all()
