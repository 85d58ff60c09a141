"""The counted table: what every agent did, by side and role, and side against side. Needs no rating method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.leaderboards.cells import Deals, Grid, Mean, Result
    from arena.leaderboards.paired import Difference


def print_counted(
    runs: list[Path], as_json: bool = False, figures: Sequence[str] = (), baseline: str | None = None
) -> None:
    """The counted table of these runs; then, for games with sides, by side and role, side against side, and every
    agent of a side less the baseline."""
    from arena.cli.output import data, document, say
    from arena.core.errors import UsageError
    from arena.leaderboards.cells import by_role, gather, grids

    games, has_sides = _games(runs)
    sided = _matches(runs, metrics=bool(figures)) if figures or has_sides else []
    gathered = gather(sided, figures)
    if (figures or baseline) and not gathered:
        option = "--figure" if figures else "--baseline"
        raise UsageError(f"{option} needs matches of a game with two sides, each held by one agent")
    results, crossed, less = by_role(sided), grids(gathered), _less(gathered, baseline)
    if as_json:
        rows = _in_one_unit(plain_rows(runs), results)
        document([row | _of_agent(row["agent"], results, crossed, less) for row in rows])
        return
    apart = _by_game(runs) if len(games) > 1 else {}
    for game, own in apart.items():
        data(f"{game}:")
        _overall(plain_rows(own), {game}, [result for result in results if result.setup.startswith(f"{game}/")])
    if not apart:
        _overall(plain_rows(runs), games, results)
        if len(games) > 1:
            say(f"rates and payoffs are means over {len(games)} games; the runs of one game alone give its own")
    say("intervals are clustered by deal; void matches are counted, not scored")
    for note in (*_open_matches(runs), *parts(runs)):
        say(note)
    _by_role(results)
    for grid in crossed:
        _grid(grid)
        _differences([d for d in less if (d.setup, d.what) == (grid.setup, grid.what)], baseline)


def _less(gathered: list[Grid[Deals]], baseline: str | None) -> list[Difference]:
    """What everybody did less the baseline; nothing without one."""
    if baseline is None:
        return []
    from arena.leaderboards.paired import differences

    return differences(gathered, baseline)


def _overall(rows: list[dict[str, Any]], games: set[str], results: list[Result]) -> None:
    """What every agent did, whatever it held."""
    from arena.cli.output import say, table

    heads = ["agent", "win rate", "95 %", "payoff", "± 95 %", "matches", "void"]
    heads += ["illegal/100", "tokens/match", "$/match"]
    paid_only, no_wins = _paid_only(games), all(row["win_rate"] is None for row in rows)
    first = 2 if paid_only or no_wins else 0  # without win rate and its interval
    keep = [0, *range(1 + first, len(heads))]
    held = _one_side_each(results, games)
    rows = _in_one_unit(rows, results)
    rows.sort(key=lambda row: held.get(row["agent"], ""))
    lines = [[*([held[row["agent"]]] if held else []), *(_cells(row)[i] for i in keep)] for row in rows]
    table([*(["side"] if held else []), *(heads[i] for i in keep)], lines)
    if held:
        say("every agent held one side only: compare within a side")
    if no_wins:
        say("no win rate: sides are paid in units of their own, and who got more has not won")
    else:
        say("no win rate: this game is told by what is earned" if paid_only else "a draw counts half")
    if len(rows) == 1:
        say("one agent alone: its win rate compares it with itself")


def _in_one_unit(rows: list[dict[str, Any]], results: list[Result]) -> list[dict[str, Any]]:
    """Without the payoff of who held several sides of what is no contest: their units are their own, and a mean over
    them says nothing."""
    sides = {(result.agent, result.side) for result in results}
    unknown = {"payoff": None, "payoff_lo": None, "payoff_hi": None}

    def holds_several(agent: str) -> bool:
        return sum(agent == other for other, _ in sides) > 1

    return [row | unknown if row["win_rate"] is None and holds_several(row["agent"]) else row for row in rows]


def _by_game(runs: list[Path]) -> dict[str, list[Path]]:
    """Game -> its runs, if each run is of one game: agents of different games never met."""
    found: dict[str, list[Path]] = {}
    for path in runs:
        own, _ = _games([path])
        if len(own) != 1:
            return {}
        found.setdefault(own.pop(), []).append(path)
    return found


def plain_rows(runs: list[Path]) -> list[dict[str, Any]]:
    """One row an agent over all these runs and match files."""
    from arena.core.errors import UsageError
    from arena.leaderboards import matchfile, plain
    from arena.leaderboards.runs import is_run, parsed, refuse_overlaps, seats

    def read(path: Path) -> plain.Seats:
        if is_run(path):
            return seats(path)
        if path.suffix == ".csv":
            from arena.leaderboards import matches

            return plain.seats_of(matches.records(matches.checked(matches.read(path))))
        return plain.seats_of(matchfile.seat_rows(parsed(path)[0]))

    refuse_overlaps(runs)
    found = plain.joined([read(path) for path in runs])
    if not (found.status == 0).any():
        lost = f" ({len(found.matches)} void or failed)" if found.matches else ""
        raise UsageError(f"{', '.join(map(str, runs))}: there is nothing to rate: no match is done{lost}")
    return plain.counted(found)


def _games(runs: list[Path]) -> tuple[set[str], bool]:
    """The games that were played, and whether any seat has a side."""
    from arena.leaderboards.runs import is_run
    from arena.store.reader import Reader

    games: set[str] = set()
    sided = False
    for path in runs:
        if is_run(path):
            with closing(Reader(path)) as reader:
                games |= set(reader.manifest()["game_hashes"])
                query = "SELECT EXISTS (SELECT 1 FROM seats WHERE side IS NOT NULL)"
                sided = sided or bool(reader.db.execute(query).fetchone()[0])
        else:
            for match in _objects(path):
                games.add(str(match.get("game")))
                sided = sided or any(seat.get("team") for seat in match["seats"])
    return games, sided


def _open_matches(runs: list[Path]) -> Iterator[str]:
    """Runs that are not at their end, since a board of half a run looks like any other."""
    from arena.leaderboards.runs import is_run
    from arena.store.reader import Reader

    for path in filter(is_run, runs):
        with closing(Reader(path)) as reader:
            statuses = reader.statuses()
        if left := statuses.get("planned", 0) + statuses.get("running", 0):
            yield f"{left} of {sum(statuses.values())} matches of {path} are not played yet: arena resume {path}"


def parts(runs: list[Path]) -> Iterator[str]:
    """Runs whose matches were played for several ends, as those of a training run, and are counted together."""
    from arena.leaderboards.runs import is_run
    from arena.store.reader import Reader

    for path in filter(is_run, runs):
        with closing(Reader(path)) as reader:
            tags = dict(
                reader.db.execute("SELECT tag, COUNT(*) FROM matches WHERE status = 'done' GROUP BY 1 ORDER BY 1")
            )
        if tags.keys() - {""}:
            report = path / "report.md" if "final" in tags and (path / "report.md").is_file() else None
            told = ", ".join(f"{count} of {tag or 'no tag'}" for tag, count in tags.items())
            yield f"{path} counts {told}" + ("" if report is None else f"; {report} tells final alone")


def _objects(path: Path) -> list[dict[str, Any]]:
    """The matches of a match file; a table has none, only seats."""
    from arena.leaderboards.runs import parsed

    return [] if path.suffix == ".csv" else parsed(path)[0]


def _matches(runs: list[Path], *, metrics: bool) -> list[dict[str, Any]]:
    """The matches of all runs and match files; with their games' figures, by replay, if asked for."""
    from arena.leaderboards.runs import is_run, results
    from arena.run.replayed import metrics_of
    from arena.store.export import match_rows

    found: list[dict[str, Any]] = []
    for path in runs:
        if is_run(path) and metrics:
            with metrics_of(path) as figures:
                found += match_rows(path, metrics=figures)
        else:
            found += results(path) if is_run(path) else _objects(path)
    return found


def _paid_only(games: set[str]) -> bool:
    """Whether all these games are told by payoffs, not by who had more. A game that is not here may be either."""
    from arena.core.errors import UnknownName
    from arena.registry import load_game

    try:
        return bool(games) and all(load_game(game).headline == "payoff" for game in games)
    except UnknownName:
        return False


def _one_side_each(results: list[Result], games: set[str]) -> dict[str, str]:
    """The side of each agent, where all held one side of one game only: then nobody of one side is told apart from the
    other side's worth. Else nothing."""
    held: dict[str, set[str]] = {}
    for result in results:
        held.setdefault(result.agent, set()).add(result.side)
    one_each = len(games) == 1 and len({result.setup for result in results}) == 1 and len(held) > 1
    if not one_each or any(len(sides) > 1 for sides in held.values()):
        return {}
    return {agent: min(sides) for agent, sides in held.items()}


def _by_role(results: list[Result]) -> None:
    from arena.cli.output import data, table

    for setup in dict.fromkeys(result.setup for result in results):
        data(f"\n{setup}: payoff by side and role")
        own = [result for result in results if result.setup == setup]
        rows = [(r.agent, r.side, r.role, r.payoff.value, _wide(r.payoff), r.payoff.matches) for r in own]
        table(("agent", "side", "role", "payoff", "± 95 %", "matches"), rows)


def _grid(grid: Grid[Mean]) -> None:
    """A line for each agent of the first side, a column for each of the second: value ± half interval (matches)."""
    from arena.cli.output import data, table

    first, second = grid.sides
    data(f"\n{grid.setup}: {grid.what}, ± 95 % (matches); {first} down, {second} across")
    table(("", *grid.columns), [(row, *(_shown(grid.cells.get((row, c))) for c in grid.columns)) for row in grid.rows])


def _differences(found: list[Difference], baseline: str | None) -> None:
    """A line for every agent and opponent: less the baseline on the deals that both played."""
    from arena.cli.output import data, table

    if not found:
        return
    data(f"\n{found[0].setup}: {found[0].what}, less that of {baseline} on the same deals; p after Holm by opponent")
    lines = [
        (d.side, d.agent, d.opponent, f"{d.value:+.3f}", _interval(d.low, d.high), d.p, d.deals, d.verdict)
        for d in found
    ]
    table(("side", "agent", "against", "difference", "95 %", "p", "deals", ""), lines)


def _shown(mean: Mean | None) -> str | None:
    if mean is None or mean.value is None:
        return None
    half = _wide(mean)
    return f"{mean.value:.3f}" + ("" if half is None else f" ± {half:.3f}") + f" ({mean.matches})"


def _wide(mean: Mean) -> float | None:
    return None if mean.low is None or mean.high is None else (mean.high - mean.low) / 2


def _of_agent(agent: str, results: list[Result], crossed: list[Grid[Mean]], less: list[Difference]) -> dict[str, Any]:
    """The same for one row of the JSON document."""
    roles = [{k: v for k, v in r._asdict().items() if k != "agent"} for r in results if r.agent == agent]
    against = [
        {"setup": g.setup, "what": g.what, "side": g.sides[side], "opponent": key[1 - side], **mean._asdict()}
        for g in crossed
        for key, mean in g.cells.items()
        for side in (0, 1)
        if key[side] == agent
    ]
    apart = [
        {k: v for k, v in d._asdict().items() if k != "agent"} | {"verdict": d.verdict}
        for d in less
        if d.agent == agent
    ]
    found = {"by_role": [role | {"payoff": role["payoff"]._asdict()} for role in roles], "against": against}
    return found | ({"less_baseline": apart} if less else {})


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    return (
        row["agent"],
        row["win_rate"],
        _range(row, "win_rate"),
        row["payoff"],
        _half(row, "payoff"),
        row["n_matches"],
        row["n_void"],
        row["illegal_per_100_turns"],
        row["tokens_per_match"],
        "unpriced" if row["cost_usd_per_match"] is None else f"{row['cost_usd_per_match']:.4f}",
    )


def _range(row: dict[str, Any], name: str) -> str | None:
    return _interval(row.get(f"{name}_lo"), row.get(f"{name}_hi"))


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _half(row: dict[str, Any], name: str) -> float | None:
    low, high = row.get(f"{name}_lo"), row.get(f"{name}_hi")
    return None if low is None or high is None else (high - low) / 2
