"""The record: its hash chain byte for byte, replay, and forks with common and fresh chance."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

import arena
from arena.core import IllegalAnswer, Match, ReplayMismatch, UsageError, record, record_hash, replay
from arena.core.canonical import canonical
from arena.core.record import header, items
from tests.core.games import Whispers, played, throws


def chain(*lines: str) -> str:
    """h0 = SHA-256("parley-1" + header), then h = SHA-256(h + item)."""
    value = sha256(("parley-1" + lines[0]).encode()).hexdigest()
    for line in lines[1:]:
        value = sha256((value + line).encode()).hexdigest()
    return value


ASK = "5757d2281ae732022ccbd773f3398d50"
HEAD = '{"config":{"mark":null,"rounds":1},"deal_seed":9,"game":"throws-v1","seats":["player_0","player_1"],"seed":7}'
NOISE = '{"audience":"-","facts":{"deal":%d,"other":%d},"kind":"noise","seq":0}'
FIRST = f'{{"answer":"rock","ask_hash":"{ASK}","fallback":false,"seat":"player_0","t":0}}'
SECOND = f'{{"answer":"rock","ask_hash":"{ASK}","fallback":true,"seat":"player_1","t":1}}'
ROUND = '{"audience":"*","facts":{"number":0,"throws":{"player_0":"rock","player_1":"rock"}},"kind":"round","seq":1}'
PAYOFFS = '{"payoffs":{"player_0":0.0,"player_1":0.0}}'


def one_round() -> Match:
    match = throws(7, 9, rounds=1)
    match.submit("player_0", "rock")
    match.submit_fallback("player_1")
    return match


def noise_of(match: Match) -> str:
    facts = match.events[0].facts
    return NOISE % (facts["deal"], facts["other"])


def test_the_hash_chain_is_the_documented_one() -> None:
    match = one_round()

    assert canonical(header(match)) == HEAD
    assert [canonical(item) for item in items(match)] == [noise_of(match), FIRST, SECOND, ROUND, PAYOFFS]
    assert record_hash(match) == chain(HEAD, noise_of(match), FIRST, SECOND, ROUND, PAYOFFS)


def test_a_frozen_record_hash() -> None:
    assert record_hash(one_round()) == "66ed5fed4ee64fb34bde8e584870039ea5594a713b344e256d11799c8661b663"


def test_the_chain_can_be_read_at_any_moment() -> None:
    match = throws(7, 9, rounds=1)
    assert record_hash(match) == chain(HEAD, noise_of(match))

    match.submit("player_0", "rock")
    assert record_hash(match) == chain(HEAD, noise_of(match))


def test_a_forfeit_is_part_of_the_record() -> None:
    match = throws(7, 9, rounds=1)
    match.forfeit("player_1")

    last = '{"forfeit":"player_1","payoffs":{"player_0":1.0,"player_1":-1.0}}'
    assert record_hash(match) == chain(HEAD, noise_of(match), last)


def test_audiences_stand_in_the_chain_as_seat_numbers() -> None:
    match = Match(Whispers(), 1)
    match.submit("player_0", "psst")

    audiences = [item["audience"] for item in items(match) if "audience" in item]
    assert audiences == ["0,1", "2", "-"]


def test_a_record_is_json_and_holds_what_replay_needs() -> None:
    whole = record(one_round())

    assert json.loads(canonical(whole)) == whole
    assert set(whole) == {
        "game",
        "config",
        "deal_seed",
        "seed",
        "seats",
        "preset",
        "turns",
        "payoffs",
        "forfeit",
        "record_hash",
    }
    assert whole["turns"][1] == {
        "turn": 1,
        "batch": 0,
        "seat": "player_1",
        "ask_hash": ASK,
        "answer": "rock",
        "fallback": True,
    }


def test_recorded_answers_give_the_match_again() -> None:
    match = one_round()
    again = throws(7, 9, rounds=1)
    replay(again, record(match)["turns"])

    assert record_hash(again) == record_hash(match)
    assert again.payoffs == match.payoffs


def test_a_prefix_leaves_the_match_at_its_open_asks() -> None:
    turns = record(one_round())["turns"]
    again = throws(7, 9, rounds=1)
    replay(again, turns[:1])

    assert list(again.pending()) == ["player_1"]


def test_a_recorded_forfeit_is_replayed() -> None:
    again = throws(7, 9)
    replay(again, [], forfeit="player_0")

    assert again.payoffs == {"player_0": -1.0, "player_1": 1.0}


@pytest.mark.parametrize("change", [{"ask_hash": "0" * 32}, {"seat": "player_0"}, {"seat": "player_7"}])
def test_a_record_of_a_changed_game_does_not_replay(change: dict[str, Any]) -> None:
    turns = record(one_round())["turns"]
    turns[1] = turns[1] | change

    with pytest.raises(ReplayMismatch, match="throws-v1, turn 1: "):
        replay(throws(7, 9, rounds=1), turns)


def test_an_edited_answer_that_is_illegal_does_not_replay() -> None:
    turns = record(one_round())["turns"]
    turns[0] = turns[0] | {"answer": "lizard"}

    with pytest.raises((ReplayMismatch, IllegalAnswer)):
        replay(throws(7, 9, rounds=1), turns)


# --- forks ---------------------------------------------------------------------------------------------------------


def noises(match: Match) -> list[tuple[int, int]]:
    return [(e.facts["deal"], e.facts["other"]) for e in match.events if e.kind == "noise"]


def fork_of(turn: int, branch: int) -> Match:
    match = throws(7, rounds=4, chance=(turn, branch))
    while not match.done:
        match.submit("player_0", "rock")
        match.submit("player_1", "rock")
    return match


def test_fresh_chance_begins_with_the_batch_of_the_fork() -> None:
    plain = noises(played(throws(7, rounds=4)))

    for turn in (2, 3):  # both turns of the second batch
        forked = noises(fork_of(turn, 0))
        assert forked[:2] == plain[:2]
        assert all(a != b for a, b in zip(forked[2:], plain[2:], strict=True))


def test_branches_have_chance_of_their_own() -> None:
    first, second, again = (noises(fork_of(2, branch)) for branch in (0, 1, 0))

    assert first == again
    assert first[:2] == second[:2]
    assert first[2:] != second[2:]


def test_a_fresh_fork_names_itself_in_its_header() -> None:
    assert header(fork_of(2, 1))["fork_turn"] == 2
    assert header(fork_of(2, 1))["branch"] == 1
    assert record_hash(fork_of(2, 1)) != record_hash(fork_of(2, 0))


def kuhn(seed: int, *moves: str) -> Match:
    match = arena.match("kuhn", seed=seed)
    for move in moves:
        match.submit(next(iter(match.pending())), move)
    return match


def test_a_match_is_replayed_from_its_record() -> None:
    match = kuhn(3, "check", "bet", "call")
    again = arena.match(record=json.loads(canonical(record(match))))

    assert record_hash(again) == record_hash(match)
    assert again.payoffs == match.payoffs
    assert again.preset == "default"


def test_an_unfinished_record_is_played_on() -> None:
    again = arena.match(record=record(kuhn(3, "check", "bet")))

    assert list(again.pending()) == ["player_0"]
    assert not again.done


def test_a_record_with_other_payoffs_is_refused() -> None:
    whole = record(kuhn(3, "bet", "fold")) | {"payoffs": {"player_0": 2.0, "player_1": -2.0}}

    with pytest.raises(ReplayMismatch, match="the record pays"):
        arena.match(record=whole)


def test_a_record_of_another_version_is_refused() -> None:
    whole = record(kuhn(3, "bet", "fold"))

    with pytest.raises((ReplayMismatch, UsageError), match="kuhn-v7"):
        arena.match("kuhn", record=whole | {"game": "kuhn-v7"})


def test_a_fork_asks_the_chosen_turn_again() -> None:
    match = kuhn(3, "check", "bet", "call")
    branch = arena.fork(record(match), 1)

    assert list(branch.pending()) == ["player_1"]
    branch.submit("player_1", "check")
    assert branch.done
    assert [t.answer for t in branch.turns] == ["check", "check"]


@pytest.mark.parametrize("at", [-1, 3])
def test_a_fork_needs_a_turn_of_the_match(at: int) -> None:
    with pytest.raises(UsageError, match="it has turns 0 to 2"):
        arena.fork(record(kuhn(3, "check", "bet", "call")), at)


def test_a_fork_with_fresh_chance_replays_from_its_own_record() -> None:
    branch = arena.fork(record(kuhn(3, "check", "bet", "call")), 1, chance=(1, 4))
    branch.submit("player_1", "check")
    again = arena.match(record=record(branch))

    assert record_hash(again) == record_hash(branch)
    assert header(again)["branch"] == 4


def test_the_fork_of_a_fork_keeps_the_chance_of_its_parent() -> None:
    branch = arena.fork(record(kuhn(3, "check", "bet", "call")), 1, chance=(1, 4))
    branch.submit("player_1", "check")
    second = arena.fork(record(branch), 1)
    second.submit("player_1", "check")

    assert record_hash(second) == record_hash(branch)


def test_a_match_needs_a_name_or_a_record() -> None:
    with pytest.raises(UsageError, match="needs the name of a game"):
        arena.match()


def test_one_seed_sets_both_and_a_second_only_the_deal() -> None:
    both, apart = arena.match("kuhn", seed=3), arena.match("kuhn", seed=3, deal_seed=4)

    assert (both.seed, both.deal_seed) == (3, 3)
    assert (apart.seed, apart.deal_seed) == (3, 4)
    assert arena.match("kuhn").seed != arena.match("kuhn").seed
