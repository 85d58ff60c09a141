"""Exploitability in games of one choice, against closed forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.registry import make_game
from arena.training.evaluate import Comparison, compare
from arena.training.oneshot import exploitabilities, exploitability, of_uniform, table_of
from arena.training.settings import TrainSettings
from arena.training.setup import set_up

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


@pytest.mark.parametrize(
    ("answers", "mean"),
    [(1, 1.0), (2, 2 / 3), (2000, 0.0)],  # of two answers one third are alike; a mixture of two loses one half
)
def test_few_answers_of_a_random_player_look_exploitable(answers: int, mean: float) -> None:
    assert RPS is not None
    assert of_uniform(RPS, (answers, answers), seed=1) == pytest.approx(mean, abs=0.03)


@pytest.mark.models
def test_an_answer_counts_once_whoever_it_was_given_to(tmp_path: Path) -> None:
    """Three deals in two seats, against each of two opponents: 12 matches, six answers."""
    pytest.importorskip("trl")
    settings = TrainSettings(
        "kto", "matrix/rps", "hf/tiny-random", 4, "x", str(tmp_path), "outcome", 1e-3, set={"rounds": 1}
    )
    run = set_up(tmp_path / "run", settings)
    run.folder.mkdir()
    for other in ("bot/always?answer=rock", "bot/always?answer=paper"):
        compare(run.table, Comparison("final", "", ("bot/always?answer=scissors",), (other,), 3))
    (found,) = exploitabilities(run, ["bot/always?answer=scissors"], "final") or []

    assert (found["answers"], found["exploitability"]) == (6, 1.0)
    assert 0.3 < found["uniform"] < 0.7
