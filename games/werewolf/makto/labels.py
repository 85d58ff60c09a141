"""Which single turns are desirable or undesirable: MaKTO's step labels, one function an ask.

Roles are the truth of the record. "Village ballots" are those of seats that are not on the wolf side. Nights count from
0, days from 1. A turn that nothing is said about gets no label. `fixed` drops what the published scripts get wrong;
each such place says what they do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from arena.core import Form, Match, Turn
from arena.games.werewolf.asks import ABSTAIN, NONE
from arena.games.werewolf.rules import GODS
from arena.games.werewolf.story import Day, Night, Story, Vote

PROTECTED = frozenset({"seer", "witch", "guard"})  # whom a guard should protect


class Label(NamedTuple):
    desirable: bool
    reason: str


class Place(NamedTuple):
    """Where a turn stands: in a night (`day` None) or on a day (`night` None), and as which ask of its name there."""

    night: int | None
    day: int | None
    nth: int


class Case(NamedTuple):
    """One turn with all that its label depends on."""

    match: Match
    story: Story
    turn: Turn
    place: Place
    fixed: bool

    @property
    def seat(self) -> str:
        return self.turn.seat

    def night(self) -> Night:
        return self.story.nights[self.place.night or 0]

    def day(self) -> Day:
        return self.story.days[(self.place.day or 1) - 1]


def places(match: Match) -> list[Place]:
    """The place of every turn. A night ends with its dawn, a day with its exile or with nobody exiled."""
    found: list[Place] = []
    read = dawns = exiles = 0
    seen: dict[tuple[Any, ...], int] = {}
    for turn in match.turns:
        for event in match.events[read : turn.events]:
            dawns += event.kind == "dawn"
            exiles += event.kind == "exiled"
        read = turn.events
        night, day = (None, dawns) if dawns > exiles or turn.ask.name in ("shoot", "last_words") else (exiles, None)
        key = (turn.seat, turn.ask.name, night, day)
        seen[key] = seen.get(key, -1) + 1
        found.append(Place(night, day, seen[key]))
    return found


def labels_of(case: Case) -> list[Label]:
    """All labels of a turn: usually one or none, now and then of both sorts."""
    rule = RULES.get(case.turn.ask.name)
    return rule(case) if rule else []


# --- the night --------------------------------------------------------------------------------------------------


def wolf_kill(case: Case) -> list[Label]:
    pick, night = case.turn.answer, case.night()
    if pick in (NONE, None):
        return [Label(False, "no kill")]
    if night.number >= 1 and pick == night.target and case.story.kind(pick) in GODS:
        return [Label(True, "god killed")]
    return []


def check(case: Case) -> list[Label]:
    return [Label(True, "wolf found")] if case.story.is_wolf(case.turn.answer) else []


def witch(case: Case) -> list[Label]:
    """Published: "no heal in night 0" also where nobody was attacked or no heal was allowed."""
    act, target, night = case.turn.answer["act"], case.turn.answer.get("target"), case.night()
    found: list[Label] = []
    if night.number == 0 and act in ("heal", "both"):
        found.append(Label(True, "healed in night 0"))
    elif night.number == 0:
        could = isinstance(case.turn.ask, Form) and "heal" in (case.turn.ask.fields[0].options or ())
        if could or not case.fixed:  # a heal is offered only where somebody was attacked
            found.append(Label(False, "no heal in night 0"))
    if act in ("poison", "both"):
        if not case.story.is_wolf(target):
            found.append(Label(False, "poisoned a non-wolf"))
        elif night.number >= 1:
            found.append(Label(True, "poisoned a wolf"))
    return found


def guard(case: Case) -> list[Label]:
    """Night 0: nobody in sets of nine, itself in sets of seven. A doctor (ours): the night's victim, else no label."""
    target = None if case.turn.answer in (NONE, None) else case.turn.answer
    night, config = case.night(), case.match.game.config
    if case.story.roles[case.seat] == "doctor":
        return [Label(True, "protected the victim")] if target is not None and target == night.target else []
    if night.number == 0:
        wanted = {(9, True): None, (7, True): case.seat}
        key = (len(case.story.seats), config.guard_none if len(case.story.seats) == 9 else config.guard_self)
        if key not in wanted:
            return []
        return [Label(target == wanted[key], "guard in night 0")]
    if case.story.is_wolf(target):
        return [Label(False, "protected a wolf")]
    return [Label(True, "protected a power")] if target and case.story.kind(target) in PROTECTED else []


def shoot(case: Case) -> list[Label]:
    target = case.turn.answer
    if target in (NONE, None):
        return []
    if case.story.is_wolf(target):
        return [Label(True, "shot a wolf")]
    return [Label(False, "shot a power")] if case.story.kind(target) in ("seer", "witch") else []


# --- votes ------------------------------------------------------------------------------------------------------


def is_pk(day: Day) -> bool:
    return bool(day.tied)


def vote(case: Case) -> list[Label]:
    """Village ballots. The ballot that exiled a wolf is good; one on a non-wolf, on nobody, or apart is bad."""
    day = case.day()
    if not case.story.on_village_side(case.seat):
        return []
    rounds = [v for v in day.votes if v.ask == case.turn.ask.name]
    if case.place.nth >= len(rounds):
        return []
    cast = rounds[case.place.nth]
    target = None if case.turn.answer in (ABSTAIN, None) else case.turn.answer
    found: list[Label] = []
    if cast is day.votes[-1] and case.story.is_wolf(target) and target == day.exiled:
        found.append(Label(True, "exiled a wolf"))
    if not case.story.is_wolf(target):
        found.append(Label(False, "abstained" if target is None else "voted a non-wolf"))
    if _splits(case, cast, target):
        found.append(Label(False, "split the vote"))
    return found


def _splits(case: Case, cast: Vote, target: str | None) -> bool:
    """Apart from a seer who votes for a wolf; without a seer's ballot, from a wolf with three village ballots.

    Published: apart from any ballot of the seer.
    """
    story = case.story
    aims = [t for voter, t in cast.ballots.items() if story.kind(voter) == "seer" and t is not None]
    if story.kind(case.seat) == "seer":
        return False
    if aims:
        wanted = [t for t in aims if story.is_wolf(t)] if case.fixed else aims
        return bool(wanted) and target not in wanted
    village = [t for voter, t in cast.ballots.items() if story.on_village_side(voter)]
    return any(village.count(wolf) >= 3 and target != wolf for wolf in story.wolves())


# --- speeches ---------------------------------------------------------------------------------------------------


def speech(case: Case) -> list[Label]:
    """By the vote that the day's speeches led to. On a run-off day only the run-off's speeches count."""
    day, story = case.day(), case.story
    if day.exiled is None or not day.votes or (case.turn.ask.name == "speech_pk") != is_pk(day):
        return []
    cast, exiled = day.votes[-1], day.exiled == case.seat
    if story.is_wolf(case.seat):
        own = [Label(not exiled, "wolf exiled" if exiled else "wolf not exiled")]
        # published: an exiled wolf is judged once more among the villagers
        return own if case.fixed or not exiled else [*own, *_village_speech(case, cast, exiled, is_pk(day))]
    return _village_speech(case, cast, exiled, is_pk(day)) if story.on_village_side(case.seat) else []


def _village_speech(case: Case, cast: Vote, exiled: bool, pk: bool) -> list[Label]:
    story, kind = case.story, case.story.kind(case.seat)
    against = [voter for voter, target in cast.ballots.items() if target == case.seat]
    village = sum(story.on_village_side(voter) for voter in against)
    wolves = sum(story.is_wolf(voter) for voter in against)
    found: list[Label] = []
    few = village <= 1 if case.fixed or not pk else village > 1  # published: the run-off test is inverted
    if village == 0:
        found.append(Label(True, "no village ballot against"))
    elif kind in ("seer", "witch") and few and not exiled:
        found.append(Label(True, "one village ballot against a power"))
    if exiled:
        found.append(Label(False, "exiled"))
    if kind == "seer" and village and 2 * village >= _half_of(case, cast):
        found.append(Label(False, "half of the village against the seer"))
    if kind == "witch" and wolves >= 1 and village >= 2:
        found.append(Label(False, "village and wolves against the witch"))
    return found


def _half_of(case: Case, cast: Vote) -> int:
    """The ballots of which half is half. Published: all of them, with abstentions and the wolves'."""
    if not case.fixed:
        return len(cast.ballots)
    return sum(target is not None and case.story.on_village_side(voter) for voter, target in cast.ballots.items())


RULES: dict[str, Callable[[Case], list[Label]]] = {
    "wolf_kill": wolf_kill,
    "check": check,
    "witch": witch,
    "guard": guard,
    "shoot": shoot,
    "vote": vote,
    "vote_pk": vote,
    "speech": speech,
    "speech_pk": speech,
}
