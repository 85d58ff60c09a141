"""Each check finds the fault that it is there for, and says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from arena.core import GameError
from arena.testing.conformance import (
    CHECKS,
    Fault,
    check_config_documented,
    check_determinism,
    check_events,
    check_fallbacks,
    check_fuzz,
    check_game,
    check_golden,
    check_hooks,
    check_payoffs,
    check_prompts,
    check_spoofs,
    check_transcripts,
    check_windows,
    main,
)

FAULTY = str(Path(__file__).parent / "faulty")

FINDERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "global-random": (check_determinism, "drew from Python's global random"),
    "state-on-the-game": (check_determinism, "came out differently when others were played in between"),
    "changed-fact": (check_events, "the facts changed after they were told"),
    "changed-answer": (check_events, "the game changed the answer that it was given"),
    "number-as-key": (check_events, "a key of a fact must be a text, not 1"),
    "not-zero-sum": (check_payoffs, "payoffs must sum to 0"),
    "out-of-bounds": (check_payoffs, "outside the declared bounds"),
    "not-finite-metric": (check_hooks, "metric strange is nan"),
    "plain-words": (check_spoofs, "a player's words became the engine's"),
    "shouted-words": (check_spoofs, "stand in a template without `.quote`"),
    "nameless-words": (check_spoofs, "stands above words of player_0 and player_1"),
    "hidden-character": (check_prompts, "control or invisible character '\\\\u200b'"),
    "unwatchable": (check_transcripts, r"\(mine\)"),
    "partial-raises": (check_fuzz, "partial"),
    "partial-passes-on": (check_fuzz, "partial"),
    "endless": (partial(check_fallbacks, asks=500), "not over after 500 asks"),
}


@pytest.mark.parametrize("planted", FINDERS)
def test_a_planted_fault_is_found(planted: str) -> None:
    check, message = FINDERS[planted]

    with pytest.raises((Fault, GameError), match=message):
        check(f"{FAULTY}/{planted}")


def test_an_event_without_a_template_is_found() -> None:
    with pytest.raises(GameError, match=r"prompt template events/mystery\.j2"):
        check_prompts(f"{FAULTY}/no-template")


def test_a_fact_that_a_short_memory_forgets_is_no_fault_unless_it_is_to_be_kept() -> None:
    check_windows(f"{FAULTY}/forgotten")
    check_windows(f"{FAULTY}/none")


def test_the_same_game_without_a_fault_passes_everything() -> None:
    check_game(f"{FAULTY}/none")


def test_a_missing_golden_names_the_command_that_writes_it() -> None:
    with pytest.raises(Fault, match=r"python -m arena\.testing\.golden"):
        check_golden(f"{FAULTY}/none")


def test_a_config_field_without_a_meaning_is_found(tmp_path: Path) -> None:
    source = (Path(FAULTY) / "game.py").read_text().replace('"the planted fault"', '" "')
    game = tmp_path / "undocumented"
    game.mkdir()
    (game / "game.py").write_text(source)

    with pytest.raises(Fault, match="config field fault"):
        check_config_documented(f"{game}/none")


def test_the_command_reports_every_broken_promise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"{FAULTY}/out-of-bounds"]) == 1
    assert main([f"{FAULTY}/none"]) == 0

    out = capsys.readouterr().out.splitlines()
    assert "check_payoffs: Fault: " in out[0]
    assert out[-2:] == ["1 broken", "0 broken"]
    assert len(CHECKS) == 16
