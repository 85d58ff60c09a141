"""Facts and who may know them: audiences, and views that grow only at their end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import EVERYONE, NOBODY, Event, GameError, IllegalAnswer, Match, Payoffs, Table
from arena.core.events import audience_of
from arena.core.record import audience_from, audience_text
from tests.core.games import THROW, Flowing, Whispers, flowing, throws
from tests.strategies import SEATS


@pytest.mark.parametrize(
    ("to", "audience"),
    [
        ("*", "*"),
        ("-", "-"),
        ("player_2", ("player_2",)),
        (["player_3", "player_0"], ("player_0", "player_3")),
        (["player_1", "player_1"], ("player_1",)),
        ({"player_1", "player_0"}, ("player_0", "player_1")),
        ([], "-"),
    ],
)
def test_an_audience_is_kept_in_seat_order_without_repeats(to: Any, audience: Any) -> None:
    assert audience_of(to, SEATS) == audience


@pytest.mark.parametrize("to", ["player_9", ["player_0", "wolves"], "everyone", ""])
def test_a_fact_for_strangers_is_a_fault_of_the_game(to: Any) -> None:
    with pytest.raises(GameError, match="who hold no seat"):
        audience_of(to, SEATS)


@given(st.sets(st.sampled_from(SEATS)))
def test_an_audience_comes_back_from_its_text(seats: set[str]) -> None:
    audience = audience_of(seats, SEATS)

    assert audience_from(audience_text(audience)) == audience


def test_an_event_reaches_its_audience_and_nobody_else() -> None:
    assert Event(EVERYONE, "x", {}).reaches("player_0")
    assert not Event(NOBODY, "x", {}).reaches("player_0")
    assert Event(("player_0", "player_2"), "x", {}).reaches("player_2")
    assert not Event(("player_0", "player_2"), "x", {}).reaches("player_1")


def test_a_seat_sees_the_facts_that_it_was_told_in_order() -> None:
    match = Match(Whispers(), 1)
    match.submit("player_0", "meet me")

    assert [e.kind for e in match.view("player_0").events] == ["whispered"]
    assert [e.facts for e in match.view("player_1").events] == [{"text": "meet me"}]
    assert [e.facts for e in match.view("player_2").events] == [{"length": 7}]
    assert [(e.kind, e.audience) for e in match.events] == [
        ("whispered", ("player_0", "player_1")),
        ("overheard", ("player_2",)),
        ("note", "-"),
    ]


def test_a_view_is_the_same_whenever_it_was_first_looked_at() -> None:
    early, late = throws(), throws()
    for match in (early, late):
        if match is early:
            match.view("player_0")
        for _ in range(2):
            match.submit("player_1", "rock")
            match.submit("player_0", "paper")

    assert list(early.view("player_0").events) == list(late.view("player_0").events)
    assert early.view("player_0").exchanges == late.view("player_0").exchanges
    assert [e.seen for e in late.view("player_0").exchanges] == [0, 1]


def test_a_view_grows_only_at_its_end() -> None:
    match = throws(rounds=3)
    view, seen = match.view("player_0"), []
    while not match.done:
        seen.append(list(view.events))
        match.submit("player_0", "rock")
        match.submit("player_1", "rock")
    seen.append(list(view.events))

    assert all(after[: len(before)] == before for before, after in pairwise(seen))


def test_a_view_knows_its_open_ask() -> None:
    match = throws()
    view = match.view("player_0")

    assert view.ask is THROW
    match.submit("player_0", "rock")
    assert view.ask is None


def test_a_view_finds_facts_by_kind() -> None:
    match = throws()
    view = match.view("player_1")
    assert view.last("round") is None
    for _ in range(2):
        match.submit("player_0", "rock")
        match.submit("player_1", "paper")

    assert [e.facts["number"] for e in view.of_kind("round")] == [0, 1]
    assert view.last("round") == {"number": 1, "throws": {"player_0": "rock", "player_1": "paper"}}


def test_a_fold_pays_for_each_event_once() -> None:
    match = throws(rounds=3)
    view, stepped = match.view("player_0"), []

    def step(count: int, event: Event) -> int:
        stepped.append(event)
        return count + 1

    counts = []
    while not match.done:
        counts.append(view.fold(int, step))
        match.submit("player_0", "rock")
        match.submit("player_1", "rock")
    counts.append(view.fold(int, step))

    assert counts == [0, 1, 2, 3]
    assert len(stepped) == 3
    assert view.fold(int, step, key="another") == 3
    assert len(stepped) == 6


def test_the_rules_in_a_view_hold_no_secret_field() -> None:
    assert throws(mark="x").view("player_0").rules == {"rounds": 2}


def test_a_view_of_a_stranger_is_refused() -> None:
    with pytest.raises(IllegalAnswer, match="holds no seat of this match"):
        throws().view("player_7")


def test_a_view_says_what_the_table_is_called() -> None:
    async def flow(table: Table) -> Payoffs:
        table.rename({"player_0": "Alex", "player_1": "Blair"})
        table.assign("player_0", role="seller", side="sellers")
        table.assign("player_1", role="buyer")
        await table.ask("player_0", THROW)
        return Payoffs({"player_0": 0, "player_1": 0})

    match = flowing(flow)
    view = match.view("player_1")

    assert view.names == {"player_0": "Alex", "player_1": "Blair"}
    assert match.roles == {"player_0": "seller", "player_1": "buyer"}
    assert match.sides == {"player_0": "sellers"}
    assert (view.game, view.seats, view.keep) == ("flowing-v1", ("player_0", "player_1"), frozenset())
    assert view.game_class is Flowing
    assert not view.events  # roles reach a seat only by `tell`


def test_a_fact_may_have_any_name() -> None:
    facts: dict[str, Any] = {"to": "a3", "kind": "rook"}

    async def flow(table: Table) -> Payoffs:
        table.tell(EVERYONE, "moved", **facts)
        return Payoffs({"player_0": 0, "player_1": 0})

    assert flowing(flow).events[0].facts == facts
