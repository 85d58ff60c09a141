"""What powers and words achieved: kills, potions, guards, checks, talk, bids, influence, slips of the tongue."""

from __future__ import annotations

import re

from arena.games.werewolf.metrics.tally import Tally, rate
from arena.games.werewolf.rules import GODS, is_mentioned
from arena.games.werewolf.story import Day, Night, Story

# "I am a wolf", "as a werewolf I", "we wolves", "my fellow mafia"; not "I am not a wolf".
_SLIP = re.compile(
    r"\b(?:I am|I'm|as) (?:a |the |one of the )?(?:were)?(?:wolf|wolves|mafia)\b|\b(?:we|my fellow) (?:wolves|mafia)\b",
    re.IGNORECASE,
)
_RATES = {
    "wolf_unanimity": ("wolf_nights_unanimous", "wolf_nights"),
    "god_kill_rate": ("attacks_on_gods", "attacks"),
    "check_hit_rate": ("checks_on_wolves", "checks"),
    "guard_hit_rate": ("guards_hit", "guards"),
    "heal_hit_rate": ("heals_on_village", "heals"),
    "poison_hit_rate": ("poisons_on_wolves", "poisons"),
    "shot_hit_rate": ("shots_on_wolves", "shots"),
    "talk_share_wolves": ("chars_wolves", "chars"),
    "reply_rate": ("replies", "mentions"),
    "influence_wolves": ("calls_exiled_wolves", "calls_wolves"),
    "influence_village": ("calls_exiled_village", "calls_village"),
    "leak_rate": ("leaks", "speeches_wolves"),
}


def play_figures(story: Story) -> dict[str, float | None]:
    t = Tally()
    t.declare(*(name for pair in _RATES.values() for name in pair))
    t.declare("speeches_village", "chars_village", *(f"chars_{seat}" for seat in story.seats))
    t.declare(*(f"{name}_{role}" for role in story.held() for name in ("bids", "bid_sum", "bid_squares")))
    for night in story.nights:
        _night(t, story, night)
    for day in story.days:
        _talk(t, story, day)
        _bids(t, story, day)
        _influence(t, story, day)
        _shots(t, story, day.shots)
    found = t.figures()
    return found | {name: rate(t[hits], t[cases]) for name, (hits, cases) in _RATES.items()}


def _night(t: Tally, story: Story, night: Night) -> None:
    if len(night.picks) > 1:
        t["wolf_nights"] += 1
        t["wolf_nights_unanimous"] += len(set(night.picks.values())) == 1
    if night.target is not None:
        t["attacks"] += 1
        t["attacks_on_gods"] += story.kind(night.target) in GODS
    for act in night.acts:
        target = act.facts["target"]
        if act.what == "checked":
            t["checks"] += 1
            t["checks_on_wolves"] += story.is_wolf(target)
        elif act.what == "guarded" and target is not None:
            t["guards"] += 1
            t["guards_hit"] += target == night.target
        elif act.what == "witched" and act.facts["act"] == "heal":
            t["heals"] += 1
            t["heals_on_village"] += story.on_village_side(target)
        elif act.what == "witched" and act.facts["act"] == "poison":
            t["poisons"] += 1
            t["poisons_on_wolves"] += story.is_wolf(target)
    _shots(t, story, night.shots)


def _shots(t: Tally, story: Story, shots: dict[str, str | None]) -> None:
    for target in shots.values():
        t["shots"] += target is not None
        t["shots_on_wolves"] += story.is_wolf(target)


def _talk(t: Tally, story: Story, day: Day) -> None:
    for i, speech in enumerate(day.speeches):
        if speech.intent is None:
            continue  # a skip or an over
        wolf = not story.on_village_side(speech.speaker)
        side = "wolves" if wolf else "village"
        t[f"speeches_{side}"] += 1
        t[f"chars_{side}"] += len(speech.text)
        t["chars"] += len(speech.text)
        t[f"chars_{speech.speaker}"] += len(speech.text)
        t["leaks"] += wolf and _SLIP.search(speech.text) is not None
        if day.bids and i + 1 < len(day.speeches) and speech.ask == day.speeches[i + 1].ask == "speech":
            named = [s for s in day.alive if s != speech.speaker and is_mentioned(s, speech.text, story.names)]
            t["mentions"] += len(named)
            t["replies"] += day.speeches[i + 1].speaker in named


def _bids(t: Tally, story: Story, day: Day) -> None:
    """Sums by role: mean = sum / bids, variance = squares / bids - mean squared."""
    for bids in day.bids:
        for seat, bid in bids.items():
            role = story.roles[seat]
            t[f"bids_{role}"] += 1
            t[f"bid_sum_{role}"] += bid["level"]
            t[f"bid_squares_{role}"] += bid["level"] ** 2


def _influence(t: Tally, story: Story, day: Day) -> None:
    """Each seat's last call of a day that exiled somebody: did it name the exile?"""
    if day.exiled is None:
        return
    calls = {
        speech.speaker: speech.intent["vote_call"]
        for speech in day.speeches
        if speech.ask != "last_words" and speech.intent and speech.intent.get("vote_call") not in (None, "none")
    }
    for seat, target in calls.items():
        side = "village" if story.on_village_side(seat) else "wolves"
        t[f"calls_{side}"] += 1
        t[f"calls_exiled_{side}"] += target == day.exiled
