"""Text that somebody else wrote: what may be stored, and what may be shown.

Stored text is what was said (lone surrogates aside). Shown text has no control, invisible or reordering character,
so that it can neither move a cursor nor hide a word. `Spoken` marks the words of a player: the prompt renderer
refuses to print them unless they are quoted, so no template can put them where the engine speaks.
"""

from __future__ import annotations

import re
import unicodedata

LINE_BREAKS = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_REMOVED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")  # letters and marks that look like nothing
_PLAIN = re.compile(r"[\x20-\x7e\n]*\Z")


class Spoken(str):
    """The words of a player."""

    __slots__ = ()


def spoken(text: str) -> Spoken:
    """What a player said, as it is stored: lone surrogates become U+FFFD, nothing else changes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Spoken(text)


def sanitise(text: str) -> str:
    """`text` fit to be shown: line breaks become newlines, tabs spaces, invisible characters go, marks are capped."""
    if _PLAIN.match(text):
        return str(text)
    shown: list[str] = []
    marks = 0
    for char in LINE_BREAKS.sub("\n", text).replace("\t", " "):
        category = unicodedata.category(char)
        if char != "\n" and (category in _REMOVED or char in _BLANKS or _is_variation_selector(char)):
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= 4:
            shown.append(char)
    return "".join(shown)


def one_line(text: str) -> str:
    """`text` fit to be shown inside one line."""
    return sanitise(text).replace("\n", " ")


def has_word(word: str, text: str) -> bool:
    """Whether the word stands in the text, whole and in any case."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def quoted(text: str, cap: int | None = None) -> str:
    """Another player's words: every line behind `| `, so there is no closing delimiter to forge."""
    shown = sanitise(text)
    cut = cap is not None and len(shown) > cap
    lines = (shown[:cap] if cut else shown).split("\n")
    return "\n".join(f"| {line}" for line in lines) + ("\n| … [cut]" if cut else "")


def _is_variation_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180d"
