"""What players and readers are told of a tie: who is tied, what follows, and that a lot was drawn."""

from __future__ import annotations

from typing import Any

import pytest

import arena
from arena.core import Match
from arena.run.transcript import transcript
from tests.games.werewolf.scripted import SEVEN, at_vote, facts, names, start, step, until

LOT = "drawn by lot"


def read(match: Match, seat: str, *, rules: bool = False) -> str:
    """What the seat has read so far, without the rules unless they are wanted."""
    system, *rest = match.view(seat).messages()
    return "\n".join(m["content"] for m in ([system] if rules else rest))


def watched(match: Match) -> list[str]:
    return list(transcript(match, view="omniscient"))


def exiled(match: Match) -> str:
    return str(facts(match, "exiled")[-1]["seat"])


# --- the day's vote ---------------------------------------------------------------------------------------------


def test_an_exile_by_lot_is_told_as_one() -> None:
    match = at_vote(vote_tie="random")
    step(match, p2="player_0", p3="player_5")
    line = f"{exiled(match)} is drawn by lot from the tied and exiled on day 1."
    you = "You are drawn by lot from the tied and exiled on day 1."

    assert line in watched(match)
    assert line in read(match, "player_1")
    assert you in read(match, exiled(match))


def test_an_exile_by_votes_is_not_told_as_a_lot() -> None:
    match = at_vote(vote_tie="random")
    step(match, p2="player_5", p3="player_5", p4="player_0")

    assert LOT not in "\n".join(watched(match))
    assert "player_5 is exiled on day 1." in watched(match)


def test_a_second_tie_is_announced_as_a_lot_before_it_is_drawn() -> None:
    match = at_vote(vote_tie="revote")
    step(match, p2="player_0", p3="player_5")
    warned = "A tie between player_0, player_5. All vote once more; on a second tie one of the tied is drawn by lot."

    assert warned in read(match, "player_1")
    step(match, p2="player_0", p3="player_5")
    assert f"{exiled(match)} is drawn by lot from the tied and exiled on day 1." in watched(match)


def test_a_revote_that_decides_is_no_lot_though_the_first_vote_was_tied() -> None:
    match = at_vote(vote_tie="revote")
    step(match, p2="player_0", p3="player_5")
    step(match, p2="player_5", p3="player_5")

    assert "player_5 is exiled on day 1." in watched(match)


def test_a_lot_of_yesterday_says_nothing_of_today() -> None:
    match = at_vote("wolf seer villager villager villager villager villager villager villager", vote_tie="random")
    step(match, p2="player_3", p3="player_4")
    until(match, "vote")
    alive = [seat for seat in match.pending() if seat != "player_0"]
    step(match, p0=alive[-1])

    told = [line for line in watched(match) if " exiled on day " in line]
    assert [LOT in line for line in told] == [True, False]


def test_secret_ballots_keep_their_tie() -> None:
    match = at_vote(vote_tie="random", vote_mode="secret")
    step(match, p2="player_0", p3="player_5")

    assert f"{exiled(match)} is exiled on day 1." in watched(match)


# --- the wolves' choice -----------------------------------------------------------------------------------------

PACK = "mafia mafia doctor villager villager villager"
FOUR: dict[str, Any] = {"win": "parity", "wolf_abstain": True}


@pytest.mark.parametrize("rule", [{"wolf_tie": "random"}, {"wolf_decision": "revote"}])
def test_wolves_are_told_that_their_tie_was_broken_by_lot(rule: dict[str, Any]) -> None:
    match = start(PACK, **FOUR, **rule)
    while "wolf_kill" in names(match).values():
        picks = {"player_0": "player_3", "player_1": "player_4"}
        for seat in list(match.pending()):
            match.submit(seat, picks[seat])
    until(match, "speech")
    target = facts(match, "wolf_decision")[0]["target"]
    line = f"Night 0: the mafia attack {target}, drawn by lot from the tied."

    assert f"[player_0, player_1] {line}" in watched(match)
    until(match, "vote")
    alive = [seat for seat in ("player_0", "player_1") if seat in match.pending()]
    assert all(line in read(match, seat) for seat in alive)
    assert LOT not in read(match, "player_5")


def test_wolves_who_named_nobody_are_told_that_a_victim_was_drawn() -> None:
    match = start(PACK, **FOUR, wolf_decision="revote")
    step(match)
    until(match, "speech")
    target = facts(match, "wolf_decision")[0]["target"]

    line = f"[player_0, player_1] Night 0: the mafia attack {target}, drawn by lot because nobody was named."
    assert line in watched(match)


@pytest.mark.parametrize("rule", [{"wolf_tie": "last"}, {"wolf_tie": "none"}, {"wolf_tie": "random"}])
def test_no_lot_is_told_where_none_was_drawn(rule: dict[str, Any]) -> None:
    """One pick alone, or a tie that the rules decide."""
    match = start(PACK, **FOUR, **rule)
    tied = rule["wolf_tie"] != "random"
    step(match, p0="player_3" if tied else "none")
    step(match, p1="player_4")
    until(match, "speech")

    assert LOT not in "\n".join(watched(match))


def test_a_second_round_that_agrees_is_no_lot() -> None:
    match = start(PACK, **FOUR, wolf_decision="revote")
    step(match, p0="player_3", p1="player_4")
    step(match, p0="player_4", p1="player_4")

    assert "[player_0, player_1] Night 0: the mafia attack player_4." in watched(match)


# --- the rules text ---------------------------------------------------------------------------------------------


def test_the_text_of_a_run_off_says_who_votes_in_it_in_every_case() -> None:
    text = read(start(SEVEN, vote_tie="pk"), "player_0", rules=True)
    silent = read(start(SEVEN, vote_tie="pk", rounds=0), "player_0", rules=True)
    rest = "the others vote among them (all players do if all living players are tied); on a second tie nobody is out."

    assert f"On a tie the tied players speak again, then {rest}" in text
    assert f"On a tie {rest}" in silent


def test_those_who_vote_in_a_run_off_are_those_of_the_text() -> None:
    some, all_tied = at_vote(vote_tie="pk"), at_vote(vote_tie="pk")
    step(some, p0="player_3", p1="player_4")
    step(all_tied, **{f"p{i}": f"player_{i}" for i in range(7)})

    assert sorted(some.pending()) == ["player_0", "player_1", "player_2", "player_5", "player_6"]
    assert sorted(all_tied.pending()) == [f"player_{i}" for i in range(7)]
    for match in (some, all_tied):
        tied = ", ".join(facts(match, "pk")[0]["seats"])
        assert f"A tie between {tied}: there will be a second vote, only among them." in read(match, "player_0")


def test_the_text_of_a_night_without_a_kill_says_who_does_not_act_in_it() -> None:
    deal = "wolf wolf guard witch villager villager"
    text = read(start(deal, first_night_kill=False, wolf_decision="revote", win="parity"), "player_0", rules=True)

    assert "The wolves kill nobody in night 0." in text  # the witch may
    assert "It may not protect the same player two nights in a row. Not in night 0." in text
    assert "a tie is voted once more, a second tie is drawn by lot, and a victim where nobody was named." in text


def test_the_rules_of_bidding_say_how_equal_bids_are_decided() -> None:
    match = arena.match("werewolf/arena8", seed=1)

    assert "Of equal bids one is drawn by lot" in read(match, "player_0", rules=True)
