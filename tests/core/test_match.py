"""A match: who is asked, what becomes of answers, how it ends, and what a broken game does to it."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from arena.core import (
    EVERYONE,
    Ask,
    Choice,
    Form,
    GameError,
    IllegalAnswer,
    ListOf,
    Match,
    Payoffs,
    Range,
    Subset,
    Table,
    record_hash,
)
from tests.core.games import THROW, Flowing, Whispers, flowing, throws

EVEN = Payoffs({"player_0": 0, "player_1": 0})


def test_asks_of_one_ask_all_are_open_together_in_seat_order() -> None:
    async def flow(table: Table) -> Payoffs:
        await table.ask_all({"player_1": THROW, "player_0": THROW})
        return EVEN

    assert list(flowing(flow).pending()) == ["player_0", "player_1"]


def test_nothing_happens_before_every_answer_is_in() -> None:
    match = throws()
    match.submit("player_1", "rock")

    assert list(match.pending()) == ["player_0"]
    assert list(match.opened()) == ["player_0", "player_1"]
    assert match.turns == []
    assert match.view("player_0").events == []


def test_answers_are_applied_in_seat_order_however_they_came() -> None:
    forward, backward = throws(), throws()
    for match, order in ((forward, ("player_0", "player_1")), (backward, ("player_1", "player_0"))):
        while not match.done:
            for seat in order:
                match.submit(seat, "rock" if seat == "player_0" else "paper")

    assert record_hash(forward) == record_hash(backward)
    assert [(t.turn, t.batch, t.seat) for t in backward.turns] == [
        (0, 0, "player_0"),
        (1, 0, "player_1"),
        (2, 1, "player_0"),
        (3, 1, "player_1"),
    ]


def test_a_lone_ask_gives_the_bare_answer() -> None:
    given: list[Any] = []

    async def flow(table: Table) -> Payoffs:
        given.append(await table.ask("player_1", THROW))
        given.append(await table.ask_all(["player_0"], THROW))
        given.append(await table.ask_all([], THROW))
        return EVEN

    match = flowing(flow)
    match.submit("player_1", "rock")
    match.submit("player_0", "paper")

    assert given == ["rock", {"player_0": "paper"}, {}]


def test_an_answer_is_stored_in_canonical_form() -> None:
    async def flow(table: Table) -> Payoffs:
        await table.ask("player_0", Subset("pick", ["a", "b", "c"]))
        return EVEN

    match = flowing(flow)
    match.submit("player_0", ["c", "a"])

    assert match.turns[0].answer == ["a", "c"]


@pytest.mark.parametrize("answer", ["lizard", None, "", 0, ["rock"], {"throw": "rock"}])
def test_an_illegal_answer_leaves_the_match_as_it_was(answer: Any) -> None:
    match = throws()
    before = record_hash(match)

    with pytest.raises(IllegalAnswer):
        match.submit("player_0", answer)
    with pytest.raises(IllegalAnswer):
        match.check("player_0", answer)
    assert record_hash(match) == before
    assert list(match.pending()) == ["player_0", "player_1"]


def test_who_is_not_asked_cannot_answer() -> None:
    match = throws()
    match.submit("player_0", "rock")

    for seat in ("player_0", "player_5"):
        with pytest.raises(IllegalAnswer, match=f"{seat} is not asked anything now"):
            match.submit(seat, "rock")


def test_a_fallback_is_played_where_no_answer_came() -> None:
    match = throws()

    assert match.submit_fallback("player_0") == "rock"
    match.submit("player_1", "paper")
    assert [(t.answer, t.fallback) for t in match.turns] == [("rock", True), ("paper", False)]
    assert match.view("player_0").exchanges[0].fallback


def test_a_fallback_may_lie_outside_the_legal_set() -> None:
    async def flow(table: Table) -> Payoffs:
        table.tell(EVERYONE, "threw", throw=await table.ask("player_0", Choice("throw", ["a", "b"], fallback=None)))
        return EVEN

    match = flowing(flow)
    match.submit_fallback("player_0")

    assert match.events[0].facts == {"throw": None}


def test_a_game_may_keep_the_legal_parts_of_a_rejected_answer() -> None:
    class Orders(Flowing):
        def partial(self, ask: Ask, answer: Any) -> list[str]:
            return [order for order in answer if order in ("hold", "move")]

    async def flow(table: Table) -> Payoffs:
        await table.ask_all(table.seats, ListOf("orders", Choice("order", ["hold", "move"]), 2, 2))
        return EVEN

    match = Match(Orders(flow), 1)

    assert match.submit_fallback("player_0", ["move", "fly"]) == ["move"]
    assert match.submit_fallback("player_1") == ["hold", "hold"]


def test_a_match_ends_with_every_seat_paid() -> None:
    match = throws(rounds=1)
    match.submit("player_0", "scissors")
    match.submit("player_1", "paper")

    assert match.done
    assert match.payoffs == {"player_0": 1.0, "player_1": 0.0}
    assert match.outcome == {"end_reason": "rounds"}
    assert match.pending() == {}
    assert match.metrics() == {"rounds": 1.0}


def test_a_game_without_an_ask_is_over_at_once() -> None:
    assert throws(rounds=0).done


def test_a_forfeit_ends_the_match_by_the_rule_of_the_game() -> None:
    match = throws()
    match.submit("player_1", "rock")
    match.forfeit("player_0")

    assert match.payoffs == {"player_0": -1.0, "player_1": 1.0}
    assert match.outcome["end_reason"] == "forfeit"
    assert match.forfeited == "player_0"
    assert match.turns == []  # the half-answered batch was never played


def test_a_game_without_a_forfeit_rule_says_so() -> None:
    with pytest.raises(GameError, match="whispers has no forfeit rule"):
        Match(Whispers(), 1).forfeit("player_0")


def test_a_match_that_is_over_cannot_be_forfeited() -> None:
    match = throws(rounds=0)

    with pytest.raises((GameError, IllegalAnswer)):
        match.forfeit("player_0")
    assert match.payoffs == {"player_0": 0.0, "player_1": 0.0}


def test_a_stranger_cannot_forfeit() -> None:
    with pytest.raises((GameError, IllegalAnswer)):
        throws().forfeit("player_7")


def test_a_closed_match_asks_nothing_more() -> None:
    match = throws()
    match.close()

    assert match.pending() == {}
    assert not match.done
    with pytest.raises(IllegalAnswer, match="not asked"):
        match.submit("player_0", "rock")
    match.close()


def test_closing_lets_the_flow_clean_up() -> None:
    closed = []

    async def flow(table: Table) -> Payoffs:
        try:
            await table.ask("player_0", THROW)
        finally:
            closed.append(True)
        return EVEN

    flowing(flow).close()

    assert closed == [True]


def test_an_exception_of_a_game_says_where() -> None:
    async def flow(table: Table) -> Payoffs:
        await table.ask("player_0", THROW)
        raise KeyError("lost")

    match = flowing(flow)
    with pytest.raises(GameError, match="flowing-v1 failed after turn 0: KeyError: 'lost'") as caught:
        match.submit("player_0", "rock")
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_exception_before_the_first_ask_says_so() -> None:
    async def flow(table: Table) -> Payoffs:
        raise ValueError("no deck")

    with pytest.raises(GameError, match="failed before its first ask: ValueError: no deck"):
        flowing(flow)


def test_an_illegal_answer_raised_by_the_game_itself_is_a_fault_of_the_game() -> None:
    async def flow(table: Table) -> Payoffs:
        await table.ask("player_0", THROW)
        THROW.check("lizard")
        return EVEN

    with pytest.raises(GameError, match="flowing-v1 failed after turn 0"):
        flowing(flow).submit("player_0", "rock")


def test_a_game_that_awaits_anything_else_is_told_so() -> None:
    async def flow(table: Table) -> Payoffs:
        await asyncio.sleep(0)
        return EVEN

    with pytest.raises(GameError, match="flowing-v1"):
        flowing(flow)


def test_a_game_asks_only_seats_of_its_table() -> None:
    async def flow(table: Table) -> Payoffs:
        await table.ask("player_9", THROW)
        return EVEN

    with pytest.raises(GameError, match=r"flowing-v1 asked \['player_9'\], who hold no seat"):
        flowing(flow)


def test_ask_all_over_seats_needs_an_ask() -> None:
    async def flow(table: Table) -> Payoffs:
        await table.ask_all(table.seats)
        return EVEN

    with pytest.raises(GameError, match="needs the ask that all of them get"):
        flowing(flow)


@pytest.mark.parametrize(
    ("payoffs", "message"),
    [
        ({"player_0": 1.0}, "must pay every seat"),
        ({"player_0": 1.0, "player_1": 0.0, "player_2": 0.0}, "must pay every seat"),
        (None, "must pay every seat"),
        ({"player_0": math.nan, "player_1": 0.0}, "not a finite number"),
        ({"player_0": math.inf, "player_1": 0.0}, "not a finite number"),
    ],
)
def test_payoffs_that_are_none_are_a_fault_of_the_game(payoffs: Any, message: str) -> None:
    async def flow(table: Table) -> Any:
        return payoffs

    with pytest.raises(GameError, match=message):
        flowing(flow)


def test_zero_sum_payoffs_are_what_a_seat_has_over_the_mean_of_the_others() -> None:
    payoffs = Payoffs.zero_sum({"a": 6, "b": 3}, ["a", "b", "c"], winner="a")

    assert payoffs == {"a": 4.5, "b": 0.0, "c": -4.5}
    assert payoffs.outcome == {"winner": "a"}


def test_a_match_without_a_renderer_says_where_to_get_one() -> None:
    with pytest.raises(GameError, match=r"arena\.match"):
        throws().view("player_0").messages()


def test_streams_follow_the_two_seeds() -> None:
    def noise(seed: int, deal_seed: int | None = None) -> tuple[int, int]:
        facts = throws(seed, deal_seed).events[0].facts
        return facts["deal"], facts["other"]

    assert noise(1) == noise(1, 1)
    assert noise(1, 2)[0] == noise(3, 2)[0]
    assert noise(1, 2)[1] == noise(1, 4)[1]
    assert noise(1, 2) != noise(2, 1)


def test_a_draw_in_a_form_is_checked_like_any_answer() -> None:
    async def flow(table: Table) -> Payoffs:
        await table.ask("player_0", Form("offer", Range("give", 0, 9)))
        return EVEN

    match = flowing(flow)

    with pytest.raises(IllegalAnswer, match="give: 10 is not an integer from 0 to 9"):
        match.submit("player_0", {"give": 10})
