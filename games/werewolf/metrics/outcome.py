"""Who won, how long it took, who lived, and how many answers were not the seats' own."""

from __future__ import annotations

from collections import Counter

from arena.core import Match
from arena.games.werewolf.metrics.tally import rate
from arena.games.werewolf.oracles import village_floor
from arena.games.werewolf.story import Story


def outcome_figures(match: Match, story: Story) -> dict[str, float | None]:
    config = match.game.config
    won = {side: float(story.winner == side) for side in ("village", "wolves", "draw")} if story.winner else {}
    fallbacks = sum(turn.fallback for turn in match.turns)
    clean = None if fallbacks else won.get("village")
    found: dict[str, float | None] = {
        "village_win": won.get("village"),
        "wolves_win": won.get("wolves"),
        "draw": won.get("draw"),
        "village_floor": float(village_floor(config.roles, config.win, config.first_night_kill)),
        "days": float(len(story.days)),
        "turns": float(len(match.turns)),
        "fallbacks": float(fallbacks),
        "village_win_clean": clean,
    }
    held = Counter(story.roles.values())
    lived = Counter(story.roles[seat] for seat in story.alive)
    for role, seats in sorted(held.items()):
        found |= {f"seats_{role}": float(seats), f"alive_{role}": float(lived[role])}
        found[f"survival_{role}"] = rate(lived[role], seats)
    return found | {f"alive_{seat}": float(seat in story.alive) for seat in story.seats}
