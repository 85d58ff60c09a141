"""What a command says: data to stdout, talk to stderr, and nothing that somebody else's text could turn into control.

Every string goes through `sanitise`, so a model, a server or a file name can neither move the cursor nor set a title.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from arena.core.text import sanitise


def data(text: str) -> None:
    """A line of what the command was asked for."""
    _write(sys.stdout, sanitise(text))


TOO_LONG = (
    "void for good: a prompt was too long for its model. In another run give the agent a shorter memory "
    "(NAME?memory=window=2, NAME?memory=notes) or, where the model can, a longer context (gguf/NAME?ctx=8192)"
)


def say(text: str) -> None:
    """A line about it."""
    _write(sys.stderr, sanitise(text))


@contextmanager
def warnings_said() -> Iterator[None]:
    """Warnings of the library as lines of talk, each once, without the place in the code that Python adds."""
    said: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in said:
            said.add(str(message))
            say(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def document(value: Any) -> None:
    """The one JSON document of a `--json` command."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    if sanitise(text) != text:  # the same text, with what cannot be shown written as \uXXXX
        text = "".join(c if c == "\n" or sanitise(c) == c else json.dumps(c)[1:-1] for c in text)
    _write(sys.stdout, text)


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Aligned columns; numbers to the right."""
    shown = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(headers), *shown]) for i in range(len(headers))]
    right = [bool(shown) and all(_is_number(line[i]) for line in shown) for i in range(len(headers))]
    for line in [list(headers), *shown]:
        cells = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)]
        data("  ".join(cells).rstrip())


def money(cost_usd: float | None, unpriced: int = 0) -> str:
    """Dollars as they are known; what has no price is never shown as free."""
    if unpriced and not cost_usd:
        return f"unpriced ({unpriced} calls)"
    known = f"${cost_usd or 0:.4f}".rstrip("0").rstrip(".")
    return f"≥ {known} + {unpriced} unpriced calls" if unpriced else known


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return sanitise(text).replace("\n", " ")


def _is_number(text: str) -> bool:
    return text == "-" or text.replace(".", "", 1).replace("-", "", 1).replace("±", "").replace(" ", "").isdigit()


def _write(stream: Any, text: str) -> None:
    if stream is None:  # closed before we began
        return
    try:
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:  # a terminal that knows no Unicode
            stream.write(text.encode("ascii", "replace").decode() + "\n")
        stream.flush()
    except (BrokenPipeError, ValueError):  # nobody reads any more: the work goes on
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
