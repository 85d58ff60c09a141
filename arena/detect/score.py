"""A filled sheet against the record: how often the judge was right, with intervals clustered by deal."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from arena.core.errors import UsageError
from arena.core.text import one_line
from arena.detect.sheet import ANSWERS, Drawn, Item
from arena.leaderboards import csvfile
from arena.leaderboards.plain import clustered_means, shares

LARGEST = 64 << 20  # bytes of a sheet


class Part(NamedTuple):
    """A share of the items: all, those of one kind, or those of one role. `low` to `high` is the 95 % interval of the
    accuracy (Wilson's form); None where all is of one deal."""

    what: str
    answered: int
    accuracy: float | None
    low: float | None
    high: float | None


class Report(NamedTuple):
    """`chance` is what the better of the two constant answers would reach on the items answered: .5, unless items of
    one kind were left unanswered more often."""

    items: int
    answered: int
    unanswered: int
    matches: int
    chance: float | None
    overall: Part
    by_kind: list[Part]
    by_role: list[Part]


def score(drawn: Drawn, answers: Path) -> Report:
    """What the judge's file is worth. Items that it leaves empty, or does not hold, count as unanswered."""
    given = read_answers(answers, {item.name for item in drawn.items})
    done = [(item, (given[item.name] == ANSWERS[0]) == item.is_human) for item in drawn.items if given.get(item.name)]
    humans = sum(item.is_human for item, _ in done)
    return Report(
        items=len(drawn.items),
        answered=len(done),
        unanswered=len(drawn.items) - len(done),
        matches=len({item.match for item, _ in done}),
        chance=max(humans, len(done) - humans) / len(done) if done else None,
        overall=_part("all", done),
        by_kind=[_part(kind, [d for d in done if d[0].is_human is (kind == ANSWERS[0])]) for kind in ANSWERS],
        by_role=[_part(role, [d for d in done if d[0].role == role]) for role in sorted({d[0].role for d in done})],
    )


def _part(what: str, done: Sequence[tuple[Item, bool]]) -> Part:
    """Deals are the clusters: items of one match share its talk, matches of one deal its roles."""
    if not done:
        return Part(what, 0, None, None, None)
    import numpy as np

    _, deal = np.unique([item.deal for item, _ in done], return_inverse=True)
    right = np.array([is_right for _, is_right in done], dtype=float)
    found = shares(clustered_means(np.zeros_like(deal), deal, right, 1))
    mean, low, high = (None if np.isnan(value[0]) else float(value[0]) for value in found)
    return Part(what, len(done), mean, low, high)


def read_answers(path: Path, known: set[str]) -> dict[str, str]:
    """Item -> answer, empty where there is none. Somebody else's file: whatever does not fit is an error."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such sheet")
    if path.stat().st_size > LARGEST:
        raise UsageError(f"{path} is larger than any sheet: {path.stat().st_size} bytes")
    try:
        text = path.read_text(encoding="utf-8-sig")
        header = next(csv.reader(io.StringIO(text, newline="")), [])
        rows = csvfile.read(text)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no CSV in UTF-8: {error.reason}", hint="save it as CSV UTF-8") from error
    except csv.Error as error:
        raise UsageError(f"{path} is no CSV: {error}") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}") from error
    for column in ("item", "answer"):
        if header.count(column) != 1:
            raise UsageError(
                f"{path}: a sheet has one column {column!r}, this file {header.count(column)}",
                hint="its columns are item, words, answer, with commas between",
            )
    given: dict[str, str] = {}
    for row in rows:
        item, answer = row["item"].strip(), row["answer"].strip().lower()
        if not item and not answer:
            continue  # an empty line at the end of a spreadsheet
        if item not in known:
            raise UsageError(
                f"{path}: item {one_line(item)[:40]!r} is not of these runs",
                hint="give the runs, --positive, --negative and --seed that the sheet was made with",
            )
        if item in given:
            raise UsageError(f"{path}: item {item!r} stands there twice")
        if answer not in ("", *ANSWERS):
            raise UsageError(f"{path}: item {item!r} is answered {one_line(answer)[:40]!r}, not {' or '.join(ANSWERS)}")
        given[item] = answer
    return given
