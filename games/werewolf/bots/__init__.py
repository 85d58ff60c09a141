"""Scripted players of Werewolf. They keep nothing between turns: what they know is folded from their view's events."""

from __future__ import annotations

from arena.games.werewolf.bots.bayes import bayes
from arena.games.werewolf.bots.greedy import greedy
from arena.games.werewolf.bots.quiet import quiet
from arena.games.werewolf.bots.sample import sample

BOTS = {"quiet": quiet, "sample": sample, "bayes": bayes, "greedy": greedy}
ALIASES: dict[str, str] = {}
