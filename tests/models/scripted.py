"""Scripted providers for the tests of the session: what each call meets is a function, time is fake."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from arena.models.names import ModelName, parse_name
from arena.models.session import Session
from arena.models.types import Capabilities, ErrorKind, ProviderError, Request, Response, Usage
from arena.testing.fake_clock import FakeClock

Answer = Callable[[Request, int], Awaitable[Response]]


def model(text: str = "openai/x@http://h") -> ModelName:
    found = parse_name(text).model
    assert found is not None
    return found


def limits(**given: Any) -> Any:
    usual = {"concurrency": None, "budget_usd": None, "tokens": None, "wall_s": None, "allow_unpriced": False}
    return SimpleNamespace(**{**usual, **given})


def request(order: int = 0, text: str = "move?", **more: Any) -> Request:
    return Request(
        messages=({"role": "user", "content": text},),
        sample_key=f"m{order}/player_0/0/r0/act/0/0",
        call_key=f"call-{order}",
        order=order,
        **more,
    )


def failure(kind: ErrorKind, text: str = "no", **more: Any) -> ProviderError:
    return ProviderError(kind, text, provider="openai", model="x", **more)


@dataclass
class Provider:
    """A provider that answers by a function of the request and the number of the call."""

    answer: Answer
    batch: int | None = None  # of a model in this process
    calls: int = 0
    at_once: int = 0
    most_at_once: int = 0
    closed: int = 0

    async def complete(self, request: Request) -> Response:
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self.answer(request, self.calls)
        finally:
            self.at_once -= 1

    def capabilities(self) -> Capabilities:
        return Capabilities(batch=self.batch)

    async def identity(self) -> dict[str, Any]:
        return {"who": "me"}

    async def aclose(self) -> None:
        self.closed += 1


def scripted(*script: ProviderError | Response) -> Provider:
    """One outcome after the other; the last one stays."""

    async def answer(request: Request, n: int) -> Response:
        outcome = script[min(n, len(script)) - 1]
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    return Provider(answer)


def session(provider: Provider, clock: FakeClock, **more: Any) -> Session:
    return Session(clock=clock, make=lambda name, redactor: provider, **{"cache": None, **more})


def play(provider: Provider, *requests: Request, clock: FakeClock | None = None, **more: Any) -> list[Any]:
    """What became of each request; all are sent at once."""
    clock = clock or FakeClock()

    async def main() -> list[Any]:
        access = session(provider, clock, **more)
        found = await asyncio.gather(*(access.complete(model(), r) for r in requests), return_exceptions=True)
        await access.aclose()
        return list(found)

    return clock.run(main())


OK = Response("rock", usage=Usage(10, 4, 2), model="x-1", params={"seed": 3}, latency_s=0.1)
