"""What a scripted player keeps of a match: one pass over the events of its view, each read once (`View.fold`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from arena.core import Event, View
from arena.games.werewolf.bots.words import Meaning, Report, heard
from arena.games.werewolf.rules import KIND


class Claim(NamedTuple):
    """A seat says that it holds a role, for the first time."""

    seat: str
    role: str


class Said(NamedTuple):
    """A seat reports a result that it has not reported before."""

    seat: str
    report: Report


class Round(NamedTuple):
    """The ballots of one vote: among whom, and who lived."""

    ballots: dict[str, str | None]
    candidates: tuple[str, ...]
    alive: tuple[str, ...]


class Death(NamedTuple):
    """A seat dies: in the "night", by "exile" or "shot"; its role where it is shown."""

    seat: str
    how: str
    role: str | None


Evidence = Claim | Said | Round | Death


@dataclass
class Notes:
    """All that a bot knows. `evidence` lists the public facts in order, for the players that weigh them."""

    seats: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    seat_of: dict[str, str] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    me: str = ""
    role: str = ""
    fellows: tuple[str, ...] = ()
    day: int = 0
    alive: tuple[str, ...] = ()
    order: tuple[str, ...] = ()  # today's speaking order, where one was announced
    checked: dict[str, Report] = field(default_factory=dict)  # own results, by target
    medium: dict[str, Report] = field(default_factory=dict)
    guards: dict[int, str | None] = field(default_factory=dict)  # own, by night
    poisoned: str | None = None  # by me
    peaceful: set[int] = field(default_factory=set)  # nights without a dead
    killed: set[str] = field(default_factory=set)  # dead in a night
    exiled: dict[int, str] = field(default_factory=dict)  # by day
    shown: dict[str, str] = field(default_factory=dict)  # roles made public
    claims: dict[str, str] = field(default_factory=dict)  # latest, by seat
    reports: dict[str, dict[tuple[int, str], str]] = field(default_factory=dict)  # by seat: (night, target) -> result
    calls: dict[str, str] = field(default_factory=dict)  # today's latest, by seat
    accused: dict[str, int] = field(default_factory=dict)  # ballots and calls against a seat so far
    round: dict[str, str | None] = field(default_factory=dict)  # ballots of the vote that is going on
    last_round: dict[str, str | None] = field(default_factory=dict)  # today's last complete vote
    tied: tuple[str, ...] = ()
    spoke_today: int = 0
    own: Meaning = field(default_factory=Meaning)  # all that I have said so far
    evidence: list[Evidence] = field(default_factory=list)
    belief: Any = None  # what a weighing player derived from the evidence so far

    @property
    def kind(self) -> str:
        return KIND[self.role]

    @property
    def wolves(self) -> tuple[str, ...]:
        """For a wolf: all of its kind, itself included."""
        return (self.me, *self.fellows) if self.kind == "wolf" else ()

    def claimants(self, kind: str) -> list[str]:
        """The living others that claim a role of this kind."""
        return [s for s in self.alive if s != self.me and KIND.get(self.claims.get(s, "")) == kind]

    def reported(self, seat: str, *results: str) -> list[str]:
        """The targets for which `seat` has reported one of these results, oldest first."""
        return [target for (_, target), result in self.reports.get(seat, {}).items() if result in results]

    def says_wolf(self, result: str) -> bool:
        return KIND.get(result) == "wolf"


def notes(view: View) -> Notes:
    """The notes of the view's seat, up to date."""
    return view.fold(Notes, _step)


def _step(n: Notes, event: Event) -> Notes:
    if step := _STEPS.get(event.kind):
        step(n, event.facts)
    return n


def _setup(n: Notes, f: dict[str, Any]) -> None:
    n.names, n.roles, n.rules = f["names"], f["roles"], f["rules"]
    n.seats = n.alive = tuple(n.names)
    n.seat_of = {name.lower(): seat for seat, name in n.names.items()}


def _role(n: Notes, f: dict[str, Any]) -> None:
    n.me, n.role, n.fellows = f["seat"], f["role"], tuple(f["fellows"])


def _checked(n: Notes, f: dict[str, Any]) -> None:
    n.checked[f["target"]] = Report(f["night"], f["target"], f["result"])


def _medium(n: Notes, f: dict[str, Any]) -> None:
    n.medium[f["target"]] = Report(f["night"], f["target"], f["result"])


def _guarded(n: Notes, f: dict[str, Any]) -> None:
    n.guards[f["night"]] = f["target"]


def _witched(n: Notes, f: dict[str, Any]) -> None:
    if f["act"] == "poison":
        n.poisoned = f["target"]


def _dawn(n: Notes, f: dict[str, Any]) -> None:
    n.day, n.alive = f["day"], tuple(f["alive"])
    n.calls, n.last_round, n.tied, n.order, n.spoke_today = {}, {}, (), (), 0
    if not f["dead"]:
        n.peaceful.add(f["day"] - 1)
    for seat in f["dead"]:
        n.killed.add(seat)
        _die(n, seat, "night", f.get("roles", {}).get(seat))


def _die(n: Notes, seat: str, how: str, role: str | None) -> None:
    n.alive = tuple(s for s in n.alive if s != seat)
    if role is not None:
        n.shown[seat] = role
    n.evidence.append(Death(seat, how, role))


def _exiled(n: Notes, f: dict[str, Any]) -> None:
    if f["seat"] is not None:
        n.exiled[f["day"]] = f["seat"]
        _die(n, f["seat"], "exile", f.get("role"))


def _shot(n: Notes, f: dict[str, Any]) -> None:
    if f["target"] is not None:
        _die(n, f["target"], "shot", f.get("role"))


def _order(n: Notes, f: dict[str, Any]) -> None:
    n.order = n.order or tuple(f["seats"])


def _said(n: Notes, f: dict[str, Any]) -> None:
    speaker = f["speaker"]
    if "claim" in f:
        reports = tuple(Report(r["night"], r["target"], r["result"]) for r in f["reports"] or ())
        call = f["vote_call"] if f["vote_call"] != "none" else None
        meaning = Meaning(f["claim"] if f["claim"] != "none" else None, reports, call)
    else:
        meaning = heard(f["text"], n.seat_of, n.roles)
    if speaker == n.me:
        n.spoke_today += 1
        n.own = Meaning(meaning.claim or n.own.claim, _joined(n.own.reports, meaning.reports), meaning.vote_call)
    if meaning.claim and n.claims.get(speaker) != meaning.claim:
        n.claims[speaker] = meaning.claim
        n.evidence.append(Claim(speaker, meaning.claim))
    known = n.reports.setdefault(speaker, {})
    for report in meaning.reports:
        if known.get((report.night, report.target)) != report.result:
            known[report.night, report.target] = report.result
            n.evidence.append(Said(speaker, report))
    if meaning.vote_call:
        n.calls[speaker] = meaning.vote_call
        n.accused[meaning.vote_call] = n.accused.get(meaning.vote_call, 0) + 1


def _joined(old: tuple[Report, ...], new: tuple[Report, ...]) -> tuple[Report, ...]:
    return (*old, *(report for report in new if report not in old))


def _ballot(n: Notes, f: dict[str, Any]) -> None:
    n.round[f["voter"]] = f["target"]
    if f["target"]:
        n.accused[f["target"]] = n.accused.get(f["target"], 0) + 1


def _tally(n: Notes, f: dict[str, Any]) -> None:
    n.evidence.append(Round(n.round, n.tied or n.alive, n.alive))
    n.last_round, n.round = n.round, {}


def _pk(n: Notes, f: dict[str, Any]) -> None:
    n.tied = tuple(f["seats"])


_STEPS = {
    "setup": _setup,
    "role": _role,
    "checked": _checked,
    "medium_info": _medium,
    "guarded": _guarded,
    "witched": _witched,
    "dawn": _dawn,
    "exiled": _exiled,
    "shot": _shot,
    "order": _order,
    "said": _said,
    "ballot": _ballot,
    "tally": _tally,
    "pk": _pk,
}
