"""The label recipe `makto-step` on hand-made matches: every label, both variants, the verifier, the resampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from arena.core import Match, UsageError
from arena.games.werewolf.makto.resample import RATES, copies, names_of, rate_of
from arena.games.werewolf.recipes import Played, Row, Sent, rows
from tests.games.werewolf.scripted import names, start, step

NINE = "wolf wolf wolf seer witch guard villager villager villager"
SEVEN = "wolf wolf seer guard villager villager villager"
LONG: dict[str, Any] = {"win": "all_dead", "rounds": 0, "vote_tie": "none"}  # no talk, and no early end

Kept = Mapping[tuple[str, str], list[bool]]


def sent(match: Match, *, trainee: str = "*", status: Callable[[int], str] = lambda turn: "legal") -> Played:
    """The match with a placeholder for what was sent and said."""
    turns = {
        t.turn: Sent(
            [{"role": "user", "content": f"turn {t.turn}"}], f"raw {t.turn}", status(t.turn), trainee in ("*", t.seat)
        )
        for t in match.turns
    }
    return Played("m1", match, turns)


def labels(match: Match, **options: Any) -> dict[tuple[str, str, int | None], list[tuple[bool, str]]]:
    """(seat, ask, night or day) -> its labels with their reasons; not resampled."""
    found: dict[tuple[str, str, int | None], list[tuple[bool, str]]] = {}
    for row in rows([sent(match)], resample=False, **options):
        when = row["night"] if row["night"] is not None else row["day"]
        found.setdefault((row["seat"], row["ask"], when), []).append((row["label"], row["reason"]))
    return found


def night(match: Match, **answers: Any) -> None:
    """One night: each seat's answer where it is asked, the fallback where none is given."""
    while not match.done and not {"vote", "speech"} & set(names(match).values()):
        asked = {seat.replace("player_", "p") for seat in match.pending()}
        step(match, **{p: answers[p] for p in asked if p in answers})


def day(match: Match, **ballots: Any) -> None:
    step(match, **ballots)


# --- the night --------------------------------------------------------------------------------------------------


def test_a_god_killed_from_the_second_night_on_is_good_for_the_wolves_that_picked_it() -> None:
    match = start(NINE, **LONG)
    night(match, p0="player_3", p1="player_3", p2="player_3", p4={"act": "heal"}, p5="none")
    day(match)
    night(match, p0="player_3", p1="player_3", p2="player_6", p5="none")
    found = labels(match)

    assert ("player_0", "wolf_kill", 0) not in found  # night 0 is the first
    assert found["player_0", "wolf_kill", 1] == [(True, "god killed")]
    assert ("player_2", "wolf_kill", 1) not in found


def test_no_kill_is_bad() -> None:
    match = start(NINE, **LONG)
    night(match, p0="none", p1="player_6", p2="player_6", p4={"act": "heal"})

    assert labels(match)["player_0", "wolf_kill", 0] == [(False, "no kill")]


def test_a_check_that_finds_a_wolf_is_good_and_another_is_nothing() -> None:
    match = start(NINE, **LONG)
    night(match, p3="player_0")
    day(match)
    night(match, p3="player_6")
    found = labels(match)

    assert found["player_3", "check", 0] == [(True, "wolf found")]
    assert ("player_3", "check", 1) not in found


def test_a_witch_should_heal_in_night_0_if_somebody_was_attacked() -> None:
    kill = dict.fromkeys(("p0", "p1", "p2"), "player_6")
    healed, let_die, peace = (start(NINE, **LONG) for _ in range(3))
    night(healed, **kill, p4={"act": "heal"})
    night(let_die, **kill, p4={"act": "pass"})
    night(peace, p4={"act": "pass"})

    assert labels(healed)["player_4", "witch", 0] == [(True, "healed in night 0")]
    assert labels(let_die)["player_4", "witch", 0] == [(False, "no heal in night 0")]
    assert ("player_4", "witch", 0) not in labels(peace)
    assert labels(peace, variant="published")["player_4", "witch", 0] == [(False, "no heal in night 0")]


@pytest.mark.parametrize(
    ("target", "label"), [("player_0", (True, "poisoned a wolf")), ("player_6", (False, "poisoned a non-wolf"))]
)
def test_poison_is_judged_by_whom_it_hits(target: str, label: tuple[bool, str]) -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match)
    night(match, p4={"act": "poison", "target": target})

    assert labels(match)["player_4", "witch", 1] == [label]


def test_a_guard_of_nine_protects_nobody_in_night_0_and_of_seven_itself() -> None:
    nine, nine_else = start(NINE, **LONG), start(NINE, **LONG)
    seven, seven_else = start(SEVEN, **LONG), start(SEVEN, **LONG)
    night(nine, p5="none")
    night(nine_else, p5="player_5")
    night(seven, p3="player_3")
    night(seven_else, p3="none")

    assert labels(nine)["player_5", "guard", 0] == [(True, "guard in night 0")]
    assert labels(nine_else)["player_5", "guard", 0] == [(False, "guard in night 0")]
    assert labels(seven)["player_3", "guard", 0] == [(True, "guard in night 0")]
    assert labels(seven_else)["player_3", "guard", 0] == [(False, "guard in night 0")]


def test_where_the_rules_leave_a_guard_no_such_choice_night_0_has_no_label() -> None:
    no_nobody, no_self = start(NINE, guard_none=False, **LONG), start(SEVEN, guard_self=False, **LONG)
    night(no_nobody)
    night(no_self)

    assert ("player_5", "guard", 0) not in labels(no_nobody)
    assert ("player_3", "guard", 0) not in labels(no_self)


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("player_3", [(True, "protected a power")]),
        ("player_4", [(True, "protected a power")]),
        ("player_5", [(True, "protected a power")]),
        ("player_0", [(False, "protected a wolf")]),
        ("player_6", None),
        ("none", None),
    ],
)
def test_later_a_guard_should_protect_seer_witch_or_guard(target: str, label: list[tuple[bool, str]] | None) -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match)
    night(match, p5=target)

    assert labels(match).get(("player_5", "guard", 1)) == label


def test_a_doctor_should_protect_the_victim() -> None:
    match = start("wolf wolf seer doctor villager villager villager", **LONG)
    night(match, p0="player_4", p1="player_4", p3="player_4")
    day(match)
    night(match, p0="player_4", p1="player_4", p3="player_2")
    found = labels(match)

    assert found["player_3", "guard", 0] == [(True, "protected the victim")]
    assert ("player_3", "guard", 1) not in found


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("player_0", [(True, "shot a wolf")]),
        ("player_3", [(False, "shot a power")]),
        ("player_6", None),
        ("none", None),
    ],
)
def test_a_shot_is_judged_by_whom_it_hits(target: str, label: list[tuple[bool, str]] | None) -> None:
    match = start("wolf wolf wolf seer witch hunter villager villager villager", **LONG)
    night(match, p0="player_5", p1="player_5", p2="player_5", p4={"act": "pass"}, p5=target)

    assert labels(match).get(("player_5", "shoot", 1)) == label


# --- votes ------------------------------------------------------------------------------------------------------


def vote_labels(match: Match, ask: str = "vote", **options: Any) -> dict[str, list[tuple[bool, str]]]:
    return {seat: found for (seat, name, _), found in labels(match, **options).items() if name == ask}


def test_a_village_ballot_that_exiles_a_wolf_is_good_and_one_on_a_non_wolf_or_nobody_bad() -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match, p3="player_0", p4="player_0", p5="player_0", p6="player_7", p0="player_6", p8="abstain")
    found = vote_labels(match)

    assert found["player_4"] == [(True, "exiled a wolf")]
    assert found["player_6"] == [(False, "voted a non-wolf; split the vote")]
    assert found["player_8"] == [(False, "abstained; split the vote")]
    assert not {"player_0", "player_1", "player_2"} & set(found)


def test_a_ballot_on_another_wolf_than_the_seer_s_splits_the_vote() -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match, p3="player_0", p4="player_0", p5="player_1", p6="player_1", p7="player_1")
    found = vote_labels(match)

    assert "player_4" not in found  # on the seer's wolf, which was not exiled
    assert "player_5" not in found  # it exiled a wolf and split the vote: both labels, dropped
    both = vote_labels(match, variant="published")["player_5"]
    assert sorted(both) == [(False, "split the vote"), (True, "exiled a wolf")]


def test_a_seer_s_ballot_on_a_non_wolf_splits_nothing_except_in_the_published_scripts() -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match, p3="player_6", p4="player_0", p5="player_0")

    assert vote_labels(match)["player_4"] == [(True, "exiled a wolf")]
    assert (False, "split the vote") in vote_labels(match, variant="published")["player_4"]


def test_without_a_seer_s_ballot_a_wolf_with_three_village_ballots_is_the_village_s() -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match, p3="abstain", p4="player_0", p5="player_0", p6="player_0", p7="player_1")
    found = vote_labels(match)

    assert found["player_4"] == [(True, "exiled a wolf")]
    assert found["player_7"] == [(False, "split the vote")]
    two = start(NINE, **LONG)
    night(two)
    day(two, p3="abstain", p4="player_0", p5="player_0", p7="player_1")
    assert "player_7" not in vote_labels(two)


def run_off(*, speeches: bool = False) -> Match:
    """Day 1: player_0 (wolf) and player_6 tie; in the run-off the village exiles the wolf."""
    match = start(NINE, **{**LONG, "vote_tie": "pk", "rounds": int(speeches)})
    night(match)
    while "speech" in names(match).values():
        step(match)
    day(match, p3="player_0", p4="player_0", p5="player_6", p6="player_1", p1="player_6")
    while "speech_pk" in names(match).values():
        step(match)
    day(match, p3="player_0", p4="player_0", p5="player_6", p1="player_6", p7="player_0")
    return match


def test_on_a_run_off_day_only_the_run_off_has_good_ballots_but_bad_first_ballots_count() -> None:
    match = run_off()
    first, second = vote_labels(match), vote_labels(match, "vote_pk")

    assert "player_3" not in first
    assert first["player_5"] == [(False, "voted a non-wolf; split the vote")]
    assert first["player_6"] == [(False, "split the vote")]
    assert second["player_3"] == second["player_7"] == [(True, "exiled a wolf")]
    assert second["player_5"] == [(False, "voted a non-wolf; split the vote")]
    assert "player_6" not in second


def test_days_without_an_exile_have_no_good_ballots_and_no_speech_labels() -> None:
    match = start(NINE, **{**LONG, "rounds": 1})
    night(match)
    while "speech" in names(match).values():
        step(match)
    day(match, p3="player_0", p4="player_1")
    found = labels(match)

    assert all(not label for f in vote_labels(match).values() for label, _ in f)
    assert not any(ask == "speech" for _, ask, _ in found)


# --- speeches ---------------------------------------------------------------------------------------------------


def spoken(deal: str = NINE, forms: Mapping[str, Any] | None = None, **ballots: str) -> Match:
    """A first day with a speech of each seat and these ballots."""
    match = start(deal, **{**LONG, "rounds": 1})
    night(match)
    while "speech" in names(match).values():
        (seat,) = match.pending()
        match.submit(seat, {"text": "Hello.", **(forms or {}).get(seat, {})})
    day(match, **ballots)
    return match


def speech_labels(match: Match, **options: Any) -> dict[str, list[tuple[bool, str]]]:
    return {seat: found for (seat, ask, _), found in labels(match, **options).items() if ask in ("speech", "speech_pk")}


def test_a_village_speech_without_village_ballots_is_good_and_an_exiled_one_bad() -> None:
    found = speech_labels(spoken(p3="player_6", p4="player_6", p5="player_7", p0="player_8"))

    assert found["player_8"] == [(True, "no village ballot against")]  # only a wolf voted for it
    assert found["player_6"] == [(False, "exiled")]
    assert "player_7" not in found  # one village ballot, and a plain villager


def test_a_wolf_s_speech_is_good_unless_it_is_exiled() -> None:
    found = speech_labels(spoken(p3="player_0", p4="player_0"))

    assert found["player_0"] == [(False, "wolf exiled")]
    assert found["player_1"] == [(True, "wolf not exiled")]


def test_seer_and_witch_may_have_one_village_ballot_against_them() -> None:
    found = speech_labels(spoken(p5="player_3", p6="player_4", p7="player_0", p8="player_0"))

    assert found["player_3"] == [(True, "one village ballot against a power")]
    assert found["player_4"] == [(True, "one village ballot against a power")]


def test_a_seer_with_half_of_the_village_s_ballots_against_it_spoke_badly() -> None:
    match = spoken(p5="player_3", p6="player_3", p7="player_0", p8="player_0", p0="player_0")

    assert speech_labels(match)["player_3"] == [(False, "half of the village against the seer")]
    assert "player_3" not in speech_labels(match, variant="published")  # 2 of all 9 ballots, with abstentions


def test_a_witch_with_wolf_and_village_ballots_against_it_spoke_badly() -> None:
    ballots: dict[str, Any] = {"p0": "player_4", "p5": "player_4", "p6": "player_4", "p7": "player_0", "p8": "player_0"}
    match = spoken(**ballots, p3="player_0", p1="player_0")

    assert speech_labels(match)["player_4"] == [(False, "village and wolves against the witch")]


def test_an_exiled_wolf_is_no_villager_except_in_the_published_scripts() -> None:
    match = spoken(p0="player_0", p1="player_0", p2="player_0")  # the wolves alone exile it

    assert speech_labels(match)["player_0"] == [(False, "wolf exiled")]
    assert sorted(speech_labels(match, variant="published")["player_0"]) == [
        (False, "wolf exiled; exiled"),
        (True, "no village ballot against"),
    ]


def test_on_a_run_off_day_only_its_speeches_have_labels() -> None:
    found = labels(run_off(speeches=True))
    speeches = {(seat, ask) for seat, ask, _ in found if ask.startswith("speech")}

    assert speeches == {("player_0", "speech_pk")}  # player_6 had one village ballot and was not exiled


@pytest.mark.parametrize(("against", "fixed", "published"), [(1, True, None), (2, None, True)])
def test_the_run_off_test_of_a_power_is_inverted_in_the_published_scripts(
    against: int, fixed: bool | None, published: bool | None
) -> None:
    match = start(NINE, **{**LONG, "vote_tie": "pk", "rounds": 1})
    night(match)
    while "speech" in names(match).values():
        step(match)
    day(match, p5="player_3", p6="player_0")
    while "speech_pk" in names(match).values():
        step(match)
    voters = ("p4", "p5")[:against]
    day(match, **dict.fromkeys(voters, "player_3"), **dict.fromkeys(("p6", "p7", "p8", "p1"), "player_0"))

    def good(**options: Any) -> bool | None:
        found = speech_labels(match, **options).get("player_3", [])
        return True if any(label for label, _ in found) else None

    assert good() == fixed
    assert good(variant="published") == published


# --- the verifier -----------------------------------------------------------------------------------------------


def verdict_of(form: Mapping[str, Any], seat: str = "player_8", **options: Any) -> Row:
    """The row of a good speech of this form, by a seat that nobody votes for."""
    match = spoken(forms={seat: form}, p3="player_6", p4="player_6")
    (row,) = [r for r in rows([sent(match)], resample=False, **options) if (r["seat"], r["ask"]) == (seat, "speech")]
    return row


def test_a_good_speech_without_a_contradiction_keeps_its_label() -> None:
    row = verdict_of({"claim": "villager", "suspicion": {"player_0": 80}})

    assert row["label"] is True
    assert row["verdict"] == {"contradiction": False, "overconfident": False, "invalid_inference": False}


@pytest.mark.parametrize(
    "form",
    [
        {"claim": "seer", "reports": [{"night": 0, "target": "player_0", "result": "wolf"}]},  # no result of its own
        {"reports": [{"night": 0, "target": "player_6", "result": "poisoned"}]},  # it lives
    ],
)
def test_a_village_speech_against_its_own_results_or_the_deaths_is_rejected(form: dict[str, Any]) -> None:
    row = verdict_of(form)

    assert row["label"] is False
    assert row["rejected"] is True
    assert row["reason"] == "no village ballot against; rejected by the verifier"


def test_a_wolf_may_report_what_its_pretended_role_would_know() -> None:
    report = {"night": 0, "target": "player_6", "result": "wolf"}
    seer = verdict_of({"claim": "seer", "reports": [report]}, "player_1")
    witch = verdict_of({"claim": "witch", "reports": [report]}, "player_1")
    twice = verdict_of({"claim": "seer", "reports": [report, {**report, "target": "player_7"}]}, "player_1")

    assert seer["label"] is True
    assert witch["label"] is False
    assert twice["label"] is False  # two checks in one night


def test_more_wolves_than_there_are_is_a_contradiction() -> None:
    reports = [{"night": 0, "target": f"player_{i}", "result": "wolf"} for i in range(3, 7)]

    assert verdict_of({"reports": reports}, "player_1")["label"] is False


def test_a_changed_claim_is_a_contradiction_unless_it_is_said_so() -> None:
    for text, label in (("I am the seer.", False), ("I lied: I am the seer.", True)):
        match = start(NINE, **{**LONG, "rounds": 2})
        night(match)
        while "speech" in names(match).values():
            (seat,) = match.pending()
            first = all(e.facts["speaker"] != seat for e in match.events if e.kind == "said")
            form = {"text": "Hm.", "claim": "villager"} if first else {"text": text, "claim": "seer"}
            match.submit(seat, form if seat == "player_1" else {"text": ""})
        day(match, p3="player_6", p4="player_6")
        found = [r for r in rows([sent(match)], resample=False) if (r["seat"], r["ask"]) == ("player_1", "speech")]

        assert [row["label"] for row in found] == [True, label]


def test_an_overconfident_speech_is_rejected_only_if_strict() -> None:
    form = {"suspicion": {"player_0": 100}}

    assert verdict_of(form)["label"] is True
    assert verdict_of(form)["verdict"]["overconfident"] is True
    assert verdict_of(form, strict=True)["label"] is False


def test_a_stored_verdict_of_a_verifier_model_counts_as_the_rule_check_does() -> None:
    turn = verdict_of({})["turn"]

    assert verdict_of({}, verdicts={("m1", turn): (True, False, False)})["label"] is False
    assert verdict_of({}, verdicts={("m1", turn): (False, False, True)})["label"] is True
    assert verdict_of({}, verdicts={("m1", turn): (False, False, True)}, strict=True)["label"] is False


# --- rows -------------------------------------------------------------------------------------------------------


def test_a_row_holds_the_messages_as_sent_and_the_raw_reply() -> None:
    match = start(NINE, **LONG)
    night(match, p3="player_0")
    (row,) = [r for r in rows([sent(match)], resample=False) if r["ask"] == "check"]

    assert row["prompt"] == [{"role": "user", "content": f"turn {row['turn']}"}]
    assert row["completion"] == [{"role": "assistant", "content": f"raw {row['turn']}"}]
    assert (row["id"], row["seat"], row["role"], row["recipe"]) == (
        f"m1:{row['turn']}",
        "player_3",
        "seer",
        "makto-step",
    )


def test_only_the_trainee_s_own_turns_enter() -> None:
    match = spoken(p3="player_0", p4="player_0")

    assert {row["seat"] for row in rows([sent(match, trainee="player_4")], resample=False)} == {"player_4"}


def test_illegal_turns_are_undesirable_and_at_most_a_fifth_of_them() -> None:
    match = spoken(p3="player_6", p4="player_6", p5="player_6", p7="player_6")
    honest = rows([sent(match)], resample=False)
    bad = sum(not row["label"] for row in honest)
    lost = {t.turn for t in match.turns if t.ask.name == "wolf_kill"}
    mixed = rows([sent(match, status=lambda turn: "illegal" if turn in lost else "legal")], resample=False)
    illegal = [row for row in mixed if row["reason"] == "illegal"]
    others = [row for row in mixed if row["reason"] != "illegal" and not row["label"]]

    assert bad == 10  # three wolves that killed nobody, six ballots on a non-wolf or nobody, an exiled speaker
    assert len(others) == 7
    assert len(illegal) == 1  # of three
    assert rows([sent(match, status=lambda turn: "illegal")], resample=False, illegal=False) == []


def test_refused_and_timed_out_turns_give_no_rows() -> None:
    match = spoken(p3="player_0")

    assert rows([sent(match, status=lambda turn: ("refused", "timeout", "truncated")[turn % 3])]) == []


def test_rows_are_a_pure_function_of_their_input() -> None:
    match = spoken(p3="player_0", p4="player_0")

    assert rows([sent(match)], seed=3) == rows([sent(match)], seed=3)


def test_a_match_is_wholly_in_one_part_of_the_split() -> None:
    match = spoken(p3="player_0", p4="player_0")
    played = sent(match)
    parts = [{row["split"] for row in rows([Played(f"m{i}", match, played.turns)], resample=False)} for i in range(200)]

    assert all(len(part) == 1 for part in parts)
    assert 15 <= sum(part == {"valid"} for part in parts) <= 45  # 15 percent


def test_an_unknown_rate_or_variant_is_refused() -> None:
    with pytest.raises(UsageError, match="good_vote"):
        rows([], rates={"good_votes": 1.0})
    with pytest.raises(UsageError, match="published"):
        rows([], variant="new")  # type: ignore[arg-type]


# --- resampling -------------------------------------------------------------------------------------------------

BASE = {
    "id": "m:1",
    "ask": "vote",
    "kind": "villager",
    "label": True,
    "rejected": False,
    "day": 1,
    "night": None,
    "pk": False,
}


@pytest.mark.parametrize(
    ("row", "names_", "rate"),
    [
        ({}, ["good_vote.days_1_2"], 0.4),
        ({"day": 3}, ["good_vote.days_3_4"], 2.0),
        ({"day": 5}, [], 1.0),
        ({"ask": "vote_pk", "pk": True, "day": 5}, ["good_vote.pk"], 2.0),
        ({"label": False}, ["bad_vote.day_1"], 0.5),
        ({"label": False, "day": 2}, ["bad_vote.day_2"], 0.8),
        ({"label": False, "day": 3}, ["bad_vote.later"], 2.0),
        ({"ask": "speech", "label": False, "day": 2}, ["bad_speech.days_1_2"], 0.9),
        ({"ask": "speech", "day": 1}, ["good_speech.villager", "good_speech.day_1"], 0.2),
        ({"ask": "speech", "kind": "wolf", "day": 4}, ["good_speech.wolf", "good_speech.days_3_5"], 1.08),
        ({"ask": "speech", "kind": "seer", "day": 2}, [], 1.0),
        (
            {"ask": "speech_pk", "kind": "seer", "label": False, "rejected": True, "day": 3, "pk": True},
            ["rejected_speech.seer", "rejected_speech.days_3_5", "rejected_speech.pk"],
            18.0,
        ),
        ({"ask": "wolf_kill", "night": 1, "day": None}, ["good_action.wolf_night_1"], 0.5),
        ({"ask": "witch", "night": 2, "day": None}, ["good_action.witch_night_2"], 3.0),
        ({"ask": "check", "night": 3, "day": None}, ["good_action.nights_3_4"], 3.0),
        ({"ask": "guard", "night": 0, "day": None, "label": False}, ["bad_action"], 2.0),
    ],
)
def test_each_row_has_the_published_rates(row: dict[str, Any], names_: list[str], rate: float) -> None:
    assert names_of(BASE | row) == names_
    assert rate_of(BASE | row, RATES) == pytest.approx(rate)


def test_a_rate_is_kept_on_average_and_can_be_overridden() -> None:
    kept = sum(copies(BASE | {"id": f"m:{i}"}, RATES, 0) for i in range(2000))

    assert 700 < kept < 900  # 0.4 of 2,000
    assert copies(BASE, RATES | {"good_vote.days_1_2": 3.0}, 0) == 3


def test_repeated_rows_have_ids_of_their_own() -> None:
    match = spoken(p3="player_6", p4="player_6")
    found = rows([sent(match)], rates={"bad_vote.day_1": 3.0})
    ids = [row["id"] for row in found]

    assert len(set(ids)) == len(ids)
    assert sum(row["ask"] == "vote" and not row["label"] for row in found) % 3 == 0
