"""The PettingZoo views: spaces that follow the ask, observations, rewards, and asks that are open at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arena
from arena.core import Choice, Flag, IllegalAnswer, Range, Text, record_hash
from arena.envs import AnswerSpace, TextSpace, few_legal_answers

CHATTER = str(Path(__file__).parents[1] / "prompt" / "chatter")


def kuhn(seed: int = 7) -> Any:
    env = arena.raw_env("kuhn")
    env.reset(seed=seed)
    return env


def test_the_first_text_holds_rules_what_happened_and_the_ask() -> None:
    env = kuhn()
    seen = env.observe("player_0")

    assert seen["text"].startswith("You are player_0 in a hand of Kuhn poker")
    assert seen["text"].endswith('Answer with one of: "check" | "bet"')
    assert "Your card is K." in seen["text"]
    assert seen["observation"].tolist() == [1, 0, 0, 1]


def test_later_texts_hold_only_what_is_new() -> None:
    env = kuhn()
    for move in ("check", "bet"):
        env.step(move)

    assert env.observe("player_0")["text"] == (
        'You: check.\nplayer_1: bet.\nYour opponent has bet. Do you fold or call?\nAnswer with one of: "fold" | "call"'
    )


def test_a_seat_that_is_not_asked_reads_when_it_is_asked_or_at_the_end() -> None:
    env = kuhn()
    assert env.observe("player_1")["text"] == ""
    env.step("bet")
    assert "player_0: bet." in env.observe("player_1")["text"]
    env.step("fold")

    assert env.observe("player_0")["text"] == "You: bet.\nplayer_1: fold."
    assert env.observe("player_0")["observation"].tolist() == [0, 1, 1, 3]


def test_an_observation_lies_in_its_space() -> None:
    env = kuhn()

    for seat in env.possible_agents:
        assert env.observation_space(seat).contains(env.observe(seat))
    assert env.observation_space("player_0") == env.observation_space("player_1")


def test_the_ask_and_its_few_legal_answers_stand_in_the_infos() -> None:
    env = kuhn()

    assert env.infos["player_0"]["legal"] == ["check", "bet"]
    assert env.infos["player_0"]["ask"]["name"] == "move"
    assert env.infos["player_1"] == {}


def test_rewards_are_the_payoffs_and_come_at_the_end() -> None:
    env = kuhn()
    env.step("bet")
    assert env.rewards == {"player_0": 0, "player_1": 0}
    env.step("fold")

    assert env.rewards == env.match.payoffs == {"player_0": 1.0, "player_1": -1.0}
    assert env.terminations == {"player_0": True, "player_1": True}
    assert env.last()[1] == 1.0
    env.step(None)
    env.step(None)
    assert env.agents == []


def test_an_illegal_action_changes_nothing() -> None:
    env = kuhn()
    before = record_hash(env.match)

    for action in ("call", None, 0, np.int64(1)):
        with pytest.raises(IllegalAnswer):
            env.step(action)
    assert record_hash(env.match) == before
    assert env.agent_selection == "player_0"


def test_the_action_space_is_the_open_ask() -> None:
    env = kuhn()
    mine, other = env.action_space("player_0"), env.action_space("player_1")

    assert [mine.contains(a) for a in ("check", "bet", "call", None)] == [True, True, False, False]
    assert [other.contains(a) for a in ("check", None)] == [False, True]
    assert other.sample() is None
    env.step("bet")
    assert [other.contains(a) for a in ("check", "fold")] == [False, True]


def test_a_seeded_action_space_draws_the_same() -> None:
    env = kuhn()
    space = env.action_space("player_0")
    draws = []
    for _ in range(2):
        space.seed(5)
        draws.append([space.sample() for _ in range(20)])

    assert draws[0] == draws[1]
    assert set(draws[0]) == {"check", "bet"}


def test_a_reset_draws_a_seed_unless_it_is_given_one() -> None:
    env = arena.env("kuhn")
    seeds = []
    for seed in (None, None, 5, 5):
        env.reset(seed=seed)
        seeds.append(env.unwrapped.match.seed)

    assert seeds[0] != seeds[1]
    assert seeds[2:] == [5, 5]


def test_asks_open_at_once_come_one_seat_after_another_and_show_nothing() -> None:
    env = arena.raw_env(CHATTER, rounds=1)
    env.reset(seed=1)
    env.step({"speech": "hello"})
    before = env.observe("player_1")
    assert env.agent_selection == "player_0"
    env.step("player_1")

    assert env.agent_selection == "player_1"
    after = env.observe("player_1")
    assert after["text"] == before["text"]
    assert after["observation"].tolist() == before["observation"].tolist()
    env.step("player_0")
    assert env.terminations["player_0"]


def test_a_parallel_step_answers_every_open_ask_and_ignores_the_rest() -> None:
    env = arena.parallel_env(CHATTER, rounds=1)
    env.reset(seed=1)
    _, rewards, over, _, infos = env.step({"player_0": {"speech": "hello"}, "player_1": "nobody asked me"})
    assert set(infos) == {"player_0", "player_1"}
    assert infos["player_1"]["legal"] == ["player_0", "player_1", "nobody"]
    assert not any(over.values())

    seen, rewards, over, cut, infos = env.step({"player_0": "nobody", "player_1": "nobody"})
    assert env.agents == []
    assert all(over.values())
    assert not any(cut.values())
    assert rewards == {"player_0": 0.0, "player_1": 0.0}
    assert infos == {"player_0": {}, "player_1": {}}
    assert "Votes of round 1" in seen["player_1"]["text"]


def test_a_parallel_step_plays_all_answers_or_none() -> None:
    env = arena.parallel_env(CHATTER)
    env.reset(seed=1)
    env.step({"player_0": {"speech": "hello"}})
    before = record_hash(env.match)

    with pytest.raises(IllegalAnswer, match="player_1 is asked 'vote' and gives no answer"):
        env.step({"player_0": "nobody"})
    with pytest.raises(IllegalAnswer, match="is not one of the options"):
        env.step({"player_0": "nobody", "player_1": "somebody"})
    assert record_hash(env.match) == before
    assert list(env.match.pending()) == ["player_0", "player_1"]


def test_what_is_rendered_is_what_the_asked_seats_read() -> None:
    env = kuhn()
    assert env.render() == env.observe("player_0")["text"]

    parallel = arena.parallel_env("kuhn")
    parallel.reset(seed=7)
    assert parallel.render() == env.render()


def test_a_view_before_its_first_reset_says_so() -> None:
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        _ = arena.raw_env("kuhn").match
    arena.raw_env("kuhn").close()


def test_an_env_has_the_name_and_version_of_its_game() -> None:
    assert str(arena.env("kuhn")) == str(arena.parallel_env("kuhn")) == "kuhn_v1"
    assert arena.env("kuhn").metadata["is_parallelizable"]


def test_a_config_is_passed_on() -> None:
    env = arena.raw_env("kuhn", deal="KQ")
    env.reset(seed=1)

    assert "Your card is K." in env.observe("player_0")["text"]


def test_few_legal_answers_are_listed_and_many_are_not() -> None:
    assert few_legal_answers(Choice("c", ["a", "b"])) == ["a", "b"]
    assert few_legal_answers(Flag("f")) == [False, True]
    assert few_legal_answers(Range("r", 3, 5)) == [3, 4, 5]
    assert few_legal_answers(Range("r", 0, 256)) is None
    assert few_legal_answers(Text("t")) is None


def test_the_small_spaces() -> None:
    text, nothing = TextSpace(), AnswerSpace(lambda: None)

    assert text == TextSpace()
    assert hash(text) == hash(TextSpace())
    assert text.contains("Zürich 🎲")
    assert not text.contains(5)
    assert text.contains(text.sample())
    assert repr(text) == "TextSpace()"
    assert nothing.sample() is None
    assert repr(AnswerSpace(lambda: Flag("f"))).startswith("AnswerSpace(Flag(")
