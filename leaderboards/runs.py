"""What a board needs from a run folder: its matches, as objects of the match file or as columns, and the facts that
its meta tells."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from arena.core.errors import ReplayMismatch, UnknownName, UsageError
from arena.leaderboards import matchfile
from arena.leaderboards.matchfile import TURNS
from arena.leaderboards.plain import STATUSES, Seats, codes
from arena.store.schema import FILE

# 0 where the outcome says that the match is no contest
CONTEST = "CASE WHEN outcome LIKE '%contest%' THEN json_extract(outcome, '$.contest') END AS contest"
_SEAT = ("match", "seat", "agent", "payoff", "turns", "illegal")


def is_run(path: Path) -> bool:
    """Whether a path is to be read as a run: a folder that is none with an exported match file."""
    return path.is_dir() and ((path / FILE).exists() or not (path / "matches.jsonl").is_file())


def match_file(path: Path) -> Path:
    """The match file, of which the path may be the folder."""
    return path / "matches.jsonl" if path.is_dir() else path


def parsed(path: Path) -> tuple[list[dict[str, Any]], bytes]:
    """The matches of a match file, or of a folder that holds one, and its bytes."""
    file = match_file(path)
    if not file.is_file():
        raise UsageError(f"{file}: there is no such match file or run folder")
    return matchfile.parse(file.read_bytes(), str(file))


def refuse_overlaps(paths: Sequence[Path]) -> None:
    """A run counts once: not beside itself, nor beside the whole that it was merged into."""
    from arena.store.reader import Reader

    held: dict[str, Path] = {}
    for path in filter(is_run, paths):
        with Reader(path) as reader:
            manifest = reader.manifest()
        for run_id in {manifest["run_id"], *((manifest["parent"] or {}).get("merged") or ())}:
            if (other := held.setdefault(run_id, path)) is not path:
                raise UsageError(f"{other} and {path} hold the same run; give one of them")


def match_objects(run: Path, figures: bool = True) -> list[dict[str, Any]]:
    """The matches of a run, with times and, if asked for, with the figures of their games as far as these can be
    replayed."""
    from arena.run.replayed import metrics_of
    from arena.store.export import match_rows

    if not figures:
        return list(match_rows(run, times=True))
    try:
        with metrics_of(run) as metrics:
            return list(match_rows(run, metrics=metrics, times=True))
    except (UnknownName, ReplayMismatch) as error:
        warnings.warn(f"{run}: without the figures of its games, which cannot be replayed: {error}", stacklevel=4)
        return list(match_rows(run, times=True))


def seats(run: Path) -> Seats:
    """The seats of the ended matches of a run, as columns: for counting, where nobody asks for a match file. Ranks are
    those of the payoffs."""
    from arena.store.export import usage
    from arena.store.reader import Reader

    with Reader(run) as reader:
        prefix, names = reader.manifest()["run_id"][:8], reader.agents()
        used, db = usage(reader), reader.db.cursor()
        db.row_factory = None
        ended = f"status IN ({', '.join(map(repr, STATUSES))})"
        columns = f"match_id, deal_id, status, {CONTEST}"
        rows = db.execute(f"SELECT {columns} FROM matches WHERE {ended} ORDER BY match_id").fetchall()  # noqa: S608  # our own words
        turns = " + ".join(f"n_{turn}" for turn in TURNS)
        table = np.fromiter(
            db.execute(f"SELECT match_id, seat_no, agent_id, payoff, {turns}, n_illegal FROM seats ORDER BY 1, 2"),  # noqa: S608  # our own words
            dtype=[(name, np.float64 if name == "payoff" else np.int64) for name in _SEAT],
        )
        sides, side = codes(row[0] or None for row in db.execute("SELECT side FROM seats ORDER BY match_id, seat_no"))
    numbers = np.array([row[0] for row in rows], dtype=np.intp)
    match = np.searchsorted(numbers, table["match"])
    there = np.isin(table["match"], numbers)
    table, side, match = table[there], side[there], match[there]
    deals, deal = codes(row[1] for row in rows)
    agents = sorted(names)
    agent = np.searchsorted(np.array(agents), table["agent"])
    tokens, cost = np.zeros(len(table)), np.zeros(len(table))  # who was not asked cost nothing
    at = (
        {key: i for i, key in enumerate(zip(table["match"].tolist(), table["seat"].tolist(), strict=True))}
        if used
        else {}
    )
    for key, spent in used.items():
        if key in at:
            known = (spent["tokens_in"], spent["tokens_out"], spent["cost_usd"])
            one, other, dollars = (np.nan if amount is None else amount for amount in known)
            tokens[at[key]], cost[at[key]] = one + other, dollars
    alone = np.array([name is None for name in sides], dtype=bool)[side]
    return Seats(
        agents=[str(names[i]["name"]) for i in agents],
        matches=[f"{prefix}-{number}" for number in numbers.tolist()],
        deals=deals,
        agent=agent,
        match=match,
        deal=deal[match],
        status=np.array([STATUSES.index(row[2]) for row in rows], dtype=np.intp)[match],
        team=np.where(alone, len(sides) + table["seat"], side),
        rank=np.full(len(table), np.nan),
        payoff=table["payoff"],
        turns=table["turns"].astype(np.float64),
        illegal=table["illegal"].astype(np.float64),
        tokens=tokens,
        cost=cost,
        contest=np.array([row[3] != 0 for row in rows], dtype=bool)[match],
    )


def results(run: Path) -> list[dict[str, Any]]:
    """The finished matches of a run with no more than who held what and was paid what: quick for any number."""
    from arena.store.reader import Reader

    found: dict[int, dict[str, Any]] = {}
    with Reader(run) as reader:
        db = reader.db.cursor()
        db.row_factory = None
        prefix = reader.manifest()["run_id"][:8]
        query = "SELECT match_id, game, preset, config_sha256, deal_id FROM matches WHERE status = 'done'"
        for number, game, preset, config, deal in db.execute(query):
            facts = {"match_id": f"{prefix}-{number}", "deal_id": deal, "game": game, "preset": preset}
            found[number] = facts | {"config_sha256": config, "seats": [], "outcome": {"payoffs": {}}}
        query = "SELECT match_id, seat, role, side, name, payoff FROM seats JOIN agents USING (agent_id)"
        for number, seat, role, side, agent, payoff in db.execute(f"{query} ORDER BY 1, seat_no"):
            if (match := found.get(number)) is not None:
                match["seats"].append({"seat": seat, "role": role, "team": side, "agent": agent})
                match["outcome"]["payoffs"][seat] = payoff
    return list(found.values())


def facts(run: Path, *, hashed: bool = True) -> dict[str, Any]:
    """Schedule, stop rule and policy of a run, and the hashes that name its record, `hashed` or not."""
    from arena.run.api import run_hash
    from arena.store.reader import Reader

    with Reader(run) as reader:
        manifest, name = reader.manifest(), run_hash(reader) if hashed else None
    config = manifest["config"]
    schedule = dict(config.get("schedule") or {})
    return {
        "runs": [{"run_id": manifest["run_id"], "run_hash": name, "config_sha256": manifest["config_sha256"]}],
        "schedule": schedule,
        "stop": {"rule": schedule.get("stop", "matches"), **_stopped(run)},
        "illegal_policy": config.get("illegal"),
        "planned_matches": sum(game["matches"] for game in config.get("games", ()) if game.get("matches")),
    }


def published_facts(path: Path) -> dict[str, Any]:
    """What the board that was made of this very match file says of its runs; nothing where none lies beside it. Facts
    that are none are an error."""
    file = match_file(path)
    try:
        meta = json.loads((file.parent / "meta.json").read_text("utf-8"))
        same = isinstance(meta, dict) and meta.get("matches_sha256") == sha256(file.read_bytes()).hexdigest()
    except (OSError, ValueError, RecursionError):
        return {}
    found = meta.get("facts") if same else None
    if found is not None and (problem := wrong_facts(found)):
        raise UsageError(f"{file.parent / 'meta.json'}: {problem}")
    return found or {}


def wrong_facts(found: Any) -> str:
    """What keeps the facts of a board from being facts; "" where nothing does."""
    if not isinstance(found, dict):
        return "facts is no object"
    planned = found.get("planned_matches")
    if planned is not None and (isinstance(planned, bool) or not isinstance(planned, int) or planned < 0):
        return f"facts.planned_matches is {planned!r}, which is no number of matches"
    if not isinstance(found.get("runs", []), list):
        return f"facts.runs is {found['runs']!r}, which is no list"
    if not isinstance(found.get("schedule"), dict | list | str | None):
        return f"facts.schedule is {found['schedule']!r}, which is no schedule"
    return ""


def _stopped(run: Path) -> dict[str, Any]:
    """Why the run has no further match: what its rule saw, or what kept it from its end."""
    from arena.leaderboards.posterior import posterior
    from arena.run.api import EXIT
    from arena.run.batches import why_ended
    from arena.store.reader import Reader

    try:
        end = why_ended(run, posterior)
    except UnknownName as error:
        return {"why": f"not known: {error}"}
    if end is not None:
        return {"ended_by": end.rule, **{key: value for key, value in end._asdict().items() if key != "rule"}}
    with Reader(run) as reader:
        counts = reader.statuses()
        last = reader.db.execute("SELECT exit FROM sessions ORDER BY session_id DESC LIMIT 1").fetchone()
    planned = sum(counts.values())
    why = f"the run is not at its end: {counts.get('done', 0)} of {planned} matches planned so far are done"
    return {"why": why + ("; its budget is spent" if last is not None and last["exit"] == EXIT["budget"] else "")}


def joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The facts of several runs: one value where they agree, a list where they do not."""
    if len(parts) < 2:
        return parts[0] if parts else {}
    out: dict[str, Any] = {"runs": [run for part in parts for run in part.get("runs", ())]}
    out["planned_matches"] = sum(part.get("planned_matches") or 0 for part in parts)
    for key in ("schedule", "stop", "illegal_policy"):
        values = [part.get(key) for part in parts]
        out[key] = values[0] if all(value == values[0] for value in values) else values
    return out
