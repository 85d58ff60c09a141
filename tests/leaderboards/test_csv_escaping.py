"""CSV cells that no spreadsheet runs, and the reader that gives back what was written."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.leaderboards import csvfile

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(TEXT)
@example("'=1")
@example("''=1")
@example("\\u0041")
@example("\t=x")
@example("\\u005cu0041")
@example("\u202e=1")
@example("\U000e0041")
def test_text_is_read_back_exactly(text: str) -> None:
    assert csvfile.unescape(csvfile.escape(text)) == text


@given(st.lists(st.dictionaries(st.sampled_from(["agent", "=metric", "b\n"]), TEXT, min_size=3), max_size=4))
def test_a_file_is_read_back_exactly(rows: list[dict[str, str]]) -> None:
    columns = ["agent", "=metric", "b\n"]

    again = csvfile.read(csvfile.write(columns, rows))

    assert again == [{c: row[c] for c in columns} for row in rows]


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_no_cell_starts_a_formula_nor_holds_what_cannot_be_seen(cells: list[str]) -> None:
    columns = [f"c{i}" for i in range(len(cells))]
    content = csvfile.write(columns, [dict(zip(columns, cells, strict=True))])

    row = list(csv.reader(io.StringIO(content)))[1]
    for cell in row:
        assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))
        assert not cell.startswith(("\t", "\r"))
        assert cell.isprintable() or any(c.isspace() or ord(c) > 0x7F for c in cell)
    assert content.count("\n") == 2
    assert "\r" not in content


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1", "\t1", "\r1", "=cmd|' /C calc'!A0"])
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert csvfile.cell(text).startswith("'")


def test_numbers_are_ours_and_may_be_negative() -> None:
    assert csvfile.cell(-1.5) == "-1.5"
    assert csvfile.cell(-3) == "-3"
    assert csvfile.cell(1234567.891) == "1.23457e+06"
    assert csvfile.cell(np.float64(0.1) + np.float64(0.2)) == "0.3"
    assert [csvfile.cell(v) for v in (True, np.bool_(False), None, float("nan"), np.int64(7))] == [
        "true", "false", "", "", "7",
    ]  # fmt: skip


def test_invisible_characters_are_written_out() -> None:
    assert csvfile.cell("a\u202eb\u200bc\x1b[31m\x00") == "a\\u202eb\\u200bc\\u001b[31m\\u0000"


def test_quoting_follows_rfc_4180() -> None:
    assert csvfile.write(["a", "b"], [{"a": 'say "hi", you', "b": 1}]) == 'a,b\n"say ""hi"", you",1\n'
