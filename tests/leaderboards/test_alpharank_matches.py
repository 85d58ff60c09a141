"""alpha-Rank from matches: payoffs, masses of agents, and what is said when signs are unsure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import alpharank, bt

Tables = Callable[..., Any]


def single(results: list[tuple[str, str, int, int]]) -> pd.DataFrame:
    """Matches as (first, second, rank of first, rank of second); each match is its own deal."""
    rows = []
    for m, (first, second, a, b) in enumerate(results):
        for seat, agent, rank in ((0, first, a), (1, second, b)):
            rows.append({"match_id": f"m{m:03d}", "seat": f"player_{seat}", "agent": agent, "rank": rank})
    return pd.DataFrame(rows)


def test_both_seat_orders_weigh_the_same_however_often_they_were_played() -> None:
    """x first: wins 3 of 4. y first, twice: one tie, one win of y, so x scores a quarter. Together one half."""
    table = single([("x", "y", 1, 2)] * 3 + [("x", "y", 2, 1), ("y", "x", 1, 1), ("y", "x", 1, 2)])

    found = alpharank.payoff_tables(table)

    assert found.source == "empirical"
    assert found.strategies == [["x", "y"]]
    assert found.payoffs[0].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert found.counts.tolist() == [[0, 6], [6, 0]]


def test_one_seat_order_is_taken_as_it_is() -> None:
    found = alpharank.payoff_tables(single([("x", "y", 1, 2)] * 3 + [("x", "y", 2, 1)]))

    assert found.payoffs[0].tolist() == [[0.5, 0.75], [0.25, 0.5]]


def test_matches_of_many_compare_every_two_seats() -> None:
    rows = [(f"m{m}", a, r) for m in range(2) for a, r in (("x", 1), ("y", 2), ("z", 2))]

    found = alpharank.payoff_tables(pd.DataFrame(rows, columns=["match_id", "agent", "rank"]))

    assert found.payoffs[0].tolist() == [[0.5, 1, 1], [0, 0.5, 0.5], [0, 0.5, 0.5]]


def test_a_pair_of_fewer_than_two_deals_makes_all_payoffs_come_from_the_model(duels: Tables) -> None:
    table = duels(4, 60)
    newcomer = single([("agent-0", "new", 1, 2)]).replace({"m000": "late"}).assign(payoff=[1.0, -1.0])

    found = alpharank.payoff_tables(pd.concat([table, newcomer]))

    fit = bt.fit(pd.concat([table, newcomer]), roles="bias")
    theta = dict(zip(fit.agents, fit.table["theta"], strict=True))
    assert found.source == "model"
    for i, a in enumerate(found.strategies[0]):
        for j, b in enumerate(found.strategies[0]):
            assert found.payoffs[0][i, j] == pytest.approx(1 / (1 + np.exp(theta[b] - theta[a])))


def sides(villages: Tables, *, mirrors: bool) -> pd.DataFrame:
    table: pd.DataFrame = villages(3, 200, seed=4)
    if mirrors:
        twins = [table[table["match_id"] == m].assign(match_id=f"x{a}{i}", deal_id=f"x{a}{i}", agent=f"agent-{a}")
                 for a in range(3) for i, m in enumerate(table["match_id"].unique()[:4])]  # fmt: skip
        table = pd.concat([table, *twins])
    return table


def test_sides_are_populations_of_all_agents_that_played_them(villages: Tables) -> None:
    table = sides(villages, mirrors=True)

    found = alpharank.payoff_tables(table)

    assert found.source == "empirical"
    assert found.populations == ["village", "wolves"]
    assert found.strategies == [["agent-0", "agent-1", "agent-2"]] * 2
    held: Any = table.groupby(["match_id", "team"])["agent"].first().unstack()
    for i in range(3):
        for j in range(3):
            ids = held.index[(held["village"] == f"agent-{i}") & (held["wolves"] == f"agent-{j}")]
            match: Any = table[table["match_id"].isin(ids)]
            won = match[match["team"] == "village"].groupby("match_id")["rank"].first() == 1
            assert found.payoffs[0][i, j] == pytest.approx(won.mean())
            assert found.payoffs[1][i, j] == pytest.approx(1 - won.mean())
            assert found.counts[i, j] == match["deal_id"].nunique()


def test_profiles_that_were_not_played_come_from_the_role_conditional_fit(villages: Tables) -> None:
    table = sides(villages, mirrors=False)

    found = alpharank.payoff_tables(table)

    fit = bt.fit(table, roles="conditional")
    by_agent = fit.table.set_index("agent")
    village = by_agent[["theta_seer", "theta_villager"]].to_numpy() @ [1 / 3, 2 / 3] + fit.biases["side=village"]
    wolves = by_agent["theta_wolf"].to_numpy() + fit.biases["side=wolves"]
    order = [fit.agents.index(a) for a in found.strategies[0]]
    expected = 1 / (1 + np.exp(wolves[order] - village[order][:, None]))
    assert found.source == "model"
    assert np.allclose(found.payoffs[0], expected, atol=1e-9)
    assert np.allclose(found.payoffs[1], 1 - expected, atol=1e-9)


def test_teams_of_several_agents_show_no_profile(villages: Tables) -> None:
    table = sides(villages, mirrors=True)
    before = alpharank.payoff_tables(table)
    mixed = table[table["match_id"] == "w00000"].assign(match_id="mixed", deal_id="mixed")
    mixed["agent"] = ["agent-0", "agent-1", "agent-2", "agent-0", "agent-1"]

    after = alpharank.payoff_tables(pd.concat([table, mixed]))

    assert all((a == b).all() for a, b in zip(before.payoffs, after.payoffs, strict=True))


def test_masses_of_agents_sum_to_one_in_both_forms(villages: Tables) -> None:
    forms: tuple[Any, Any] = ("single", "sides")
    for form in forms:
        found = alpharank.payoff_tables(sides(villages, mirrors=True), form=form)
        masses = alpharank.masses(found, alpharank.stationary(found.payoffs))

        assert sorted(masses) == ["agent-0", "agent-1", "agent-2"]
        assert sum(masses.values()) == pytest.approx(1)


def test_a_table_that_has_no_profiles_says_why(villages: Tables, duels: Tables) -> None:
    with pytest.raises(ValueError, match="one setup"):
        alpharank.payoff_tables(pd.concat([villages(3, 4), duels(3, 4)]), form="sides")
    with pytest.raises(ValueError, match="exactly once"):
        alpharank.payoff_tables(villages(3, 4).assign(team=""), form="sides")
    with pytest.raises(ValueError, match="form"):
        alpharank.payoff_tables(duels(3, 4), form="both")  # type: ignore[arg-type]  # a wrong word, on purpose


def test_rate_gives_masses_intervals_and_the_chance_to_be_in_a_sink(duels: Tables) -> None:
    table = duels(4, 200, theta=[-2, -1, 0, 2])

    rated = alpharank.rate(table, seed=1, bootstrap=100)

    found: Any = rated.table.set_index("agent")
    assert found.loc["agent-3"].tolist() == [1, 1, 1, 1]
    assert rated.meta["sinks"] == [["agent-3"]]
    assert rated.meta["alpharank_headline"] is True
    assert rated.meta["source"] == "empirical"
    assert rated.meta["populations"] == {"agents": [f"agent-{i}" for i in range(4)]}
    assert alpharank.rate(table, seed=1, bootstrap=100).table.equals(rated.table)


def cycle(n: int) -> pd.DataFrame:
    """x beats y beats z beats x, in `n` of 10 matches a pair."""
    wins = [("x", "y"), ("y", "z"), ("z", "x")]
    return single([(a, b, 1, 2) if i < n else (a, b, 2, 1) for a, b in wins for i in range(10)])


def test_an_unsure_sign_between_sinks_takes_the_headline_away() -> None:
    sure, unsure = alpharank.rate(cycle(10), bootstrap=200), alpharank.rate(cycle(6), bootstrap=200)

    assert sure.meta["alpharank_headline"] is True
    assert sure.meta["unsure_edges"] == 0
    assert unsure.meta["alpharank_headline"] is False
    assert unsure.meta["unsure_edges"] == 3
    assert unsure.meta["unsure_edges_listed"] == [["x", "y"], ["x", "z"], ["y", "z"]]
    assert sure.table["alpharank_mass"].tolist() == pytest.approx([1 / 3] * 3)
    assert (unsure.table["p_in_sink"] > 0.5).all()


def test_the_graph_for_the_page_points_to_what_beats_it() -> None:
    graph = alpharank.rate(cycle(10), bootstrap=10).meta["graph"]

    labels = [node["label"] for node in graph["nodes"]]
    assert {(labels[e["from"]], labels[e["to"]]) for e in graph["edges"]} == {("y", "x"), ("z", "y"), ("x", "z")}
    assert all(node["sink"] for node in graph["nodes"])


@pytest.mark.long
def test_the_interval_of_a_mass_covers_when_pairs_have_thirty_matches() -> None:
    """A ladder of five with gaps of one nat: the best has all the mass, and is found to."""
    covered, runs = 0, 60
    for run in range(runs):
        rng = np.random.default_rng([5, run])
        results = []
        for i in range(5):
            for j in range(i + 1, 5):
                for _ in range(30):
                    first = rng.random() < 1 / (1 + np.exp(i - j))
                    results.append((f"a{i}", f"a{j}", *((1, 2) if first else (2, 1))))
        found: Any = alpharank.rate(single(results), seed=run, bootstrap=200).table.set_index("agent")
        covered += found.loc["a0", "alpharank_lo"] <= 1 <= found.loc["a0", "alpharank_hi"] + 1e-12
    assert covered / runs >= 0.95
