"""Ballots: how well the village votes, how its votes fall together or apart, and what they exile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Any

from arena.core import stream
from arena.games.werewolf.metrics.tally import Tally, rate
from arena.games.werewolf.rules import GODS, count
from arena.games.werewolf.story import Day, Story, Vote

SHUFFLES = 64


def vote_figures(story: Story, config: Any) -> dict[str, float | None]:
    t = Tally()
    t.declare("village_ballots", "village_ballots_on_wolves", "village_ballots_chance", "village_abstentions")
    t.declare("decisive_ballots", "exiles", "exiles_of_village", "exiles_of_gods", "auto_sabotage")
    t.declare("split_ballots", "split_cases", "bandwagon_ballots", "bandwagon_hits", "bandwagon_expected")
    t.declare("votes_held", "concentration_sum")
    t.declare(*(f"{name}_{who}" for who in story.holders() for name in ("ballots", "ballots_on_wolves")))
    for day in story.days:
        for vote in day.votes:
            _accuracy(t, story, vote)
            _splits(t, story, vote)
            _concentration(t, vote)
            if config.vote_mode == "sequential":
                _bandwagon(t, vote)
        _exile(t, story, day, config.threshold)
    found = t.figures()
    ballots = t["village_ballots"]
    found["vote_accuracy"] = rate(t["village_ballots_on_wolves"], ballots)
    found["vote_lift"] = rate(t["village_ballots_on_wolves"] - t["village_ballots_chance"], ballots)
    found["decisive_rate"] = rate(t["decisive_ballots"], ballots)
    found["misexile_rate"] = rate(t["exiles_of_village"], t["exiles"])
    found["split_rate"] = rate(t["split_ballots"], t["split_cases"])
    found["bandwagon"] = rate(t["bandwagon_hits"] - t["bandwagon_expected"], t["bandwagon_ballots"])
    found["vote_concentration"] = rate(t["concentration_sum"], t["votes_held"])
    for seat in story.seats:
        if story.on_village_side(seat):
            found[f"vote_accuracy_{seat}"] = rate(t[f"ballots_on_wolves_{seat}"], t[f"ballots_{seat}"])
    return found


def _accuracy(t: Tally, story: Story, vote: Vote) -> None:
    """Village ballots on wolves, and what chance would hit: wolves among the other candidates."""
    for voter, target in vote.ballots.items():
        hit = story.is_wolf(target)
        role = story.roles[voter]
        for name in (voter, role):
            t[f"ballots_{name}"] += 1
            t[f"ballots_on_wolves_{name}"] += hit
        if story.on_village_side(voter):
            others = [s for s in vote.candidates if s != voter]
            t["village_ballots"] += 1
            t["village_ballots_on_wolves"] += hit
            t["village_abstentions"] += target is None
            t["village_ballots_chance"] += sum(map(story.is_wolf, others)) / max(1, len(others))


def _splits(t: Tally, story: Story, vote: Vote) -> None:
    """Where a living seer votes for a wolf: the village's ballots on another wolf."""
    seers = {voter: target for voter, target in vote.ballots.items() if story.kind(voter) == "seer"}
    aims = {target for target in seers.values() if story.is_wolf(target)}
    if not aims:
        return
    for voter, target in vote.ballots.items():
        if story.on_village_side(voter) and voter not in seers:
            t["split_cases"] += 1
            t["split_ballots"] += story.is_wolf(target) and target not in aims


def _concentration(t: Tally, vote: Vote) -> None:
    """1 - entropy of the targets / its greatest value: 1 = all name one seat, 0 = evenly over all candidates."""
    named = [target for target in vote.ballots.values() if target is not None]
    if len(named) > 1 and len(vote.candidates) > 1:
        shares = [n / len(named) for n in Counter(named).values()]
        t["votes_held"] += 1
        t["concentration_sum"] += 1 + sum(p * log(p) for p in shares) / log(len(vote.candidates))


def _bandwagon(t: Tally, vote: Vote) -> None:
    """Public ballots that name a seat leading at that moment, and how many would in a random order of the same."""
    order = [target for target in vote.ballots.values() if target is not None]
    if len(order) < 2:
        return
    t["bandwagon_ballots"] += len(order) - 1
    t["bandwagon_hits"] += _on_leader(order)
    rng, pool = stream("bandwagon"), sorted(order)
    shuffled = 0
    for _ in range(SHUFFLES):
        rng.shuffle(pool)
        shuffled += _on_leader(pool)
    t["bandwagon_expected"] += shuffled / SHUFFLES


def _on_leader(order: Sequence[str]) -> int:
    """Of the ballots after the first, those for a seat that no other is ahead of."""
    counts: Counter[str] = Counter()
    hits = 0
    for target in order:
        hits += bool(counts) and counts[target] == max(counts.values())
        counts[target] += 1
    return hits


def _exile(t: Tally, story: Story, day: Day, threshold: Any) -> None:
    if day.exiled is None or not day.votes:
        return
    vote = day.votes[-1]
    t["exiles"] += 1
    t["exiles_of_village"] += story.on_village_side(day.exiled)
    against = [voter for voter, target in vote.ballots.items() if target == day.exiled]
    village = [voter for voter in against if story.on_village_side(voter)]
    if story.kind(day.exiled) in GODS:
        t["exiles_of_gods"] += 1
        t["auto_sabotage"] += 2 * len(village) > len(against)
    for voter in village:
        without = count(vote.ballots | {voter: None}, len(vote.alive), threshold, story.seats)
        t["decisive_ballots"] += without.exiled != day.exiled
