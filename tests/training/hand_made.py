"""Hand-made records: matches of a small game with chosen answers, as recipes get them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arena.core import Match
from arena.play import new_match
from arena.prompt import wire
from arena.registry import make_game
from arena.training.record import Played, Sent

RPS = make_game("matrix/rps", {"rounds": 1})[0]


def rps(
    key: str,
    throws: Sequence[str],
    *,
    models: Sequence[str] = ("player_0", "player_1"),
    statuses: Mapping[int, str] | None = None,
    agents: Sequence[str] = ("hf/a", "hf/b"),
    fork: Mapping[str, int | str] | None = None,
) -> Played:
    """One round with these throws; a turn of another status than legal had its fallback played."""
    match, statuses = new_match(RPS, 7), statuses or {}
    sent = {}
    for number, (seat, throw) in enumerate(zip(match.seats, throws, strict=True)):
        status = statuses.get(number, "legal")
        messages = tuple(match.view(seat).messages())
        reply = throw if status in ("legal", "repaired") else "I will not say"
        is_lost = status not in ("legal", "repaired")
        sent[number] = Sent(
            turn=number,
            seat=seat,
            ask="act",
            status=status,
            fallback=is_lost,
            prompt=messages,
            first_reply=reply,
            accepted=throw,
            as_sent=messages,
            last_reply=reply,
        )
    for number, (seat, throw) in enumerate(zip(match.seats, throws, strict=True)):
        match.take(seat, throw, fallback=statuses.get(number, "legal") not in ("legal", "repaired"))
    return Played(
        run="run",
        number=1,
        key=key,
        tag="collect/1",
        deal=f"d{key}",
        match=match,
        agents=dict(zip(match.seats, agents, strict=True)),
        models=frozenset(models),
        roles={},
        sent={n: s for n, s in sent.items() if s.seat in models},
        fork=fork,
    )


def shown(match: Match, turn: int) -> str:
    decided = match.turns[turn]
    return wire(decided.ask, decided.answer, match.names)
