"""What a scripted player can conclude from its notes: proven lies, reasons for a vote, the village's favourite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from arena.core import Rng
from arena.games.werewolf.bots.notes import Notes


def proven_liars(n: Notes) -> list[str]:
    """Claimed seers that reported me, or somebody killed in a night, as a wolf; or against my own results."""
    return [seat for seat in n.claimants("seer") if any(is_false(n, *report) for report in results(n, seat))]


def results(n: Notes, seat: str) -> list[tuple[str, str]]:
    return [(target, result) for (_, target), result in n.reports.get(seat, {}).items()]


def is_false(n: Notes, target: str, result: str) -> bool:
    says_wolf = n.says_wolf(result)
    if target == n.me or target in n.killed:
        return says_wolf
    known = n.checked.get(target) or n.medium.get(target)
    return known is not None and n.says_wolf(known.result) != says_wolf


def grounds(n: Notes) -> list[str]:
    """The living seats that this seat has a reason of its own to exile, by the best reason that it has."""
    if n.kind == "seer":
        found = [s for s in n.alive if s in n.checked and n.says_wolf(n.checked[s].result)]
        rivals = [*n.claimants("seer"), *_lying_mediums(n)]
        return found or [s for s in rivals if s not in n.checked]
    return proven_liars(n)


def _lying_mediums(n: Notes) -> list[str]:
    return [seat for seat in n.claimants("medium") if any(is_false(n, *report) for report in results(n, seat))]


def most_called(targets: Iterable[str | None], among: list[str]) -> list[str]:
    """The seats among these that most of `targets` name."""
    counts = Counter(target for target in targets if target in among)
    top = max(counts.values(), default=0)
    return [seat for seat in among if top and counts[seat] == top]


def leading(ballots: Mapping[str, str | None], among: list[str]) -> list[str]:
    """The seats among these that a vote was leading to."""
    return most_called(ballots.values(), among)


def is_claim_day(n: Notes, rng: Rng) -> bool:
    """Day 1, 2 or 3 with equal chance, drawn once a day: at its first speech."""
    return n.spoke_today == 0 and rng.random() * max(1, 4 - n.day) < 1
