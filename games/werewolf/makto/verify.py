"""The rule check of a good speech: does its form contradict what the record knows?

The village is held to what it learned and did; wolves to the role that they pretend and to their own earlier words.
The form says nothing about ballots, and nothing that a rule could find an invalid inference in: that tag comes from a
verifier model only, whose stored verdicts the recipe takes as an option.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from arena.games.werewolf.metrics.claims import is_own
from arena.games.werewolf.rules import KIND
from arena.games.werewolf.story import Speech, Story

SURE = 95  # percent from which a suspicion without knowledge is overconfident (and 100 less it)
_SAYS_SO = re.compile(r"\b(?:I lied|was lying|not really|the truth is|take back|I am not)\b", re.IGNORECASE)
_RESULT_OF = {"guarded": "guard", "healed": "witch", "poisoned": "witch", "human": "medium", "good": "seer"}


class Verdict(NamedTuple):
    """What is wrong with a speech."""

    contradiction: bool = False
    overconfident: bool = False
    invalid_inference: bool = False

    def __or__(self, other: Verdict) -> Verdict:
        return Verdict(*(a or b for a, b in zip(self, other, strict=True)))


def rule_check(story: Story, day: int, speech: Speech) -> Verdict:
    """The verdict of stage 1 on one speech of that day."""
    intent = speech.intent or {}
    before = _said_before(story, day, speech)
    reports = intent.get("reports") or []
    wrong = _changes_claim(speech, before) or _too_many_wolves(story, [*_reports_of(before), *reports])
    wrong = wrong or any(_against_events(story, report) for report in reports)
    if story.on_village_side(speech.speaker):
        wrong = wrong or any(not is_own(story, speech.speaker, report) for report in reports)
        wrong = wrong or _against_results(story, day, speech)
        return Verdict(wrong, _overconfident(story, day, speech))
    return Verdict(wrong or _out_of_character(intent, before))


def _said_before(story: Story, day: int, speech: Speech) -> list[Speech]:
    own = [s for d in story.days[:day] for s in d.speeches if s.speaker == speech.speaker]
    return own[: next(i for i, s in enumerate(own) if s is speech)]


def _reports_of(speeches: Sequence[Speech]) -> list[dict[str, Any]]:
    return [report for speech in speeches for report in (speech.intent or {}).get("reports") or []]


def _claim(speech: Speech) -> str | None:
    claim = (speech.intent or {}).get("claim")
    return None if claim == "none" else claim


def _changes_claim(speech: Speech, before: Sequence[Speech]) -> bool:
    """Another role than before, without a word about it."""
    earlier = [claim for claim in map(_claim, before) if claim]
    now = _claim(speech)
    return bool(now and earlier and now != earlier[-1] and not _SAYS_SO.search(speech.text))


def _too_many_wolves(story: Story, reports: Sequence[dict[str, Any]]) -> bool:
    """Role count: more seats reported as wolves than the match has."""
    called = {report["target"] for report in reports if KIND.get(report["result"]) == "wolf"}
    return len(called) > len(story.wolves())


def _against_events(story: Story, report: dict[str, Any]) -> bool:
    """Deaths: a healed seat that died, a poisoned one that did not, a check of a seat that was dead."""
    night = next((night for night in story.nights if night.number == report["night"]), None)
    if night is None:
        return True
    target, result = report["target"], report["result"]
    if result == "healed":
        return target in night.dead
    if result == "poisoned":
        return target not in night.dead
    if result in ("guarded", "human") or (result == "wolf" and "medium" in story.held()):
        return False  # a medium's result is about a dead seat
    return target not in night.alive


def _against_results(story: Story, day: int, speech: Speech) -> bool:
    """A suspicion that its own result rules out."""
    suspicion = (speech.intent or {}).get("suspicion") or {}
    known = _results(story, day, speech.speaker)
    return any((percent > 50) != known[seat] for seat, percent in suspicion.items() if seat in known and percent != 50)


def _results(story: Story, day: int, seat: str) -> dict[str, bool]:
    """Whom the seat knows to be a wolf or none, from its own checks and as a medium, by that day."""
    return {
        act.facts["target"]: story.is_wolf(act.facts["target"])
        for night in story.nights[:day]
        for act in night.acts
        if act.seat == seat and act.what in ("checked", "medium_info")
    }


def _overconfident(story: Story, day: int, speech: Speech) -> bool:
    """As good as certain of a seat that it has no result about."""
    suspicion = (speech.intent or {}).get("suspicion") or {}
    known = _results(story, day, speech.speaker)
    return any(seat not in known and (percent >= SURE or percent <= 100 - SURE) for seat, percent in suspicion.items())


def _out_of_character(intent: dict[str, Any], before: Sequence[Speech]) -> bool:
    """A wolf's report that its pretended role could not have, or that differs from what it said before."""
    claims = [claim for claim in (*map(_claim, before), intent.get("claim")) if claim and claim != "none"]
    part = KIND[claims[-1]] if claims else None
    told: dict[tuple[int, str], str] = {}
    checks: dict[int, str] = {}
    for report in [*_reports_of(before), *(intent.get("reports") or [])]:
        night, target, result = report["night"], report["target"], report["result"]
        if told.setdefault((night, target), result) != result:
            return True
        kind = part if result == "wolf" and part == "medium" else _RESULT_OF.get(result, "seer")
        if part is not None and kind != part:
            return True
        if kind == "seer" and checks.setdefault(night, target) != target:
            return True
    return False
