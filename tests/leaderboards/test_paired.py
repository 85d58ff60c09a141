"""Paired differences, their p-values and Holm's correction, on counts worked out by hand."""

from __future__ import annotations

import pytest

from arena.core.errors import UsageError
from arena.leaderboards.cells import Gathered, Pair
from arena.leaderboards.paired import differences, holm, paired

Cells = dict[tuple[str, str], dict[str, list[Pair]]]


def grid(cells: Cells) -> Gathered:
    rows, columns = (tuple(sorted({key[i] for key in cells})) for i in (0, 1))
    return Gathered("g-v1", "hits/cases", ("blue", "red"), rows, columns, cells)


def deals(*hits: float, cases: float = 1.0) -> dict[str, list[Pair]]:
    return {f"d{i}": [(hit, cases)] for i, hit in enumerate(hits)}


def test_holm_steps_down_and_never_falls_again() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.04, 0.001]) == pytest.approx([0.04, 0.002])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_figure_is_pooled_over_the_deals_that_both_played() -> None:
    mine = {"d0": [(1.0, 1.0)], "d1": [(0.0, 3.0), (2.0, 2.0)], "d9": [(5.0, 5.0)]}
    cells = {("new", "r"): mine, ("old", "r"): deals(0, 1, cases=2)}

    (found,) = differences([grid(cells)], "old")

    assert (found.agent, found.opponent, found.side, found.deals) == ("new", "r", "blue", 2)
    assert found.value == pytest.approx(3 / 6 - 1 / 4)


def test_what_is_the_same_on_every_deal_has_no_spread_whatever_the_deals_are_like() -> None:
    found = paired([[(h + 1.0, 1.0)] for h in range(12)], [[(float(h), 1.0)] for h in range(12)])

    assert found is not None
    assert list(found) == pytest.approx([1, 1, 1, 2 / 2001])


def test_few_deals_are_no_evidence_however_much_they_agree() -> None:
    (found,) = differences([grid({("a", "r"): deals(1, 1, 1), ("b", "r"): deals(0, 0, 0)})], "b")

    assert found.p == 0.25
    assert found.verdict == "no detectable difference"


def test_one_deal_has_a_difference_and_nothing_to_judge_it_by() -> None:
    (found,) = differences([grid({("a", "r"): deals(1), ("b", "r"): deals(0)})], "b")

    assert found[5:] == (1.0, None, None, None, 1)
    assert found.verdict == "no detectable difference"


def test_both_sides_are_told_and_corrected_opponent_by_opponent() -> None:
    many = [1.0] * 20
    cells = {
        ("a", "r"): deals(*many),
        ("b", "r"): deals(*[0.0] * 20),
        ("c", "r"): deals(*[0.0, 1.0] * 10),
        ("b", "s"): deals(*many),
        ("r", "b"): deals(*many),
        ("r", "c"): deals(*[0.0] * 20),
    }

    found = {(d.side, d.agent, d.opponent): (d.value, d.verdict) for d in differences([grid(cells)], "b")}

    assert found == {
        ("blue", "a", "r"): (1.0, "higher"),
        ("blue", "c", "r"): (0.5, "higher"),
        ("red", "c", "r"): (-1.0, "lower"),
    }
    by_agent = {d.agent: d.p for d in differences([grid(cells)], "b") if d.side == "blue"}
    assert by_agent["a"] == by_agent["c"] == pytest.approx(2 * 2 / 2001)


def test_nothing_to_count_is_left_out() -> None:
    cells = {("a", "r"): deals(0, 0, cases=0), ("b", "r"): deals(1, 0), ("c", "r"): deals(1, 1)}

    assert [d.agent for d in differences([grid(cells)], "b")] == ["c"]


def test_a_baseline_that_did_not_play_or_stands_alone_is_refused() -> None:
    with pytest.raises(UsageError, match=r"bot/never holds no side here\. Nearest: bot/newer"):
        differences([grid({("bot/newer", "r"): deals(1)})], "bot/never")
    with pytest.raises(UsageError, match="nobody met the opponents of a"):
        differences([grid({("a", "r"): deals(1), ("b", "s"): deals(1)})], "a")
