"""The sample player: a village that states what it knows (`village.py`), wolves that claim and lie (`liars.py`)."""

from __future__ import annotations

from arena.core import Answer, Ask, Rng, View
from arena.games.werewolf.bots import liars, village
from arena.games.werewolf.bots.notes import notes
from arena.games.werewolf.bots.respond import respond


def sample(view: View, ask: Ask, rng: Rng) -> Answer:
    """Plays like the AIWolf sample agents: states its results, follows vote calls; wolves claim and report falsely."""
    n = notes(view)
    return respond(n, ask, rng, liars.STYLE if n.kind in ("wolf", "possessed") else village.STYLE)
