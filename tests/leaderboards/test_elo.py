"""Sequential Elo against reference values and its rules for teams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from arena.leaderboards import elo, matches

Tables = Callable[..., Any]


def test_ratings_agree_with_the_reference_tables(oracle: Callable[[str], Any]) -> None:
    for table in oracle("bradley_terry")["tables"]:
        found = elo.run(pd.DataFrame(table["matches"], columns=["a", "b", "score"]))
        by_agent = found.set_index("agent")["rating"]

        for agent, rating in enumerate(table["elo_sequential_k32_init1500"]):
            assert abs(by_agent[agent] - rating) < 1e-9


def test_order_is_time() -> None:
    table = pd.DataFrame({"a": ["x", "y", "x"], "b": ["y", "z", "z"], "score": [1.0, 1.0, 0.0]})

    forwards = elo.run(table)
    ordered = elo.run(table.iloc[::-1].assign(order=[2, 1, 0]))
    backwards = elo.run(table.iloc[::-1])

    assert forwards.equals(ordered)
    assert not forwards.equals(backwards)


def test_a_match_table_and_its_pairs_agree(duels: Tables) -> None:
    table = duels(4, 30)

    assert elo.run(table).equals(elo.run(matches.pairs(table)))


def test_every_agent_of_a_team_moves_by_the_whole_change() -> None:
    rows = [("m", "player_0", "red", "a", 1), ("m", "player_1", "red", "b", 1), ("m", "player_2", "blue", "c", 2)]
    table = pd.DataFrame(rows, columns=["match_id", "seat", "team", "agent", "rank"])

    found = elo.run(table, k=32).set_index("agent")["rating"]

    assert found.to_dict() == {"a": 1516.0, "b": 1516.0, "c": 1484.0}


def test_three_teams_share_k_between_their_pairs() -> None:
    table = pd.DataFrame({"match_id": "m", "agent": ["a", "b", "c"], "rank": [1, 2, 3]})

    found = elo.run(table, k=32).set_index("agent")["rating"]

    assert found.to_dict() == {"a": 1516.0, "b": 1500.0, "c": 1484.0}


def test_columns_and_counts(duels: Tables) -> None:
    found = elo.run(duels(3, 10))

    assert list(found.columns) == ["agent", "rating", "n_matches"]
    assert found["n_matches"].sum() == 40
    assert list(elo.rate(duels(3, 10)).table.columns) == ["agent", "elo"]


@pytest.mark.parametrize("options", [{"k": 0}, {"k": -1}, {"scale": 0}, {"scale": float("inf")}])
def test_bad_options_are_named(duels: Tables, options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        elo.run(duels(3, 5), **options)
