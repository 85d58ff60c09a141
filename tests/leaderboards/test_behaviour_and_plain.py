"""What agents did, counted: behaviour columns and the plain method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import behaviour, matches, plain

Tables = Callable[..., Any]


def overall(table: pd.DataFrame) -> Any:
    found = behaviour.table(table)
    return found[found["role"] == ""].set_index("agent")


def test_win_rate_shares_a_tie_at_the_top() -> None:
    rows = [("m", "x", 1), ("m", "y", 1), ("m", "z", 3), ("n", "x", 1), ("n", "y", 2), ("n", "z", 3)]
    table = pd.DataFrame(rows, columns=["match_id", "agent", "rank"])

    assert overall(table)["win_rate"].to_dict() == {"x": 0.75, "y": 0.25, "z": 0}


def test_an_agent_with_many_seats_in_a_team_wins_once(villages: Tables) -> None:
    table = villages(3, 40)
    done = matches.played(table)
    won = {}
    for agent in sorted(set(done["agent"])):
        own = done[done["agent"] == agent].drop_duplicates(["match_id", "team"])
        won[agent] = (own["rank"] == 1).mean()

    assert overall(table)["win_rate"].to_dict() == pytest.approx(won)


def test_rows_by_role_and_rates_by_side(villages: Tables) -> None:
    table = villages(3, 40)

    found = behaviour.table(table)

    assert found["role"].value_counts().to_dict() == {"": 3, "seer": 3, "villager": 3, "wolf": 3}
    wolves = found[found["role"] == "wolf"]
    assert np.allclose(wolves["win_rate"], wolves["win_rate_wolves"])
    assert wolves["win_rate_village"].isna().all()


def test_rates_are_turns_over_turns() -> None:
    table = pd.DataFrame(
        {"match_id": ["m", "m", "n", "n"], "agent": ["x", "y"] * 2, "rank": [1, 2] * 2,
         "legal": [8, 5, 30, 5], "illegal": [2, 0, 0, 0], "repaired": [0, 5, 10, 5]}
    )  # fmt: skip

    found = overall(table)

    assert found.loc["x", "illegal_rate"] == pytest.approx(2 / 50)
    assert found.loc["x", "repaired_rate"] == pytest.approx(10 / 50)
    assert found.loc["y", "repaired_rate"] == pytest.approx(0.5)
    assert found.loc["x", "refused_rate"] != found.loc["x", "refused_rate"]  # not recorded: unknown, not 0


def test_standard_errors_are_over_deal_means() -> None:
    rows = []
    for deal, values in enumerate([(0.0, 1.0), (1.0, 1.0), (0.0, 0.0), (0.5, 0.5), (1.0, 0.0)]):
        for k, value in enumerate(values):
            rows += [(f"m{deal}{k}", f"d{deal}", a, r, value) for a, r in (("x", 1), ("y", 2))]
    table = pd.DataFrame(rows, columns=["match_id", "deal_id", "agent", "rank", "lies"])

    found = overall(table)

    means = np.array([0.5, 1.0, 0.0, 0.5, 0.5])
    assert found.loc["x", "lies"] == pytest.approx(0.5)
    assert found.loc["x", "lies_sem"] == pytest.approx(means.std(ddof=1) / np.sqrt(5))
    assert found.loc["x", "lies_n"] == 5


def test_a_metric_of_few_deals_is_left_empty_and_undefined_is_not_zero() -> None:
    rows = [(f"m{i}", a, r, 1.0 if i < 4 else np.nan, 1.0 if i < 5 else np.nan)
            for i in range(8) for a, r in (("x", 1), ("y", 2))]  # fmt: skip
    table = pd.DataFrame(rows, columns=["match_id", "agent", "rank", "four", "five"])

    found = overall(table)

    assert np.isnan(found.loc["x", "four"])
    assert found.loc["x", "four_n"] == 4
    assert found.loc["x", ["five", "five_n"]].tolist() == [1.0, 5]


def test_amounts_add_up_over_the_seats_of_a_match_and_unpriced_stays_unknown(villages: Tables) -> None:
    table = villages(3, 20)
    unpriced = table["agent"] == "agent-0"
    table.loc[unpriced & (table["role"] == "wolf"), "cost_usd"] = np.nan

    found = overall(table)

    own = table[table["agent"] == "agent-1"].groupby("match_id")["tokens_in"].sum()
    assert found.loc["agent-1", "tokens_in_per_match"] == pytest.approx(own.mean())
    wolf_matches = table[unpriced].groupby("match_id")["role"].agg(lambda r: "wolf" in set(r))
    assert found.loc["agent-0", "cost_usd_per_match_n"] <= (~wolf_matches).sum()


def test_forfeits_are_counted_by_match() -> None:
    table = pd.DataFrame(
        {"match_id": [*"mmnn"], "agent": ["x", "y"] * 2, "rank": [2, 1, 1, 2], "forfeit": [True, *[False] * 3]}
    )  # fmt: skip

    assert overall(table)["forfeit_rate"].to_dict() == {"x": 0.5, "y": 0.0}


def test_only_numbers_that_are_no_known_column_are_metrics(villages: Tables) -> None:
    table = matches.played(villages(3, 6)).assign(seed=1, note="text", wall_s=2.0)

    assert behaviour.game_metrics(table) == ["vote_accuracy"]


# --- plain ----------------------------------------------------------------------------------------------------------


def by_agent(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["agent"]: row for row in rows}


def test_void_and_failed_matches_are_counted_and_not_scored(duels: Tables) -> None:
    table = duels(3, 20)
    ids = table["match_id"].unique()
    table["status"] = table["match_id"].map(lambda m: "void" if m == ids[0] else "failed" if m == ids[1] else "done")
    table.loc[table["status"] != "done", ["rank", "payoff"]] = np.nan

    rated = plain.rate(table)

    totals: Any = rated.table[["n_matches", "n_void", "n_failed"]].sum()
    assert totals.tolist() == [76, 2, 2]
    assert (rated.table["n_wins"] + rated.table["n_ties"] + rated.table["n_losses"] == rated.table["n_matches"]).all()


def test_every_match_may_be_void() -> None:
    objects = [{"match_id": "m", "status": "void", "seats": [{"seat": "player_0", "agent": "x"}], "outcome": None}]

    row = plain.summary(objects)[0]

    assert (row["n_matches"], row["n_void"], row["win_rate"], row["payoff"]) == (0, 1, None, None)
    assert row["illegal_per_100_turns"] is None


def test_win_rates_are_those_of_the_behaviour_table(villages: Tables) -> None:
    table = villages(4, 40)

    rows = by_agent(plain.rows_of(matches.records(matches.checked(table))))

    found = overall(table)
    for agent, row in rows.items():
        assert row["win_rate"] == pytest.approx(found.loc[agent, "win_rate"])
        assert row["payoff"] == pytest.approx(found.loc[agent, "payoff"])
        assert row["illegal_per_100_turns"] == pytest.approx(100 * found.loc[agent, "illegal_rate"])


def test_the_interval_is_clustered_by_deal() -> None:
    """Agent 0: swapped seats of one deal, always one win and one loss; its mean is known exactly, by deal. Agent 1:
    the same results, each on its own deal. Agent 2: a single deal. Agent 3: nothing."""
    agent = np.repeat([0, 1, 2], [20, 20, 2])
    deal = np.r_[np.repeat(np.arange(10), 2), 10 + np.arange(20), 30, 30]
    won = np.array([1.0, 0.0] * 21)

    mean, low, high = plain.intervals(plain.clustered_means(agent, deal, won, 4))

    assert mean[:3].tolist() == [0.5] * 3
    assert (low[0], high[0]) == (0.5, 0.5)
    assert (high[1] - low[1]) / 2 == pytest.approx(2.093 * 0.5 / np.sqrt(19), rel=1e-3)
    assert np.isnan([low[2], high[2], mean[3], low[3]]).all()


def test_the_interval_of_a_share_is_wilson_s_and_stays_a_share() -> None:
    """Ten wins in ten deals of one match: Wilson's with Student's quantile 2.262, (10 / (10 + 2.262²), 1)."""
    low, high = plain.share_interval(1.0, 0.0, 10)
    few = plain.share_interval(1 / 3, 1 / 3, 2)

    assert low == pytest.approx(10 / (10 + 2.2622**2), abs=1e-3)
    assert high == 1
    assert 0 <= few[0] < 1 / 3 < few[1] <= 1
    assert np.isnan(plain.share_interval(0.5, np.nan, 1)).all()
    wide = plain.share_interval(0.5, 0.05, 1000)
    assert wide == pytest.approx((0.5 - 0.098, 0.5 + 0.098), abs=2e-3)


def test_figures_of_the_match_are_told_from_those_of_the_seat(villages: Tables) -> None:
    table = villages(4, 20)
    table["days"] = table["match_id"].str[-1].astype(float)

    assert behaviour.of_matches(matches.played(table)) == ["days"]


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.706), (4, 2.776), (5, 2.571), (9, 2.262), (30, 2.042), (1000, 1.962)]
)
def test_students_t(freedom: int, value: float) -> None:
    assert plain.t_quantile(freedom) == pytest.approx(value, abs=2e-3)


def test_an_unpriced_seat_makes_the_cost_unknown_not_smaller() -> None:
    seats = [{"seat": "player_0", "agent": "x", "cost_usd": 0.2}, {"seat": "player_1", "agent": "y", "cost_usd": None}]
    objects = [{"match_id": "m", "seats": seats, "outcome": {"ranks": {"player_0": 1, "player_1": 2}}}]

    rows = by_agent(plain.summary(objects))

    assert rows["x"]["cost_usd_per_match"] == 0.2
    assert rows["y"]["cost_usd_per_match"] is None


def test_an_agent_with_two_seats_of_a_team_wins_once_and_a_shared_top_is_a_tie() -> None:
    seats = [{"seat": f"player_{i}", "agent": at[0], "team": at[1]} for i, at in enumerate(["xr", "xr", "yb", "zg"])]
    objects = [{"match_id": "m", "seats": seats, "outcome": {"payoffs": [1, 3, 2, 0]}}]

    rows = by_agent(plain.summary(objects))

    found = {a: (row["n_wins"], row["n_ties"], row["n_losses"], row["win_rate"]) for a, row in rows.items()}
    assert found == {"x": (0, 1, 0, 0.5), "y": (0, 1, 0, 0.5), "z": (0, 0, 1, 0.0)}
    assert rows["x"]["payoff"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seat": "player_0"}, "match m has player_0 twice"),
        ({"payoff": float("nan")}, "match m pays nan, which is not a finite number"),
        ({"payoff": -float("inf")}, "match m pays -inf"),
        ({"payoff": "x"}, "payoff: a value is not a number"),
        ({"status": "lost"}, "match m is 'lost', not one of done, void, failed"),
    ],
)
def test_what_cannot_be_counted_is_refused(change: dict[str, Any], message: str) -> None:
    rows = [{"match_id": "m", "seat": f"player_{i}", "agent": "xy"[i], "payoff": i} for i in range(2)]

    with pytest.raises(ValueError, match=message):
        plain.rows_of([rows[0], rows[1] | change])


def test_seats_of_two_sources_share_agents_and_deals_but_no_match() -> None:
    def source(match: str, agents: str) -> plain.Seats:
        rows = [{"match_id": match, "deal_id": "d", "seat": i, "agent": a, "payoff": i} for i, a in enumerate(agents)]
        return plain.seats_of(rows)

    rows = by_agent(plain.counted(plain.joined([source("m", "xy"), source("n", "yz")])))

    assert {agent: row["n_matches"] for agent, row in rows.items()} == {"x": 1, "y": 2, "z": 1}
    assert rows["y"]["win_rate"] == 0.5
    assert rows["y"]["win_rate_lo"] is None  # one deal
    with pytest.raises(ValueError, match="match m is in two"):
        plain.joined([source("m", "xy"), source("n", "xy"), source("m", "yz")])
