"""Results by side and role, and the cross table of side against side, worked out by hand."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from arena.core.errors import UsageError
from arena.leaderboards.cells import by_role, gather, grids, ratio

T_OF_1, T_OF_2 = 12.7062, 4.3027  # 97.5 % points of Student's t


def match(
    village: str, wolves: str, won: str, deal: str, figures: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A seer and a villager against a wolf, who sits first in every second deal."""
    held = [("wolf", "wolves", wolves), ("seer", "village", village), ("villager", "village", village)]
    seats = [
        {"seat": f"player_{i}", "role": role, "team": team, "agent": agent}
        for i, (role, team, agent) in enumerate(held)
    ]
    payoffs = {seat["seat"]: 0.5 if won == "draw" else float(seat["team"] == won) for seat in seats}
    facts = {"match_id": f"{deal}-{village}-{wolves}", "deal_id": deal, "game": "wolves-v1", "preset": "three"}
    return {**facts, "seats": seats, "outcome": {"payoffs": payoffs}, "metrics": figures or {}, "status": "done"} | more


def test_an_agent_s_payoff_is_told_by_side_and_by_role() -> None:
    played = [match("a", "b", "village", "1"), match("a", "b", "wolves", "2"), match("b", "a", "wolves", "1")]

    found = {(r.agent, r.side, r.role): (r.payoff.value, r.payoff.matches) for r in by_role(played)}

    assert found == {
        ("a", "village", ""): (0.5, 2),
        ("a", "village", "seer"): (0.5, 2),
        ("a", "village", "villager"): (0.5, 2),
        ("a", "wolves", ""): (1, 1),
        ("a", "wolves", "wolf"): (1, 1),
        ("b", "village", ""): (0, 1),
        ("b", "village", "seer"): (0, 1),
        ("b", "village", "villager"): (0, 1),
        ("b", "wolves", ""): (0.5, 2),
        ("b", "wolves", "wolf"): (0.5, 2),
    }


def test_a_side_shared_by_agents_counts_for_each_but_stands_in_no_cell() -> None:
    shared = match("a", "b", "village", "1")
    shared["seats"][1]["agent"] = "c"

    assert [(r.agent, r.role) for r in by_role([shared]) if r.side == "village"] == [
        ("a", ""),
        ("a", "villager"),
        ("c", ""),
        ("c", "seer"),
    ]
    assert grids(gather([shared])) == []


def test_every_agent_of_one_side_meets_every_agent_of_the_other_in_a_cell() -> None:
    played = [
        match("a", "b", "village", "1"),
        match("a", "b", "wolves", "2"),
        match("a", "a", "draw", "1"),
        match("b", "a", "wolves", "1"),
    ]

    (grid,) = grids(gather(played))

    assert (grid.setup, grid.what, grid.sides) == ("wolves-v1/three", "mean payoff of village", ("village", "wolves"))
    assert (grid.rows, grid.columns) == (("a", "b"), ("a", "b"))
    assert {key: (mean.value, mean.matches) for key, mean in grid.cells.items()} == {
        ("a", "b"): (0.5, 2),
        ("a", "a"): (0.5, 1),
        ("b", "a"): (0, 1),
    }
    half = T_OF_1 * sqrt(2 * (0.5**2 + 0.5**2)) / 2  # two deals, 0.5 to either side
    assert grid.cells["a", "b"].high == pytest.approx(0.5 + half, abs=0.01)
    assert grid.cells["a", "a"].high is None  # one deal says nothing about others


def test_sides_whose_payoffs_do_not_mirror_each_other_have_a_table_each() -> None:
    played = [match("a", "b", "village", "1"), match("a", "b", "village", "2")]
    played[1]["outcome"]["payoffs"]["player_0"] = 0.7

    assert [grid.what for grid in grids(gather(played))] == ["mean payoff of village", "mean payoff of wolves"]


def test_a_quotient_adds_up_before_it_divides() -> None:
    played = [
        match("a", "b", "village", "1", {"hits": 1, "cases": 1, "rate": 1.0}),
        match("a", "b", "village", "2", {"hits": 0, "cases": 9, "rate": 0.0}),
        match("a", "b", "village", "3", {"hits": 0, "cases": 0, "rate": None}),
    ]

    summed, mean = grids(gather(played, ["hits/cases", "rate"]))

    assert summed.cells["a", "b"].value == 0.1
    assert (mean.cells["a", "b"].value, mean.cells["a", "b"].matches) == (0.5, 2)


def test_the_interval_of_a_quotient_is_clustered_by_deal() -> None:
    found = ratio({"1": [(3.0, 4.0), (1.0, 4.0)], "2": [(1.0, 4.0)], "3": [(3.0, 4.0)]})

    residuals = [0.0, -1.0, 1.0]  # each deal's hits less half of its cases
    half = T_OF_2 * sqrt(3 / 2 * sum(r * r for r in residuals)) / 16
    assert found.value == 0.5
    assert found.high == pytest.approx(0.5 + half, abs=0.001)
    assert found.matches == 4


def test_clusters_that_are_all_alike_give_no_interval() -> None:
    """Four lost matches do not prove that none is ever won."""
    found = ratio({str(deal): [(0.1, 1.0)] for deal in range(4)})

    assert found.value == pytest.approx(0.1)
    assert found.low is None
    assert found.high is None


def test_configurations_are_never_mixed_in_a_cell() -> None:
    played = [
        match("a", "b", "village", "1", config_sha256="abcdef01"),
        match("a", "b", "wolves", "1", config_sha256="12345678"),
    ]

    assert [(g.setup, g.cells["a", "b"].value) for g in grids(gather(played))] == [
        ("wolves-v1/three #123456", 0),
        ("wolves-v1/three #abcdef", 1),
    ]


def test_games_without_sides_and_matches_without_result_have_no_cells() -> None:
    alone = match("a", "b", "village", "1")
    for seat in alone["seats"]:
        seat["team"] = ""
    void = match("a", "b", "village", "1", status="void", outcome={})

    assert grids(gather([alone, void])) == []
    assert by_role([alone, void]) == []


def test_an_unknown_figure_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no figure 'hitz'.*Nearest: hits"):
        grids(gather([match("a", "b", "village", "1", {"hits": 1})], ["hitz"]))
