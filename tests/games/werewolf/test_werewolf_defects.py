"""Defects seen in other implementations; each has its regression test here."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

import arena
from arena.core import record
from tests.games.werewolf.scripted import ask_of, events, facts, names, random_match, seen, start, step, until


def test_defect_1_a_wolf_keeps_its_night_turn_when_the_wolf_before_it_is_dead() -> None:
    match = start("wolf wolf wolf seer witch guard villager villager villager", rounds=0, vote_tie="none")
    until(match, "vote")
    step(match, p3="player_1")
    asked = []
    while not any(f["night"] == 1 for f in facts(match, "night_resolved")):
        asked += [seat for seat, name in names(match).items() if name == "wolf_kill"]
        step(match)

    assert asked == ["player_0", "player_2"]


def test_defect_1_every_living_wolf_picks_every_night_of_random_matches() -> None:
    for seed in range(200):
        match = random_match(arena.match("werewolf/makto9g", seed=seed, rounds=0), seed)
        alive, picked = set(match.seats), Counter[str]()
        for event in match.events:
            if event.kind == "wolf_pick":
                picked[event.facts["wolf"]] += 1
            elif event.kind == "night_resolved":
                assert picked == Counter(s for s in alive if match.roles[s] == "wolf"), seed
                picked.clear()
                alive -= set(event.facts["dead"])
            elif event.kind in ("exiled", "shot"):
                alive -= {event.facts.get("seat"), event.facts.get("target")}


def test_defect_2_a_saved_victim_stays_in_all_views_and_can_be_voted_for() -> None:
    match = start("wolf seer doctor villager villager villager", rounds=0, vote_tie="none", win="parity")
    step(match, p0="player_3")
    step(match, p2="player_3")
    asked = until(match, "vote")

    assert facts(match, "dawn")[0]["dead"] == []
    for seat in match.seats:
        assert "player_3" in seen(match, seat, "dawn")[0]["alive"]
        assert "player_3" in asked[seat].options  # type: ignore[operator]


def test_defect_2_a_seer_with_nobody_left_to_check_is_not_asked() -> None:
    match = start("wolf seer villager villager", rounds=0, vote_tie="none", win="parity")
    for _ in range(4):  # nobody is killed or exiled: after three nights all others are checked
        until(match, "vote")
        step(match)
    until(match, "vote")

    assert [turn.ask.name for turn in match.turns].count("check") == 3
    assert not match.done


@pytest.mark.parametrize("compat", [False, True])
def test_defect_3_a_kill_is_resolved_when_doctor_and_detective_are_dead(compat: bool) -> None:
    deal = "mafia doctor detective villager villager villager villager"
    match = start(deal, rounds=0, win="parity", vote_tie="none", wolf_abstain=False, compat_no_kill=compat)
    step(match, p0="player_1")
    step(match, p2="player_0")
    until(match, "vote")
    step(match, p3="player_2")
    step(match, p0="player_5")
    resolved = facts(match, "night_resolved")[1]

    assert resolved["target"] == "player_5"
    assert resolved["dead"] == ([] if compat else ["player_5"])


def test_defect_3_matches_that_replay_the_defect_are_marked_unrated() -> None:
    old = random_match(arena.match("werewolf/mafia6", seed=1, compat_no_kill=True))
    new = random_match(arena.match("werewolf/mafia6", seed=1))

    assert old.outcome["unrated"] is True
    assert "unrated" not in new.outcome


def test_defect_3_a_seed_leaves_the_process_global_chance_alone() -> None:
    random.seed(5)
    before = random.getstate()
    alone = record(random_match(arena.match("werewolf/mafia9", seed=3)))["record_hash"]
    first, second = arena.match("werewolf/mafia9", seed=3), arena.match("werewolf/mafia9", seed=4)
    random_match(second)
    random_match(first)

    assert random.getstate() == before
    assert record(first)["record_hash"] == alone


def test_defect_4_a_heal_is_for_the_victim_only_and_never_kills_a_guarded_seat() -> None:
    deal = "wolf seer witch guard villager villager villager"
    quiet: dict[str, Any] = {"rounds": 0, "vote_tie": "none"}
    match = start(deal, **quiet)
    step(match, p0="none")
    step(match, p3="player_4")

    assert "heal" not in ask_of(match, "player_2").fields[0].options  # nobody was attacked: nothing to heal
    step(match, p2={"act": "pass"})
    assert facts(match, "night_resolved")[0]["dead"] == []
    other = start(deal, **quiet)
    step(other, p0="player_5")
    step(other, p3="player_4")
    step(other, p2={"act": "heal"})
    assert facts(other, "night_resolved")[0]["dead"] == []


def test_defect_4_each_seat_speaks_first_equally_often() -> None:
    matches, deal = 2000, "wolf seer villager villager villager"
    firsts = Counter(
        facts(start(deal, seed=seed, first_night_kill=False, first_night_seer=False), "order")[0]["seats"][0]
        for seed in range(matches)
    )

    assert set(firsts) == {f"player_{i}" for i in range(5)}
    for seat, times in firsts.items():
        assert abs(times - matches / 5) < 4 * (matches * 0.2 * 0.8) ** 0.5, seat


SENTENCES = {
    "parity": "as soon as at least as many wolf players live as other players",
    "side_kill": "as soon as all villagers are dead, or all players with a special village role",
    "all_dead": "when all other players are dead",
}


@pytest.mark.parametrize("win", SENTENCES)
def test_defect_5_the_rules_that_a_seat_reads_are_those_that_are_played(win: str) -> None:
    match = arena.match("werewolf/makto9g", seed=1, win=win)
    text = match.view("player_0").messages()[0]["content"]

    assert [name for name, sentence in SENTENCES.items() if sentence in text] == [win]


def test_defect_5_a_fork_with_another_win_rule_has_another_rules_text() -> None:
    match = start("wolf wolf seer villager villager villager", rounds=0, vote_tie="none")
    until(match, "vote")
    kept = record(match)
    fork = arena.fork(kept | {"config": kept["config"] | {"win": "parity"}}, 2)
    before = match.view("player_0").messages()[0]["content"]
    after = fork.view("player_0").messages()[0]["content"]

    assert SENTENCES["side_kill"] in before
    assert SENTENCES["parity"] in after
    assert SENTENCES["side_kill"] not in after
    assert events(fork, "setup")[0].facts["rules"]["win"] == "parity"
