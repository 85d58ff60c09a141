"""What a match shows of its players, from the record alone.

Rates over matches are quotients of sums, so every rate stands beside its numerator and denominator; a rate without
cases is None. Figures of a role end in the role's word, those of a seat in the seat's id. The README lists them all.
"""

from __future__ import annotations

from arena.core import Match
from arena.games.werewolf.metrics.claims import claim_figures
from arena.games.werewolf.metrics.minds import mind_figures
from arena.games.werewolf.metrics.outcome import outcome_figures
from arena.games.werewolf.metrics.play import play_figures
from arena.games.werewolf.metrics.votes import vote_figures
from arena.games.werewolf.story import story_of

Figures = dict[str, float | None]


def metrics(match: Match) -> Figures:
    """All figures of one match."""
    story = story_of(match)
    config = match.game.config
    return {
        **outcome_figures(match, story),
        **vote_figures(story, config),
        **mind_figures(story),
        **claim_figures(story),
        **play_figures(story),
    }
