"""An Avalon match at the table: who is asked, who is told what, how it ends and what is paid."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.core import Event, IllegalAnswer, Match, stream
from arena.games.avalon.config import AvalonConfig
from arena.games.avalon.game import Avalon
from tests.games.avalon.tables import FIVE, asked, facts, new, play, seats, team

PRESETS = sorted(Avalon.presets)


# --- what everybody and what one seat is told -----------------------------------------------------------------------


def test_the_set_up_tells_all_what_is_public_and_each_its_own() -> None:
    match = new()

    assert match.events[:9] == [
        Event(
            "*",
            "setup",
            {
                "n": 5,
                "leader0": "player_0",
                "roles": {"merlin": 1, "servant": 2, "assassin": 1, "minion": 1},
                "sizes": [2, 3, 2, 3, 3],
                "fails": [1, 1, 1, 1, 1],
            },
        ),
        Event(("player_0",), "role", {"seat": "player_0", "role": "merlin", "side": "good"}),
        Event(("player_0",), "sight", {"seen": ["player_3", "player_4"], "label": "evil"}),
        Event(("player_1",), "role", {"seat": "player_1", "role": "servant", "side": "good"}),
        Event(("player_2",), "role", {"seat": "player_2", "role": "servant", "side": "good"}),
        Event(("player_3",), "role", {"seat": "player_3", "role": "assassin", "side": "evil"}),
        Event(("player_3",), "sight", {"seen": ["player_4"], "label": "evil"}),
        Event(("player_4",), "role", {"seat": "player_4", "role": "minion", "side": "evil"}),
        Event(("player_4",), "sight", {"seen": ["player_3"], "label": "evil"}),
    ]
    assert match.events[9].facts == {"quest": 1, "proposal": 1, "leader": "player_0", "rejections": 0}


def test_each_role_reads_what_it_must_know_before_its_first_answer() -> None:
    deal = ["merlin", "percival", *["servant"] * 4, "assassin", "morgana", "mordred", "oberon"]
    match = new("full10", deal, talk_rounds=0)
    play(match, until="team_vote")
    wanted = {
        0: "You see that player_6 and player_7 and player_9 are evil.",
        1: "You see player_0 and player_7: one of them is merlin, the other is morgana.",
        2: "",
        6: "You see that player_7 and player_8 are evil.",
        7: "You see that player_6 and player_8 are evil.",
        8: "You see that player_6 and player_7 are evil.",
        9: "",
    }
    for number, sees in wanted.items():
        rules, first = match.view(f"player_{number}").messages()[:2]

        assert f"Your role: {deal[number]}." in first["content"]
        assert sees in first["content"] if sees else "You see" not in first["content"]
        assert "1 merlin, 1 percival, 4 servant, 1 assassin, 1 morgana, 1 mordred, 1 oberon." in rules["content"]
        assert "except in quest 4, which fails only with two fail cards" in rules["content"]


# --- proposals and votes --------------------------------------------------------------------------------------------


def test_leadership_moves_clockwise_after_every_proposal_approved_or_not() -> None:
    votes = iter(["reject"] * 5 + ["approve"] * 5 + ["reject"] * 5 * 2 + ["approve"] * 100)
    match = play(new(), team_vote=lambda m, s: next(votes))

    assert [f["leader"][-1] for f in facts(match, "leader")] == ["0", "1", "2", "3", "4", "0"]
    assert [(f["quest"], f["proposal"], f["rejections"]) for f in facts(match, "leader")] == [
        (1, 1, 0),
        (1, 2, 1),
        (2, 1, 0),
        (2, 2, 1),
        (2, 3, 2),
        (3, 1, 0),
    ]
    assert asked(match, "propose") == [f["leader"] for f in facts(match, "leader")]


def test_all_votes_become_public_together_and_a_strict_majority_approves() -> None:
    votes = dict(zip(seats(0, 1, 2, 3, 4), ["approve", "reject", "approve", "reject", "approve"], strict=True))
    match = play(new(), until="team_vote")
    for seat, vote in list(votes.items())[:4]:
        match.submit(seat, vote)

    assert not facts(match, "ballots")
    match.submit("player_4", "approve")
    assert facts(match, "ballots") == [{"votes": votes}]
    assert facts(match, "approved") == [{"quest": 1, "proposal": 1, "team": seats(0, 1), "approvals": 3}]


def test_half_of_the_votes_reject_a_team() -> None:
    deal = ["merlin", "servant", "servant", "servant", "assassin", "minion"]
    match = play(new("p6", deal, talk_rounds=0), team_vote=lambda m, s: "approve" if s < "player_3" else "reject")

    assert [f["approvals"] for f in facts(match, "rejected")] == [3] * 5
    assert match.outcome == {"winner_team": "evil", "end_reason": "five_rejections"}


def test_a_fifth_rejection_ends_the_match_for_evil() -> None:
    match = play(new("p5", talk_rounds=0), team_vote="reject")

    assert [f["rejections"] for f in facts(match, "leader")] == [0, 1, 2, 3, 4]
    assert match.payoffs == {"player_0": 0, "player_1": 0, "player_2": 0, "player_3": 1, "player_4": 1}
    assert match.outcome["end_reason"] == "five_rejections"
    assert not asked(match, "quest")


def test_with_auto_pass_the_fifth_team_goes_whatever_the_votes_and_the_counter_resets() -> None:
    match = play(new(), team_vote="reject", propose=team(3, 0, 4))

    assert len(facts(match, "leader")) == 15  # three quests, all failed
    assert [f["proposal"] for f in facts(match, "auto_passed")] == [5, 5, 5]
    assert all(set(f["votes"].values()) == {"reject"} for f in facts(match, "ballots"))  # voted on, recorded
    assert len(facts(match, "ballots")) == 15
    assert [f["rejections"] for f in facts(match, "leader")] == [0, 1, 2, 3, 4] * 3
    assert match.outcome["end_reason"] == "three_fails"


def test_there_are_at_most_25_proposals() -> None:
    score = iter(["fail", "success"] * 20)
    match = play(new(), team_vote="reject", propose=team(3, 0, 1), quest=lambda m, s: next(score))

    assert len(facts(match, "proposed")) == 25
    assert match.done


# --- quests ---------------------------------------------------------------------------------------------------------


def test_good_members_are_not_asked_for_a_card() -> None:
    match = play(new(), propose=team(0, 3, 1))

    assert asked(match, "quest") == ["player_3"] * 3
    assert facts(match, "cards")[0] == {
        "quest": 1,
        "cards": {"player_0": "success", "player_3": "fail"},
        "forced": ["player_0"],
    }


def test_only_the_number_of_fails_is_public() -> None:
    match = play(new(), propose=team(3, 4, 0), quest=lambda m, s: "fail" if s == "player_4" else "success")

    assert facts(match, "quest_result")[0] == {
        "quest": 1,
        "team": seats(3, 4),
        "fails": 1,
        "needed": 1,
        "success": False,
        "score": {"good": 0, "evil": 1},
    }
    assert all(event.audience == "-" for event in match.events if event.kind == "cards")


def test_a_good_member_and_an_outsider_see_the_same() -> None:
    match = play(new(), until="quest", propose=team(1, 3, 0))
    before = len(match.view("player_1").events), len(match.view("player_2").events)
    match.submit("player_3", "success")

    told = [match.view(s).events[n:] for s, n in zip(seats(1, 2), before, strict=True)]
    assert [e.kind for e in told[0]] == ["quest_result", "leader"]
    assert told[0] == told[1]


def test_each_card_is_asked_once_and_that_answer_counts() -> None:
    """A known runner asks twice and plays the second answer."""
    match = play(new(), until="quest", propose=team(3, 4, 0))
    match.submit("player_3", "fail")

    assert list(match.pending()) == ["player_4"]
    with pytest.raises(IllegalAnswer, match="not asked anything now"):
        match.submit("player_3", "success")
    match.submit("player_4", "success")
    assert facts(match, "cards")[0]["cards"] == {"player_3": "fail", "player_4": "success"}
    assert asked(match, "quest") == seats(3, 4)


@pytest.mark.parametrize(("players", "survives"), [(5, False), (6, False), (7, True), (8, True), (9, True), (10, True)])
def test_one_fail_on_quest_four_is_shown_but_not_enough_from_seven_seats_on(players: int, survives: bool) -> None:
    """Quests 1 and 3 are spoilt by one fail, 2 succeeds, 4 gets one fail."""
    cards = AvalonConfig.make({"players": players}).role_list()
    evil = cards.index("assassin")
    members = [evil, *(i for i in range(players) if i not in range(evil, players))]

    def card(match: Match, seat: str) -> str:
        return "success" if facts(match, "leader")[-1]["quest"] == 2 else "fail"

    match = new(f"p{players}", cards, talk_rounds=0)
    play(match, propose=team(*members), quest=card)

    results = facts(match, "quest_result")
    assert [r["fails"] for r in results[:4]] == [1, 0, 1, 1]
    assert [r["needed"] for r in results[:4]] == [1, 1, 1, 2 if survives else 1]
    assert results[3]["success"] is survives
    assert len(results) == (5 if survives else 4)
    if survives:
        read = "".join(m["content"] for m in match.view(f"player_{players - 1}").messages())
        assert "succeeds: 1 fail card. Score: 2 successes, 2 failures." in read


# --- assassination --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "winner", "reason"), [(0, "evil", "merlin_found"), (1, "good", "merlin_hidden")])
def test_the_assassin_decides_after_three_successes(target: int, winner: str, reason: str) -> None:
    match = play(new(), propose=team(0, 1, 2), assassinate=f"player_{target}")

    assert asked(match, "assassinate") == ["player_3"]
    hit = {"assassin": "player_3", "target": f"player_{target}", "hit": target == 0}
    assert facts(match, "assassinated") == [hit]
    assert facts(match, "over") == [
        {"winner": winner, "reason": reason, "roles": dict(zip(seats(0, 1, 2, 3, 4), FIVE, strict=True))}
    ]
    assert match.payoffs == {s: float((i < 3) == (winner == "good")) for i, s in enumerate(match.seats)}


def test_the_assassin_cannot_name_known_evil_or_itself() -> None:
    match = play(new(), until="assassinate", propose=team(0, 1, 2))

    assert match.pending()["player_3"].options == tuple(seats(0, 1, 2))
    for target in seats(3, 4):
        with pytest.raises(IllegalAnswer):
            match.submit("player_3", target)


def test_the_assassin_may_name_an_oberon_that_it_does_not_see() -> None:
    deal = ["merlin", "percival", "servant", "servant", "assassin", "morgana", "oberon"]
    match = play(new("full7", deal, talk_rounds=0), until="assassinate", propose=team(0, 1, 2, 3))

    assert match.pending()["player_4"].options == tuple(seats(0, 1, 2, 3, 6))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(PRESETS))
def test_the_assassin_is_asked_only_after_three_successes(seed: int, preset: str) -> None:
    match, rng = arena.match(f"avalon/{preset}", seed=seed, talk_rounds=0), stream(seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            if ask.name == "assassinate":
                assert facts(match, "quest_result")[-1]["score"]["good"] == 3
                assert match.roles[seat] == "assassin"
                assert not {"assassin", "minion"} & {match.roles[s] for s in ask.options or ()}
            match.submit(seat, ask.sample(rng))
    assert len(facts(match, "proposed")) <= 25
    assert len(facts(match, "over")) == 1


def test_without_merlin_three_successes_win_at_once() -> None:
    match = play(new("resist5", ["servant", "servant", "servant", "minion", "minion"]), propose=team(0, 1, 2))

    assert match.outcome == {"winner_team": "good", "end_reason": "three_successes"}
    assert not asked(match, "assassinate")
    assert "ssassin" not in match.view("player_0").messages()[0]["content"]


def test_evil_that_knows_each_other_talks_before_the_strike_and_nobody_else_hears() -> None:
    deal = ["merlin", "percival", "servant", "servant", "assassin", "morgana", "oberon"]
    match = new("full7", deal, talk_rounds=0, evil_talk=True)
    play(match, propose=team(0, 1, 2, 3), evil_talk=lambda m, s: f"{s} thinks")

    assert asked(match, "evil_talk") == seats(4, 5)
    talk = [e for e in match.events if e.kind == "said"]
    assert [e.audience for e in talk] == [("player_4", "player_5")] * 2
    assert talk[1].facts == {"speaker": "player_5", "text": "player_5 thinks", "among": "evil"}
    assert "player_4 says in secret to the evil players:\n| player_4 thinks" in str(
        match.view("player_5").messages()[-3]["content"]
    )


def test_a_lone_knowing_evil_does_not_talk_to_itself() -> None:
    deal = ["merlin", "servant", "servant", "assassin", "oberon"]
    match = play(new("p5", deal, talk_rounds=0, evil_talk=True, oberon=True), propose=team(0, 1, 2))

    assert not asked(match, "evil_talk")
    assert "You see no other evil player." in match.view("player_3").messages()[1]["content"]
