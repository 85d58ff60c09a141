"""Scores worked by hand, and every file that is no filled sheet."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.core.errors import UsageError
from arena.detect import Drawn, Item, score, sheet
from arena.leaderboards import csvfile


def drawn(matches: int = 6) -> Drawn:
    """Two items a match: a person who is a wolf, a model that is a villager."""
    items = []
    for m in range(matches):
        items.append(Item(f"q{m}h", f"m{m}", f"d{m}", "wolf", True, "[1] hm"))
        items.append(Item(f"q{m}m", f"m{m}", f"d{m}", "villager", False, "[1] So."))
    return Drawn(items, 0, 0)


def filled(folder: Path, answers: dict[str, str], columns: tuple[str, ...] = ("item", "words", "answer")) -> Path:
    path = folder / "filled.csv"
    rows = [{"item": item, "words": "x", "answer": answer} for item, answer in answers.items()]
    path.write_text(csvfile.write(columns, rows), encoding="utf-8")
    return path


RIGHT = {f"q{m}{kind}": answer for m in range(6) for kind, answer in (("h", "human"), ("m", "model"))}


def test_accuracy_and_interval_of_six_matches_worked_by_hand(tmp_path: Path) -> None:
    """Right in the six matches: 2, 2, 2, 1, 1, 0 of 2, so 8/12 = p. Less 2p each: three times 2/3, twice -1/3,
    once -4/3; their squares add up to 10/3. Standard error: sqrt(6/5 x 10/3) = 2, over 12: that of
    p(1-p) x 36 = 8 independent trials; Wilson's interval of these with t(5) = 2.5706."""
    report = score(drawn(), filled(tmp_path, RIGHT | {"q3h": "model", "q4m": "human", "q5h": "model", "q5m": "human"}))

    assert (report.items, report.answered, report.unanswered, report.matches) == (12, 12, 0, 6)
    assert report.overall.accuracy == pytest.approx(8 / 12)
    assert (report.overall.low, report.overall.high) == pytest.approx((0.2654, 0.9172), abs=1e-4)
    assert report.chance == 0.5
    assert [(p.what, p.answered) for p in report.by_kind] == [("human", 6), ("model", 6)]
    assert [p.accuracy for p in report.by_kind] == pytest.approx([4 / 6, 4 / 6])
    assert [(p.what, p.answered) for p in report.by_role] == [("villager", 6), ("wolf", 6)]


def test_items_of_one_deal_are_no_independent_evidence(tmp_path: Path) -> None:
    """The same eight of twelve answers, right in all matches of one deal and in none of another: nothing is known."""
    items = [item._replace(deal="a" if i < 8 else "b") for i, item in enumerate(drawn().items)]
    wrong = {item.name: "human" if RIGHT[item.name] == "model" else "model" for item in items[8:]}
    report = score(Drawn(items, 0, 0), filled(tmp_path, RIGHT | wrong))

    assert report.overall.accuracy == pytest.approx(8 / 12)
    assert report.matches == 6
    assert (report.overall.low, report.overall.high) == pytest.approx((0.0031, 0.9992), abs=1e-4)


def test_unanswered_and_missing_items_are_counted_and_not_scored(tmp_path: Path) -> None:
    answers = {"q0h": "human", "q0m": "", "q1h": " HUMAN ", "q1m": "human", "": ""}
    report = score(drawn(), filled(tmp_path, answers))

    assert (report.answered, report.unanswered, report.matches) == (3, 9, 2)
    assert report.overall.accuracy == pytest.approx(2 / 3)
    assert report.chance == pytest.approx(2 / 3)  # "human" to all three


def test_always_right_has_an_interval_and_one_deal_has_none(tmp_path: Path) -> None:
    every = score(drawn(), filled(tmp_path, RIGHT)).overall
    single = score(drawn(), filled(tmp_path, {"q0h": "human"})).overall

    assert (every.accuracy, every.low, every.high) == pytest.approx((1, 0.4759, 1), abs=1e-4)
    assert (single.accuracy, single.low, single.high) == (1, None, None)


def test_an_empty_sheet_has_no_accuracy(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(sheet(drawn()), encoding="utf-8")
    report = score(drawn(), path)

    assert (report.overall.accuracy, report.chance, report.unanswered) == (None, None, 12)


def test_a_sheet_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(b"\xef\xbb\xbf" + b'"item","answer"\r\n"q0h","Human"\r\n"",""\r\n')

    assert score(drawn(), path).answered == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"item,words\nq0h,x\n", "a sheet has one column 'answer', this file 0"),
        (b"item;words;answer\nq0h;x;human\n", "a sheet has one column 'item', this file 0"),
        (b"item,answer,answer\nq0h,human,model\n", "a sheet has one column 'answer', this file 2"),
        (b"", "a sheet has one column 'item', this file 0"),
        (b"item,answer\nq9h,human\n", "item 'q9h' is not of these runs"),
        (b"item,answer\n,human\n", "item '' is not of these runs"),
        (b"item,answer\nq0h,human\nq0h,human\n", "item 'q0h' stands there twice"),
        (b"item,answer\nq0h,human\nq0h,\n", "item 'q0h' stands there twice"),
        (b"item,answer\nq0h,both\n", "item 'q0h' is answered 'both', not human or model"),
        (b"item,answer\nq0h,=HYPERLINK(1)\n", "is answered '=hyperlink\\(1\\)', not human or model"),
        (b"item,answer\nq0h,\x1b[2J\n", "is answered '\\[2j', not human or model"),
        (b"item,answer\nq0h\n", "line 2 has 1 cells, the header 2"),
        (b"item,answer\nq0h,\xff\n", "is no CSV in UTF-8"),
        (b'item,answer\n"q0h,' + b"x" * 200_000 + b'"\n', "line 2: field larger than field limit"),
    ],
)
def test_what_is_no_filled_sheet_is_an_error_that_says_why(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(content)

    with pytest.raises(UsageError, match=problem):
        score(drawn(), path)


def test_a_sheet_that_is_not_there_or_too_large_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such sheet"):
        score(drawn(), tmp_path)
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(UsageError, match="larger than any sheet"):
        score(drawn(), tmp_path / "big.csv")
