"""`arena show`: a run as a table, or one match as text."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from arena.cli import options

T = TypeVar("T")
NO_BREAK = "\x00"  # between a figure's name and its value, so that no line ends there


def command(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    match: Annotated[str | None, typer.Argument(help="Its number (12, m12) or 6 digits of its key.")] = None,
    view: Annotated[str, typer.Option("--view", help="omniscient, public, or a seat.")] = "omniscient",
    prompts: Annotated[
        bool, typer.Option("--prompts", help="Every call: the exact messages and the raw reply.")
    ] = False,
    plot: Annotated[Path | None, typer.Option("--plot", help="Write the match's picture to FILE.svg.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Replay every match and recompute every hash.")] = False,
    as_json: options.Json = False,
) -> None:
    """Show a run or one of its matches.

    Examples: `arena show runs/k`   `arena show runs/k 12 --view player_0`   `arena show runs/k --verify`
    """
    from arena.core.errors import UsageError
    from arena.store.reader import Reader

    if match is None and (prompts or plot is not None or view != "omniscient"):
        raise UsageError("--view, --prompts and --plot show one match; name it: arena show RUN MATCH")
    with Reader(run) as reader:
        if verify:
            _verify(reader, as_json)
        elif match is None:
            _run(reader, as_json)
        else:
            _match(reader, match, view, prompts, plot, as_json)


def _run(reader: Any, as_json: bool) -> None:
    from arena.cli.output import document, say, table
    from arena.run.api import result_of

    result = result_of(reader.folder, "")
    agents, sides = _of_seats(reader, "agent"), _of_seats(reader, "side")
    rows = [_row(row, agents[row["match_id"]]) for row in reader.matches()]
    if as_json:
        facts = {"run": str(reader.folder), "run_id": result.run_id, "status": result.status}
        facts |= {"config_sha256": reader.manifest()["config_sha256"], "run_hash": result.run_hash}
        document(facts | {"matches": rows})
        return
    table(
        ("match", "game", "deal", "agents", "payoffs", "turns", "status"),
        [
            (
                *(r["match"], r["game"], r["deal_id"], _shared(r["agents"], sides[r["match"]])),
                *(_numbers(r["payoffs"], sides[r["match"]]), r["turns"], _status(r)),
            )
            for r in rows
        ],
    )
    say(f"{result.status}: {result.matches['done']} of {result.matches['planned']} matches")


def _match(reader: Any, name: str, view: str, prompts: bool, plot: Path | None, as_json: bool) -> None:
    from arena.cli.output import data, document, say
    from arena.core.errors import UsageError
    from arena.run.replayed import replayed
    from arena.run.transcript import transcript

    row = reader.find_match(name)
    match = replayed(reader, row)
    if view not in ("omniscient", "public", *match.seats):
        raise UsageError(f"--view is omniscient, public or a seat ({', '.join(match.seats)}), not {view!r}")
    if plot is not None and plot.suffix.lower() != ".svg":
        raise UsageError(f"--plot draws SVG; {plot} is no .svg file", hint=f"--plot {plot.with_suffix('.svg')}")
    if plot is not None:
        picture = match.game.plot(match)
        if picture is None:
            raise UsageError(f"{row['game']} draws no picture of a match")
        plot.write_text(picture, encoding="utf-8")
        say(f"wrote {plot}")
        return
    seats = {s["seat"]: s["agent"] for s in reader.match_seats(row["match_id"])}
    if as_json:
        document(_row(row, seats) | {"turns": _turns(reader, row, match, view), "events": _events(match, view)})
        return
    head = f"match {row['match_id']} ({row['key']}): {row['game']}/{row['preset']}, seed {row['seed']}"
    data(f"{head}, {_status(row)}")
    for seat, agent in seats.items():
        role = match.roles.get(seat) if view == "omniscient" else None
        called = match.names.get(seat, seat)
        data(f"  {seat}{'' if called == seat else f', {called}'} = {agent}" + (f" ({role})" if role else ""))
    data("")
    if prompts:
        _calls(reader, row)
        return
    for line in transcript(match, reader.rows("turns", row["match_id"]), view=view):
        data(line)
    figures = {k: v for k, v in match.metrics().items() if v is not None} if match.done and view == "omniscient" else {}
    for line in _figures(figures, match.seats):
        data(line)


def _calls(reader: Any, row: dict[str, Any]) -> None:
    from arena.cli.output import data
    from arena.core.text import quoted

    for call in reader.rows("calls", row["match_id"]):
        data(f"--- turn {call['turn']}, player_{call['seat_no']}, {call['path']}")
        for message in reader.prompt(call["prompt"]):
            data(f"[{message['role']}]\n{quoted(message['content'])}")
        data(f"[reply, {call['finish']}]\n{quoted(call['reply'] or '')}")


def _verify(reader: Any, as_json: bool) -> None:
    from arena.cli.output import document, say
    from arena.run.replayed import verify

    found = list(verify(reader))
    done = reader.statuses().get("done", 0)
    if as_json:
        document({"matches": done, "differences": [d.__dict__ for d in found]})
    for d in found:
        say(f"match {d.match}, turn {'-' if d.turn is None else d.turn}: {d.what}")
    say(f"{done - len(found)} of {done} finished matches hold")
    if found:
        raise typer.Exit(1)


def _of_seats(reader: Any, what: str) -> dict[int, dict[str, Any]]:
    """Match -> seat -> its agent, or its side."""
    found: dict[int, dict[str, Any]] = {}
    for seat in reader.seats():
        found.setdefault(seat["match_id"], {})[seat["seat"]] = seat[what]
    return found


def _row(row: dict[str, Any], agents: dict[str, str]) -> dict[str, Any]:
    kept = ("key", "game", "status", "reason", "deal_id", "block", "turns", "record_hash")
    payoffs = json.loads(row["payoffs"]) if row["payoffs"] else None
    return {"match": row["match_id"]} | {k: row[k] for k in kept} | {"agents": agents, "payoffs": payoffs}


def _turns(reader: Any, row: dict[str, Any], match: Any, view: str) -> list[dict[str, Any]]:
    kept = ("turn", "batch", "ask_kind", "status", "answer", "intent", "reason", "reasks", "fallback", "origin")
    found = []
    for turn in reader.rows("turns", row["match_id"]):
        seat = match.seats[turn["seat_no"]]
        if view in ("omniscient", seat):
            facts = {k: turn[k] for k in kept} | {"seat": seat}
            found.append(facts | {k: json.loads(turn[k]) if turn[k] else None for k in ("answer", "intent")})
    return found


def _events(match: Any, view: str) -> list[dict[str, Any]]:
    shown = [
        e for e in match.events if view == "omniscient" or (e.audience == "*" if view == "public" else e.reaches(view))
    ]
    return [{"kind": e.kind, "audience": e.audience, "facts": e.facts} for e in shown]


def _shared(agents: dict[str, str], sides: dict[str, str | None]) -> str:
    """Agents in seat order, those of one name once, with their number; where seats have sides, side by side."""
    return "; ".join(
        (f"{side}: " if side else "")
        + ", ".join(f"{n}×{names.count(n)}" if names.count(n) > 1 else n for n in dict.fromkeys(names))
        for side, names in _by_side(agents, sides).items()
    )


def _numbers(payoffs: dict[str, float] | None, sides: dict[str, str | None]) -> str:
    """Payoffs in seat order; of a side whose seats were paid the same, once."""
    if payoffs is None:
        return "-"
    paid = _by_side(payoffs, sides)
    if "" not in paid and all(len(set(values)) == 1 for values in paid.values()):
        return ", ".join(f"{side} {values[0]:g}" for side, values in paid.items())
    return " ".join(f"{value:g}" for value in payoffs.values())


def _by_side(of_seat: Mapping[str, T], sides: Mapping[str, str | None]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for seat, value in of_seat.items():
        found.setdefault(sides.get(seat) or "", []).append(value)
    return dict(sorted(found.items()))


def _figures(figures: Mapping[str, float], seats: Sequence[str]) -> Iterator[str]:
    """The match's own figures first, then those of each seat (whose names end in it), in lines that can be read."""
    of_seat: dict[str, list[str]] = {seat: [] for seat in ("", *seats)}
    for name, value in figures.items():
        seat = next((s for s in seats if name.endswith(f"_{s}")), "")
        of_seat[seat].append(f"{name.removesuffix(f'_{seat}')} {value:g}".replace(" ", NO_BREAK))
    for seat, shown in of_seat.items():
        if shown:
            yield f"\nfigures of {seat or 'the match'}:"
            yield textwrap.fill(", ".join(shown), 110, break_on_hyphens=False, break_long_words=False).replace(
                NO_BREAK, " "
            )


def _status(row: dict[str, Any]) -> str:
    return f"{row['status']} ({row['reason']})" if row["reason"] else str(row["status"])
