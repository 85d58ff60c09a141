"""Scripted players of Avalon. They keep nothing between turns: what they know is folded from their view's events."""

from __future__ import annotations

from arena.games.avalon.bots.bayes import assassin_random, bayes
from arena.games.avalon.bots.naive import naive

BOTS = {"naive": naive, "bayes": bayes, "assassin-random": assassin_random}
ALIASES: dict[str, str] = {}
