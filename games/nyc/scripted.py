"""A whole match by scripted players, one bot for each colour: for calibration, benchmarks and tests.

A run of the command line does the same with a store around it; this is the short way where thousands are wanted.
"""

from __future__ import annotations

from arena.core import Match
from arena.core.bots import Bot, OpenView, is_control
from arena.core.seeds import stream
from arena.games.nyc.bots import BOTS


def scripted(match: Match, blue: str | Bot, red: str | Bot = "greedy-red") -> Match:
    """`match`, played to its end: bots by their names in bots.py, or as functions."""
    chosen = [BOTS[bot] if isinstance(bot, str) else bot for bot in (blue, red)]
    n_blue = match.game.config.n_blue
    bots = {seat: chosen[number >= n_blue] for number, seat in enumerate(match.seats)}
    views = {seat: OpenView(match, seat) if is_control(bot) else match.view(seat) for seat, bot in bots.items()}
    streams = {seat: stream(match.seed, "scripted", seat) for seat in match.seats}
    while not match.done:
        for seat, ask in dict(match.pending()).items():
            match.submit(seat, bots[seat](views[seat], ask, streams[seat]))
    return match
