"""Bradley-Terry: reference tables, a naive second implementation, existence, and calibration of its intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.leaderboards import bt
from arena.leaderboards.fitting.bootstrap import replicates, stream

Oracle = Callable[[str], Any]
Tables = Callable[..., Any]
FAST = settings(max_examples=25, deadline=None)


def by_agent(fit: Any, column: str) -> Any:
    return fit.table.set_index("agent")[column].sort_index().to_numpy()


def frame(table: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(table["matches"], columns=["a", "b", "score"])


# --- reference tables -----------------------------------------------------------------------------------------------


def test_theta_and_standard_errors_agree_with_the_reference_tables(oracle: Oracle) -> None:
    for table in oracle("bradley_terry")["tables"]:
        matches = frame(table)
        fit = bt.fit(matches)
        prior = bt.fit(matches, prior_sd=3.0)

        assert np.abs(by_agent(prior, "theta") - table["map_prior_sd_3"]).max() < 1e-7
        assert fit.regularised is (not table["mle_exists"])
        assert fit.n_components == table["connected_components"]
        if not table["mle_exists"]:
            assert fit.reason == "ford"
            assert np.abs(by_agent(fit, "theta") - table["map_prior_sd_3"]).max() < 1e-7
            continue
        clustered = bt.fit(matches.assign(deal_id=np.arange(len(matches)) // 2))
        davidson = bt.fit(matches, ties="davidson")

        assert np.abs(by_agent(fit, "theta") - table["theta"]).max() < 1e-7
        assert np.abs(by_agent(fit, "se") / table["se_row"] - 1).max() < 1e-4
        assert np.abs(by_agent(clustered, "se") / table["se_cluster"] - 1).max() < 1e-4
        assert np.abs(by_agent(davidson, "theta") - table["davidson"]["theta"]).max() < 1e-6
        assert davidson.nu is not None
        assert abs(davidson.nu - table["davidson"]["nu"]) < 1e-6
        assert abs(davidson.nu / 2 - table["newman_v"]) < 1e-6


def test_a_fit_says_what_it_is_made_of(pairs: Tables) -> None:
    table = pairs(5, 400, seed=1)

    fit = bt.fit(table.assign(deal_id=np.arange(400) // 2))

    assert list(fit.table.columns) == [
        "agent", "theta", "se", "rating", "rating_se", "n_matches", "n_wins", "n_ties", "n_losses",
    ]  # fmt: skip
    assert fit.agents == fit.table["agent"].tolist()
    assert (np.diff(fit.table["theta"]) <= 0).all()
    assert abs(fit.table["theta"].mean()) < 1e-12
    assert np.allclose(fit.table["rating"], 1500 + 400 / np.log(10) * fit.table["theta"])
    assert np.allclose(np.sqrt(np.diag(fit.cov)), fit.table["se"])
    assert np.allclose(fit.cov.sum(axis=0), 0, atol=1e-12)
    assert (fit.n_matches, fit.n_clusters, fit.biases, fit.bias_se, fit.nu) == (400, 200, {}, {}, None)
    assert fit.table["n_matches"].sum() == 800
    assert (fit.table["n_wins"] + fit.table["n_ties"] + fit.table["n_losses"] == fit.table["n_matches"]).all()
    assert (type(fit.regularised), fit.reason) == (bool, "")


def test_agent_labels_are_kept_as_they_are(pairs: Tables) -> None:
    table = pairs(3, 200)
    labels = {0: "zero", 1: ("a", 1), 2: 2.5}

    fit = bt.fit(table.assign(a=table["a"].map(labels), b=table["b"].map(labels)))

    assert set(fit.agents) == set(labels.values())


# --- properties -----------------------------------------------------------------------------------------------------


@FAST
@given(st.integers(0, 10_000))
def test_swapping_sides_shuffling_rows_and_scaling_weights_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 120
    a = rng.integers(0, 5, n)
    b = (a + rng.integers(1, 5, n)) % 5
    table = pd.DataFrame({"a": a, "b": b, "score": rng.choice([0, 0.25, 0.5, 1], n), "weight": rng.uniform(0.5, 2, n)})
    swap = rng.random(n) < 0.5
    swapped = pd.DataFrame(
        {
            "a": np.where(swap, b, a),
            "b": np.where(swap, a, b),
            "score": np.where(swap, 1 - table["score"], table["score"]),
            "weight": 3 * table["weight"],
        }
    ).sample(frac=1, random_state=seed)
    prior = None if bt.fit(table).regularised is False else 3.0

    before, after = bt.fit(table, prior_sd=prior), bt.fit(swapped, prior_sd=prior)

    assert after.regularised is before.regularised
    if prior is None:  # a prior does not scale with the weights
        assert np.abs(by_agent(before, "theta") - by_agent(after, "theta")).max() < 1e-8
        assert np.abs(by_agent(before, "se") - by_agent(after, "se")).max() < 1e-8


def test_theta_finds_the_truth_as_matches_grow(pairs: Tables) -> None:
    errors = []
    for n in (300, 30_000):
        table = pairs(6, n, seed=4)
        errors.append(np.abs(by_agent(bt.fit(table), "theta") - table.attrs["theta"]).max())

    assert errors[1] < 0.06
    assert errors[1] < errors[0] / 3


def test_bootstrap_and_sandwich_agree_at_ten_thousand_matches(pairs: Tables) -> None:
    table = pairs(10, 10_000, seed=7)
    solved, _, _ = bt._solved(table, "half", "none", (), None, 1.0)

    draws = replicates(solved, stream(0, "bt"), 2000).params

    ratio = draws.std(axis=0, ddof=1) / by_agent(bt.fit(table), "se")
    assert ratio.min() > 0.95
    assert ratio.max() < 1.05


def deal_noise_table(rng: np.random.Generator, theta: Any, deals: int, sd: float) -> pd.DataFrame:
    """Paired deals: each favours its first seat by a random amount, and is played with the seats swapped too."""
    n = len(theta)
    x = rng.integers(0, n, deals)
    y = (x + rng.integers(1, n, deals)) % n
    favour = rng.normal(0, sd, deals)
    a, b = np.r_[x, y], np.r_[y, x]
    z = theta[a] - theta[b] + np.r_[favour, favour]
    score = (rng.random(2 * deals) < 1 / (1 + np.exp(-z))).astype(float)
    return pd.DataFrame({"a": a, "b": b, "score": score, "deal_id": np.r_[np.arange(deals), np.arange(deals)]})


def expected_theta(theta: Any, sd: float) -> Any:
    """What the fit converges to: the strengths that reproduce the expected scores."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    rows = [
        (i, j, float((weights / (1 + np.exp(-(theta[i] - theta[j] + sd * nodes)))).sum() / weights.sum()))
        for i in range(len(theta))
        for j in range(len(theta))
        if i != j
    ]
    return by_agent(bt.fit(pd.DataFrame(rows, columns=["a", "b", "score"])), "theta")


def coverage(clustered: bool, runs: int = 250) -> float:
    theta = np.linspace(-0.9, 0.9, 5)
    truth, inside = expected_theta(theta, 2.0), 0.0
    for run in range(runs):
        table = deal_noise_table(np.random.default_rng([11, run]), theta, 250, 2.0)
        fit = bt.fit(table if clustered else table.drop(columns="deal_id"))
        inside += float((np.abs(by_agent(fit, "theta") - truth) < 1.96 * by_agent(fit, "se")).mean())
    return inside / runs


def test_intervals_clustered_by_deal_cover_what_they_promise() -> None:
    assert 0.92 <= coverage(clustered=True) <= 0.97


def test_intervals_by_row_do_not() -> None:
    """Matches of one deal pull against each other: taking them as independent makes the intervals too wide."""
    assert coverage(clustered=False) > 0.97


# --- rate -----------------------------------------------------------------------------------------------------------


def test_ratings_have_intervals_ranks_and_chances(villages: Tables) -> None:
    table = bt.rate(villages(5, 80), seed=1, bootstrap=300).table

    assert (table["rating_lo"] < table["rating"]).all()
    assert (table["rating"] < table["rating_hi"]).all()
    assert (table["rank_lb"] <= table["rank"]).all()
    assert (table["rank"] <= table["rank_ub"]).all()
    assert abs(table["p_top1"].sum() - 1) < 1e-12
    assert table["rank"].tolist() == [1, 2, 3, 4, 5]
    for role in ("wolf", "seer", "villager"):
        assert (table[f"rating_{role}_lo"] < table[f"rating_{role}_hi"]).all()


def test_an_anchor_stands_at_1500_and_its_uncertainty_moves_to_the_others(duels: Tables) -> None:
    table = duels(4, 80)
    free: Any = bt.rate(table, seed=1, bootstrap=200).table.set_index("agent")
    anchored: Any = bt.rate(table, seed=1, bootstrap=200, anchor="agent-1").table.set_index("agent")

    assert anchored.loc["agent-1", ["rating", "rating_lo", "rating_hi"]].tolist() == [1500] * 3
    assert anchored.loc["agent-1", "rating_se"] == pytest.approx(0, abs=1e-6)
    assert np.allclose(anchored["rating"] - free["rating"], 1500 - free.loc["agent-1", "rating"])
    assert (anchored["p_top1"] == free["p_top1"]).all()
    with pytest.raises(LookupError, match="Did you mean agent-1"):
        bt.rate(table, bootstrap=0, anchor="agent-11")


def test_the_chord_refits_equal_newton_refits(villages: Tables) -> None:
    from arena.leaderboards.fitting import bootstrap

    solved, _, _ = bt._solved(villages(5, 60), "half", "conditional", (), None, 1.0)
    counts = next(bootstrap.resamples(solved.clusters, stream(3, "x"), 20))

    chord = bootstrap._chord(solved, counts, solved.prior)

    there = ~np.isnan(chord).any(axis=1)
    assert there.sum() > 10
    for row in np.flatnonzero(there):
        assert np.abs(chord[row] - bootstrap._newton(solved, counts[row], solved.prior)).max() < 1e-5


# --- bad input ------------------------------------------------------------------------------------------------------

GOOD: Any = pd.DataFrame({"a": [0, 1, 2, 0], "b": [1, 2, 0, 2], "score": [1.0, 0.0, 0.5, 1.0]})
BAD = [
    (GOOD.iloc[:0], {}, "empty"),
    (GOOD.assign(score=[1, 2, 0, 0]), {}, "score: row 1"),
    (GOOD.assign(score=[1, -0.1, 0, 0]), {}, "score: row 1"),
    (GOOD.assign(score=[1, np.nan, 0, 0]), {}, "score: row 1"),
    (GOOD.assign(score=["x", 1, 0, 0]), {}, "score"),
    (GOOD.assign(weight=[1, 1, 0, 1]), {}, "weight: row 2"),
    (GOOD.assign(weight=[1, np.inf, 1, 1]), {}, "weight: row 1"),
    (GOOD.assign(b=[1, 1, 0, 2]), {}, "b: row 1 compares an agent with itself"),
    (GOOD.assign(a=[None, 1, 2, 0]).astype({"a": object}), {}, "a: row 0 names no agent"),
    (GOOD.drop(columns="score"), {}, "no column"),
    (GOOD, {"ties": "drop"}, "ties"),
    (GOOD, {"roles": "all"}, "roles"),
    (GOOD, {"prior_sd": 0}, "prior_sd"),
    (GOOD, {"covariates": ("seat",)}, "a_seat"),
    (GOOD, {"roles": "bias"}, "a_seat"),
    (GOOD.assign(score=0.3), {"ties": "davidson"}, "davidson"),
]


@pytest.mark.parametrize(("table", "options", "match"), BAD)
def test_bad_pair_tables_are_named(table: pd.DataFrame, options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        bt.fit(table, **options)


def test_davidson_refuses_teams(villages: Tables) -> None:
    with pytest.raises(ValueError, match="two single agents"):
        bt.fit(villages(3, 10), ties="davidson")


def test_the_input_is_not_modified(villages: Tables) -> None:
    table = villages(3, 10)
    before = table.copy()

    bt.rate(table, bootstrap=10)

    pd.testing.assert_frame_equal(table, before)


# --- peers, where installed ------------------------------------------------------------------------------------------


def test_choix_and_evalica_agree(pairs: Tables) -> None:
    choix = pytest.importorskip("choix")
    evalica = pytest.importorskip("evalica")
    table = pairs(6, 2000, seed=9)
    wins = [(int(a), int(b)) if s else (int(b), int(a)) for a, b, s in table.itertuples(index=False)]

    theta = by_agent(bt.fit(table), "theta")

    assert np.abs(choix.opt_pairwise(6, wins) - theta).max() < 1e-4
    result = evalica.bradley_terry(
        table["a"].astype(str).tolist(),
        table["b"].astype(str).tolist(),
        [evalica.Winner.X if s else evalica.Winner.Y for s in table["score"]],
        tolerance=1e-12,
        limit=10_000,
    )
    other = np.log(result.scores.sort_index().to_numpy())
    assert np.abs(other - other.mean() - theta).max() < 1e-6
