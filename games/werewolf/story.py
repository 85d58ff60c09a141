"""A match retold from its record: nights and days with what was done, said and voted. Metrics and labels read this.

Built from the log (every event, whoever saw it), never from a view. A match that is not over tells what it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from arena.core import Match
from arena.core.text import has_word
from arena.games.werewolf.rules import KIND, is_mentioned, side

Intent = dict[str, Any]


class Act(NamedTuple):
    """What one power did in a night: "checked", "guarded", "witched", "medium_info"."""

    seat: str
    what: str
    facts: dict[str, Any]


class Speech(NamedTuple):
    """One utterance. `ask` is the ask that it answered; an intent is missing for a skip or an over. `claim` and
    `reports` are what others could hear of the intent."""

    speaker: str
    ask: str
    text: str
    intent: Intent | None
    claim: str | None = None
    reports: tuple[dict[str, Any], ...] = ()


class Vote(NamedTuple):
    """One round of ballots: among whom, with which seats living."""

    ask: str
    ballots: dict[str, str | None]
    candidates: tuple[str, ...]
    alive: tuple[str, ...]


class Probe(NamedTuple):
    """What the listeners of a speech would vote after it. `speech` counts the day's speeches."""

    speech: int
    votes: dict[str, str | None]


@dataclass
class Night:
    number: int
    alive: tuple[str, ...] = ()
    picks: dict[str, str | None] = field(default_factory=dict)  # the last pick of each wolf
    acts: list[Act] = field(default_factory=list)
    target: str | None = None
    guard: Any = None
    heal: str | None = None
    poison: Any = None
    dead: tuple[str, ...] = ()
    causes: dict[str, str] = field(default_factory=dict)
    shots: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Day:
    number: int
    alive: tuple[str, ...] = ()  # when the talk begins
    speeches: list[Speech] = field(default_factory=list)
    votes: list[Vote] = field(default_factory=list)
    exiled: str | None = None
    tied: tuple[str, ...] = ()  # in the run-off
    bids: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    beliefs: dict[str, dict[str, int]] = field(default_factory=dict)
    shots: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Story:
    seats: tuple[str, ...]
    roles: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)
    nights: list[Night] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    alive: tuple[str, ...] = ()
    winner: str | None = None

    def kind(self, seat: str) -> str:
        return KIND[self.roles[seat]]

    def is_wolf(self, seat: str | None) -> bool:
        return seat is not None and KIND[self.roles[seat]] == "wolf"

    def on_village_side(self, seat: str) -> bool:
        return side(self.roles[seat]) == "village"

    def wolves(self) -> list[str]:
        return [seat for seat in self.seats if self.is_wolf(seat)]

    def held(self) -> list[str]:
        """The roles that somebody holds."""
        return sorted(set(self.roles.values()))

    def holders(self, only: str = "") -> list[str]:
        """Seats and roles: whatever has figures of its own. `only`: those of one side."""
        seats = [seat for seat in self.seats if only in ("", side(self.roles[seat]))]
        return [*seats, *(role for role in self.held() if only in ("", side(role)))]


def story_of(match: Match) -> Story:
    """The story of a match, as far as it has come."""
    return _Teller(match).tell()


class _Teller:
    """Goes through the log once."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self.story = Story(match.seats, dict(match.roles), alive=match.seats)
        self.open_night: Night | None = Night(0, match.seats)
        self.day: Day | None = None
        self.ballots: dict[str, str | None] = {}
        self.phase = "speech"

    def tell(self) -> Story:
        for event in self.match.events:
            if step := getattr(self, f"on_{event.kind}", None):
                step(event.facts, event.audience)
        return self.story

    @property
    def night(self) -> Night:
        if self.open_night is None:
            self.open_night = Night(self.story.days[-1].number, self.story.alive)
        return self.open_night

    def on_setup(self, facts: Any, to: Any) -> None:
        self.story.names = facts["names"]

    def on_wolf_pick(self, facts: Any, to: Any) -> None:
        self.night.picks[facts["wolf"]] = facts["target"]

    def _act(self, what: str, facts: Any, to: Any) -> None:
        night = self.story.nights[-1] if what == "medium_info" else self.night
        night.acts.append(Act(to[0], what, facts))

    def on_checked(self, facts: Any, to: Any) -> None:
        self._act("checked", facts, to)

    def on_guarded(self, facts: Any, to: Any) -> None:
        self._act("guarded", facts, to)

    def on_witched(self, facts: Any, to: Any) -> None:
        self._act("witched", facts, to)

    def on_medium_info(self, facts: Any, to: Any) -> None:
        self._act("medium_info", facts, to)

    def on_night_resolved(self, facts: Any, to: Any) -> None:
        night = self.night
        night.target, night.guard, night.heal, night.poison = (facts[k] for k in ("target", "guard", "heal", "poison"))
        night.dead, night.causes = tuple(facts["dead"]), facts["causes"]
        self.story.nights.append(night)
        self.open_night = None
        self._bury(*night.dead)

    def _bury(self, *dead: str) -> None:
        self.story.alive = tuple(seat for seat in self.story.alive if seat not in dead)

    def on_dawn(self, facts: Any, to: Any) -> None:
        self.day = Day(facts["day"], self.story.alive)
        self.story.days.append(self.day)
        self.phase, self.ballots = "speech", {}

    def _today(self) -> Day:
        return self.story.days[-1]

    def on_said(self, facts: Any, to: Any) -> None:
        self._today().speeches.append(Speech(facts["speaker"], self.phase, facts["text"], None))

    def on_intent(self, facts: Any, to: Any) -> None:
        """Others hear of the form what the configuration shows them of it, else what the text says: a claim if it names
        the role, a report if it names the target."""
        speeches = self._today().speeches
        text, shown = speeches[-1].text, self.match.game.config.show_intent
        claim = None if facts["claim"] in (None, "none") else str(facts["claim"])
        reports = [r for r in facts["reports"] or () if shown or is_mentioned(r["target"], text, self.story.names)]
        heard = claim if claim and (shown or has_word(claim, text)) else None
        speeches[-1] = speeches[-1]._replace(intent=facts, claim=heard, reports=tuple(reports))

    def on_bids(self, facts: Any, to: Any) -> None:
        self._today().bids.append(facts["bids"])

    def on_probed(self, facts: Any, to: Any) -> None:
        self._today().probes.append(Probe(len(self._today().speeches) - 1, facts["votes"]))

    def on_ballot(self, facts: Any, to: Any) -> None:
        self.ballots[facts["voter"]] = facts["target"]

    def on_tally(self, facts: Any, to: Any) -> None:
        day = self._today()
        ask = "vote_pk" if day.tied else "vote"
        day.votes.append(Vote(ask, self.ballots, day.tied or self.story.alive, self.story.alive))
        self.ballots = {}

    def on_pk(self, facts: Any, to: Any) -> None:
        self._today().tied, self.phase = tuple(facts["seats"]), "speech_pk"

    def on_exiled(self, facts: Any, to: Any) -> None:
        self._today().exiled, self.phase = facts["seat"], "last_words"
        if facts["seat"] is not None:
            self._bury(facts["seat"])

    def on_shot(self, facts: Any, to: Any) -> None:
        day = self._today()
        by_night = day.exiled != facts["hunter"]
        (self.story.nights[-1] if by_night else day).shots[facts["hunter"]] = facts["target"]
        if facts["target"] is not None:
            self._bury(facts["target"])
            day.alive = self.story.alive if by_night else day.alive

    def on_believed(self, facts: Any, to: Any) -> None:
        self._today().beliefs[facts["seat"]] = facts["beliefs"]

    def on_over(self, facts: Any, to: Any) -> None:
        self.story.winner = facts["winner"]
