"""Shown text: no control, invisible or reordering character, and quoting without a closing delimiter."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import Spoken, quoted, sanitise
from arena.core.text import one_line, spoken
from arena.testing.corpus import LINE_BREAKS, SPOOFS


@pytest.mark.parametrize("line_break", LINE_BREAKS, ids=ascii)
def test_every_line_break_becomes_one_newline(line_break: str) -> None:
    assert sanitise(f"a{line_break}b") == "a\nb"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, with | signs", "plain text, with | signs"),
        ("a\tb", "a b"),
        ("a\x1b[2Jb", "a[2Jb"),
        ("bell\x07 null\x00 delete\x7f c1\x9b", "bell null delete c1"),
        ("zero\u200bwidth\u200c\u200d joiner", "zerowidth joiner"),
        ("\u202eright\u202c to left\u2066", "right to left"),
        ("soft\u00adhyphen \ufeffmark", "softhyphen mark"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("variation\ufe0f \U000e0101selector", "variation selector"),
        ("private\ue000 \U000f0000use", "private use"),
        ("unassigned\u0378\U000e0fff", "unassigned"),
        ("surrogate\ud800", "surrogate"),
        ("blank\u3164\u115f\u2800\uffa0letters", "blankletters"),
        ("Zürich, 東京, Ελλάδα, عربي, 🎲", "Zürich, 東京, Ελλάδα, عربي, 🎲"),
        ("no\u00a0break", "no\u00a0break"),
    ],
)
def test_what_is_shown_of_a_text(text: str, shown: str) -> None:
    assert sanitise(text) == shown


def test_at_most_four_marks_stand_on_one_letter() -> None:
    assert sanitise("e" + "\u0301" * 50) == "e" + "\u0301" * 4
    assert sanitise("e" + "\u0301\u200b" * 50) == "e" + "\u0301" * 4
    assert sanitise("e\u0301\u0301\u0301\u0301\u0301o\u0301") == "e\u0301\u0301\u0301\u0301o\u0301"


@given(st.text(st.characters()))
def test_shown_text_has_no_hidden_character_and_is_stable(text: str) -> None:
    shown = sanitise(text)

    assert all(c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in shown)
    assert sanitise(shown) == shown
    assert "\n" not in one_line(text)


@given(st.text(st.characters()))
def test_every_line_of_quoted_text_stands_behind_a_bar(text: str) -> None:
    lines = quoted(text).split("\n")

    assert all(line.startswith("| ") for line in lines)
    assert "\n".join(line[2:] for line in lines) == sanitise(text)


@pytest.mark.parametrize("text", SPOOFS, ids=range(len(SPOOFS)))
def test_the_corpus_cannot_leave_its_quote(text: str) -> None:
    assert all(line.startswith("| ") for line in quoted(text).splitlines())


def test_a_quote_over_its_cap_is_cut_and_says_so() -> None:
    assert quoted("abcdef", 4) == "| abcd\n| … [cut]"
    assert quoted("abcd", 4) == "| abcd"


def test_nothing_said_is_an_empty_quote() -> None:
    assert quoted("") == "| "


def test_stored_text_is_what_was_said_but_for_lone_surrogates() -> None:
    assert spoken("a\u200b\x1b\tb") == "a\u200b\x1b\tb"
    assert spoken("a\ud800b") == "a\ufffdb"
    assert spoken("\ud83d\ude00") == "\U0001f600"
    assert type(spoken("a")) is Spoken


@given(st.text(st.characters()))
def test_stored_text_can_always_be_written_as_utf8(text: str) -> None:
    stored = spoken(text)

    assert stored.encode().decode() == stored
    assert len(stored) <= len(text)
