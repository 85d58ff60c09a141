"""The record of a match: what replays it bit for bit, and the hash chain over it.

h0 = SHA-256("parley-1" + canonical header); then, in order, every batch's answers in seat order and the events told
after them: h = SHA-256(h + canonical item). It holds no agent, time, cost or text outside answers and events, so the
same game version, config, seeds and answers give the same hash on any machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from arena.core.canonical import canonical
from arena.core.errors import ReplayMismatch
from arena.core.events import Audience, Event
from arena.core.match import Match

Record = dict[str, Any]


def header(match: Match) -> Record:
    """What the match is made of before its first answer."""
    head: Record = {
        "game": match.game.full_name,
        "config": match.game.config.as_json(),
        "deal_seed": match.deal_seed,
        "seed": match.seed,
        "seats": list(match.seats),
    }
    return head | {"fork_turn": match.chance[0], "branch": match.chance[1]} if match.chance else head


def audience_text(audience: Audience) -> str:
    """`*`, `-`, or the numbers of the seats: `0,3`."""
    return audience if isinstance(audience, str) else ",".join(seat.removeprefix("player_") for seat in audience)


def audience_from(text: str) -> Audience:
    return text if text in ("*", "-") else tuple(f"player_{number}" for number in text.split(","))


def turn_item(turn: int, seat: str, ask_hash: str, answer: Any, fallback: bool) -> Record:
    return {"t": turn, "seat": seat, "ask_hash": ask_hash, "answer": answer, "fallback": fallback}


def event_item(seq: int, event: Event) -> Record:
    return {"seq": seq, "kind": event.kind, "audience": audience_text(event.audience), "facts": event.facts}


def items(match: Match) -> Iterator[Record]:
    """The record in order, as far as the match has come."""
    ends = [*match.batch_ends, len(match.events)]
    told, turns, next_turn = 0, match.turns, 0
    for batch, end in enumerate(ends):
        for seq in range(told, end):
            yield event_item(seq, match.events[seq])
        told = end
        while next_turn < len(turns) and turns[next_turn].batch == batch:
            turn = turns[next_turn]
            yield turn_item(turn.turn, turn.seat, turn.ask.hash, turn.answer, turn.fallback)
            next_turn += 1
    if match.payoffs is not None:
        yield {"payoffs": match.payoffs} | ({"forfeit": match.forfeited} if match.forfeited else {})


class Chain:
    """The running hash over items."""

    def __init__(self, head: Record, start: str = "parley-1") -> None:
        self.value = sha256((start + canonical(head)).encode()).hexdigest()

    def add(self, item: Record) -> None:
        self.value = sha256((self.value + canonical(item)).encode()).hexdigest()


def record_hash(match: Match) -> str:
    chain = Chain(header(match))
    for item in items(match):
        chain.add(item)
    return chain.value


def record(match: Match) -> Record:
    """All that `arena.match(record=…)` needs, and the hash that it must come to."""
    return header(match) | {
        "preset": match.preset,
        "turns": [
            {"turn": t.turn, "batch": t.batch, "seat": t.seat, "ask_hash": t.ask.hash, "answer": t.answer}
            | {"fallback": t.fallback}
            for t in match.turns
        ],
        "payoffs": match.payoffs,
        "forfeit": match.forfeited,
        "record_hash": record_hash(match),
    }


def replay(match: Match, turns: Iterable[Mapping[str, Any]], *, forfeit: str | None = None) -> None:
    """Give a fresh match the recorded answers. They are the authority: no reply is parsed again, and a turn whose
    ask differs from the recorded one stops the replay."""
    for turn in turns:
        seat, number = turn["seat"], turn["turn"]
        ask = match.pending().get(seat)
        if ask is None or ask.hash != turn["ask_hash"]:
            now = "is not asked" if ask is None else f"is asked {ask.name} ({ask.hash[:8]})"
            raise ReplayMismatch(
                f"{match.game.full_name}, turn {number}: {seat} was asked {turn['ask_hash'][:8]}; now it {now}",
                hint="the game changed since; install the release that made the record",
            )
        match.take(seat, turn["answer"], fallback=bool(turn["fallback"]))
    if forfeit:
        match.forfeit(forfeit)
