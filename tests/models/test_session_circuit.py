"""The circuit: a model that cannot be had is given up at once, and found again. Time is fake."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from arena.models.session import Call
from arena.models.types import ErrorKind, Request, Response
from arena.testing.fake_clock import FakeClock
from tests.models.scripted import OK, Provider, failure, model, play, request, scripted, session


@pytest.mark.parametrize(("kind", "least", "most"), [("server", 30, 60), ("connection", 5, 30)])
def test_a_model_that_fails_on_and_on_is_given_up_at_once_for_all(kind: ErrorKind, least: int, most: int) -> None:
    """Soon where nothing ever listened: somebody waits for a server that is not there."""
    clock = FakeClock()
    provider = scripted(failure(kind, "refused"))
    results = play(provider, *(request(n) for n in range(300)), clock=clock)

    assert all(error.kind == kind for error in results)
    assert least <= clock.now() - 1000 < most
    assert provider.calls < 300 * 8
    assert any("next probe in" in error.message for error in results)


def test_while_the_circuit_is_open_calls_fail_without_being_sent_and_probes_bring_it_back() -> None:
    clock = FakeClock()
    probes: list[float] = []
    down = [True]

    async def answer(request: Request, n: int) -> Response:
        if down[0]:
            probes.append(clock.now())
            raise failure("server", "down")
        return OK

    provider = Provider(answer)

    async def main() -> tuple[int, list[str], Call, str]:
        access = session(provider, clock)
        await asyncio.gather(*(access.complete(model(), request(n)) for n in range(30)), return_exceptions=True)
        opened = clock.now()
        probes.clear()
        kinds = []
        while clock.now() < opened + 300:
            found = await asyncio.gather(
                *(access.complete(model(), request(n)) for n in range(10)), return_exceptions=True
            )
            kinds += [getattr(error, "kind", "served") for error in found]
            await clock.sleep(1)
        while_down = access.state()[0]["state"]
        down[0] = False
        await clock.sleep(60)
        call = await access.complete(model(), request(1))
        assert access.state()[0]["state"] == "ok"
        return len(probes), kinds, call, while_down

    number, kinds, call, text = clock.run(main())

    assert set(kinds) == {"server"}
    assert 5 <= number <= 8
    gaps = [later - earlier for earlier, later in pairwise(probes)]
    assert all(15 <= gap <= 62 for gap in gaps)
    assert gaps == sorted(gaps)
    assert call.response.text == "rock"
    assert "given up after" in text


def test_a_blip_opens_no_circuit() -> None:
    clock = FakeClock()
    until = clock.now() + 5

    async def answer(request: Request, n: int) -> Response:
        if clock.now() < until:
            raise failure("server")
        return OK

    results = play(Provider(answer), *(request(n) for n in range(50)), clock=clock)

    assert all(isinstance(call, Call) for call in results)
