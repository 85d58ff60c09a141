"""`arena detect`: a blinded sheet of what seats said, and the score of a judge's answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli import options

if TYPE_CHECKING:
    from arena.detect import Drawn, Report


def command(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the sheet here: a CSV to be filled.")] = None,
    answers: Annotated[Path | None, typer.Option("--answers", help="Score this sheet, filled.")] = None,
    positive: Annotated[
        str, typer.Option("--positive", help="Who is to be told as human: human, model, bot, or an agent's name.")
    ] = "human",
    negative: Annotated[str, typer.Option("--negative", help="Who is to be told as model: the same words.")] = "model",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws and shuffles the items.")] = 0,
    as_json: options.Json = False,
) -> None:
    """Tell people from models by their words alone: write a blinded sheet, or score one that a judge has filled.

    Examples: `arena detect runs/a runs/b --out sheet.csv`   `arena detect runs/a runs/b --answers sheet.csv`
    """
    from arena.cli.output import document, say
    from arena.core.errors import UsageError
    from arena.detect import draw, score

    if (out is None) == (answers is None):
        raise UsageError("arena detect needs --out SHEET.csv, to write a sheet, or --answers SHEET.csv, to score one")
    options.check_seed(seed)
    drawn = draw(runs, positive=positive, negative=negative, seed=seed)
    if not drawn.items:
        raise UsageError(
            f"there is nothing to judge: no finished match in which both {positive} and {negative} spoke to all"
        )
    if out is not None:
        facts = _write(drawn, out)
    else:
        assert answers is not None
        report = score(drawn, answers)
        facts = _facts(report)
        if not as_json:
            _print(report)
    if as_json:
        document(facts)
    say(_from(drawn))


def _write(drawn: Drawn, out: Path) -> dict[str, Any]:
    from arena.cli.output import say
    from arena.core.errors import UsageError
    from arena.detect import ANSWERS, sheet

    if out.exists():
        raise UsageError(f"{out} is there already, and may hold answers; choose another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(sheet(drawn), encoding="utf-8")
    say(f"wrote {out}: each item is all that one player said to the table; the judge writes {' or '.join(ANSWERS)}")
    return {"sheet": str(out), "items": len(drawn.items)}


def _from(drawn: Drawn) -> str:
    """Where the items come from, and what gave none."""
    half, matches = len(drawn.items) // 2, len({item.match for item in drawn.items})
    left_out = f"{drawn.silent} silent seats, {drawn.one_sided} matches in which not both kinds spoke"
    return f"{half} items of each kind from {matches} matches; left out: {left_out}"


def _print(report: Report) -> None:
    from arena.cli.output import data, table

    data(f"answered: {report.answered} of {report.items} items of {report.matches} matches")
    parts = [report.overall, *report.by_kind, *(part for part in report.by_role if part.what)]
    heads = ("items", "accuracy", "95 % from", "to", "answered")
    table(heads, [(p.what, p.accuracy, p.low, p.high, p.answered) for p in parts])
    if report.chance is not None:
        data(f"chance: {report.chance:.3f}, by one answer to all; intervals are clustered by deal")


def _facts(report: Report) -> dict[str, Any]:
    """The report with its parts as objects."""
    parts = {key: [part._asdict() for part in getattr(report, key)] for key in ("by_kind", "by_role")}
    return report._asdict() | {"overall": report.overall._asdict()} | parts
