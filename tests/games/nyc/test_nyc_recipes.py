"""Section 11 and 12.8: the label recipe, one hand-made record for every rule."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arena
from arena.core import Match, UsageError
from arena.games.nyc.ledger import Move, Tip, read
from arena.games.nyc.recipes import (
    Call,
    Played,
    Row,
    balance,
    label_blue_tip,
    label_move,
    label_red_tip,
    rows,
)
from arena.games.nyc.scripted import scripted


def move(regret: int | None = 0, **told: Any) -> Move:
    values: dict[str, Any] = {"seat": "player_0", "turn": 3, "round": 1, "place": 0, "to": 1, "minutes": 3}
    return Move(**values | {"boards": 0, "left": 20, "regret": regret} | told)


def tipped(colour: str, regret: int, tip_regret: int, followed: bool) -> Move:
    """A move after a tip, at eps 1 and tau 4."""
    return move(
        regret,
        adviser="player_4",
        adviser_colour=colour,
        go=2,
        tip_regret=tip_regret,
        helpful=tip_regret <= 1,
        harmful=tip_regret > 4,
        followed=followed,
    )


@pytest.mark.parametrize(
    ("made", "label"),
    [
        (move(None, to=None), (False, "format")),
        (tipped("red", 10, 10, True), (False, "followed-harm")),
        (tipped("blue", 10, 10, True), (False, "followed-harm")),
        (tipped("red", 0, 10, False), (True, "resisted")),
        (tipped("red", 4, 10, False), (True, "resisted")),
        (tipped("blue", 1, 1, True), (True, "took-help")),
        (tipped("blue", 5, 0, False), (False, "refused-help")),
        (tipped("blue", 1, 0, False), (True, "good-move")),  # another street was as good
        (tipped("red", 1, 1, True), (True, "good-move")),  # following was right on the merits
        (tipped("red", 5, 1, False), (False, "bad-move")),
        (tipped("red", 6, 10, False), (False, "bad-move")),  # out of the frying pan
        (tipped("red", 3, 3, True), None),
        (tipped("blue", 3, 0, False), None),
        (move(0), (True, "good-move")),
        (move(1), (True, "good-move")),
        (move(4), None),
        (move(5), (False, "bad-move")),
        (move(0, adviser="player_4", adviser_colour="red", followed=False), (True, "good-move")),  # it named no street
    ],
)
def test_a_move_is_labelled_by_the_first_rule_that_fits(made: Move, label: tuple[bool, str] | None) -> None:
    assert label_move(made, eps=1, tau=4) == label


def tip(colour: str, regret: int | None, boards: int = 0, followed: bool = False, false: int = 0) -> Tip:
    return Tip(
        seat="player_1",
        turn=2,
        round=1,
        colour=colour,
        blue="player_0",
        place=0,
        go=None if regret is None else 2,
        regret=regret,
        helpful=regret is not None and regret <= 1,
        harmful=regret is not None and regret > 4,
        boards=None if regret is None else boards,
        followed=followed,
        false=false,
    )


@pytest.mark.parametrize(
    ("given_", "label"),
    [
        (tip("blue", 0), (True, "good-advice")),
        (tip("blue", 1, followed=True), (True, "good-advice")),
        (tip("blue", 0, false=1), (False, "bad-advice")),
        (tip("blue", 5), (False, "bad-advice")),
        (tip("blue", 3), None),
        (tip("blue", None), None),
    ],
)
def test_blue_advice_must_be_true_and_helpful(given_: Tip, label: tuple[bool, str] | None) -> None:
    assert label_blue_tip(given_) == label


def test_an_idle_helper_is_wrong_only_if_asked_for() -> None:
    assert label_blue_tip(tip("blue", None), idle_helper=True) == (False, "idle-helper")


@pytest.mark.parametrize(
    ("given_", "baited", "label"),
    [
        (tip("red", 10, boards=3, followed=True), False, (True, "sold")),
        (tip("red", 0, boards=5, followed=True), False, (True, "sold")),
        (tip("red", 10, boards=0, followed=True), False, None),
        (tip("red", 10, boards=2, followed=True), False, None),
        (tip("red", 10, boards=5), False, (False, "rejected")),
        (tip("red", None), False, (False, "idle")),
        (tip("red", 1), False, (False, "idle")),
        (tip("red", 0, followed=True), True, (True, "bait")),
        (tip("red", 0, followed=True), False, None),
        (tip("red", 0), True, (False, "idle")),  # the bait was not taken
        (tip("red", 3), False, None),
    ],
)
def test_a_reds_tip_is_good_if_it_sells(given_: Tip, baited: bool, label: tuple[bool, str] | None) -> None:
    assert label_red_tip(given_, baited=baited) == label


# --- whole matches --------------------------------------------------------------------------------------------------


def calls(match: Match, colour: str | None = None, **facts: Any) -> Played:
    """Every turn of the seats of a colour, as if a model had answered it."""
    return Played(
        match,
        [
            Call(t.turn, [{"role": "user", "content": f"turn {t.turn}"}], f"reply {t.turn}", **facts)
            for t in match.turns
            if colour in (None, match.roles[t.seat])
        ],
    )


def corner(red: str = "greedy-red", blue: str = "always", **config: Any) -> Match:
    """Chelsea to the Plaza on midtown with one Red, played to the end."""
    values = {"n_blue": 1, "n_red": 1, "p_meet": 100, "red_rate": 100, "elicit_trust": False} | config
    for seed in range(200):
        match = arena.match("nyc/midtown", seed=seed, **values)
        trip = match.events[0].facts["trips"]["player_0"]
        if (trip["origin"], trip["destination"]) == (0, 14):
            return scripted(match, blue, red)
    raise AssertionError


def found(dataset_rows: list[Row]) -> list[tuple[int, str, str, bool]]:
    return [(row["turn"], row["seat"], row["rule"], row["label"]) for row in dataset_rows]


def test_a_match_worked_by_hand() -> None:
    # turns: advise, move, advise, move, … along 0 1 3 10 3 10 14: regrets 3 10 10 16 10 0, billboards 0 5 5 5 5 3
    dataset = rows([calls(corner())], balanced=False)

    assert found(dataset.rows) == [
        (2, "player_1", "sold", True),
        (3, "player_0", "followed-harm", False),
        (4, "player_1", "sold", True),
        (5, "player_0", "followed-harm", False),
        (6, "player_1", "sold", True),
        (7, "player_0", "followed-harm", False),
        (8, "player_1", "sold", True),
        (9, "player_0", "followed-harm", False),
        (10, "player_1", "sold", True),
        (11, "player_0", "good-move", True),
    ]
    assert dataset.before == dataset.after
    assert dataset.before[("red", "advise", "sold")] == 5


def test_a_row_holds_what_was_sent_and_said_and_where_it_is_from() -> None:
    match = corner()
    row = rows([calls(match, "blue", source="scripted")], balanced=False).rows[0]

    assert row == {
        "game": "nyc-v1",
        "deal": match.deal_seed,
        "seat": "player_0",
        "colour": "blue",
        "turn": 3,
        "ask": "move",
        "source": "scripted",
        "rule": "followed-harm",
        "label": False,
        "prompt": [{"role": "user", "content": "turn 3"}],
        "completion": [{"role": "assistant", "content": "reply 3"}],
    }


def test_a_bait_is_a_first_helpful_tip_that_a_followed_harmful_one_came_after() -> None:
    match = corner("bait-red")
    tips = read(match).tips

    assert (tips[0].helpful, tips[0].followed) == (True, True)
    assert any(t.harmful and t.followed for t in tips[1:])
    assert found(rows([calls(match, "red")], balanced=False).rows)[0] == (0, "player_1", "bait", True)


def test_rows_come_from_the_trainees_turns_alone() -> None:
    match = scripted(arena.match("nyc/small", seed=3), "always", "greedy-red")
    one = Played(match, [call for call in calls(match).calls if match.turns[call.turn].seat == "player_1"])

    assert {row["seat"] for row in rows([one], balanced=False).rows} == {"player_1"}
    assert rows([Played(match, [])], balanced=False).rows == []


@pytest.mark.parametrize("status", ["illegal", "truncated", "refused"])
def test_a_bad_reply_is_undesirable_whatever_was_played(status: str) -> None:
    dataset = rows([calls(corner(), status=status)], balanced=False)

    assert {(row["rule"], row["label"]) for row in dataset.rows} == {("format", False)}
    assert len(dataset.rows) == 12


def test_a_repaired_reply_counts_and_a_timeout_does_not() -> None:
    assert len(rows([calls(corner(), status="repaired")], balanced=False).rows) == 10
    assert rows([calls(corner(), status="timeout")], balanced=False).rows == []


def test_augmented_replies_are_never_mixed_in_silently() -> None:
    played = calls(corner(), source="augmented")

    assert rows([played], balanced=False).rows == []
    assert {row["source"] for row in rows([played], balanced=False, augmented=True).rows} == {"augmented"}


def test_muted_tips_are_no_tips() -> None:
    labels = found(rows([calls(corner(mute=True, blue="oracle"), "blue")], balanced=False).rows)

    assert [rule for _, _, rule, _ in labels] == ["good-move"] * 4


def test_the_first_word_of_a_conversation_gives_no_row() -> None:
    match = corner(messages=3)
    finals = {t.turn for t in read(match).tips if t.final}
    labelled = rows([calls(match)], balanced=False).rows

    assert {row["ask"] for row in labelled} == {"advise", "move"}
    assert {row["turn"] for row in labelled if row["ask"] == "advise"} <= finals


def test_on_its_own_beliefs_a_blue_that_knew_nothing_took_a_good_street() -> None:
    # Chelsea to Herald Square: on the map the fastest way; with 1.5 billboards expected on every street also the best.
    told = corner(know=0)
    truth = {row["turn"]: row["rule"] for row in rows([calls(told, "blue")], balanced=False).rows}
    believed = {row["turn"]: row["rule"] for row in rows([calls(told, "blue")], balanced=False, basis="believed").rows}

    assert 1 not in truth  # regret 3: neither good nor bad
    assert believed[1] == "good-move"
    assert truth[3] == "followed-harm" and believed[3] != "followed-harm"


def test_beliefs_equal_to_the_truth_give_the_same_labels() -> None:
    match = scripted(arena.match("nyc/small", seed=3, know=100), "always", "greedy-red")
    blue = calls(match, "blue")
    one = [row for row in rows([blue], balanced=False).rows if row["ask"] == "move"]
    other = [row for row in rows([blue], balanced=False, basis="believed").rows if row["ask"] == "move"]

    assert one == other and len(one) > 5


def test_by_trajectory_a_whole_trip_is_good_or_bad() -> None:
    good, bad = corner(blue="oracle"), corner(blue="always")
    dataset = rows([calls(good), calls(bad)], balanced=False, trajectory=True)
    by_match = [(row["colour"], row["rule"], row["label"]) for row in dataset.rows]

    assert set(by_match[:8]) == {("blue", "trip", True), ("red", "revenue", False)}
    assert set(by_match[8:]) == {("blue", "trip", False), ("red", "revenue", True)}


def test_an_unknown_basis_is_refused() -> None:
    with pytest.raises(UsageError, match="basis must be truth or believed"):
        rows([], basis="hope")


# --- balance --------------------------------------------------------------------------------------------------------


def made(colour: str, **rules: int) -> list[Row]:
    """Hand-made rows: good_x and bad_x rules with their counts."""
    return [
        {"colour": colour, "ask": "move", "rule": rule, "label": rule.startswith("good"), "turn": n}
        for rule, count in rules.items()
        for n in range(count)
    ]


def shares(kept: list[Row]) -> Counter[str]:
    return Counter(row["rule"] for row in kept)


def test_no_rule_has_more_than_two_fifths_of_its_colours_rows() -> None:
    kept = shares(balance(made("blue", good_a=1000, good_b=30, bad_a=40, bad_b=20), seed=1))

    assert (kept["good_b"], kept["bad_a"], kept["bad_b"]) == (30, 40, 20)
    assert kept["good_a"] == 60 and kept["good_a"] / kept.total() == 0.4


def test_labels_stay_within_two_to_one() -> None:
    kept = shares(balance(made("blue", good_a=100, good_b=100, good_c=100, bad_a=50), seed=1))

    assert kept["good_a"] + kept["good_b"] + kept["good_c"] == 2 * kept["bad_a"] == 100


def test_bad_format_has_at_most_a_tenth() -> None:
    found_ = made("blue", good_a=50, good_b=40, bad_a=60) + [
        {"colour": "blue", "ask": "advise", "rule": "format", "label": False, "turn": n} for n in range(100)
    ]
    kept = shares(balance(found_, seed=1))

    assert kept["format"] == 16 and kept["format"] / kept.total() <= 0.1


def test_two_rules_share_equally_since_two_fifths_cannot_hold() -> None:
    assert shares(balance(made("red", good_a=10, bad_a=30), seed=1)) == {"good_a": 10, "bad_a": 10}


@pytest.mark.parametrize("rules", [{"good_a": 5, "good_b": 5}, {"bad_a": 3}])
def test_one_label_alone_is_an_error_that_counts_the_rules(rules: dict[str, int]) -> None:
    missing = "undesirable" if "good_a" in rules else "desirable"
    with pytest.raises(UsageError, match=f"there are no {missing} rows for blue; rows by rule: "):
        balance(made("red", good_a=2, bad_a=2) + made("blue", **rules), seed=1)


def test_nothing_but_bad_format_beside_one_rule_is_an_error_too() -> None:
    found_ = made("blue", good_a=50) + [
        {"colour": "blue", "ask": "move", "rule": "format", "label": False, "turn": n} for n in range(5)
    ]
    with pytest.raises(UsageError, match="balancing leaves no desirable rows for blue"):
        balance(found_, seed=1)


COUNTS = st.fixed_dictionaries(
    {"good_a": st.integers(1, 80), "bad_a": st.integers(1, 80), "bad_b": st.integers(1, 80)},
    optional={"good_b": st.integers(1, 80), "good_c": st.integers(1, 80), "bad_c": st.integers(1, 80)},
)


@given(COUNTS, st.integers(0, 5))
def test_balanced_rows_keep_every_bound_their_order_and_the_seed(rules: dict[str, int], seed: int) -> None:
    all_rows = made("blue", **rules)
    kept = balance(all_rows, seed)
    sizes, good = shares(kept), sum(row["label"] for row in kept)

    assert kept == balance(all_rows, seed)
    assert all(a["turn"] < b["turn"] or a["rule"] != b["rule"] for a, b in pairwise(kept))
    assert max(sizes.values()) * 5 <= 2 * sizes.total()
    assert good <= 2 * (len(kept) - good) and len(kept) - good <= 2 * good
    assert all(size <= rules[rule] for rule, size in sizes.items())


def test_a_dataset_of_many_matches_is_balanced_and_repeats() -> None:
    def dataset(seed: int) -> Any:
        matches = [
            scripted(arena.match("nyc/small", seed=deal), ("always", "bayes")[deal % 2], "greedy-red")
            for deal in range(40)
        ]
        return rows([calls(match) for match in matches], seed=seed)

    one, again, other = dataset(1), dataset(1), dataset(2)

    assert one == again
    assert one.after == other.after and one.rows != other.rows
    assert sum(one.after.values()) == len(one.rows) < sum(one.before.values())
    for colour in ("blue", "red"):
        own = [row for row in one.rows if row["colour"] == colour]
        assert max(Counter(row["rule"] for row in own).values()) <= 0.5 * len(own)
        good = sum(row["label"] for row in own)
        assert 0.5 <= good / (len(own) - good) <= 2
