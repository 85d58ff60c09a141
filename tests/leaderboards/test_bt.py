"""Bradley-Terry: reference tables, a naive second implementation, existence, and calibration of its intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

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


# --- teams, roles, offsets: against a naive implementation -----------------------------------------------------------


def naive(table: pd.DataFrame, roles: str, role_sd: float = 1.0) -> tuple[dict[str, float], dict[str, float]]:
    """The objective and the sandwich as the specification writes them, by loops: theta and its standard errors."""
    agents, names = sorted(set(table["agent"])), sorted(set(table["role"]))
    sides = sorted(set(table["team"]))
    n, r = len(agents), len(names) if roles == "conditional" else 0
    size = n + n * r + (len(sides) if roles != "none" else 0)
    share = np.zeros(r)
    rows, scores, deals = [], [], []
    for _, match in table.groupby("match_id"):
        x = {}
        for team, seats in match.groupby("team"):
            x[team] = np.zeros(size)
            for seat in seats.itertuples():
                x[team][agents.index(seat.agent)] += 1 / len(seats)
                if r:
                    x[team][n + names.index(seat.role) * n + agents.index(seat.agent)] += 1 / len(seats)
                    share[names.index(seat.role)] += 1 / len(seats) / 2
                if roles != "none":
                    x[team][n + n * r + sides.index(team)] += 1 / len(seats)
        rows.append(x[sides[0]] - x[sides[1]])
        ranks = match.groupby("team")["rank"].first()
        scores.append(0.5 + 0.5 * np.sign(ranks[sides[1]] - ranks[sides[0]]))
        deals.append(match["deal_id"].iloc[0])
    X, s = np.array(rows), np.array(scores)
    share /= table["match_id"].nunique()
    prior = np.zeros(size)
    prior[n : n + n * r] = role_sd**-2

    def loss(params: Any) -> tuple[float, Any]:
        p = 1 / (1 + np.exp(-X @ params))
        value = -(s * np.log(p) + (1 - s) * np.log(1 - p)).sum() + (prior * params**2).sum() / 2
        return value, -X.T @ (s - p) + prior * params

    found = minimize(loss, np.zeros(size), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000}).x
    p = 1 / (1 + np.exp(-X @ found))
    bread = np.linalg.pinv(X.T @ ((p * (1 - p))[:, None] * X) + np.diag(prior), rcond=1e-10)
    groups = pd.DataFrame((s - p)[:, None] * X).groupby(np.array(deals)).sum().to_numpy()
    cov = bread @ (groups.T @ groups) @ bread
    overall = np.hstack([np.eye(n), *(f * np.eye(n) for f in share), np.zeros((n, size - n - n * r))])
    overall -= overall.mean(axis=0)
    theta = overall @ found
    se = np.sqrt(np.diag(overall @ cov @ overall.T))
    result = dict(zip(agents, theta, strict=True)), dict(zip(agents, se, strict=True))
    if roles != "none":
        offset = found[n + n * r :] - found[n + n * r :].mean()
        result[0].update({f"side={side}": o for side, o in zip(sides, offset, strict=True)})
    return result


@pytest.mark.parametrize("roles", ["none", "bias", "conditional"])
def test_team_fits_agree_with_a_naive_implementation(villages: Tables, roles: Any) -> None:
    table = villages(4, 30, seed=2)
    mixed = table.copy()
    last = mixed["match_id"].isin(mixed["match_id"].unique()[-12:])  # some teams of several agents
    mixed.loc[last, "agent"] = np.random.default_rng(0).choice(sorted(set(table["agent"])), last.sum())
    theta, se = naive(mixed, roles)

    fit = bt.fit(mixed, roles=roles)

    assert fit.regularised is False
    for row in fit.table.to_dict("records"):
        assert abs(row["theta"] - theta[row["agent"]]) < 1e-6
        assert abs(row["se"] / se[row["agent"]] - 1) < 1e-5
    for key, value in fit.biases.items():
        assert abs(value - theta[key]) < 1e-6
    assert abs(sum(fit.biases.values())) < 1e-9


def test_role_strengths_are_the_overall_strength_on_average(villages: Tables) -> None:
    fit = bt.fit(villages(5, 80), roles="conditional")
    shares = {"wolf": 1 / 2, "seer": 1 / 6, "villager": 1 / 3}

    mean = sum(share * fit.table[f"theta_{role}"] for role, share in shares.items())

    assert np.allclose(mean, fit.table["theta"])
    assert (fit.table[[f"se_{role}" for role in shares]] > 0).all().all()
    assert list(fit.biases) == ["side=village", "side=wolves"]
    assert fit.bias_se["side=wolves"] > 0


def test_a_role_never_held_has_no_strength(villages: Tables) -> None:
    table = villages(4, 40)
    never = (table["agent"] == "agent-0") & (table["role"] == "seer")

    fit = bt.fit(table.assign(role=table["role"].where(~never, "villager")), roles="conditional")

    row = fit.table.set_index("agent").loc["agent-0"]
    assert np.isnan(row["theta_seer"])
    assert np.isnan(row["se_seer"])
    assert np.isfinite(row["theta_villager"])


def test_the_first_seat_advantage_is_found(duels: Tables) -> None:
    table = duels(4, 3000, seat_bias=0.8, ties=0.0)

    plain, biased = bt.fit(table), bt.fit(table, roles="bias")
    by_seat = bt.fit(table, covariates=("seat",))

    assert abs(biased.biases["side=player_0"] - biased.biases["side=player_1"] - 0.8) < 0.1
    assert abs(by_seat.biases["seat=player_0"] - biased.biases["side=player_0"]) < 1e-9
    assert plain.biases == {}


def test_pair_tables_take_offsets_too(duels: Tables) -> None:
    from arena.leaderboards import matches

    table = duels(4, 200, seat_bias=0.8)
    pair_table = matches.pairs(table)

    long, short = bt.fit(table, covariates=("seat",)), bt.fit(pair_table, covariates=("seat",))

    assert np.abs(by_agent(long, "theta") - by_agent(short, "theta")).max() < 1e-9
    assert np.abs(by_agent(long, "se") - by_agent(short, "se")).max() < 1e-9
    assert long.biases == pytest.approx(short.biases)


def test_offsets_of_several_setups_carry_their_names(duels: Tables) -> None:
    table: Any = pd.concat([duels(4, 60, prefix="x"), duels(4, 60, prefix="y", game="other-v2", seed=1)])

    fit = bt.fit(table, covariates=("seat",))

    assert sorted(fit.biases) == [
        "duel-v1/default:seat=player_0", "duel-v1/default:seat=player_1",
        "other-v2/default:seat=player_0", "other-v2/default:seat=player_1",
    ]  # fmt: skip
    assert abs(fit.biases["duel-v1/default:seat=player_0"] + fit.biases["duel-v1/default:seat=player_1"]) < 1e-9


def test_teams_of_unequal_size_are_means_not_sums() -> None:
    """One against three of the same strength is even: with sums the larger team would win by its number."""
    rows = []
    for match, (single, team, single_wins) in enumerate([("x", "y", 1), ("y", "x", 1), ("x", "y", 0), ("y", "x", 0)]):
        for seat in range(4):
            one = seat == 0
            rows.append(
                {
                    "match_id": f"m{match}",
                    "seat": f"player_{seat}",
                    "team": "one" if one else "three",
                    "agent": single if one else team,
                    "rank": 1 if one == bool(single_wins) else 2,
                }
            )

    fit = bt.fit(pd.DataFrame(rows))

    assert np.allclose(fit.table["theta"], 0, atol=1e-9)


def test_matches_of_many_count_every_pair_a_share() -> None:
    """One match of three: a before b and c tied. Weights 1/2: the gradient at the solution says so."""
    rows: list[dict[str, Any]] = [
        {"match_id": str(m), "agent": agent, "rank": rank, "seat": f"player_{i}"}
        for m, order in enumerate([("abc", (1, 2, 2)), ("bca", (1, 2, 3)), ("cab", (1, 2, 2)), ("abc", (2, 1, 3))])
        for i, (agent, rank) in enumerate(zip(order[0], order[1], strict=True))
    ]

    fit = bt.fit(pd.DataFrame(rows), prior_sd=1.0)

    theta = dict(zip(fit.agents, fit.table["theta"], strict=True))
    for agent in "abc":
        gradient = -theta[agent]
        for m in range(4):
            ranks = {r["agent"]: r["rank"] for r in rows if r["match_id"] == str(m)}
            for other in set("abc") - {agent}:
                score = 0.5 + 0.5 * np.sign(ranks[other] - ranks[agent])
                gradient += 0.5 * (score - 1 / (1 + np.exp(theta[other] - theta[agent])))
        assert abs(gradient) < 1e-9


def test_mirror_matches_say_nothing_of_strength(villages: Tables) -> None:
    table = villages(4, 30)
    mirror = table[table["match_id"] == table["match_id"].iloc[0]].assign(
        match_id="mirror", deal_id="mirror", agent="agent-0"
    )
    both: Any = pd.concat([table, mirror])

    plain, with_mirror = bt.fit(table), bt.fit(both)
    biased, biased_with = bt.fit(table, roles="bias"), bt.fit(both, roles="bias")

    assert (plain.n_self, with_mirror.n_self, biased_with.n_self) == (0, 1, 1)
    assert np.array_equal(by_agent(plain, "theta"), by_agent(with_mirror, "theta"))
    assert biased.biases != biased_with.biases


# --- existence ------------------------------------------------------------------------------------------------------


def test_without_a_maximum_the_prior_is_put_on_and_said(pairs: Tables) -> None:
    table = pairs(4, 300, seed=3)
    unbeaten = pd.concat([table, pd.DataFrame({"a": [9] * 5, "b": [0, 1, 2, 3, 0], "score": 1.0})])

    fit = bt.fit(unbeaten)

    assert fit.regularised is True
    assert fit.reason == "ford"
    assert fit.agents[0] == 9
    assert fit.table["theta"].abs().max() < 15
    assert np.abs(by_agent(fit, "theta") - by_agent(bt.fit(unbeaten, prior_sd=3.0), "theta")).max() < 1e-9
    assert bt.fit(unbeaten, prior_sd=3.0).regularised is False


def test_groups_that_never_met_are_counted() -> None:
    rows = [("a", "b", 1), ("b", "a", 1), ("c", "d", 1), ("d", "c", 1), ("c", "d", 1)]

    fit = bt.fit(pd.DataFrame(rows, columns=["a", "b", "score"]))

    assert (fit.n_components, fit.regularised, fit.reason) == (2, True, "ford")
    assert fit.table.set_index("agent").loc[["a", "b"], "theta"].tolist() == pytest.approx([0, 0])


def test_a_side_that_always_wins_is_separation(duels: Tables) -> None:
    table = duels(4, 60)
    table["rank"] = np.where(table["seat"] == "player_0", 1, 2)

    fit = bt.fit(table.drop(columns="payoff"), roles="bias")

    assert (fit.regularised, fit.reason) == (True, "separation")
    assert 2 < fit.biases["side=player_0"] < 30


def test_agents_who_always_play_together_cannot_be_told_apart(villages: Tables) -> None:
    table = villages(4, 40, seed=5)
    pair = (table["agent"] == "agent-3") & table["role"].isin(["seer", "wolf"])
    half = table.groupby(["match_id", "team"]).cumcount() == 0
    table.loc[table["agent"] == "agent-3", "agent"] = np.where(half[table["agent"] == "agent-3"], "twin-a", "twin-b")
    sizes = table[table["agent"].str.startswith("twin")].groupby("match_id")["agent"].nunique()

    fit = bt.fit(table[~table["match_id"].isin(sizes.index[sizes < 2])], roles="none")

    assert pair.any()
    assert np.isfinite(fit.table["theta"]).all()
    assert fit.table["theta"].abs().max() < 10


def test_davidson_without_ties_and_with_nothing_else(pairs: Tables) -> None:
    table = pairs(4, 200)

    assert bt.fit(table, ties="davidson").nu == 0.0
    assert np.array_equal(by_agent(bt.fit(table, ties="davidson"), "theta"), by_agent(bt.fit(table), "theta"))
    assert bt.fit(table.assign(score=0.5), ties="davidson").nu == np.inf


def test_every_replicate_without_a_maximum_gets_the_prior_and_is_counted(pairs: Tables) -> None:
    table = pairs(3, 40, seed=12, spread=1.5)

    rated = bt.rate(table, seed=0, bootstrap=300)

    assert rated.meta["regularised"] is False
    assert 0 < rated.meta["bootstrap"]["with_prior"] < 300
    assert rated.table["rating_hi"].max() < 1500 + 174 * 30


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


def test_the_posterior_is_wide_for_agents_that_hardly_played(duels: Tables) -> None:
    table = duels(3, 60)
    extra = table.iloc[:2].assign(match_id="late", deal_id="late", agent=["agent-0", "newcomer"], rank=[1, 1])

    agents, mean, cov = bt.posterior(pd.concat([table, extra]))

    sd = dict(zip(agents, np.sqrt(np.diag(cov)), strict=True))
    assert sd["newcomer"] > 2 * sd["agent-0"]
    assert abs(mean.sum()) < 1e-9


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
