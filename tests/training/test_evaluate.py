"""Paired evaluation with scripted players in the places of policies: same deal, same seat, same table, same chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.core import UsageError
from arena.store.reader import Reader
from arena.training.compare import compare_runs
from arena.training.evaluate import Comparison, compare, seatings
from arena.training.play import Table, play, tag_hash

POLICIES = ("bot/always?answer=paper", "bot/always?answer=rock")


def table(folder: Path, rounds: int = 1) -> Table:
    folder.mkdir(parents=True, exist_ok=True)
    return Table(folder, "matrix/rps", {"rounds": rounds}, seed=9)


def test_the_difference_is_that_of_the_same_seat_on_the_same_deal(tmp_path: Path) -> None:
    one = Comparison("eval/1", "", POLICIES, ("bot/always?answer=rock",), deals=4)
    found = compare(table(tmp_path), one)

    assert found.mean(POLICIES[0], 0).diff == 1.0
    assert found.mean(POLICIES[1], 0).diff == 0.0
    assert found.difference(*POLICIES, 0).as_json()["diff"] == 1.0
    assert found.by_seat[POLICIES[0]] == {"player_0": [1.0] * 4, "player_1": [1.0] * 4}
    assert found.lost_rate(POLICIES[0]) == 0.0


def test_the_others_draw_alike_for_every_policy(tmp_path: Path) -> None:
    one = Comparison("eval/1", "", POLICIES, ("bot/random",), deals=6)
    compare(table(tmp_path, rounds=3), one)
    with Reader(tmp_path) as reader:
        answers: dict[tuple[str, int], set[tuple[str, ...]]] = {}
        for row in reader.matches():
            seats = {s["seat_no"]: s["agent"] for s in reader.match_seats(row["match_id"])}
            random = next(n for n, name in seats.items() if name == "bot/random")
            turns = reader.stored_match(row["match_id"]).turns
            given = tuple(t.answer for t in turns if t.seat_no == random)
            answers.setdefault((row["deal_seed"], random), set()).add(given)

    assert len(answers) == 12
    assert all(len(found) == 1 for found in answers.values())
    assert len(set.union(*answers.values())) > 6


def test_opponents_take_turns_over_the_deals(tmp_path: Path) -> None:
    opponents = ("bot/always?answer=rock", "bot/always?answer=scissors")
    found = compare(table(tmp_path), Comparison("eval/1", "", POLICIES[:1], opponents, deals=4))

    assert found.by_opponent[POLICIES[0]] == {opponents[0]: [1.0] * 4, opponents[1]: [-1.0] * 4}


def test_playing_again_plays_nothing(tmp_path: Path) -> None:
    one = Comparison("eval/1", "", POLICIES, ("bot/random",), deals=3)
    compare(table(tmp_path), one)
    before = tag_hash(tmp_path, "eval/1")
    again = compare(table(tmp_path), one)
    with Reader(tmp_path) as reader:
        count = len(reader.matches())

    assert tag_hash(tmp_path, "eval/1") == before
    assert count == 12
    assert len(again.paid[POLICIES[0]]) == 3


def test_a_game_with_sides_seats_a_policy_on_each_side() -> None:
    from arena.registry import make_game

    assert seatings(make_game("matrix/rps")[0], "") == 2
    assert seatings(make_game("nyc/tiny")[0], "blue") == 1


def test_runs_are_compared_on_shared_deals_only(tmp_path: Path) -> None:
    def run(name: str, policy: str, seed: int) -> Path:
        one = Table(tmp_path / name, "matrix/rps", {"rounds": 1}, seed)
        one.folder.mkdir()
        plan = [
            one.planned("x", deal, 0, lambda m: {"player_0": policy, "player_1": "bot/always?answer=rock"})
            for deal in range(5)
        ]
        play(one, plan)
        return one.folder

    paper, scissors = run("a", POLICIES[0], 1), run("b", "bot/always?answer=scissors", 1)
    elsewhere = run("c", POLICIES[0], 2)
    found = compare_runs(paper, scissors)

    assert (found["diff"], found["n"], found["verdict"]) == (2.0, 5, "the first is better")
    with pytest.raises(UsageError, match="share no deal"):
        compare_runs(elsewhere, scissors)
    with pytest.raises(UsageError, match="played no finished match"):
        compare_runs(paper, scissors, agents=("bot/nobody", "bot/always?answer=scissors"))


def test_a_bot_of_one_game_is_compared_under_either_of_its_names(tmp_path: Path) -> None:
    one = Table(tmp_path, "matrix/ipd", {"rounds": 2}, 1)
    seats = {"player_0": "bot/matrix-tit-for-tat", "player_1": "bot/random"}
    play(one, [one.planned("x", deal, 0, lambda m: seats) for deal in range(3)])

    found = compare_runs(tmp_path, tmp_path, agents=("bot/tit-for-tat", "bot/matrix-tit-for-tat"))

    assert found["agents"] == ["bot/matrix-tit-for-tat"] * 2
    assert (found["diff"], found["n"]) == (0, 3)
