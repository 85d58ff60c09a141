"""The label recipe `makto-step`: KTO rows from matches, one for each labelled turn of the trainee.

    rows(matches, variant="fixed", strict=False, resample=True, seed=0, rates={}, verdicts={}, illegal=True)

`matches` are `Played`: a match replayed to its end, its id, and for each turn (by its number) what was sent, what came
back raw, how it was taken, and whether the seat is the trainee's. Nothing else is read: a pure function, the same rows
for the same input. `variant="published"` labels as the published scripts do, with their slips (`makto/labels.py`).

Good speeches are verified: by the rule check always (`makto/verify.py`), and by `verdicts` where a verifier model has
been asked: {(match id, turn): (contradiction, overconfident, invalid inference)}. A contradiction makes a good speech
undesirable; with `strict` any of the three does. `rates` overrides single resampling rates by name. A turn whose
answer was illegal is an undesirable row (`illegal=False`: none), at most a fifth of all undesirable ones; refused,
truncated and timed-out turns give none. `split` goes by match, so that no match is in both parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from arena.core import Match, UsageError, derive
from arena.games.werewolf.makto.labels import Case, Place, labels_of, places
from arena.games.werewolf.makto.resample import RATES, copies
from arena.games.werewolf.makto.verify import Verdict, rule_check
from arena.games.werewolf.rules import KIND
from arena.games.werewolf.story import Speech, Story, story_of

Row = dict[str, Any]
Variant = Literal["fixed", "published"]
Verdicts = Mapping[tuple[str, int], Sequence[bool]]

LABELLED = ("legal", "repaired")
ILLEGAL_SHARE = 5  # illegal rows are at most one in so many undesirable ones
VALID_PERCENT = 15


@dataclass(frozen=True)
class Sent:
    """One turn as it was played: the messages sent, the raw reply, the turn status, whose seat."""

    messages: Sequence[Mapping[str, str]]
    completion: str
    status: str = "legal"
    trainee: bool = True


@dataclass(frozen=True)
class Played:
    """One finished match and its turns, by turn number. Turns that are missing are nobody's."""

    id: str
    match: Match
    turns: Mapping[int, Sent]


def rows(
    matches: Iterable[Played],
    *,
    variant: Variant = "fixed",
    strict: bool = False,
    resample: bool = True,
    seed: int = 0,
    rates: Mapping[str, float] | None = None,
    verdicts: Verdicts | None = None,
    illegal: bool = True,
) -> list[Row]:
    """All rows of these matches, in order."""
    if unknown := set(rates or {}) - set(RATES):
        raise UsageError(f"makto-step has no rates {sorted(unknown)}; it has {', '.join(RATES)}")
    if variant not in ("fixed", "published"):
        raise UsageError(f"makto-step has the variants fixed and published, not {variant!r}")
    every = RATES | dict(rates or {})
    found: list[Row] = []
    for played in matches:
        for row in _labelled(played, variant == "fixed", strict, verdicts or {}):
            times = copies(row, every, seed) if resample else 1
            found.extend(row | {"id": f"{row['id']}.{copy}" if copy else row["id"]} for copy in range(times))
        if illegal:
            found.extend(_illegal(played))
    return _capped(found, seed)


def _labelled(played: Played, fixed: bool, strict: bool, verdicts: Verdicts) -> Iterator[Row]:
    story = story_of(played.match)
    for case in _cases(played, story, fixed):
        sent = played.turns[case.turn.turn]
        if sent.status not in LABELLED or case.turn.fallback:
            continue
        labels = labels_of(case)
        if fixed and len({label.desirable for label in labels}) > 1:
            continue  # published: kept once with each label
        for desirable in sorted({label.desirable for label in labels}):
            row = _row(played, story, case.turn.turn, case.place, sent)
            row["id"] += "" if len({label.desirable for label in labels}) == 1 else "+" if desirable else "-"
            row["label"] = desirable
            row["reason"] = "; ".join(label.reason for label in labels if label.desirable == desirable)
            yield _verified(row, case, strict, verdicts.get((played.id, case.turn.turn), ()))


def _cases(played: Played, story: Story, fixed: bool) -> Iterator[Case]:
    """The trainee's turns."""
    for turn, place in zip(played.match.turns, places(played.match), strict=True):
        sent = played.turns.get(turn.turn)
        if sent is not None and sent.trainee:
            yield Case(played.match, story, turn, place, fixed)


def _row(played: Played, story: Story, number: int, place: Place, sent: Sent) -> Row:
    turn = played.match.turns[number]
    role = story.roles[turn.seat]
    return {
        "id": f"{played.id}:{number}",
        "match": played.id,
        "turn": number,
        "seat": turn.seat,
        "role": role,
        "kind": KIND[role],
        "ask": turn.ask.name,
        "night": place.night,
        "day": place.day,
        "pk": turn.ask.name in ("vote_pk", "speech_pk"),
        "rejected": False,
        "prompt": [dict(message) for message in sent.messages],
        "completion": [{"role": "assistant", "content": sent.completion}],
        "weight": 1.0,
        "recipe": "makto-step",
        "split": "valid" if derive("makto-step", "split", played.id) % 100 < VALID_PERCENT else "train",
    }


def _verified(row: Row, case: Case, strict: bool, asked: Sequence[bool]) -> Row:
    """A good speech keeps its label only if nothing is found wrong with it."""
    if not row["label"] or row["ask"] not in ("speech", "speech_pk"):
        return row
    verdict = rule_check(case.story, case.place.day or 1, _speech_of(case)) | Verdict(*asked)
    row["verdict"] = verdict._asdict()
    if verdict.contradiction or (strict and any(verdict)):
        row |= {"label": False, "rejected": True, "reason": f"{row['reason']}; rejected by the verifier"}
    return row


def _speech_of(case: Case) -> Speech:
    own = [s for s in case.day().speeches if s.speaker == case.seat and s.ask == case.turn.ask.name]
    return own[case.place.nth]


def _illegal(played: Played) -> Iterator[Row]:
    story = story_of(played.match)
    for case in _cases(played, story, True):
        sent = played.turns[case.turn.turn]
        if sent.status == "illegal":
            row = _row(played, story, case.turn.turn, case.place, sent)
            yield row | {"label": False, "reason": "illegal"}


def _capped(found: list[Row], seed: int) -> list[Row]:
    """Illegal rows are at most a fifth of the undesirable ones; which stay is drawn."""
    bad = [row for row in found if not row["label"]]
    illegal = [row for row in bad if row["reason"] == "illegal"]
    room = (len(bad) - len(illegal)) // (ILLEGAL_SHARE - 1)
    drawn = sorted(illegal, key=lambda row: derive(seed, "illegal", row["id"]))
    dropped = {row["id"] for row in drawn[room:]}
    return [row for row in found if row["reason"] != "illegal" or row["id"] not in dropped]


RECIPES = {"makto-step": rows}
