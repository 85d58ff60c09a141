"""`arena leaderboard`: who plays how well, with intervals; and boards that anyone can recompute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli import options

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN = (
    "pool",
    "rank",
    "agent",
    "rating",
    "rating_lo",
    "rating_hi",
    "p_top1",
    "win_rate",
    "payoff",
    "n_matches",
    "illegal_rate",
)


def command(
    runs: Annotated[list[Path], typer.Argument(help="Run folders or match files (.jsonl).")] = [],  # noqa: B006
    method: Annotated[
        list[str],
        typer.Option("--method", help="plain, bt, elo, pl, alpharank, nash, composite or all; several: bt,elo."),
    ] = [],  # noqa: B006
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Publish the board: CSV, meta.json, matches, page.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of a rating's bootstrap; default 0.")] = None,
    bootstrap: Annotated[
        int | None,
        typer.Option("--bootstrap", min=0, help="Resamples for a rating's intervals; default 1000."),
    ] = None,
    min_matches: Annotated[
        int | None,
        typer.Option("--min-matches", min=0, help="Fewer are marked provisional; default 30."),
    ] = None,
    anchor: Annotated[str | None, typer.Option("--anchor", help="The agent whose rating is set to 1500.")] = None,
    metrics: Annotated[
        bool, typer.Option(help="With each game's own figures (by replay) on a published board.")
    ] = True,
    plots: Annotated[bool, typer.Option("--plots", help="Also write the charts as SVG.")] = False,
    figure: Annotated[
        list[str],
        typer.Option(
            "--figure", help="Cross table of a game's figure, or of a quotient A/B of two, side against side."
        ),
    ] = [],  # noqa: B006
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", help="Also every other agent of this one's side less it, paired by deal."),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option("--check", help="Recompute the board of DIR from its match file, page and charts too."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Rate the agents of some runs. Without --method: win rates and payoffs with intervals, counts, illegal rate, cost;
    in games with sides also by side and role, and every agent of one side against every agent of the other.

    Examples: `arena leaderboard runs/k`   `arena leaderboard runs/a runs/b --method all --out boards/ab`
    `arena leaderboard --check boards/ab`
    """
    from arena.cli.counted import print_counted
    from arena.core.errors import UsageError

    if check is not None:
        _check(check, as_json)
        return
    if not runs:
        raise UsageError("arena leaderboard needs at least one run folder or match file")
    if plots and out is None:
        raise UsageError("--plots goes with --out DIR, where the charts are written")
    methods = [name for text in method for name in text.split(",") if name]
    if out is None and methods in ([], ["plain"]):
        given = {"--anchor": anchor, "--seed": seed, "--bootstrap": bootstrap, "--min-matches": min_matches}
        if idle := [name for name, value in given.items() if value is not None]:
            raise UsageError(f"{idle[0]} goes with a rating: --method bt, or --out DIR")
        print_counted(runs, as_json, figure, baseline)
        return
    if figure or baseline is not None:
        raise UsageError(
            f"{'--figure' if figure else '--baseline'} goes with the counted table, without --method and --out"
        )
    methods = methods or ["bt"]
    call: dict[str, Any] = {"methods": "all" if methods == ["all"] else methods, "anchor": anchor}
    amounts = {"seed": seed, "bootstrap": bootstrap, "min_matches": min_matches}
    call |= {name: value for name, value in amounts.items() if value is not None}
    _rate(runs, call, out, metrics, plots, as_json)


def _rate(runs: list[Path], call: dict[str, Any], out: Path | None, metrics: bool, plots: bool, as_json: bool) -> None:
    """Rate, publish if there is a place for it, and show."""
    from arena.cli.counted import parts
    from arena.cli.output import document, say
    from arena.leaderboards import matches, runtable
    from arena.leaderboards.board import leaderboard, unpublished
    from arena.leaderboards.columns import RANKS
    from arena.leaderboards.runs import is_run

    if out is None and not as_json and all(map(is_run, runs)):
        shown, meta = unpublished(runtable.read(runs), **call)
    else:
        table = matches.read(*runs, figures=metrics and out is not None)
        for file in table.attrs.get("facts_from", ()):
            say(f"schedule, stop rule and planned matches are those told by {file}")
        board = leaderboard(table, **call)
        shown, meta = board.table, board.meta
        if out is not None:
            _write(board, out, plots)
    records = shown.to_dict("records")
    rows = [{str(k): None if v != v else int(v) if k in RANKS else v for k, v in row.items()} for row in records]
    if as_json:
        document(rows)
    else:
        _print(rows)
    for note in (*_notes(shown, meta), *parts(runs)):
        say(note)


def _write(board: Any, out: Path, plots: bool) -> None:
    """Publish the board, and say how anybody can recompute it."""
    from arena.cli.output import say

    written = board.write(out, out.resolve().name, plots=plots)
    say(f"wrote {', '.join(str(path) for path in written)}")
    say(f"anybody can recompute it: arena leaderboard --check {out}")


def _check(folder: Path, as_json: bool) -> None:
    from arena.cli.output import document, say
    from arena.leaderboards.board import check

    differences = check(folder)
    if as_json:
        document({"board": str(folder), "differences": differences})
    for difference in differences:
        say(difference)
    say(f"{folder}: " + (f"differences: {len(differences)}" if differences else "the board holds"))
    if differences:
        raise typer.Exit(1)


def _notes(shown: DataFrame, meta: dict[str, Any]) -> Iterator[str]:
    """What a reader of the table must know, and the terminal has no column for."""
    few = shown.loc[shown["provisional"].astype(bool), "agent"].tolist()
    for warning in meta["warnings"]:
        yield f"warning: {warning}"
    skipped = meta["skipped"]
    for why in dict.fromkeys(skipped.values()):
        yield f"{', '.join(name for name in skipped if skipped[name] == why)} left out: {why}"
    for setup, game in meta["games"].items():
        if "why" in game:
            yield f"{setup} is not rated by itself: {game['why']}"
    paid = [setup for setup in meta["open_sums"] if setup not in meta["no_contest"]]
    if paid and meta["method"] != "plain":
        yield f"ratings count who was paid more; payoffs do not add up to a constant in {', '.join(paid)}: see them too"
    if few:
        more = f" and {len(few) - 8} more" if len(few) > 8 else ""
        yield f"provisional, with few matches or in few of the games: {', '.join(few[:8])}{more}"


def _print(rows: list[dict[str, Any]]) -> None:
    """The columns that fit a terminal; the CSV has them all."""
    from arena.cli.output import table

    masses = [key for key in (rows[0] if rows else {}) if key in ("elo", "alpharank_mass", "nash_mass")]
    columns = [key for key in (*SHOWN, *_paid_by_side(rows), *masses) if rows and key in rows[0]]
    table(columns, [[row[key] for key in columns] for row in rows])


def _paid_by_side(rows: list[dict[str, Any]]) -> list[str]:
    """Payoffs by side, which a board has where the sides are paid in different units."""
    ends = ("_sem", "_lo", "_hi")
    return [key for key in (rows[0] if rows else {}) if key.startswith("payoff_") and not key.endswith(ends)]
