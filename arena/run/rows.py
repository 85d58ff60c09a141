"""From a match to the rows of its record. Everything that the store holds of play is made here."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from arena.core.asks import Answer, Ask, Form
from arena.core.canonical import canonical
from arena.core.match import Match, Turn
from arena.core.record import Chain, audience_text, header, items
from arena.run.plan import Planned
from arena.store.writer import Row, Unit

if TYPE_CHECKING:
    from arena.models.session import Call
    from arena.models.types import Request

Status = Literal["legal", "repaired", "illegal", "refused", "truncated", "timeout"]
STATUSES: tuple[Status, ...] = ("legal", "repaired", "illegal", "refused", "truncated", "timeout")


@dataclass
class Decision:
    """How one turn was decided. `answer` is what is played; `fallback` says that it is not the seat's own."""

    turn: int
    batch: int
    seat: str
    ask: Ask
    answer: Answer
    status: Status = "legal"
    fallback: bool = False
    forfeit: bool = False
    attempted: Answer = None
    reason: str | None = None
    reasks: int = 0
    memo: Any = None
    origin: Literal["asked", "copied"] = "asked"
    last_call: str | None = None
    asked_ms: int | None = None
    decided_ms: int | None = None
    cut: bool = False  # a text of the answer was cut to its cap


@dataclass(frozen=True)
class Evidence:
    """What the evidence hash says of one call."""

    turn: int
    path: str
    prompt: str
    reply: str
    finish: str
    status: str


@dataclass
class Ledger:
    """What a live match must remember of its turns until it ends: status counts by seat, and its calls."""

    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)

    def count(self, seat: str, status: str) -> None:
        self.statuses.setdefault(seat, Counter())[status] += 1

    def lost(self, seat: str) -> int:
        """Turns of the seat that ended without a legal answer of its own."""
        counts = self.statuses.get(seat, Counter())
        return sum(counts[status] for status in STATUSES[2:])


def now_ms() -> int:
    """UTC milliseconds: for people who read the record; in no hash."""
    return time.time_ns() // 1_000_000


def plan_rows(planned: Iterable[Planned], agent_ids: Mapping[str, int]) -> Unit:
    unit: Unit = []
    for p in planned:
        unit.append(
            (
                "match",
                (p.number, p.key, p.game, p.preset, p.config_sha256, canonical(p.config), str(p.deal_seed), str(p.seed))
                + (p.deal_id, p.block, p.batch_no, p.tag, p.parent_key, p.fork_turn, p.branch, p.chance),
            )
        )
        for seat, agent in p.seating.items():  # in whatever order they were named
            number = int(seat.removeprefix("player_"))
            unit.append(("seat", (p.number, number, seat, agent_ids[agent], None, None)))
    return unit


@dataclass(frozen=True)
class Place:
    """Where a call stands in the record; a probe stands in no match."""

    path: str
    purpose: str
    agent: int
    match: int | None = None
    execution: int = 0
    turn: int | None = None
    seat: int | None = None


def call_rows(key: str, place: Place, prompt: str, asked: str, request: Request, call: Call, *, thoughts: bool) -> Unit:
    """A call and its failed tries. `asked` are the parameters asked for; the row also holds those that were sent."""
    r, p = call.response, place
    tokens = r.tokens and canonical({k: v for k, v in vars(r.tokens).items() if v})
    row = (
        *(key, p.match, p.execution, p.turn, p.seat, p.path, p.purpose, p.agent, _text(r.model), prompt, asked),
        *(canonical(call.params), canonical(request.shape.as_json()) if request.shape else None, _text(r.text)),
        *(None if r.parsed is None else _text(canonical(r.parsed)), _text(r.reasoning) if thoughts else None),
        *(r.finish, _text(r.request_id), r.usage.prompt, r.usage.cached, r.usage.completion, r.usage.reasoning),
        *(int(call.estimated), call.price_source, call.cost_usd, int(call.cached), call.tries, call.queue_ms),
        *(call.latency_ms, call.started_ms, tokens),
    )
    return [("call", row), *(("call_error", (key, *error)) for error in call.errors)]


def _text(value: str | None) -> str | None:
    """Text of a provider as the store can keep it."""
    return None if value is None else value.encode("utf-8", "replace").decode()


def turn_row(match_id: int, match: Match, d: Decision, *, applied: bool) -> Row:
    intent = None
    if isinstance(d.ask, Form) and d.ask.intent and isinstance(d.answer, dict) and not d.fallback:
        intent = canonical({name: d.answer.get(name) for name in d.ask.intent})
    reason = d.reason if not d.cut else "; ".join(filter(None, [d.reason, "truncated_text"]))
    return (
        "turn",
        (match_id, d.turn, d.batch, match.seats.index(d.seat), d.ask.name, d.ask.hash, _ask_json(d.ask), d.status)
        + (canonical(d.answer), intent, None if d.attempted is None else _safe(d.attempted), reason, d.reasks)
        + (int(d.fallback), None if d.memo is None else canonical(d.memo), d.origin, d.last_call, int(applied))
        + (d.asked_ms, d.decided_ms),
    )


def event_rows(match_id: int, match: Match, since: int) -> Unit:
    """The events told since the `since`-th. An event's batch is the one that led to it; -1 before the first."""
    ends, unit, batch = match.batch_ends, [], 0
    while batch < len(ends) and ends[batch] <= since:
        batch += 1
    for seq in range(since, len(match.events)):
        while batch < len(ends) and ends[batch] <= seq:
            batch += 1
        event = match.events[seq]
        row = (match_id, seq, batch - 1, event.kind, audience_text(event.audience), canonical(event.facts))
        unit.append(("event", row))
    return unit


def end_rows(match_id: int, match: Match, ledger: Ledger) -> Unit:
    """The end of a match: payoffs, hashes, and what each seat was."""
    chain = Chain(header(match))
    for item in items(match):
        chain.add(item)
    unit: Unit = [
        (
            "match_end",
            ("done", None, canonical(match.payoffs), canonical(outcome_of(match)), len(match.turns), chain.value)
            + (evidence_hash(match, ledger.evidence), now_ms(), match_id),
        )
    ]
    for number, seat in enumerate(match.seats):
        counts = ledger.statuses.get(seat, Counter())
        payoff = (match.payoffs or {})[seat]
        row = (match.roles.get(seat), match.sides.get(seat), payoff, *(counts[s] for s in STATUSES), match_id, number)
        unit.append(("seat_end", row))
    return unit


def outcome_of(match: Match) -> dict[str, Any]:
    """What is stored of the outcome beside the payoffs: the game's own facts, who forfeited, and that nobody won where
    the game is no contest, so that a rating needs no game to know it."""
    forfeited = {"forfeit": match.forfeited} if match.forfeited else {}
    return match.outcome | forfeited | ({} if match.game.contest else {"contest": False})


def evidence_hash(match: Match, evidence: Sequence[Evidence]) -> str:
    """What was said to whom: the chain over every call, in order of turn and path."""
    chain = Chain(header(match), "parley-evidence-1")
    for e in sorted(evidence, key=lambda e: (e.turn, e.path)):
        reply = sha256(e.reply.encode("utf-8", "replace")).hexdigest()
        chain.add(
            {"turn": e.turn, "path": e.path, "prompt": e.prompt, "reply": reply, "finish": e.finish, "status": e.status}
        )
    return chain.value


def bot_match_unit(planned: Planned, match: Match) -> Unit:
    """A whole match of bots: one unit, since it replays for free."""
    ledger = Ledger()
    unit: Unit = [("match_start", (now_ms(), planned.number))]
    for turn in match.turns:
        unit.append(turn_row(planned.number, match, decision_of(turn), applied=True))
        ledger.count(turn.seat, "legal")
    return unit + event_rows(planned.number, match, 0) + end_rows(planned.number, match, ledger)


def decision_of(turn: Turn) -> Decision:
    return Decision(turn.turn, turn.batch, turn.seat, turn.ask, turn.answer, fallback=turn.fallback)


_ASKS: dict[int, tuple[Ask, str]] = {}


def _ask_json(ask: Ask) -> str:
    """The ask as JSON; asks are often one object used for many turns."""
    known = _ASKS.get(id(ask))
    if known is not None and known[0] is ask:
        return known[1]
    if len(_ASKS) > 512:
        _ASKS.clear()
    text = canonical(ask.spec())
    _ASKS[id(ask)] = (ask, text)
    return text


def _safe(value: Any) -> str:
    """A rejected answer as JSON, at most 64 KiB; it may hold what canonical JSON refuses."""
    try:
        text = canonical(value)
        text.encode()
    except (TypeError, ValueError):
        text = json.dumps(repr(value)[:4000])
    return text if len(text) <= 65_536 else json.dumps(text[:65_000])
