"""Who is believed to be what: labels in speeches, elicited beliefs, deception, and votes swung by a speech."""

from __future__ import annotations

from math import log

from arena.games.werewolf.metrics.tally import Tally, rate
from arena.games.werewolf.story import Day, Story

LEAST = 0.01  # beliefs of 0 and 100 percent count as 1 and 99, so that one wrong certainty is not infinitely bad


def mind_figures(story: Story) -> dict[str, float | None]:
    t = Tally()
    t.declare("labels", "labels_right", "beliefs", "brier_sum", "cross_entropy_sum", "wolf_trust_sum", "wolf_trusts")
    t.declare("wolf_sets", "wolf_set_likelihood_sum", "wolf_days", "wolf_days_exiled")
    t.declare("swing_messages", "swing_sum", "swing_messages_wolves", "swing_sum_wolves")
    t.declare(*(f"{name}_{who}" for who in story.holders("village") for name in ("labels", "labels_right")))
    for day in story.days:
        _labels(t, story, day)
        _beliefs(t, story, day)
        _swings(t, story, day)
        if day.votes:
            t["wolf_days"] += sum(map(story.is_wolf, day.alive))
            t["wolf_days_exiled"] += story.is_wolf(day.exiled)
    found = t.figures()
    found["identification_accuracy"] = rate(t["labels_right"], t["labels"])
    found["brier"] = rate(t["brier_sum"], t["beliefs"])
    found["cross_entropy"] = rate(t["cross_entropy_sum"], t["beliefs"])
    found["wolf_trust"] = rate(t["wolf_trust_sum"], t["wolf_trusts"])
    found["wolf_set_likelihood"] = rate(t["wolf_set_likelihood_sum"], t["wolf_sets"])
    found["deception_success"] = rate(t["wolf_days"] - t["wolf_days_exiled"], t["wolf_days"])
    found["persuasion_swing"] = rate(t["swing_sum"], t["swing_messages"])
    found["persuasion_swing_wolves"] = rate(t["swing_sum_wolves"], t["swing_messages_wolves"])
    for seat in story.seats:
        if story.on_village_side(seat):
            found[f"identification_accuracy_{seat}"] = rate(t[f"labels_right_{seat}"], t[f"labels_{seat}"])
    return found


def _labels(t: Tally, story: Story, day: Day) -> None:
    """Village seats' `suspicion`: right where above 50 means the wolf side and not above means the village."""
    for speech in day.speeches:
        if story.on_village_side(speech.speaker):
            for seat, percent in ((speech.intent or {}).get("suspicion") or {}).items():
                right = (percent > 50) != story.on_village_side(seat)
                for name in ("", f"_{speech.speaker}", f"_{story.roles[speech.speaker]}"):
                    t[f"labels{name}"] += 1
                    t[f"labels_right{name}"] += right


def _beliefs(t: Tally, story: Story, day: Day) -> None:
    """Village seats' elicited P(wolf) of the living others."""
    for believer, beliefs in day.beliefs.items():
        if not story.on_village_side(believer) or not beliefs:
            continue
        chance = {seat: min(max(percent / 100, LEAST), 1 - LEAST) for seat, percent in beliefs.items()}
        for seat, percent in beliefs.items():
            wolf = story.is_wolf(seat)
            t["beliefs"] += 1
            t["brier_sum"] += (percent / 100 - wolf) ** 2
            t["cross_entropy_sum"] -= log(chance[seat] if wolf else 1 - chance[seat])
            if wolf:
                t["wolf_trusts"] += 1
                t["wolf_trust_sum"] += 1 - percent / 100
        t["wolf_sets"] += 1
        t["wolf_set_likelihood_sum"] += set_likelihood(chance, {s for s in chance if story.is_wolf(s)})


def set_likelihood(chance: dict[str, float], wolves: set[str]) -> float:
    """P(the wolves are exactly these), beliefs taken as independent and the number of wolves as known.

    The normaliser sums over all sets of that size, by the usual recursion over seats.
    """
    of_size = [1.0] + [0.0] * len(wolves)
    true = 1.0
    for seat, p in chance.items():
        for k in range(len(wolves), 0, -1):
            of_size[k] = of_size[k] * (1 - p) + of_size[k - 1] * p
        of_size[0] *= 1 - p
        true *= p if seat in wolves else 1 - p
    return true / of_size[-1]


def _swings(t: Tally, story: Story, day: Day) -> None:
    """Change of the listeners' probe votes for the seat that a speech called for, from before it to after it."""
    for before, after in zip(day.probes, day.probes[1:], strict=False):
        speech = day.speeches[after.speech]
        target = (speech.intent or {}).get("vote_call")
        asked = [seat for seat in after.votes if seat in before.votes]
        if target in (None, "none") or not asked:
            continue
        swing = sum((after.votes[s] == target) - (before.votes[s] == target) for s in asked) / len(asked)
        for name in ("", "_wolves") if not story.on_village_side(speech.speaker) else ("",):
            t[f"swing_messages{name}"] += 1
            t[f"swing_sum{name}"] += swing
