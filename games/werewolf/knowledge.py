"""What a seat may learn from each event by the rules alone, written down apart from the flow that tells it.

The no-leak test compares views of worlds whose signals are equal; were the signals read off the views themselves, a
leak would hide itself. Powers' private facts are told apart by role, so this is exact for role sets in which each
power is held once (all presets).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.core import Event
from arena.core.canonical import canonical
from arena.games.werewolf.rules import KIND, may_shoot

Signal = tuple[str, str]

_PUBLIC: dict[str, tuple[str, ...]] = {
    "setup": ("names", "roles"),
    "dawn": ("day", "dead"),
    "order": ("seats",),
    "bid_won": ("speaker",),
    "said": ("speaker", "text"),
    "pk": ("seats",),
    "revote": ("day",),
    "exiled": ("seat",),
    "over": ("winner", "roles"),
}
_OPEN_VOTE = {"ballot": ("voter", "target"), "tally": ("counts", "abstained")}
_OF_KIND: dict[str, tuple[str, tuple[str, ...]]] = {
    "wolf_pick": ("wolf", ("night", "wolf", "target")),
    "wolf_decision": ("wolf", ("night", "target")),
    "whispered": ("wolf", ("speaker", "text")),
    "checked": ("seer", ("night", "target", "result")),
    "guarded": ("guard", ("night", "target")),
    "witch_info": ("witch", ("night", "target")),
    "witched": ("witch", ("night", "act", "target")),
    "medium_info": ("medium", ("target", "result")),
}


def signal(event: Event, seat: str, roles: Mapping[str, str], config: Any) -> Signal | None:
    """What this event tells `seat` by the rules; None if nothing. A dead hunter learns whether it may shoot."""
    if event.kind == "night_resolved" and seat in event.facts["dead"] and KIND[roles[seat]] == "hunter":
        return "shoots", str(may_shoot(event.facts["causes"][seat], config.hunter_poisoned_shoots))
    facts = allowed(event.kind, event.facts, seat, roles, config)
    return (event.kind, canonical({name: event.facts.get(name) for name in facts})) if facts else None


def allowed(kind: str, facts: Mapping[str, Any], seat: str, roles: Mapping[str, str], config: Any) -> tuple[str, ...]:
    """The names of the facts that the seat may know."""
    if kind == "role":
        return ("role", "fellows") if facts["seat"] == seat else ()
    if kind == "shot":  # a shot not taken stays with the hunter
        seen = facts["target"] is not None or facts["hunter"] == seat
        return ("hunter", "target", *_role_of_dead("role", config.reveal_role == "death")) if seen else ()
    if kind in _OF_KIND:
        needs, names = _OF_KIND[kind]
        return names if KIND[roles[seat]] == needs else ()
    if kind in _OPEN_VOTE:
        return _OPEN_VOTE[kind] if config.vote_mode != "secret" else ()
    names = _PUBLIC.get(kind, ())
    if kind == "dawn":
        names += _role_of_dead("roles", config.reveal_role == "death") + ("causes",) * config.announce_cause
    if kind == "exiled":
        names += _role_of_dead("role", config.reveal_role in ("exile", "death"))
    if kind == "revote" and config.vote_mode != "secret":
        names += ("seats",)
    if kind == "said" and config.show_intent:
        names += ("claim", "reports", "vote_call")
    return names


def _role_of_dead(name: str, shown: bool) -> tuple[str, ...]:
    return (name,) if shown else ()
