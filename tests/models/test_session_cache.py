"""The session's cache: matches that begin alike are samples of their own, and are paid for once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.models.cache import ReplyCache
from arena.models.mock import MockClient
from arena.models.session import Call, Session
from arena.models.types import Request, Response
from arena.prompt.shape import Shape
from arena.testing.fake_clock import FakeClock
from tests.models.scripted import OK, Provider, failure, model, play, request, scripted, session


def opening(match: int) -> Request:
    """The first request of a match: the same words in every match."""
    return replace(request(match, text="You sit at a table. What do you throw?"))


def test_the_same_tournament_again_costs_nothing(tmp_path: Path) -> None:
    def tournament() -> tuple[int, list[str], list[bool]]:
        clock = FakeClock()
        name = model("mock/legal")
        mock = MockClient(name, sleep=clock.sleep)
        provider = Provider(lambda r, n: mock.complete(replace(r, shape=Shape("options", options=("a", "b", "c")))))
        cache = ReplyCache(tmp_path / "c.sqlite", is_asked_for=True)

        async def main() -> list[Call]:
            access = Session(clock=clock, make=lambda n, r: provider, cache=cache)
            calls = await asyncio.gather(*(access.complete(name, opening(n)) for n in range(100)))
            await access.aclose()
            return calls

        calls = clock.run(main())
        return provider.calls, [call.response.text for call in calls], [call.cached for call in calls]

    first, second = tournament(), tournament()

    assert (first[0], second[0]) == (100, 0)
    assert first[1] == second[1]
    assert len(set(first[1])) == 3  # matches that begin alike are samples of their own
    assert not any(first[2])
    assert all(second[2])


def test_a_cached_call_costs_nothing_here_and_shows_what_it_saved(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "c.sqlite")
    clock = FakeClock()

    async def main() -> tuple[Call, Call, dict[str, Any]]:
        access = session(scripted(OK), clock, cache=cache, models={"openai/x": {"price_in": 1.0}})
        paid = await access.complete(model(), request())
        free = await access.complete(model(), request())
        await access.aclose()
        return paid, free, access.state()[0]

    paid, free, state = clock.run(main())

    assert (paid.cost_usd, paid.cached) == (1e-5, False)
    assert (free.cost_usd, free.cached, free.price_source, free.tries) == (0.0, True, "cache", 0)
    assert free.response == paid.response
    assert (state["cost_usd"], state["saved_usd"], state["calls"], state["cached"]) == (1e-5, 1e-5, 2, 1)


def test_concurrent_equal_calls_are_one_call(tmp_path: Path) -> None:
    clock = FakeClock()

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(1)
        return OK

    provider = Provider(answer)
    cache = ReplyCache(tmp_path / "c.sqlite")
    results = play(provider, *[request()] * 10, clock=clock, cache=cache)

    assert provider.calls == 1
    assert sorted(call.cached for call in results) == [False] + [True] * 9


def test_concurrent_equal_calls_share_a_failure_too(tmp_path: Path) -> None:
    clock = FakeClock()

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(1)
        raise failure("context_length", "too long")

    provider = Provider(answer)
    results = play(provider, *[request()] * 10, clock=clock, cache=ReplyCache(tmp_path / "c.sqlite"))

    assert provider.calls == 1
    assert [error.message for error in results] == ["too long"] * 10


def test_a_cancelled_call_does_not_cancel_its_equals(tmp_path: Path) -> None:
    clock = FakeClock()

    async def answer(request: Request, n: int) -> Response:
        await clock.sleep(1)
        return OK

    provider = Provider(answer)

    async def main() -> list[str]:
        access = session(provider, clock, cache=ReplyCache(tmp_path / "c.sqlite"))
        calls = [asyncio.create_task(access.complete(model(), request())) for _ in range(3)]
        await clock.sleep(0.5)
        calls[0].cancel()
        others = await asyncio.gather(*calls[1:])
        await access.aclose()
        return [call.response.text for call in others]

    assert clock.run(main()) == ["rock", "rock"]
    assert provider.calls == 2


def test_errors_are_not_cached(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "c.sqlite")
    provider = scripted(failure("context_length"), OK)
    first = play(provider, request(), cache=cache)
    second = play(provider, request(), cache=cache)

    assert first[0].kind == "context_length"
    assert second[0].response.text == "rock"


@pytest.mark.parametrize(("asked_for", "calls"), [(False, 2), (True, 1)])
def test_simulated_models_are_cached_only_where_the_user_asks(tmp_path: Path, asked_for: bool, calls: int) -> None:
    cache = ReplyCache(tmp_path / "c.sqlite", is_asked_for=asked_for)
    provider = scripted(OK)
    clock = FakeClock()

    async def main() -> None:
        access = session(provider, clock, cache=cache)
        for _ in range(2):
            await access.complete(model("mock/legal"), request())
        await access.aclose()

    clock.run(main())

    assert provider.calls == calls


def test_the_environment_switches_the_cache_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_CACHE", "off")
    provider = scripted(OK)
    clock = FakeClock()

    async def main() -> None:
        access = Session(clock=clock, make=lambda name, redactor: provider)
        for _ in range(2):
            await access.complete(model(), request())
        await access.aclose()

    clock.run(main())

    assert provider.calls == 2
