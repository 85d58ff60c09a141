"""Paired differences, their p-values and Holm's correction, on counts worked out by hand."""

from __future__ import annotations

import pytest
from scipy.stats import ttest_1samp

from arena.core.errors import UsageError
from arena.leaderboards.cells import Deals, Grid
from arena.leaderboards.paired import differences, holm, paired

Cells = dict[tuple[str, str], Deals]


def grid(cells: Cells) -> Grid[Deals]:
    rows, columns = (tuple(sorted({key[i] for key in cells})) for i in (0, 1))
    return Grid("g-v1", "hits/cases", ("blue", "red"), rows, columns, cells)


def deals(*hits: float, cases: float = 1.0) -> Deals:
    return {f"d{i}": [(hit, cases)] for i, hit in enumerate(hits)}


def test_holm_steps_down_and_never_falls_again() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.04, 0.001]) == pytest.approx([0.04, 0.002])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_figure_is_pooled_over_the_deals_that_both_played() -> None:
    cells = {("new", "r"): deals(1, 3, cases=4) | {"d9": [(5.0, 5.0)]}, ("old", "r"): deals(0, 1, cases=2)}

    (found,) = differences([grid(cells)], "old")

    assert (found.agent, found.opponent, found.side, found.deals) == ("new", "r", "blue", 2)
    assert found.value == pytest.approx(4 / 8 - 1 / 4)


def test_a_deal_counts_once_however_often_it_was_played() -> None:
    often = {f"d{i}": [(float(i % 2), 1.0)] * (9 if i % 2 else 1) for i in range(20)}
    once = {f"d{i}": [(float(i % 2), 1.0)] for i in range(20)}

    found = paired(often, once)

    assert found is not None
    assert (found.value, found.p) == (0, 1)


def test_the_interval_is_that_of_the_mean() -> None:
    values = [0.0, 1.0] * 200  # mean 0.5, standard error 0.025
    found = paired(deals(*values), deals(*[0.0] * 400))

    assert found is not None
    assert found.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.004)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.004)
    assert found.p == pytest.approx(2 / 2001)


def test_p_is_that_of_students_t_where_resamples_say_more() -> None:
    found = paired(deals(1, 1, 1, 1, 1, 3.4, 1, -1.4), deals(*[0.0] * 8))

    assert found is not None
    assert found.low is not None
    assert found.low > 0  # the resamples alone would call it higher
    assert found.p == pytest.approx(ttest_1samp([1, 1, 1, 1, 1, 3.4, 1, -1.4], 0).pvalue, rel=0.05)


def test_few_deals_are_no_evidence_however_much_they_agree() -> None:
    (found,) = differences([grid({("a", "r"): deals(1, 1, 1), ("b", "r"): deals(0, 0, 0)})], "b")

    assert found[5:] == (1.0, 1.0, 1.0, 0.25, 3)
    assert found.verdict == "no detectable difference"


def test_deals_with_nothing_to_count_are_no_evidence_either() -> None:
    told = {"d0": [(1.0, 1.0)], "d1": [(1.0, 1.0)]} | {f"d{i}": [(0.0, 0.0)] for i in range(2, 12)}
    missed = {name: [(0.0, case)] for name, [(_, case)] in told.items()}

    found = paired(told, missed)

    assert found is not None
    assert (found.value, found.p, found.deals) == (1.0, 0.5, 2)


def test_deals_that_came_out_alike_are_no_evidence_either() -> None:
    found = paired(deals(*[1.0] * 4 + [0.0] * 296), deals(*[0.0] * 300))

    assert found is not None
    assert (found.p, found.deals) == (0.125, 300)  # four coins; the exact sign test says the same


def test_rounding_is_no_difference() -> None:
    thrice = {f"d{i}": [(0.1, 1.0)] * 3 for i in range(12)}

    found = paired(thrice, deals(*[0.1] * 12))

    assert found is not None
    assert (found.value, found.p) == (0.0, 1.0)


def test_resamples_with_nothing_to_count_are_left_out() -> None:
    rare = {"d0": [(1.0, 1.0)], "d1": [(0.0, 1.0)]} | {f"d{i}": [(0.0, 0.0)] for i in range(2, 8)}
    found = paired(rare, deals(*[0.0] * 8))

    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value == 0.5 <= found.high <= 1


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
    assert by_agent["a"] == pytest.approx(2 * 2.0**-19)  # every deal alike: coins alone
    assert by_agent["c"] == pytest.approx(2.0**-9)  # ten deals came out differently


def test_nothing_to_count_is_left_out() -> None:
    cells = {("a", "r"): deals(0, 0, cases=0), ("b", "r"): deals(1, 0), ("c", "r"): deals(1, 1)}

    assert [d.agent for d in differences([grid(cells)], "b")] == ["c"]


def test_a_baseline_that_did_not_play_or_stands_alone_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'bot/never' holds no side here\. Nearest: bot/newer"):
        differences([grid({("bot/newer", "r"): deals(1)})], "bot/never")
    with pytest.raises(UsageError, match="nothing compares with a: nobody on its side"):
        differences([grid({("a", "r"): deals(1), ("b", "s"): deals(1)})], "a")
