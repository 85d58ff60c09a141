"""The wolf side of the sample player: a possessed and wolves that claim and report falsely.

Bots keep no state, so what wolves must agree on without talking (who plays which part) follows from who they are.
"""

from __future__ import annotations

from arena.core import Rng
from arena.core.seeds import derive
from arena.games.werewolf.bots.grounds import is_claim_day, leading, most_called
from arena.games.werewolf.bots.notes import Notes
from arena.games.werewolf.bots.respond import Style
from arena.games.werewolf.bots.words import Meaning, Report
from arena.games.werewolf.rules import KIND

PARTS = ("villager", "seer", "medium")


def part(n: Notes) -> str:
    """The kind that this wolf plays: villager, seer or medium where the match has them, distinct among the wolves."""
    known = [kind for kind in PARTS if kind == "villager" or any(KIND[r] == kind for r in n.roles)]
    pack = sorted(n.wolves, key=n.seats.index)
    rank = derive("parts", *pack) + pack.index(n.me)
    return known[rank % len(known)] if len(pack) == 1 or pack.index(n.me) < len(known) else "villager"


def role_of(n: Notes, kind: str) -> str | None:
    """The word for this kind in this match."""
    return next((role for role in n.roles if KIND[role] == kind), None)


def inferred_possessed(n: Notes) -> list[str]:
    """Claimed seers whose results a wolf knows to be false: no seer reports so."""
    if not any(KIND[role] == "possessed" for role in n.roles):
        return []
    return [
        seat
        for seat in n.claimants("seer")
        if seat not in n.wolves
        and any(n.says_wolf(result) != (target in n.wolves) for (_, target), result in n.reports.get(seat, {}).items())
    ]


def prey(n: Notes, seats: list[str]) -> list[str]:
    """The seats that a wolf may want gone: no wolf, and no possessed that it knows of, while there are others."""
    spared = (*n.wolves, *inferred_possessed(n)) if n.wolves else ()
    return [s for s in seats if s not in spared] or [s for s in seats if s not in n.wolves] or seats


def vote(n: Notes, seats: list[str], rng: Rng) -> str:
    """The seat it called for, else the village's favourite among the prey, else any prey."""
    among = prey(n, seats)
    called = n.calls.get(n.me)
    if called in among:
        return called
    if n.last_round and (leaders := leading(n.last_round, among)):
        return rng.choice(leaders)
    return rng.choice(most_called(n.calls.values(), among) or among)


def kill(n: Notes, seats: list[str], rng: Rng) -> str:
    """Claimed seers first, then claimed mediums and other special roles, then anybody."""
    among = prey(n, seats)
    for kind in ("seer", "medium", "witch", "guard", "hunter"):
        if claimed := [s for s in n.claimants(kind) if s in among]:
            return rng.choice(claimed)
    return rng.choice(among)


def meaning(n: Notes, rng: Rng) -> Meaning:
    """What a wolf or a possessed says: its part, with results that it makes up, one for each night."""
    kind = part(n) if n.wolves else "seer"
    rivals = n.claimants(kind)
    if not n.own.claim and not rivals and (n.kind == "possessed" or not is_claim_day(n, rng)):
        return Meaning()
    if kind == "seer":
        reports = made_up(n, rng)
        accused = [r.target for r in reports if n.says_wolf(r.result) and r.target in n.alive]
        calls = accused or [s for s in n.claimants("seer") if s in prey(n, list(n.alive))]
        return Meaning(role_of(n, "seer"), reports, rng.choice(calls) if calls else None)
    if kind == "medium":
        return Meaning(role_of(n, "medium"), made_up_species(n, rng))
    return Meaning(role_of(n, kind))


def made_up(n: Notes, rng: Rng) -> tuple[Report, ...]:
    """A seer's results for all nights so far: those said before, and new ones on seats without a report.

    A possessed reports `good` only; a wolf `wolf` half of the time, as often as there are wolves, never on a wolf.
    """
    said = list(n.own.reports)
    first = 0 if n.rules["first_night_seer"] else 1
    for night in range(first, n.day):
        open_seats = [s for s in n.alive if s != n.me and all(s != r.target for r in said)]
        if any(r.night == night for r in said) or not open_seats:
            continue
        target = rng.choice(open_seats)
        wolves = sum(n.says_wolf(r.result) for r in said)
        lies = n.kind == "wolf" and target not in n.wolves and wolves < len(n.wolves) and rng.random() < 0.5
        said.append(Report(night, target, _word(n, "wolf" if lies else "villager")))
    return tuple(said)


def _word(n: Notes, kind: str) -> str:
    """The result that says so: in matches where a seer learns the exact role, a role."""
    if n.rules["seer_info"] == "role":
        return role_of(n, kind) or "good"
    return "wolf" if kind == "wolf" else "good"


def made_up_species(n: Notes, rng: Rng) -> tuple[Report, ...]:
    """A medium's results on the exiled that it has not reported yet; true or false by a coin."""
    said = list(n.own.reports)
    for night, seat in sorted(n.exiled.items()):
        if night < n.day and all(seat != r.target for r in said):
            said.append(Report(night, seat, "wolf" if rng.random() < 0.5 else "human"))
    return tuple(said)


def check(n: Notes, seats: list[str], rng: Rng) -> str:
    return rng.choice(seats)


def poison(n: Notes, seats: list[str], rng: Rng) -> str | None:
    return None


def suspicion(n: Notes) -> dict[str, int]:
    """What it wants believed: the seats that it reports as wolves, and that its fellows are none."""
    accused = {r.target: 90 for r in n.own.reports if n.says_wolf(r.result)}
    return accused | dict.fromkeys(n.fellows, 10)


STYLE = Style(kill, check, check, vote, poison, meaning, suspicion)
