"""One match from its first open ask to its end, in a run: replay what is recorded, ask the rest, record as it goes.

Bots answer inline; every other seat of a batch thinks at the same time. A turn is in the record before its answer
counts, and a batch is applied when all of it is in, in seat order, so arrival order changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

from arena.core.asks import Answer, Ask
from arena.core.bots import OpenView
from arena.core.canonical import canonical
from arena.core.errors import ReplayMismatch
from arena.core.match import Match
from arena.core.record import audience_text, replay
from arena.core.seeds import stream
from arena.models.types import Halted
from arena.run.context import Stopped
from arena.run.live import LiveMatch
from arena.run.players import BotPlayer, HumanPlayer, Player
from arena.run.rows import Decision, Evidence, end_rows, event_rows, now_ms, turn_row
from arena.run.turns import decide_human, decide_model
from arena.store.reader import StoredMatch
from arena.store.writer import Unit

_SLOW_S = 0.2  # a step that is worth a word


def play_bots(match: Match, players: Mapping[str, Player], key: str) -> None:
    """A match of bots alone, to its end, without a loop."""
    while not match.done:
        for seat, ask in match.pending().items():
            player = players[seat]
            assert isinstance(player, BotPlayer)
            match.submit(seat, bot_answer(match, player, seat, key, ask))


def bot_answer(match: Match, player: BotPlayer, seat: str, key: str, ask: Ask) -> Answer:
    """A bot's answer; its stream depends on the match, the seat and the turn alone, so a replayed bot need not run."""
    view = OpenView(match, seat) if player.is_control else match.view(seat)
    return player.answer(view, ask, stream("agent", key, seat, len(match.turns)))


async def play_match(live: LiveMatch, stored: StoredMatch | None) -> None:
    """Play on from wherever the record stands, to the end."""
    match, number = live.match, live.planned.number
    unit: Unit = [("match_start", (now_ms(), number))]
    if stored is not None:
        unit += _restore(live, stored)
    while True:
        unit += event_rows(number, match, live.told)
        live.told = len(match.events)
        if match.done:
            unit += end_rows(number, match, live.ledger)
        await live.run.commit(unit)
        if match.done:
            return
        decisions = await _decide_batch(live)
        began = perf_counter()
        unit = _apply(live, decisions)
        if (took := perf_counter() - began) > _SLOW_S:
            live.run.slow_step(live.planned, took)


def _apply(live: LiveMatch, decisions: list[Decision]) -> Unit:
    """Give the batch's answers to the match, in seat order; the rows that say so."""
    match, number = live.match, live.planned.number
    for decision in decisions:
        live.ledger.count(decision.seat, decision.status)
    forfeits = [*live.forfeits, *(decision.seat for decision in decisions if decision.forfeit)]
    if forfeits:
        match.forfeit(min(forfeits, key=match.seats.index))  # of several at once, the first in seat order
        return []
    for decision in decisions:
        match.take(decision.seat, decision.answer, fallback=decision.fallback)
    own = [d for d in decisions if isinstance(live.players[d.seat], BotPlayer)]
    return [
        *(turn_row(number, match, d, applied=True) for d in own),
        ("applied", (number, decisions[0].batch)),
    ]


def is_bot(live: LiveMatch, seat: str) -> bool:
    return isinstance(live.players[seat], BotPlayer)


async def _decide_batch(live: LiveMatch) -> list[Decision]:
    """Decisions for every ask still open, in seat order. A model that could not be had raises its ProviderError, but
    only after the other seats' answers are in the record."""
    match = live.match
    batch, opened = len(match.batch_ends) - 1, match.opened()
    waiting: list[asyncio.Task[Decision]] = []
    decisions: dict[str, Decision] = {}
    for offset, (seat, ask) in sorted(enumerate(opened.items()), key=lambda entry: not is_bot(live, entry[1][0])):
        if seat not in match.pending() or seat in live.forfeits:
            continue
        player = live.players[seat]
        decision = Decision(len(match.turns) + offset, batch, seat, ask, None, asked_ms=now_ms())
        if isinstance(player, BotPlayer):
            decision.answer = ask.check(bot_answer(match, player, seat, live.planned.key, ask))
            decisions[seat] = decision
        elif isinstance(player, HumanPlayer):
            waiting.append(asyncio.ensure_future(decide_human(live, player, match.view(seat), ask, decision)))
        else:
            waiting.append(asyncio.ensure_future(decide_model(live, player, match.view(seat), ask, decision)))
    if waiting:
        try:
            results = await asyncio.gather(*waiting, return_exceptions=True)
        except asyncio.CancelledError:
            for task in waiting:
                task.cancel()
            raise
        problems = [r for r in results if isinstance(r, BaseException)]
        if problems:
            raise next((p for p in problems if not isinstance(p, Stopped | Halted)), problems[0])
        decisions |= {r.seat: r for r in results if isinstance(r, Decision)}
    return [decisions[seat] for seat in match.seats if seat in decisions]


def _restore(live: LiveMatch, stored: StoredMatch) -> Unit:
    """Bring the match to where the record stands, and check that the record is what the game says today."""
    match, number, policy = live.match, live.planned.number, live.run.policy
    live.stored_calls = stored.calls
    for turn in stored.turns:
        seat = match.seats[turn.seat_no]
        live.ledger.count(seat, turn.status)
        if turn.memo is not None:
            live.memos[seat] = turn.memo
        calls = stored.calls.get(turn.turn, {}).values()
        live.spend(seat, sum(call.latency_ms or 0 for call in calls) / 1000)
        live.ledger.evidence += [Evidence(turn.turn, c.path, c.prompt, c.reply, c.finish, turn.status) for c in calls]
        if turn.fallback and policy.then == "forfeit" and live.ledger.lost(seat) >= policy.forfeit_after:
            live.forfeits.append(seat)  # it takes effect when its whole batch is decided
            continue
        item = {"turn": turn.turn, "seat": seat, "ask_hash": turn.ask_hash, "answer": turn.answer}
        replay(match, [item | {"fallback": turn.fallback}])
    for seq, (kind, audience, facts) in enumerate(stored.events):
        now = match.events[seq] if seq < len(match.events) else None
        if now is None or (now.kind, audience_text(now.audience), canonical(now.facts)) != (kind, audience, facts):
            raise ReplayMismatch(f"match {number}: event {seq} ({kind}) is not what the game tells now")
    live.told = len(stored.events)
    if live.forfeits and match.pending().keys() <= set(live.forfeits):
        match.forfeit(min(live.forfeits, key=match.seats.index))
    unapplied = {t.batch for t in stored.turns if not t.applied and t.turn < len(match.turns)}
    return [("applied", (number, batch)) for batch in sorted(unapplied)]
