"""What an Avalon match shows of its players, from the record alone. None where a match has nothing to say."""

from __future__ import annotations

from arena.core.match import Match
from arena.games.avalon.metrics.beliefs import beliefs
from arena.games.avalon.metrics.outcome import outcome
from arena.games.avalon.metrics.votes import votes
from arena.games.avalon.metrics.words import words


def metrics(match: Match) -> dict[str, float | None]:
    """Every figure; per seat as `name_player_0`."""
    return {**outcome(match), **votes(match), **words(match), **beliefs(match)}
