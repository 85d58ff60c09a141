"""The conformance suite: what every game promises, as functions that anybody can call on theirs.

    from arena.testing.conformance import check_game
    check_game("./mygame")                       # every preset; a broken promise raises Fault (an AssertionError)

    python -m arena.testing.conformance ./mygame

Each check takes the name of a game or preset as `arena.match` does (a folder's path too) and keyword arguments for how
much it tries; the defaults take about a second a preset. What each one promises is its docstring.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from arena.core.errors import ArenaError
from arena.testing.answers import check_fallbacks, check_fuzz
from arena.testing.envs import check_env_is_the_match, check_pettingzoo
from arena.testing.facts import check_config_documented, check_events, check_hooks, check_payoffs
from arena.testing.golden import check_golden
from arena.testing.leaks import check_drawn_pairs, check_no_leaks, check_twins
from arena.testing.playing import Fault, every_preset, presets_of
from arena.testing.prompts import check_prompts, check_spoofs, check_transcripts, check_windows
from arena.testing.records import check_determinism, check_replay_and_fork, check_simultaneous

__all__ = [
    "CHECKS",
    "Fault",
    "check_config_documented",
    "check_determinism",
    "check_drawn_pairs",
    "check_env_is_the_match",
    "check_events",
    "check_fallbacks",
    "check_fuzz",
    "check_game",
    "check_golden",
    "check_hooks",
    "check_no_leaks",
    "check_payoffs",
    "check_pettingzoo",
    "check_prompts",
    "check_replay_and_fork",
    "check_simultaneous",
    "check_spoofs",
    "check_transcripts",
    "check_twins",
    "check_windows",
    "every_preset",
    "presets_of",
]

CHECKS: tuple[Callable[..., Any], ...] = (
    check_config_documented,
    check_events,
    check_payoffs,
    check_hooks,
    check_determinism,
    check_replay_and_fork,
    check_simultaneous,
    check_fuzz,
    check_fallbacks,
    check_prompts,
    check_windows,
    check_transcripts,
    check_spoofs,
    check_pettingzoo,
    check_env_is_the_match,
    check_no_leaks,
)


def check_game(name: str) -> None:
    """Every check on every preset of a game (or on the preset that `name` names)."""
    for preset in presets_of(name):
        for check in CHECKS:
            check(preset)


def main(names: list[str]) -> int:
    """Run every check on the games named, or on all, and say how each went; 1 if a promise is broken."""
    broken = 0
    try:
        presets = [full for name in names for full in presets_of(name)] if names else every_preset()
    except ArenaError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return 2
    for preset in presets:
        for check in CHECKS:
            try:
                check(preset)
            except Exception as error:  # a report of all faults is wanted, not the first traceback
                broken += 1
                sys.stdout.write(f"{preset}  {check.__name__}: {type(error).__name__}: {error}\n")
        sys.stderr.write(f"{preset} checked\n")
    sys.stdout.write(f"{broken} broken\n")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
