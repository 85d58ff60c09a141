"""The asks: which answers are legal, and what is played when none comes.

An ask depends on public facts only, or on what its own seat knows. A speech is a form: the text is what others read,
the rest (the intent) is what its words mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from arena.core import Answer, Ask, Choice, Each, Form, IllegalAnswer, Range, Rng, Subset, Text
from arena.games.avalon.rules import APPROVE, FAIL, REJECT, ROLES, SUCCESS

NONE = "none"
TEAM_VOTE = Choice("team_vote", (APPROVE, REJECT), fallback=REJECT)
CARD = Choice("quest", (SUCCESS, FAIL), fallback=SUCCESS)
_PERCENT = Range("p", 0, 100, fallback=50)


class Team(Subset):
    """A team of exactly the quest's size; the order of names does not count."""

    def __init__(self, seats: Sequence[str], size: int, rng: Rng) -> None:
        drawn = set(rng.sample(seats, size))
        super().__init__("propose", seats, size, size, fallback=[s for s in seats if s in drawn])

    def check(self, answer: Answer) -> Answer:
        if isinstance(answer, list) and len(answer) != self.low:
            raise IllegalAnswer(f"propose: this quest needs {self.low} players, you named {len(answer)}")
        return super().check(answer)


def one_of(name: str, seats: Sequence[str], rng: Rng) -> Choice:
    """One of some seats; if no answer comes, one drawn when the ask is made."""
    return Choice(name, seats, fallback=rng.choice(seats))


@lru_cache(maxsize=1024)
def speech(seat: str, seats: tuple[str, ...], roles: tuple[str, ...], max_chars: int) -> Form:
    """Words for all, and what they mean: a claim, suspicions, the team it stands behind, its coming vote."""
    intent: tuple[Ask, ...] = (
        Choice("claim", (NONE, "good", *(role for role in ROLES if role in roles))),
        Each("suspicion", tuple(s for s in seats if s != seat), _PERCENT),
        Subset("backs", seats),
        Choice("intended_vote", (NONE, APPROVE, REJECT)),
    )
    return Form("speech", Text("text", max_chars), intent=intent)


@lru_cache(maxsize=64)
def evil_talk(max_chars: int) -> Text:
    return Text("evil_talk", max_chars)


def beliefs(prior: Mapping[str, int], may_be_merlin: Sequence[str]) -> Form:
    """P(evil) of each other seat; from an evil seat also P(Merlin) of each that may be Merlin."""
    fields = [Each("evil", tuple(prior), _PERCENT, fallback=dict(prior))]
    if may_be_merlin:
        even = dict.fromkeys(may_be_merlin, round(100 / len(may_be_merlin)))
        fields.append(Each("merlin", tuple(may_be_merlin), _PERCENT, fallback=even))
    return Form("beliefs", *fields)
