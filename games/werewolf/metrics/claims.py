"""What seats state of themselves: claims, reports, and how much of it is a lie.

A statement is checkable if it is about the speaker's own role or own results: a claim, or a report. Only what others
could hear is one: a form that says what its text does not has told nobody anything. It is a lie if the speaker knows
otherwise; a report is true if the match bears it out, whoever gives it.
"""

from __future__ import annotations

from typing import Any

from arena.games.werewolf.metrics.tally import Tally, rate
from arena.games.werewolf.rules import GODS, KIND, check_result
from arena.games.werewolf.story import Act, Night, Story

Report = dict[str, Any]
_DID = {"heal": "healed", "poison": "poisoned"}


def claim_figures(story: Story) -> dict[str, float | None]:
    t = Tally()
    t.declare("seer_claims", "seer_claims_true", "seers", "seers_claimed", "reports", "reports_true")
    t.declare("claimed_nights", "claimed_nights_survived")
    for side in ("wolves", "village", *story.seats):
        t.declare(f"statements_{side}", f"lies_{side}")
    _statements(t, story)
    first = first_claims(story)
    _seer_claims(t, story, first)
    _survival(t, story, first)
    found = t.figures()
    found["seer_claim_precision"] = rate(t["seer_claims_true"], t["seer_claims"])
    found["seer_claim_recall"] = rate(t["seers_claimed"], t["seers"])
    found["counter_claimed"] = float(t["seer_claims"] > 1) if t["seer_claims"] else None
    found["report_truth"] = rate(t["reports_true"], t["reports"])
    found["claim_survival"] = rate(t["claimed_nights_survived"], t["claimed_nights"])
    for side in ("wolves", "village"):
        found[f"lie_rate_{side}"] = rate(t[f"lies_{side}"], t[f"statements_{side}"])
    lied, won = t["lies_wolves"] > 0, story.winner == "wolves"
    found |= {"wolf_lied": float(lied), "wolf_honest": float(not lied)}
    found["wolves_win_lied"] = float(won and lied) if story.winner else None
    found["wolves_win_honest"] = float(won and not lied) if story.winner else None
    for seat in story.seats:
        found[f"lie_rate_{seat}"] = rate(t[f"lies_{seat}"], t[f"statements_{seat}"])
    return found


def _statements(t: Tally, story: Story) -> None:
    reported: set[tuple[Any, ...]] = set()
    for day in story.days:
        for speech in day.speeches:
            speaker = speech.speaker
            lies = [speech.claim != story.roles[speaker]] if speech.claim else []
            lies += [not is_own(story, speaker, report) for report in speech.reports]
            side = "village" if story.on_village_side(speaker) else "wolves"
            for name in (side, speaker):
                t[f"statements_{name}"] += len(lies)
                t[f"lies_{name}"] += sum(lies)
            for report in speech.reports:
                key = (speaker, report["night"], report["target"], report["result"])
                if key not in reported:  # said once, however often repeated
                    reported.add(key)
                    t["reports"] += 1
                    t["reports_true"] += is_borne_out(story, report)


def is_own(story: Story, speaker: str, report: Report) -> bool:
    """Whether the speaker did learn or do this."""
    return any(act.seat == speaker and says(act, report) for night in story.nights for act in night.acts)


def says(act: Act, report: Report) -> bool:
    """Whether a power's act lets its seat report this truthfully. Who learned a role knows the side too."""
    facts = act.facts
    if (facts["night"], facts["target"]) != (report["night"], report["target"]):
        return False
    if act.what not in ("checked", "medium_info"):
        return bool(report["result"] == ("guarded" if act.what == "guarded" else _DID.get(facts["act"])))
    result, said = facts["result"], _plain(report["result"])
    return said == _plain(result) or (result in KIND and said == check_result(result, "alignment"))


def _plain(result: str) -> str:
    """`good` and `human` say the same, and so do the two words for wolves."""
    return {"human": "good", "mafia": "wolf"}.get(result, result)


def is_borne_out(story: Story, report: Report) -> bool:
    """Whether a report is true of the match: the target's role or side, or what was done to it that night."""
    result, target = report["result"], report["target"]
    if result in ("wolf", "good", "human"):
        return story.is_wolf(target) is (result == "wolf")
    if result in KIND:
        return bool(story.roles[target] == result)
    night = next((night for night in story.nights if night.number == report["night"]), None)
    return night is not None and target in _done(night, result)


def _done(night: Night, result: str) -> list[str]:
    done = {"guarded": night.guard, "healed": night.heal, "poisoned": night.poison}[result]
    return done if isinstance(done, list) else [done]


def first_claims(story: Story) -> dict[str, list[tuple[str, int]]]:
    """Seat -> its different claims in order, each with the day of the first time."""
    found: dict[str, list[tuple[str, int]]] = {}
    for day in story.days:
        for speech in day.speeches:
            said = found.setdefault(speech.speaker, [])
            if speech.claim and all(speech.claim != role for role, _ in said):
                said.append((speech.claim, day.number))
    return found


def _seer_claims(t: Tally, story: Story, first: dict[str, list[tuple[str, int]]]) -> None:
    claimants = {seat for seat, claims in first.items() if any(KIND[role] == "seer" for role, _ in claims)}
    seers = {seat for seat in story.seats if story.kind(seat) == "seer"}
    t["seer_claims"], t["seer_claims_true"] = len(claimants), len(claimants & seers)
    t["seers"], t["seers_claimed"] = len(seers), len(claimants & seers)


def _survival(t: Tally, story: Story, first: dict[str, list[tuple[str, int]]]) -> None:
    """Village seats that claimed a special role: the night after, if they came to it."""
    for seat, claims in first.items():
        day = next((day for role, day in claims if KIND[role] in GODS), None)
        night = next((night for night in story.nights if night.number == day), None)
        if night is not None and seat in night.alive and story.on_village_side(seat):
            t["claimed_nights"] += 1
            t["claimed_nights_survived"] += seat not in night.dead
