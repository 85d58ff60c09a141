"""How often a labelled row counts: the published keep and repeat rates, each under a name, all seeded.

Rates of one row multiply; a row of rate 1.8 stands once, and a second time with chance 0.8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.core import stream

RATES: dict[str, float] = {
    "good_vote.days_1_2": 0.4,
    "good_vote.days_3_4": 2.0,
    "good_vote.pk": 2.0,
    "bad_vote.day_1": 0.5,
    "bad_vote.day_2": 0.8,
    "bad_vote.later": 2.0,
    "bad_vote.pk": 2.0,
    "bad_speech.days_1_2": 0.9,
    "bad_speech.days_4_5": 2.0,
    "bad_speech.pk": 2.0,
    "good_speech.villager": 0.4,
    "good_speech.wolf": 0.6,
    "good_speech.day_1": 0.5,
    "good_speech.days_3_5": 1.8,
    "good_speech.pk": 2.0,
    "rejected_speech.seer": 3.0,
    "rejected_speech.wolf": 0.4,
    "rejected_speech.villager": 0.6,
    "rejected_speech.days_1_2": 0.7,
    "rejected_speech.days_3_5": 2.0,
    "rejected_speech.pk": 3.0,
    "good_action.wolf_night_1": 0.5,
    "good_action.witch_night_2": 3.0,
    "good_action.nights_3_4": 3.0,
    "bad_action": 2.0,
}


def rate_of(row: Mapping[str, Any], rates: Mapping[str, float]) -> float:
    """The product of the rates that a row falls under."""
    rate = 1.0
    for name in names_of(row):
        rate *= rates[name]
    return rate


def names_of(row: Mapping[str, Any]) -> list[str]:
    """The rates of a row: by sort, then by role, day or night, and run-off."""
    sort, kind = sort_of(row), row["kind"]
    if sort == "bad_action":
        return [sort]
    if sort == "good_action":
        night = row["night"]
        wanted = {
            "wolf_night_1": row["ask"] == "wolf_kill" and night == 1,
            "witch_night_2": row["ask"] == "witch" and night == 2,
            "nights_3_4": night in (3, 4),
        }
    else:
        day = row["day"]
        wanted = {
            kind: True,
            "day_1": day == 1,
            "day_2": day == 2,
            "later": day > 2,
            "days_1_2": day in (1, 2),
            "days_3_4": day in (3, 4),
            "days_3_5": day in (3, 4, 5),
            "days_4_5": day in (4, 5),
            "pk": row["pk"],
        }
    return [f"{sort}.{name}" for name, holds in wanted.items() if holds and f"{sort}.{name}" in RATES]


def sort_of(row: Mapping[str, Any]) -> str:
    """Vote, speech or action; good, bad, or a speech that the verifier rejected."""
    group = {"vote": "vote", "vote_pk": "vote", "speech": "speech", "speech_pk": "speech"}.get(row["ask"], "action")
    if row["rejected"]:
        return "rejected_speech"
    return f"{'good' if row['label'] else 'bad'}_{group}"


def copies(row: Mapping[str, Any], rates: Mapping[str, float], seed: int) -> int:
    """How often the row stands in the set."""
    rate = rate_of(row, rates)
    return int(rate) + (stream(seed, "makto-step", row["id"]).random() < rate - int(rate))
