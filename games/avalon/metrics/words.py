"""Speech: how much, and how often its meaning contradicts what the speaker knows.

Others see the text and never the form: of a form only that is a statement which its text names too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from arena.core.match import Match
from arena.core.text import has_word
from arena.games.avalon.metrics.outcome import mean, share
from arena.games.avalon.rules import EVIL, known_sides

SURELY_GOOD, SURELY_EVIL = 10, 90  # a suspicion at most, at least so high states a side


def words(match: Match) -> dict[str, float | None]:
    """Per seat `talk_chars` (mean length of a speech) and `lie_rate` (false statements of those it can check)."""
    found: dict[str, float | None] = {}
    for seat in match.seats:
        said = [e.facts["text"] for e in match.events if e.kind == "said" and e.facts["speaker"] == seat]
        found[f"talk_chars_{seat}"] = mean(float(len(text)) for text in said)
        found[f"lie_rate_{seat}"] = share(is_lie for is_lie in statements(match, seat))
    for side in ("good", "evil"):
        of_side = [seat for seat in match.seats if match.sides[seat] == side]
        found[f"lie_rate_{side}"] = share(is_lie for seat in of_side for is_lie in statements(match, seat))
    found["talk_chars"] = mean(found[f"talk_chars_{seat}"] for seat in match.seats)
    return found


def statements(match: Match, seat: str) -> Iterator[bool]:
    """Each statement that the seat made aloud and can check itself: whether it is false.

    A claimed role or side (not `none`); a suspicion of 10 or less of a seat that it knows to be evil, or of 90 or more
    of one that it knows to be good, is false; any other suspicion of a seat whose side it knows counts as true.
    """
    known = known_sides(match.roles, seat)
    text = ""
    for event in match.events:
        facts: dict[str, Any] = event.facts
        if event.kind == "said" and facts["speaker"] == seat:
            text = facts["text"]
        if event.kind == "lady_result" and seat in event.audience:
            known[facts["target"]] = facts["side"]
        if event.kind != "intent" or facts["speaker"] != seat:
            continue
        if facts["claim"] not in (None, "none") and has_word(facts["claim"], text):
            yield facts["claim"] not in (match.roles[seat], match.sides[seat])
        for other, percent in (facts["suspicion"] or {}).items():
            if other in known and has_word(other, text):
                yield percent <= SURELY_GOOD if known[other] == EVIL else percent >= SURELY_EVIL
