"""The rows of `makto-step`: the verifier, what a row holds, which turns give one, the resampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from arena.core import UsageError
from arena.games.werewolf.makto.resample import RATES, copies, names_of, rate_of
from arena.games.werewolf.recipes import Played, Row, rows
from tests.games.werewolf.labelled import (
    LONG,
    NINE,
    day,
    night,
    sent,
    spoken,
)
from tests.games.werewolf.scripted import names, start

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
