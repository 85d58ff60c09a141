"""CSV that no spreadsheet reads as a formula, and the reader that undoes it.

Text that starts like a formula gets a leading apostrophe; control, bidi and zero-width characters are written as
`\\uXXXX`. What a reader would take for either of these gets one more, so reading returns exactly what was written.
Numbers are written by us, with six significant digits, and may be negative. Lines end with LF.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from arena.core.errors import UsageError

_FORMULA = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r])")
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def write(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """The text of a CSV file with a header; a missing or unknown value is an empty cell."""
    header = [escape(column) for column in columns]
    return joined([header, *([cell(row.get(column)) for column in columns] for row in rows)])


def joined(lines: Iterable[Sequence[str]]) -> str:
    """Cells as they stand in the file, as its text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()


def cell(value: Any) -> str:
    """One value as it stands in the file: numbers with six digits, booleans as words, text escaped."""
    if value is None:
        return ""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else ""
    return escape(str(value))


def escape(text: str) -> str:
    """Text as a cell that no spreadsheet runs and that shows all its characters."""
    text = _ESCAPED.sub(lambda m: f"\\u005c{m[0][1:]}", text)
    plain = "".join(_code(c) if unicodedata.category(c) in _INVISIBLE else c for c in text)
    return f"'{plain}" if _FORMULA.match(text) else plain


def unescape(text: str) -> str:
    """The text that `escape` was given."""
    if text.startswith("'") and _FORMULA.match(_decoded(text[1:])):
        text = text[1:]
    return _decoded(text)


def _decoded(text: str) -> str:
    return _ESCAPED.sub(lambda m: chr(int(m[1] or m[2], 16)), text)


def _code(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def read(text: str) -> list[dict[str, str]]:
    """The rows of a CSV file that `write` made, as text."""
    header, *rows = cells(text) or [[]]
    names = [unescape(name) for name in header]
    return [dict(zip(names, map(unescape, row), strict=True)) for row in rows]


def cells(text: str) -> list[list[str]]:
    """The cells of every line as they stand in the file, the header first."""
    rows = csv.reader(io.StringIO(text, newline=""))
    found: list[list[str]] = []
    try:
        for row in rows:
            found.append(row)
            if len(row) != len(found[0]):
                raise UsageError(f"line {rows.line_num} has {len(row)} cells, the header {len(found[0])}")
    except csv.Error as error:
        raise UsageError(f"line {rows.line_num}: {error}") from error
    return found
