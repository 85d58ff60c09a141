"""The session's limits: order, caps, shared endpoints, a quota storm, a budget. Time is fake."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from arena.core.errors import UsageError
from arena.models.mock import MockClient
from arena.models.names import ModelName
from arena.models.session import Call, Session
from arena.models.types import BudgetReached, Request, Response, Sampling
from arena.prompt.shape import Shape
from arena.testing.fake_clock import FakeClock
from tests.models.scripted import OK, Provider, failure, limits, model, play, request, scripted, session

# --- the storm -------------------------------------------------------------------------------------------------------


class Quota:
    """A provider's own token bucket: so many calls a minute, 429 for the rest."""

    def __init__(self, clock: FakeClock, rpm: int) -> None:
        self.clock, self.rate, self.most = clock, rpm / 60, rpm / 6
        self.level, self.at, self.served, self.refused = self.most, clock.now(), [0] * 1000, 0
        self.last = 0.0

    def take(self, order: int) -> None:
        now = self.clock.now()
        self.level = min(self.most, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1 - 1e-6:
            self.refused += 1
            raise failure("rate_limit", status=429, retry_after_s=(1 - self.level) / self.rate)
        self.level -= 1
        self.served[order] += 1
        self.last = now


@pytest.mark.parametrize("latency", [0.05, 1.0])
def test_a_storm_of_1000_calls_is_served_at_the_allowed_rate(latency: float) -> None:
    """Also with an outage of half a minute in it, when every call gets a 429 that says: five seconds."""
    clock = FakeClock()
    rng = Random(1)
    rpm = 600
    quota = Quota(clock, rpm)
    outage = (clock.now() + 20, clock.now() + 50)

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(latency * (0.5 + rng.random()))
        if outage[0] <= clock.now() < outage[1]:
            raise failure("rate_limit", status=429, retry_after_s=5.0)
        quota.take(request.order)
        return OK

    provider = Provider(answer)
    began = clock.now()
    results = play(
        provider,
        *(request(n) for n in range(1000)),
        clock=clock,
        models={"openai/x": {"rpm": rpm, "concurrency": 50}},
        limits=limits(concurrency=200),
    )

    assert all(isinstance(call, Call) for call in results)
    assert quota.served == [1] * 1000
    allowed = (quota.last - began - 30 - 5) * quota.rate + quota.most  # the last five seconds were asked for
    assert 1000 / allowed >= 0.90
    in_flight_when_it_began = int(1.5 * latency * quota.rate) + 1
    assert provider.calls - 1000 - in_flight_when_it_began <= 10


@pytest.mark.parametrize("rpm", [120, 600, 3000])
def test_a_known_quota_is_used_and_hardly_ever_overrun(rpm: int) -> None:
    clock = FakeClock()
    quota = Quota(clock, rpm)

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(0.2)
        quota.take(request.order)
        return OK

    provider = Provider(answer)
    began = clock.now()
    results = play(
        provider, *(request(n) for n in range(1000)), clock=clock, models={"openai/x": {"rpm": rpm, "concurrency": 64}}
    )

    assert all(isinstance(call, Call) for call in results)
    assert quota.served == [1] * 1000
    assert 1000 / ((quota.last - began) * quota.rate + quota.most) >= 0.90
    assert provider.calls <= 1010


def test_an_unknown_quota_is_found_by_being_refused() -> None:
    clock = FakeClock()
    quota = Quota(clock, 600)

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(0.2)
        quota.take(request.order)
        return OK

    provider = Provider(answer)
    began = clock.now()
    results = play(provider, *(request(n) for n in range(1000)), clock=clock)

    assert all(isinstance(call, Call) for call in results)
    assert quota.served == [1] * 1000
    assert 1000 / ((quota.last - began) * quota.rate + quota.most) >= 0.5


# --- order and caps --------------------------------------------------------------------------------------------------


def test_the_oldest_match_is_served_first() -> None:
    clock = FakeClock()
    served: list[int] = []

    async def answer(request: Request, n: int) -> Response:
        served.append(request.order)
        await clock.sleep(1)
        return OK

    play(Provider(answer), *(request(n) for n in (5, 9, 2, 7, 1)), clock=clock, limits=limits(concurrency=1))

    assert served == [5, 1, 2, 7, 9]


@pytest.mark.parametrize(("given", "expected"), [(None, 20), (7, 7), (200, 100)])
def test_no_more_calls_are_in_flight_than_the_run_allows(given: int | None, expected: int) -> None:
    clock = FakeClock()

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(1)
        return OK

    provider = Provider(answer)
    play(provider, *(request(n) for n in range(100)), clock=clock, limits=limits(concurrency=given))

    assert expected <= provider.most_at_once <= (given or 30)


def test_several_models_share_the_cap_of_the_run() -> None:
    clock = FakeClock()
    providers: dict[str, Provider] = {}

    async def answer(request: Request, n: int) -> Response:
        providers["all"] = providers.get("all", Provider(answer))
        await clock.sleep(1)
        return OK

    shared = Provider(answer)

    async def main() -> None:
        access = session(shared, clock)
        names = [model(f"openai/m{n}@http://h") for n in range(10)]
        await asyncio.gather(*(access.complete(names[n % 10], request(n)) for n in range(400)))

    clock.run(main())

    assert shared.most_at_once == 64


def test_a_local_model_is_bounded_by_its_batches_only() -> None:
    clock = FakeClock()

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(1)
        return OK

    provider = Provider(answer, batch=8)
    name = ModelName("hf", "x")

    async def main(concurrency: int | None) -> int:
        provider.most_at_once = 0
        access = session(provider, clock, limits=limits(concurrency=concurrency))
        await asyncio.gather(*(access.complete(name, request(n)) for n in range(100)))
        return provider.most_at_once

    assert [clock.run(main(given)) for given in (None, 3)] == [32, 3]


@pytest.mark.parametrize(("given", "share", "servers"), [(None, 1, 64), (None, 4, 16), (3, 4, 3)])
def test_a_session_of_several_has_its_part_of_what_servers_take_and_all_of_its_local_models(
    given: int | None, share: int, servers: int
) -> None:
    clock = FakeClock()

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(1)
        return OK

    provider = Provider(answer, batch=8)
    names = [ModelName("hf", "x", options={"temperature": 0.5}), ModelName("hf", "x"), ModelName("hf", "y")]

    async def main() -> tuple[int, int]:
        access = session(provider, clock, limits=limits(concurrency=given), share=share)
        before = access.at_once
        await asyncio.gather(*(access.complete(names[n % 3], request(n)) for n in range(300)))
        return before, access.at_once

    local = 0 if given else 2 * 8  # names of one model have one queue
    assert clock.run(main()) == (servers, servers + local)
    assert provider.most_at_once == (given or 2 * 32)

    async def hosted() -> None:
        access = session(remote, clock, limits=limits(concurrency=given), share=share)
        await asyncio.gather(*(access.complete(model(f"openai/m{n % 9}@http://h"), request(n)) for n in range(300)))

    remote = Provider(answer)
    clock.run(hosted())
    assert remote.most_at_once == servers


def test_names_that_differ_in_options_share_one_limit() -> None:
    clock = FakeClock()
    starts: list[float] = []

    async def answer(request: Request, n: int) -> Response:
        starts.append(clock.now())
        return OK

    provider = Provider(answer)

    async def main() -> None:
        access = session(provider, clock, models={"openai/x": {"rpm": 60}})
        names = [model("openai/x@http://h?temperature=0"), model("openai/x@http://h?temperature=1")]
        await asyncio.gather(*(access.complete(names[n % 2], request(n)) for n in range(20)))
        assert len(access.state()) == 2

    clock.run(main())

    assert starts[-1] - starts[0] == pytest.approx(10, abs=0.1)


def test_a_run_files_table_takes_resources_only() -> None:
    with pytest.raises(UsageError, match="has no option 'temperature'"):
        Session(models={"openai/x": {"temperature": 1}}, cache=None)
    with pytest.raises(UsageError, match="rpm must be an integer"):
        Session(models={"openai/x": {"rpm": "fast"}}, cache=None)


# --- budget ----------------------------------------------------------------------------------------------------------


def test_a_budget_is_not_overshot_by_a_cent_at_concurrency_100() -> None:
    clock = FakeClock()
    name = model("mock/legal?price_in=3&price_out=15&latency=lognormal:200ms:0.5&concurrency=100")
    mock = MockClient(name, sleep=clock.sleep)
    asked = [
        replace(request(n), shape=Shape("options", options=("rock", "paper")), sampling=Sampling(max_tokens=40))
        for n in range(2000)
    ]

    async def main() -> tuple[list[Any], dict[str, Any]]:
        access = Session(
            clock=clock, make=lambda n, r: mock, cache=None, limits=limits(concurrency=100, budget_usd=0.05)
        )
        found = await asyncio.gather(*(access.complete(name, r) for r in asked), return_exceptions=True)
        return list(found), access.state()[0]

    results, state = clock.run(main())

    served = [call for call in results if isinstance(call, Call)]
    stopped = [error for error in results if isinstance(error, BudgetReached)]
    assert len(served) + len(stopped) == 2000
    assert sum(call.cost_usd or 0 for call in served) <= 0.05
    assert 0.05 - state["cost_usd"] < 15 * 40e-6 + 3 * 20e-6  # less than one more call could cost
    assert state["cost"] == "$0.05"
    assert stopped[0].message.startswith("stopped by budget: $0.0")
    assert "arena resume" in str(stopped[0].hint)


def test_calls_in_flight_finish_when_the_budget_ends() -> None:
    clock = FakeClock()

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(5)
        return OK

    results = play(
        Provider(answer),
        *(request(n) for n in range(40)),
        clock=clock,
        limits=limits(tokens=400),
    )

    assert sum(isinstance(call, Call) for call in results) > 5
    assert any(isinstance(error, BudgetReached) for error in results)


def test_a_budget_with_a_model_of_unknown_price_is_refused() -> None:
    (error,) = play(scripted(OK), request(), limits=limits(budget_usd=1.0))
    (allowed,) = play(scripted(OK), request(), limits=limits(budget_usd=1.0, allow_unpriced=True))

    assert isinstance(error, UsageError)
    assert "price_in" in str(error.hint)
    assert (allowed.cost_usd, allowed.price_source) == (None, "unpriced")


def test_unpriced_models_are_found_before_the_first_match() -> None:
    clock = FakeClock()
    access = session(scripted(OK), clock, limits=limits(budget_usd=1.0))

    with pytest.raises(UsageError, match="not known"):
        access.prepare([model()])
