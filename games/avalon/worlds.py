"""A match that a seat cannot tell from its own: another layout of the hidden roles, the same public course.

For search. The layout is drawn uniformly from those that agree with the seat's role and sight, its own cards, the
fails of every quest and what the Lady told it; then who of the evil failed is drawn too. What others say in secret
(forms, evil talk, beliefs) is left empty. The seat does not know the match's seed, so what would be played for a seat
that gives no answer is drawn anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from arena.core import Ask, Game, GameError, Match, Rng, View
from arena.games.avalon.rules import EVIL, FAIL, SUCCESS, Sight, knows_evil, side, sight

_TRIES = 1_000_000


def world(game: Game, view: View, rng: Rng) -> Match:
    """A match in such a world, at the same point as the view."""
    over = view.last("over")
    roles = over["roles"] if over else draw_roles(view, game.config.role_list(), rng)
    deal = [roles[seat] for seat in view.seats]
    first = view.seats.index(view.of_kind("setup")[0].facts["leader0"])
    config = game.config_type.make(game.config.as_json() | {"deal": deal, "first_leader": first})
    match = Match(type(game)(config), rng.getrandbits(63))  # once the deal is given, chance draws fallbacks alone
    _Replay(view, rng).run(match)
    return match


def draw_roles(view: View, cards: list[str], rng: Rng) -> dict[str, str]:
    """Roles of all seats, uniform over what the view leaves open."""
    facts = view.of_kind("role")[0].facts
    shown = view.last("sight")
    seen = Sight(tuple(shown["seen"]), shown["label"]) if shown else None
    others = [s for s in view.seats if s != view.seat]
    cards = list(cards)
    cards.remove(facts["role"])
    checks = list(_fail_checks(view))
    sides = {e.facts["target"]: e.facts["side"] for e in view.of_kind("lady_result")}
    for _ in range(_TRIES):
        rng.shuffle(cards)
        hidden = dict(zip(others, cards, strict=True))
        roles = {s: hidden.get(s, facts["role"]) for s in view.seats}
        if sight(roles, view.seat) == seen and agrees(roles, checks, sides):
            return roles
    raise GameError(f"{view.game}: no layout of the roles agrees with what {view.seat} knows")


def agrees(roles: Mapping[str, str], checks: list[tuple[list[str], int]], sides: Mapping[str, str]) -> bool:
    """Whether enough evil was on every team for the fails that others played, and the Lady spoke the truth."""
    return all(sum(side(roles[s]) == EVIL for s in team) >= fails for team, fails in checks) and all(
        side(roles[s]) == told for s, told in sides.items()
    )


def _fail_checks(view: View) -> Iterator[tuple[list[str], int]]:
    """For each quest the team without this seat, and the fails that are not its own."""
    own = iter([x.answer for x in view.exchanges if x.ask.name == "quest"])
    evil = view.of_kind("role")[0].facts["side"] == EVIL
    for event in view.of_kind("quest_result"):
        team, fails = event.facts["team"], event.facts["fails"]
        mine = evil and view.seat in team and next(own) == FAIL
        yield [s for s in team if s != view.seat], fails - mine


class _Replay:
    """Answers the asks of a fresh match as the view saw them answered, as far as it saw."""

    def __init__(self, view: View, rng: Rng) -> None:
        self.seat, self.rng = view.seat, rng
        self.own = list(view.exchanges)
        self.told: dict[str, list[dict[str, Any]]] = {}
        for event in view.events:
            self.told.setdefault(event.kind, []).append(event.facts)
        self.hears_evil = knows_evil(self.told["role"][0]["role"])

    def run(self, match: Match) -> None:
        while not match.done:
            batch = dict(match.pending())
            if self.seat in batch and not self.own:
                return  # this seat is asked now
            answers = self._answers(match, batch)
            if answers is None:
                return  # others are asked now
            if self.seat in batch:
                own = self.own.pop(0)
                match.take(self.seat, own.answer, fallback=own.fallback)
            for seat, answer in answers.items():
                match.submit(seat, answer)

    def _answers(self, match: Match, batch: dict[str, Ask]) -> dict[str, Any] | None:
        """What the others of the batch answered; None where the view has not seen the outcome."""
        others = [s for s in batch if s != self.seat]
        match next(iter(batch.values())).name:
            case "speech":
                said = self._next("said")
                return said and {s: {"text": said["text"]} for s in others}
            case "propose":
                made = self._next("proposed")
                return made and dict.fromkeys(others, made["team"])
            case "team_vote":
                cast = self._next("ballots")
                return cast and {s: cast["votes"][s] for s in others}
            case "quest":
                return self._cards(match, others)
            case "lady":
                used = self._next("lady_used")
                return used and dict.fromkeys(others, used["target"])
            case "evil_talk":
                return self._evil_talk(others)
            case "assassinate":
                named = self._next("assassinated")
                return named and dict.fromkeys(others, named["target"])
        return {s: batch[s].fallback for s in others}  # beliefs: asked of all, so those of this seat are in too

    def _cards(self, match: Match, others: list[str]) -> dict[str, Any] | None:
        """As many of the others failed as the fails that are not this seat's own: which of them is drawn."""
        quest = match.view(self.seat).last("leader")
        result = next((r for r in self.told.get("quest_result", ()) if quest and r["quest"] == quest["quest"]), None)
        if result is None:
            return None
        mine = self.seat in match.pending() and self.own[0].answer == FAIL
        failing = set(self.rng.sample(others, result["fails"] - mine))
        return {s: FAIL if s in failing else SUCCESS for s in others}

    def _evil_talk(self, others: list[str]) -> dict[str, Any] | None:
        if said := self._next("said"):
            return dict.fromkeys(others, said["text"])
        return dict.fromkeys(others, "") if not self.hears_evil and "assassinated" in self.told else None

    def _next(self, kind: str) -> dict[str, Any] | None:
        left = self.told.get(kind)
        return left.pop(0) if left else None
