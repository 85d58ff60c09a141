"""Prices, totals, and a budget that is never broken."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from arena.core.errors import UsageError
from arena.models import ledger
from arena.models.ledger import (
    Budget,
    Price,
    Reservation,
    Totals,
    checked_usage,
    cost_of,
    estimate_tokens,
    price_of,
    usd,
)
from arena.models.names import ModelName, parse_name
from arena.models.types import BudgetReached, Request, Response, Usage
from arena.testing.fake_clock import FakeClock


def model(text: str) -> ModelName:
    found = parse_name(text).model
    assert found is not None
    return found


# --- prices ----------------------------------------------------------------------------------------------------------


def test_a_price_in_the_name_comes_first() -> None:
    price = price_of(model("openai/gpt-5-mini?price_in=1&price_out=2.5"))

    assert price is not None
    assert price.source == "option"
    assert cost_of(price, Usage(1000, 0, 200)) == (1_500_000_000, "option")
    assert usd(1_500_000_000) == 0.0015


def test_a_run_files_price_goes_over_the_name() -> None:
    assert price_of(model("mock/legal?price_in=1"), {"price_in": 3.0}) == Price(3_000_000, 0, 3_000_000, "option")


def test_litellms_table_is_read_without_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    entry: dict[str, Any] = {"input_cost_per_token": 2.5e-07, "output_cost_per_token": 2e-06}
    entry["cache_read_input_token_cost"] = 2.5e-08
    table = {"gpt-5-mini": entry, "anthropic/c": entry}
    for key, provider in (("claude", "anthropic"), ("x.claude", "bedrock_converse"), ("llama", "groq")):
        table[key] = {**entry, "litellm_provider": provider}
    monkeypatch.setattr(ledger, "_table", lambda: table)

    price = price_of(model("openai/gpt-5-mini"))

    assert price == Price(250_000, 2_000_000, 25_000, "litellm")
    assert cost_of(price, Usage(1000, 400, 10)) == (600 * 250_000 + 400 * 25_000 + 10 * 2_000_000, "litellm")
    assert price_of(model("anthropic/c")) == price
    assert price_of(model("anthropic/claude")) == price
    assert price_of(model("bedrock/x.claude")) == price
    assert price_of(model("mistral/llama")) is None  # the same word at another provider
    assert price_of(model("openai/gpt-5-mini@http://127.0.0.1:1/v1")) is None  # somebody's own server


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {},
        {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
        {"input_cost_per_token": "free", "output_cost_per_token": 1e-6},
        {"input_cost_per_token": float("nan"), "output_cost_per_token": 1e-6},
        {"input_cost_per_token": -1e-6, "output_cost_per_token": 1e-6},
        {"input_cost_per_token": True, "output_cost_per_token": 1e-6},
        {"input_cost_per_token": 1e-6},
    ],
)
def test_an_odd_entry_is_no_price_and_no_crash(monkeypatch: pytest.MonkeyPatch, entry: object) -> None:
    monkeypatch.setattr(ledger, "_table", lambda: {"gpt-5-mini": entry})

    assert price_of(model("openai/gpt-5-mini")) is None


def test_the_installed_table_knows_a_model_and_loads_no_litellm() -> None:
    import sys

    before = "litellm" in sys.modules
    ledger._table.cache_clear()

    assert price_of(model("openai/gpt-5-mini")) is not None
    assert ("litellm" in sys.modules) == before


def test_a_model_in_this_process_costs_nothing_and_any_other_is_unpriced() -> None:
    assert price_of(ModelName("hf", "x")) == Price(0, 0, 0, "local")
    assert price_of(model("mock/legal")) is None
    assert cost_of(None, Usage(10, 0, 10)) == (None, "unpriced")


def test_what_the_provider_says_is_the_last_word_on_a_price() -> None:
    assert cost_of(None, Usage(10, 0, 10, cost_usd=0.25)) == (250_000_000_000, "reported")


@pytest.mark.parametrize(
    ("usage", "expected", "estimated"),
    [
        (Usage(7, 2, 3), (7, 2, 3), False),
        (Usage(), (6, None, 2), True),
        (Usage(-1, 0, 3), (6, 0, 3), True),
        (Usage(10**12, -5, 3), (6, None, 3), True),
    ],
)
def test_a_lying_usage_is_estimated_and_marked(
    usage: Usage, expected: tuple[int, int | None, int], estimated: bool
) -> None:
    request = Request(messages=({"role": "user", "content": "12345"},))

    whole, marked = checked_usage(usage, request, Response("12345678"))

    assert (whole.prompt, whole.cached, whole.completion) == expected
    assert marked is estimated


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1.0])
def test_a_lying_cost_is_no_cost(cost: float) -> None:
    whole, _ = checked_usage(Usage(1, 0, 1, cost_usd=cost), Request(()), Response(""))

    assert whole.cost_usd is None


def test_four_characters_are_a_token() -> None:
    assert estimate_tokens([{"role": "user", "content": "x" * 9}]) == 4 + 3
    assert estimate_tokens([{"content": "x" * 9}]) == 3


# --- totals ----------------------------------------------------------------------------------------------------------


def test_an_unpriced_sum_is_never_zero_dollars() -> None:
    totals = Totals()
    totals.add(Usage(10, 0, 10), None, estimated=False)

    assert totals.cost_usd is None
    assert totals.text == "unpriced (1 unpriced call)"


def test_a_mixed_sum_says_at_least() -> None:
    totals = Totals()
    totals.add(Usage(10, 0, 10), 1_234_000_000_000, estimated=False)
    for _ in range(3):
        totals.add(Usage(10, 0, 10), None, estimated=True)

    assert totals.text == "≥ $1.23 + 3 unpriced calls"
    assert (totals.cost_usd, totals.estimated) == (1.234, 3)


@pytest.mark.parametrize(
    ("units", "text"),
    [(0, "$0.00"), (1, "$0.0001"), (1_500_000_000, "$0.0015"), (10**10, "$0.01"), (5 * 10**12, "$5.00")],
)
def test_what_was_paid_never_looks_like_nothing(units: int, text: str) -> None:
    assert ledger.dollars(units) == text


def test_a_local_sum_is_zero_dollars() -> None:
    totals = Totals()
    totals.add(Usage(10, 0, 10), 0, estimated=False)

    assert totals.text == "$0.00"
    assert totals.cost_usd == 0.0


def test_what_the_cache_saved_is_shown_and_not_spent() -> None:
    totals = Totals()
    totals.add_cached(5)

    assert (totals.units, totals.saved, totals.calls, totals.cached) == (0, 5, 1, 1)


def test_a_budget_refuses_models_of_unknown_price() -> None:
    with pytest.raises(UsageError, match="mock/legal") as caught:
        ledger.refuse_unpriced([("mock/legal", None), ("hf/x", Price(0, 0, 0, "local"))])

    assert "price_in" in str(caught.value.hint)
    assert "--allow-unpriced" in str(caught.value.hint)


# --- the budget ------------------------------------------------------------------------------------------------------


def spend(budget: Budget, clock: FakeClock, calls: int, worst: int, real: int, most_at_once: int = 100) -> list[str]:
    """How each of many calls ended."""
    ends: list[str] = []

    async def main() -> None:
        slots = asyncio.Semaphore(most_at_once)

        async def one(n: int) -> None:
            async with slots:
                try:
                    await budget.reserve(Reservation(worst, 10), n)
                except BudgetReached as error:
                    ends.append(str(error))
                    return
                await clock.sleep(0.01 * (n % 7))
                budget.settle(Reservation(worst, 10), real, 5)
                ends.append("served")

        await asyncio.gather(*(one(n) for n in range(calls)))

    clock.run(main())
    return ends


def test_a_budget_is_kept_to_the_last_unit_at_concurrency_100() -> None:
    clock = FakeClock()
    budget = Budget(clock, limit_usd=1e-9)  # 1000 units

    ends = spend(budget, clock, calls=500, worst=30, real=11)

    assert budget.spent_units <= 1000
    assert budget.spent_units + 30 > 1000  # and used as far as it goes
    assert ends.count("served") == budget.spent_units // 11
    assert set(ends) == {"served", "stopped by budget: $0.0001 of $0.0001"}


def test_tokens_are_a_budget_too() -> None:
    clock = FakeClock()
    budget = Budget(clock, tokens=1000)

    ends = spend(budget, clock, calls=500, worst=0, real=0)

    assert budget.spent_tokens <= 1000
    assert budget.spent_tokens + 10 > 1000
    assert "stopped by budget: 995 of 1,000 tokens" in ends


def test_time_is_a_budget_too() -> None:
    clock = FakeClock()
    budget = Budget(clock, wall_s=1.0, spent_s=0.5)

    ends = spend(budget, clock, calls=200, worst=0, real=0, most_at_once=3)

    assert 0 < ends.count("served") < 200
    assert "stopped after 1 s, the run's time" in ends


def test_what_earlier_sessions_spent_counts() -> None:
    clock = FakeClock()
    budget = Budget(clock, limit_usd=1.0, spent_usd=0.999999, spent_tokens=7)

    assert spend(budget, clock, calls=1, worst=2_000_000, real=0) == ["stopped by budget: $1.00 of $1.00"]


def test_random_calls_never_break_a_budget() -> None:
    rng = Random(5)
    for _ in range(30):
        clock = FakeClock()
        budget = Budget(clock, limit_usd=rng.randrange(1, 5000) / 10**12)
        worst = rng.randrange(1, 80)
        spend(budget, clock, calls=120, worst=worst, real=rng.randrange(worst + 1), most_at_once=rng.randrange(1, 100))

        assert budget.spent_units <= (budget._most_units or 0)
        assert budget._held_units == budget._held == 0


def test_a_cancelled_call_gives_its_reservation_back() -> None:
    clock = FakeClock()

    async def main() -> tuple[int, int]:
        budget = Budget(clock, limit_usd=1e-10)  # 100 units
        whole = Reservation(100, 1)
        await budget.reserve(whole)
        waiting = [asyncio.create_task(budget.reserve(whole, n)) for n in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        budget.settle(whole, 0, 0)  # grants the second one …
        waiting[1].cancel()  # … which is gone before it hears of it
        await waiting[2]
        budget.settle(whole, 40, 1)
        return budget.spent_units, budget._held

    assert clock.run(main()) == (40, 0)
