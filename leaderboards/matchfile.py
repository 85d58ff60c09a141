"""The match file: one JSON object a match, read and flattened to one row a seat. Standard library only.

A crash can cut the last line short; that line is left out with a warning. Any other bad line is an error with its
number. Nothing here knows a game: `outcome.contest` is false where nobody wins against anybody; numeric values under
`metrics` become columns of their names, per seat where the name ends in a seat's.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from arena.core.canonical import canonical
from arena.core.errors import UsageError

TURNS = ("legal", "repaired", "illegal", "refused", "truncated", "timeout")
MATCH_FIELDS = ("match_id", "deal_id", "order", "game", "preset", "config_sha256", "status", "reason", "clean",
                "started_at")  # fmt: skip
SEAT_FIELDS = ("seat", "role", "team", "agent", "model", "revision", "tokens_in", "tokens_out", "cost_usd", "seconds")
# Facts about an agent, passed on to the published table; `forfeit` says that the seat ended the match by the policy.
AGENT_FACTS = ("provider", "base_model", "adapter_sha256", "prompt_sha256", "temperature", "reasoning_effort",
               "license", "open_weights", "control")  # fmt: skip
CORE = frozenset((*MATCH_FIELDS, *SEAT_FIELDS, *TURNS, *AGENT_FACTS, "payoff", "rank", "forfeit", "contest", "setup"))
_TEXTS = ("deal_id", "game", "preset", "config_sha256", "reason", "started_at")
_SEAT_TEXTS = ("seat", "role", "team", "model", "revision")
_AMOUNTS = ("tokens_in", "tokens_out", "cost_usd", "seconds")
# Other facts of a match that a table may hold without their being metrics of play.
NOT_METRICS = CORE | {"game_version", "rules_sha256", "seed", "wall_s", "winner_team", "end_reason", "error", "retries",
                      "transcript_sha256", "arena_version", "litellm_version", "key", "record_hash", "evidence_hash",
                      "superseded"}  # fmt: skip
LARGEST = 1e100  # of payoffs: their squares and sums stay numbers


def parse(content: bytes, name: str) -> tuple[list[dict[str, Any]], bytes]:
    """The matches of a file's bytes, superseded ones left out; and the bytes without a line that was cut short."""
    lines = content.split(b"\n")
    last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
    found: list[dict[str, Any]] = []
    line_of: dict[str, int] = {}
    for i, line in enumerate(lines[: last + 1]):
        if not line.strip():
            continue
        try:
            match = json.loads(line)
        except (ValueError, RecursionError) as error:
            cut_short = i == len(lines) - 1 or (line.startswith(b"{") and not line.rstrip().endswith(b"}"))
            if i == last and cut_short:
                warnings.warn(
                    f"{name}: line {i + 1} is cut short (a crash while writing?); it is ignored", stacklevel=3
                )
                return found, b"".join(line + b"\n" for line in lines[:i])
            raise UsageError(f"{name}: line {i + 1} is not JSON: {error}") from error
        problem = _problem(match)
        if problem:
            raise UsageError(f"{name}: line {i + 1}: {problem}")
        if match.get("superseded"):
            continue
        if (before := line_of.setdefault(str(match["match_id"]), i + 1)) != i + 1:
            raise UsageError(f"{name}: line {i + 1}: match {match['match_id']} is on line {before} already")
        found.append(match)
    return found, content


def _problem(match: Any) -> str:
    """What keeps an object from being a match of this file; nothing where all is well."""
    if not isinstance(match, dict):
        return "a match must be a JSON object"
    name, seats = match.get("match_id"), match.get("seats")
    if not isinstance(name, str | int) or name == "":
        return "match_id is missing, or no text" if name is not None else "match_id is missing"
    if not isinstance(seats, list) or not seats or not all(isinstance(seat, dict) for seat in seats):
        return f"match {name}: seats must be a list of objects"
    if any(not isinstance(seat.get("agent"), str) or not seat["agent"] for seat in seats):
        return f"match {name}: a seat has no agent"
    names = [str(seat.get("seat", f"player_{i}")) for i, seat in enumerate(seats)]
    if twice := [seat for i, seat in enumerate(names) if seat in names[:i]]:
        return f"match {name} has {twice[0]} twice"
    problem = _wrong_kind(match, seats) or _wrong_outcome(match, names)
    return f"match {name}: {problem}" if problem else ""


def _wrong_kind(match: Mapping[str, Any], seats: list[dict[str, Any]]) -> str:
    """The first value that is not of the kind its key asks for; null is a value that is not known."""
    kinds: list[tuple[Mapping[str, Any], tuple[str, ...], type, str]] = [
        (match, _TEXTS, str, "text"),
        (match, ("outcome", "metrics"), dict, "an object"),
        (match, ("order",), int, "a whole number"),
    ]
    amounts: list[tuple[Mapping[str, Any], tuple[str, ...]]] = []
    for seat in seats:
        kinds += [(seat, _SEAT_TEXTS, str, "text"), (seat, ("turns", "sampling"), dict, "an object")]
        turns = seat.get("turns")
        amounts += [(turns if isinstance(turns, dict) else {}, TURNS), (seat, _AMOUNTS)]
    for where, keys, kind, said in kinds:
        for key in keys:
            if where.get(key) is not None and not isinstance(where[key], kind):
                return f"{key} is {where[key]!r}, which is not {said}"
    for where, keys in amounts:
        for key in keys:
            if where.get(key) is not None and not _is_amount(where[key]):
                return f"{key} is {where[key]!r}, which is no amount"
    return ""


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < math.inf


def _wrong_outcome(match: Mapping[str, Any], names: list[str]) -> str:
    """What is wrong with the payoffs and ranks of a finished match."""
    status = match.get("status") or "done"
    if status != "done":
        return "" if status in ("void", "failed") else f"status is {status!r}, not done, void or failed"
    outcome = match.get("outcome") or {}
    if not isinstance(outcome.get("contest", True), bool):
        return f"contest is {outcome['contest']!r}, which is neither true nor false"
    for key in ("payoffs", "ranks"):
        given = outcome.get(key)
        if given is None:
            continue
        values = [given.get(seat) for seat in names] if isinstance(given, dict) else given
        if not isinstance(values, list) or len(values) != len(names):
            return f"{key} do not name every seat"
        if isinstance(given, dict) and (strangers := sorted(given.keys() - set(names))):
            return f"{key} name {strangers[0]}, which is none of its seats"
        for seat, value in zip(names, values, strict=True):
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                return f"{seat} has {value!r} among the {key}, which is not a finite number"
            if abs(value) > LARGEST:
                return f"{seat} has {value!r} among the {key}, which is beyond {LARGEST:g}"
    return ""


def to_lines(matches: Iterable[Mapping[str, Any]]) -> bytes:
    """The bytes of a match file: one canonical line a match. A lone surrogate becomes its JSON escape."""
    return b"".join(f"{canonical(match)}\n".encode(errors="backslashreplace") for match in matches)


def seat_rows(matches: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One flat row a seat; keys that a match does not have are left out."""
    for match in matches:
        outcome = match.get("outcome") or {}
        names = [str(seat.get("seat", f"player_{i}")) for i, seat in enumerate(match["seats"])]
        of_match = {key: match[key] for key in MATCH_FIELDS if match.get(key) is not None}
        metrics = match.get("metrics") or {}
        for i, seat in enumerate(match["seats"]):
            yield {
                **of_match,
                **_seat_facts(seat),
                **_outcome(outcome, i, names),
                **_seat_metrics(metrics, names, names[i]),
                "seat": names[i],
            }


def _seat_facts(seat: Mapping[str, Any]) -> dict[str, Any]:
    row = {key: seat[key] for key in (*SEAT_FIELDS, *AGENT_FACTS, "forfeit") if seat.get(key) is not None}
    sampling = seat.get("sampling") or {}
    for column, key in (("temperature", "temperature"), ("reasoning_effort", "reasoning")):
        value = sampling.get(column, sampling.get(key))
        if value is not None:
            row[column] = value
    turns = seat.get("turns") or {}
    return row | {key: turns.get(key, 0) for key in TURNS if turns}


def _outcome(outcome: Mapping[str, Any], i: int, names: list[str]) -> dict[str, Any]:
    row = {} if outcome.get("contest", True) else {"contest": False}
    for key, column in (("payoffs", "payoff"), ("ranks", "rank")):
        values = outcome.get(key)
        value = values.get(names[i]) if isinstance(values, Mapping) else values[i] if values else None
        if value is not None:
            row[column] = value
    return row


def _seat_metrics(metrics: Mapping[str, Any], names: list[str], seat: str) -> dict[str, float]:
    """`name_<seat>` is that seat's alone; a name without a seat is everybody's, unless some seat has its own."""
    own: dict[str, float] = {}
    shared: dict[str, float] = {}
    personal = set()
    for key, value in metrics.items():
        at = next((name for name in names if key.endswith(f"_{name}")), None)
        if isinstance(value, Mapping):
            personal.add(key)
            _keep(own, key, value.get(seat))
        elif at is None:
            _keep(shared, key, value)
        else:
            base = key.removesuffix(f"_{at}")
            personal.add(base)
            if at == seat:
                _keep(own, base, value)
    return {key: value for key, value in shared.items() if key not in personal} | own


def _keep(row: dict[str, float], key: str, value: Any) -> None:
    if isinstance(value, int | float) and math.isfinite(value):
        row[f"metric_{key}" if key in NOT_METRICS else key] = float(value)


def objects(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Flat rows of a match table, as matches of the file's form; rows of one match must follow each other."""
    current: dict[str, Any] = {}
    for row in rows:
        if current.get("match_id") != row["match_id"]:
            if current:
                yield current
            current = {key: row[key] for key in MATCH_FIELDS if key in row}
            current |= {"seats": [], "outcome": {"ranks": {}, "payoffs": {}}, "metrics": {}}
            current["outcome"] |= {} if row.get("contest", True) else {"contest": False}
        seat = {key: row[key] for key in (*SEAT_FIELDS, *AGENT_FACTS, "forfeit") if key in row}
        seat["turns"] = {key: row[key] for key in TURNS if key in row}
        current["seats"].append(seat)
        for key, column in (("payoffs", "payoff"), ("ranks", "rank")):
            if column in row:
                current["outcome"][key][row["seat"]] = row[column]
        for key in sorted(row.keys() - NOT_METRICS):
            current["metrics"][f"{key}_{row['seat']}"] = row[key]
    if current:
        yield current
