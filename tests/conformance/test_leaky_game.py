"""The no-leak check finds planted leaks: five of five."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.testing.conformance import Fault, check_drawn_pairs, check_game, check_no_leaks, check_twins

LEAKY = Path(__file__).parent / "leaky"
LEAKS = {
    "wrong-audience": "events",
    "leaking-legal-set": "ask",
    "leaking-sort-order": "ask",
    "leaking-reason": "refusal",
    "early-end": "events",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_found_by_the_twins(leak: str) -> None:
    with pytest.raises(Fault, match=f"a leak: {LEAKS[leak]} differ"):
        check_twins(f"{LEAKY}/{leak}", pairs=2)


@pytest.mark.parametrize("leak", ["leaking-legal-set", "leaking-sort-order", "leaking-reason"])
def test_a_leak_past_tell_is_found_without_twins(leak: str) -> None:
    with pytest.raises(Fault, match="a leak: "):
        check_drawn_pairs(f"{LEAKY}/{leak}", pairs=60)


@pytest.mark.parametrize("leak", LEAKS)
def test_the_whole_check_finds_each_leak(leak: str) -> None:
    with pytest.raises(Fault):
        check_no_leaks(f"{LEAKY}/{leak}", pairs=60)


def test_the_same_game_without_a_leak_passes_everything() -> None:
    assert check_no_leaks(f"{LEAKY}/tight", pairs=60) >= 60

    check_game(f"{LEAKY}/tight")
