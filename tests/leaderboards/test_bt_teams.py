"""Bradley-Terry of teams: against a naive second implementation; roles, offsets, and fits that have no maximum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from arena.leaderboards import bt

Tables = Callable[..., Any]


def by_agent(fit: Any, column: str) -> Any:
    return fit.table.set_index("agent")[column].sort_index().to_numpy()


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


def tau(one: Any, other: Any) -> float:
    """Kendall's tau of two rankings without ties."""
    i, j = np.triu_indices(len(one), 1)
    return float((np.sign(one[i] - one[j]) * np.sign(other[i] - other[j])).mean())


def uneven_villages(rng: np.random.Generator, theta: Any, role_part: Any, matches: int) -> pd.DataFrame:
    """Three wolves against six, every seat its own model, roles drawn unevenly, a side worth one nat."""
    rows = []
    for m in range(matches):
        agents = rng.choice(len(theta), 9, p=np.linspace(1, 3, len(theta)) / np.linspace(1, 3, len(theta)).sum())
        is_wolf = np.arange(9) < 3
        keys = rng.random(9) + 0.12 * (agents % 4) * 3  # some models are wolves far more often
        order = np.argsort(keys)
        wolves, village = agents[order[:3]], agents[order[3:]]
        z = 1.0 + (theta + role_part[0])[wolves].mean() - (theta + role_part[1])[village].mean()
        won = rng.random() < 1 / (1 + np.exp(-2 * z))
        for seat, (agent, wolf) in enumerate(zip(np.r_[wolves, village], is_wolf, strict=True)):
            team, role = ("wolves", "wolf") if wolf else ("village", "villager")
            rank = 1 if wolf == won else 2
            rows.append((f"m{m}", f"player_{seat}", team, role, f"a{agent}", rank))
    return pd.DataFrame(rows, columns=["match_id", "seat", "team", "role", "agent", "rank"])


@pytest.mark.long
def test_with_uneven_role_draws_the_role_conditional_fit_ranks_better_than_win_rates() -> None:
    by_fit, by_wins = [], []
    for run in range(30):
        rng = np.random.default_rng([3, run])
        theta = rng.normal(0, 1, 8)
        table = uneven_villages(rng, theta, rng.normal(0, 0.3, (2, 8)), 400)
        fit = bt.fit(table, roles="conditional")
        wins = (
            table.drop_duplicates(["match_id", "agent", "team"])
            .groupby("agent")["rank"]
            .apply(lambda r: (r == 1).mean())
        )
        by_fit.append(tau(theta, by_agent(fit, "theta")))
        by_wins.append(tau(theta, wins.sort_index().to_numpy()))

    assert np.mean(by_fit) > np.mean(by_wins) + 0.1
    assert np.mean(by_fit) > 0.6


@pytest.mark.long
def test_role_conditional_intervals_cover_the_overall_strength() -> None:
    """Against what the fit converges to: its own value on forty times the data."""
    covered = []
    theta, parts = np.linspace(-1, 1, 5), np.random.default_rng(0).normal(0, 0.4, (2, 5))
    truth = by_agent(
        bt.fit(uneven_villages(np.random.default_rng(9), theta, parts, 16_000), roles="conditional"), "theta"
    )
    for run in range(120):
        table = uneven_villages(np.random.default_rng([4, run]), theta, parts, 400)
        fit = bt.fit(table, roles="conditional")
        covered.append(np.abs(by_agent(fit, "theta") - truth) < 1.96 * by_agent(fit, "se"))

    assert 0.9 < np.mean(covered) < 0.98
