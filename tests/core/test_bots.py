"""Scripted players: their options, and what a control is handed that no other view shows."""

from __future__ import annotations

from arena.core import Ask, Match, Rng, View
from arena.core.bots import OpenView, control, is_control, options_of, summary
from tests.core.games import Whispers, throws


def level_k(view: View, ask: Ask, rng: Rng, *, k: int = 1, noise: float = 0.1, style: str = "calm") -> str:
    """Thinks k steps ahead.

    And more.
    """
    return "rock"


@control
def oracle(view: View, ask: Ask, rng: Rng) -> str:
    return "paper"


def test_the_options_of_a_bot_are_its_keyword_only_parameters() -> None:
    assert options_of(level_k) == {"k": (int, 1), "noise": (float, 0.1), "style": (str, "calm")}


def test_the_summary_of_a_bot_is_the_first_line_of_its_docstring() -> None:
    assert summary(level_k) == "Thinks k steps ahead."
    assert summary(lambda view, ask, rng: "rock") == ""


def test_a_control_says_that_it_is_one() -> None:
    assert is_control(oracle)
    assert not is_control(level_k)


def test_the_view_of_a_control_holds_the_log_and_no_other_view_does() -> None:
    match = Match(Whispers(), 1)
    match.submit("player_0", "psst")
    view = OpenView(match, "player_2")

    assert [e.kind for e in view.events] == ["overheard"]
    assert [e.kind for e in view.log] == ["whispered", "overheard", "note"]
    assert view.roles == {}
    assert not hasattr(match.view("player_2"), "log")


def test_bots_play_a_match() -> None:
    match = throws()
    while not match.done:
        for seat, ask in match.pending().items():
            bot = oracle if seat == "player_0" else level_k
            match.submit(seat, bot(match.view(seat), ask, Rng(1)))

    assert match.payoffs == {"player_0": 0.0, "player_1": 0.0}
