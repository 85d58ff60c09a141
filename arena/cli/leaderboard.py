"""`arena leaderboard`: who plays how well, with intervals; and boards that anyone can recompute."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli import options

if TYPE_CHECKING:
    from pandas import DataFrame

    from arena.leaderboards.cells import Grid, Mean, Result

_SHOWN = (
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
        list[str], typer.Option("--method", help="plain, bt, elo, pl, alpharank, nash, composite or all.")
    ] = [],  # noqa: B006
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Publish the board: CSV, meta.json, matches, page.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the bootstrap.")] = 0,
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=0, help="Resamples for the intervals.")] = 1000,
    min_matches: Annotated[int, typer.Option("--min-matches", min=0, help="Fewer are marked provisional.")] = 30,
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
    check: Annotated[
        Path | None, typer.Option("--check", help="Recompute the board of DIR from its match file.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Rate the agents of some runs. Without --method: win rates and payoffs with intervals, counts, illegal rate, cost;
    in games with sides also by side and role, and every agent of one side against every agent of the other.

    Examples: `arena leaderboard runs/k`   `arena leaderboard runs/a runs/b --method all --out boards/ab`
    `arena leaderboard --check boards/ab`
    """
    from arena.cli.output import document, say
    from arena.core.errors import UsageError

    if check is not None:
        _check(check, as_json)
        return
    if not runs:
        raise UsageError("arena leaderboard needs at least one run folder or match file")
    if out is None and method in ([], ["plain"]):
        plain(runs, as_json, figure)
        return
    if figure:
        raise UsageError("--figure goes with the counted table, without --method and --out")
    from arena.leaderboards.board import leaderboard

    table = _table(runs, metrics=metrics and out is not None)
    methods = method or ["bt"]
    board = leaderboard(
        table,
        "all" if methods == ["all"] else methods,
        seed=seed,
        bootstrap=bootstrap,
        min_matches=min_matches,
        anchor=anchor,
    )
    records = board.table.to_dict("records")
    rows = [{str(k): None if v != v else v for k, v in row.items()} for row in records]
    if out is not None:
        written = board.write(out, out.resolve().name)
        if plots:
            for name, svg in board.plots().items():
                written.append(out / f"{name}.svg")
                written[-1].write_text(svg, encoding="utf-8")
        say(f"wrote {', '.join(str(path) for path in written)}")
        say(f"anybody can recompute it: arena leaderboard --check {out}")
    if as_json:
        document(rows)
    else:
        _print(rows)


def plain(runs: list[Path], as_json: bool = False, figures: Sequence[str] = ()) -> None:
    """The counted table of these runs; then, for games with sides, by side and role, and side against side."""
    from arena.cli.output import document, say, table
    from arena.leaderboards.cells import by_role, grids
    from arena.leaderboards.plain import summary

    matches = _matches(runs, metrics=bool(figures))
    rows, results, crossed = summary(matches), by_role(matches), grids(matches, figures)
    if as_json:
        document([row | _of_agent(row["agent"], results, crossed) for row in rows])
        return
    heads = ["agent", "win rate", "± 95 %", "payoff", "± 95 %", "matches", "void"]
    heads += ["illegal/100", "tokens/match", "$/match"]
    first = _paid_only(matches) * 2  # without win rate and its interval
    keep = [0, *range(1 + first, len(heads))]
    table([heads[i] for i in keep], [[_cells(row)[i] for i in keep] for row in rows])
    counts = "no win rate: payoffs of different seats are no contest" if first else "a draw counts half"
    say(f"{counts}; intervals are clustered by deal; void matches are counted, not scored")
    _by_role(results)
    for grid in crossed:
        _grid(grid)


def _matches(runs: list[Path], *, metrics: bool) -> list[dict[str, Any]]:
    """The matches of all runs and match files; with their games' figures, by replay, if asked for."""
    from contextlib import nullcontext

    from arena.leaderboards.matchfile import parse
    from arena.run.replayed import metrics_of
    from arena.store.export import match_rows

    found: list[dict[str, Any]] = []
    for path in runs:
        if path.is_dir():
            with metrics_of(path) if metrics else nullcontext() as figures:
                found += match_rows(path, metrics=figures)
        else:
            found += parse(_bytes(path), str(path))[0]
    return found


def _paid_only(matches: list[dict[str, Any]]) -> bool:
    """Whether all these games are told by payoffs, not by who had more. A game that is not here may be either."""
    from arena.core.errors import UnknownName
    from arena.registry import load_game

    try:
        return all(load_game(game).headline == "payoff" for game in {str(match["game"]) for match in matches})
    except UnknownName:
        return False


def _by_role(results: list[Result]) -> None:
    from arena.cli.output import data, table

    for setup in dict.fromkeys(result.setup for result in results):
        data(f"\n{setup}: payoff by side and role")
        own = [result for result in results if result.setup == setup]
        rows = [(r.agent, r.side, r.role, r.payoff.value, _wide(r.payoff), r.payoff.matches) for r in own]
        table(("agent", "side", "role", "payoff", "± 95 %", "matches"), rows)


def _grid(grid: Grid) -> None:
    """A line for each agent of the first side, a column for each of the second: value ± half interval (matches)."""
    from arena.cli.output import data, table

    first, second = grid.sides
    data(f"\n{grid.setup}: {grid.what}, ± 95 % (matches); {first} down, {second} across")
    table(("", *grid.columns), [(row, *(_shown(grid.cells.get((row, c))) for c in grid.columns)) for row in grid.rows])


def _shown(mean: Mean | None) -> str | None:
    if mean is None or mean.value is None:
        return None
    half = _wide(mean)
    return f"{mean.value:.3f}" + ("" if half is None else f" ± {half:.3f}") + f" ({mean.matches})"


def _wide(mean: Mean) -> float | None:
    return None if mean.low is None or mean.high is None else (mean.high - mean.low) / 2


def _of_agent(agent: str, results: list[Result], crossed: list[Grid]) -> dict[str, Any]:
    """The same for one row of the JSON document."""
    roles = [{k: v for k, v in r._asdict().items() if k != "agent"} for r in results if r.agent == agent]
    against = [
        {"setup": g.setup, "what": g.what, "side": g.sides[side], "opponent": key[1 - side], **mean._asdict()}
        for g in crossed
        for key, mean in g.cells.items()
        for side in (0, 1)
        if key[side] == agent
    ]
    return {"by_role": [role | {"payoff": role["payoff"]._asdict()} for role in roles], "against": against}


def _table(runs: list[Path], *, metrics: bool) -> DataFrame:
    """The match table of all runs; with the games' own figures where they are asked for."""
    from arena.leaderboards import matches
    from arena.leaderboards.runs import facts, joined
    from arena.run.replayed import metrics_of
    from arena.store.export import export_jsonl

    if not metrics:
        return matches.read(*runs)
    with tempfile.TemporaryDirectory(prefix="arena-") as scratch:
        files = []
        for number, run in enumerate(runs):
            if run.is_dir():
                with metrics_of(run) as figures:
                    files += export_jsonl(run, Path(scratch) / f"{number}.jsonl", metrics=figures)
            else:
                files.append(run)
        table = matches.read(*files)
    table.attrs["facts"] = joined([facts(run) for run in runs if run.is_dir()])
    return table


def _check(folder: Path, as_json: bool) -> None:
    from arena.cli.output import document, say
    from arena.leaderboards.board import check

    differences = check(folder)
    if as_json:
        document({"board": str(folder), "differences": differences})
    for difference in differences:
        say(difference)
    say(f"{folder}: " + (f"{len(differences)} differences" if differences else "the board holds"))
    if differences:
        raise typer.Exit(1)


def _print(rows: list[dict[str, Any]]) -> None:
    """The columns that fit a terminal; the CSV has them all."""
    from arena.cli.output import table

    masses = [key for key in (rows[0] if rows else {}) if key in ("elo", "alpharank_mass", "nash_mass")]
    columns = [key for key in (*_SHOWN, *masses) if rows and key in rows[0]]
    table(columns, [[row[key] for key in columns] for row in rows])


def _bytes(path: Path) -> bytes:
    from arena.core.errors import UsageError

    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    return (
        row["agent"],
        row["win_rate"],
        _half(row, "win_rate"),
        row["payoff"],
        _half(row, "payoff"),
        row["n_matches"],
        row["n_void"],
        row["illegal_per_100_turns"],
        row["tokens_per_match"],
        "unpriced" if row["cost_usd_per_match"] is None else f"{row['cost_usd_per_match']:.4f}",
    )


def _half(row: dict[str, Any], name: str) -> float | None:
    low, high = row.get(f"{name}_lo"), row.get(f"{name}_hi")
    return None if low is None or high is None else (high - low) / 2
