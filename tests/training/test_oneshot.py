"""Exploitability in games of one choice, against closed forms."""

from __future__ import annotations

import pytest

from arena.registry import make_game
from arena.training.oneshot import exploitability, table_of

RPS = table_of(make_game("matrix/rps", {"rounds": 1})[0])


@pytest.mark.parametrize(
    ("throws", "value"),
    [
        ({"rock": 1 / 3, "paper": 1 / 3, "scissors": 1 / 3}, 0.0),
        ({"rock": 1.0}, 1.0),
        ({"rock": 0.5, "paper": 0.5}, 0.5),  # paper is never beaten and wins half of the time
    ],
)
def test_it_is_the_value_of_the_best_reply(throws: dict[str, float], value: float) -> None:
    assert RPS is not None
    assert exploitability(RPS, throws, throws) == pytest.approx(value)


def test_both_seats_count_where_payoffs_are_no_opposites() -> None:
    """Mutual cooperation pays 3, the temptation 5: each gains 2."""
    table = table_of(make_game("matrix/ipd", {"rounds": 1})[0])

    assert table is not None
    assert exploitability(table, {"cooperate": 1.0}, {"cooperate": 1.0}) == pytest.approx(2.0)
    assert exploitability(table, {"defect": 1.0}, {"defect": 1.0}) == pytest.approx(0.0)


@pytest.mark.parametrize(("name", "config"), [("matrix/rps", {"rounds": 2}), ("kuhn", {})])
def test_games_of_several_steps_or_of_chance_have_no_table(name: str, config: dict[str, int]) -> None:
    assert table_of(make_game(name, config)[0]) is None
