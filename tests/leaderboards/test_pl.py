"""Plackett-Luce: reference tables, ties against their definition, and the online ladder against OpenSkill's states."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import bt, matches, pl
from arena.leaderboards.fitting.fit import Solved
from arena.leaderboards.fitting.orders import choice_sets

Oracle = Callable[[str], Any]
Tables = Callable[..., Any]


def frame(table: dict[str, Any]) -> pd.DataFrame:
    rows = pd.DataFrame(table["rows"], columns=["match_id", "agent", "seat", "rank"]).astype(str)
    return rows.assign(rank=rows["rank"].astype(int), seat="player_" + rows["seat"])


def by_number(fit: Any) -> Any:
    table = fit.table.assign(number=fit.table["agent"].astype(int))
    return table.sort_values("number")["theta"].to_numpy()


def test_theta_and_seat_offsets_agree_with_the_reference_tables(oracle: Oracle) -> None:
    for table in oracle("plackett_luce")["tables"]:
        offsets = table["seat_offsets"]
        fit = pl.fit(frame(table), covariates=("seat",) if offsets else ())

        assert fit.regularised is False
        assert np.abs(by_number(fit) - table["theta"]).max() < 2e-6
        for i, offset in enumerate(offsets or []):
            assert abs(fit.biases[f"seat=player_{i}"] - offset) < 2e-6


def test_the_gradient_vanishes_at_the_solution(oracle: Oracle) -> None:
    table = frame(oracle("plackett_luce")["tables"][1])
    solved: Solved = pl._solved(table, (), None)[0]

    gradient = solved.problem.objective(solved.counts)(solved.solution.params).gradient

    assert np.abs(gradient).max() / solved.counts.sum() < 1e-8


@pytest.mark.parametrize("ranks", [(1, 1), (1, 1, 2), (1, 2, 2, 2), (1, 1, 1, 1), (1, 1, 2, 2, 3)])
def test_a_tie_is_the_average_over_all_orders_of_its_members(ranks: tuple[int, ...]) -> None:
    z = np.random.default_rng(len(ranks)).normal(size=len(ranks))

    def log_chance(order: tuple[int, ...]) -> float:
        return float(sum(z[i] - np.log(np.exp(z[list(order[k:])]).sum()) for k, i in enumerate(order)))

    orders = [o for o in permutations(range(len(ranks))) if list(ranks) == [ranks[i] for i in o]]
    expected = np.mean([log_chance(o) for o in orders])

    found = z.sum() - sum(
        c * np.log(sum(w * np.exp(z[i]) for i, w in places.items())) for c, places in choice_sets(ranks)
    )

    assert found == pytest.approx(expected)


def test_a_large_tie_is_close_to_its_average() -> None:
    """Above seven members the inner mean is taken inside the logarithm: exact when all are equal, else from above."""
    sets = choice_sets((1,) * 8)

    assert len(sets) == 8
    assert sum(c * np.log(sum(places.values())) for c, places in sets) == pytest.approx(
        sum(np.log(u) for u in range(1, 9))
    )


def test_for_two_seats_it_is_bradley_terry(duels: Tables) -> None:
    table = duels(5, 80)

    one, other = pl.fit(table), bt.fit(table)

    assert one.agents == other.agents
    assert np.allclose(one.table["theta"], other.table["theta"], atol=1e-9)
    assert np.allclose(one.table["se"], other.table["se"], rtol=1e-6)


def test_team_orders_use_the_mean_of_the_seats(villages: Tables) -> None:
    table = villages(4, 60)

    assert np.allclose(pl.fit(table).table["theta"], bt.fit(table).table["theta"], atol=1e-8)


def test_an_agent_that_is_never_beaten_needs_the_prior(oracle: Oracle) -> None:
    table = frame(oracle("plackett_luce")["tables"][0])
    extra = [{"match_id": f"x{m}", "agent": a, "seat": f"player_{i}", "rank": i + 1}
             for m in range(4) for i, a in enumerate(("99", str(m), str(m + 1)))]  # fmt: skip

    fit = pl.fit(pd.concat([table, pd.DataFrame(extra)]))

    assert (fit.regularised, fit.reason) == (True, "ford")
    assert fit.table["theta"].abs().max() < 15


def test_matches_of_a_deal_are_one_cluster(oracle: Oracle) -> None:
    table = frame(oracle("plackett_luce")["tables"][1])
    twice = pd.concat([table, table.assign(match_id="again" + table["match_id"])])
    deals = twice.assign(deal_id=twice["match_id"].str.removeprefix("again"))

    alone, doubled, clustered = pl.fit(table), pl.fit(twice), pl.fit(deals)

    assert np.allclose(doubled.table["se"] * np.sqrt(2), alone.table["se"])
    assert np.allclose(clustered.table["se"], alone.table["se"])
    assert clustered.n_clusters == alone.n_clusters == 80


def test_bootstrap_intervals_match_the_standard_errors(oracle: Oracle) -> None:
    rated = pl.rate(frame(oracle("plackett_luce")["tables"][0]), seed=3, bootstrap=600)

    width = (rated.table["rating_hi"] - rated.table["rating_lo"]) / 3.92

    assert (width / rated.table["rating_se"]).between(0.85, 1.2).all()
    assert rated.meta["bootstrap"] == {"replicates": 600, "with_prior": 0}


# --- ladder ---------------------------------------------------------------------------------------------------------


def test_the_ladder_agrees_with_every_recorded_state(oracle: Oracle) -> None:
    data = oracle("multiplayer")
    ladder = pl.Ladder()

    for match, states in zip(data["matches"], data["results"]["PlackettLuce"]["after_each_match"], strict=True):
        ladder.update(match["teams"], match["ranks"])
        for key, (mu, sigma) in enumerate(states):
            found = ladder.ratings.get(key, (25.0, 25 / 3))

            assert abs(found[0] - mu) < 1e-8
            assert abs(found[1] - sigma) < 1e-8


def test_the_ladder_refuses_what_is_no_match() -> None:
    for teams, ranks in (([["a"]], [1]), ([["a"], ["b"]], [1]), ([["a"], []], [1, 2])):
        with pytest.raises(ValueError, match="teams"):
            pl.Ladder().update(teams, ranks)


def test_openskill_agrees_on_ties_and_unequal_teams() -> None:
    models = pytest.importorskip("openskill.models")
    model = models.PlackettLuce()
    rng = np.random.default_rng(0)
    players: dict[Any, Any] = {i: model.rating() for i in range(9)}
    ladder = pl.Ladder()

    for _ in range(60):
        keys = rng.permutation(9).tolist()
        teams = [keys[:3], keys[3:4], keys[4:6], keys[6:]]
        ranks = rng.integers(0, 3, 4).tolist()
        ladder.update(teams, ranks)
        rated = model.rate([[players[k] for k in team] for team in teams], ranks=ranks)
        for team, members in zip(teams, rated, strict=True):
            players.update(zip(team, members, strict=True))

    for key, (mu, sigma) in ladder.ratings.items():
        assert abs(players[key].mu - mu) < 1e-9
        assert abs(players[key].sigma - sigma) < 1e-9


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"rank": 1.5}, "rank"),
        ({"agent": "same"}, "two agents"),
    ],
)
def test_bad_tables_are_named(oracle: Oracle, change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        pl.fit(frame(oracle("plackett_luce")["tables"][0]).assign(**change))


def test_a_table_of_single_team_matches_compares_nobody() -> None:
    table = pd.DataFrame({"match_id": ["x", "y"], "agent": ["a", "b"], "rank": [1, 1]})
    with pytest.raises(ValueError, match="nothing to rate"):
        pl.fit(table)
    with pytest.raises(ValueError, match="nothing to rate"):
        bt.fit(table)
    assert len(matches.pairs(table)) == 0
