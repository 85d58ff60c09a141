"""The limiter: quotas per minute, windows that grow and shrink, pauses, the oldest match first. On a fake clock."""

from __future__ import annotations

import asyncio

import pytest

from arena.models.limiter import CEILING, START, Bucket, Lane, Limiter, Ticket, pause_of
from arena.testing.fake_clock import FakeClock


async def serve(clock: FakeClock, lane: Lane, order: int, seconds: float, starts: list[tuple[int, float]]) -> None:
    ticket = await lane.enter(order, 10)
    starts.append((order, clock.now()))
    await clock.sleep(seconds)
    lane.leave(ticket, "served", tokens=10)


def test_a_bucket_refills_continuously_and_saves_up_ten_seconds() -> None:
    bucket = Bucket(60, now=0.0)

    assert bucket.capacity == 10
    bucket.take(10)
    assert bucket.ready_in(1, 0.0) == 1.0
    assert bucket.ready_in(1, 1.0) == 0.0
    assert bucket.level(1000.0) == 10


def test_a_call_larger_than_the_bucket_starts_when_it_is_full() -> None:
    bucket = Bucket(600, now=0.0)

    assert bucket.ready_in(5000, 0.0) == 0.0
    bucket.take(5000)
    assert bucket.ready_in(1, 0.0) == pytest.approx(490.1)


@pytest.mark.parametrize("rpm", [60, 600])
def test_requests_keep_to_their_quota(rpm: int) -> None:
    clock = FakeClock()
    starts: list[tuple[int, float]] = []

    async def main() -> None:
        lane = Limiter(clock).lane(rpm=rpm, concurrency=1000)
        await asyncio.gather(*(serve(clock, lane, n, 0.5, starts) for n in range(200)))

    began = clock.now()
    clock.run(main())

    times = [at for _, at in starts]
    for at in times:
        assert sum(at <= other < at + 60 for other in times) <= rpm + rpm / 6 + 1
    assert times[-1] - began == pytest.approx((200 - rpm / 6) * 60 / rpm, abs=1)


def test_tokens_keep_to_their_quota_and_what_was_not_used_comes_back() -> None:
    clock = FakeClock()
    used: list[float] = []

    async def main() -> None:
        lane = Limiter(clock).lane(tpm=6000, concurrency=1000)

        async def one() -> None:
            ticket = await lane.enter(0, 500)
            await clock.sleep(0.001)
            lane.leave(ticket, "served", tokens=100)
            used.append(clock.now())

        await asyncio.gather(*(one() for _ in range(40)))

    began = clock.now()
    clock.run(main())

    assert used[-1] - began == pytest.approx((40 * 100 + 400 - 1000) / 100, abs=1)


def test_the_oldest_match_goes_first_over_all_lanes() -> None:
    clock = FakeClock()
    starts: list[tuple[int, float]] = []

    async def main() -> None:
        limiter = Limiter(clock, cap=1)
        lanes = [limiter.lane(), limiter.lane()]
        orders = [9, 3, 7, 1, 8, 2]
        await asyncio.gather(*(serve(clock, lanes[n % 2], n, 1, starts) for n in orders))

    clock.run(main())

    assert [order for order, _ in starts] == [9, 1, 2, 3, 7, 8]


def test_the_cap_covers_the_lanes_together_and_spares_the_others() -> None:
    clock = FakeClock()
    starts: list[tuple[int, float]] = []

    async def main() -> None:
        limiter = Limiter(clock, cap=4)
        lanes = [limiter.lane(), limiter.lane(), limiter.lane(concurrency=8, fixed=True, capped=False)]
        await asyncio.gather(*(serve(clock, lanes[n % 3], n, 1, starts) for n in range(24)))

    began = clock.now()
    clock.run(main())

    at_once = [order for order, at in starts if at == began]
    assert sum(order % 3 < 2 for order in at_once) == 4
    assert sum(order % 3 == 2 for order in at_once) == 8


def test_the_window_grows_by_one_for_a_window_of_successes_while_it_limits() -> None:
    clock = FakeClock()

    async def main() -> tuple[float, float]:
        lane = Limiter(clock).lane()
        starts: list[tuple[int, float]] = []
        await asyncio.gather(*(serve(clock, lane, n, 1, starts) for n in range(5)))
        idle = lane.window
        await asyncio.gather(*(serve(clock, lane, n, 1, starts) for n in range(20 * START)))
        return idle, lane.window

    idle, busy = clock.run(main())

    assert idle == START
    assert START + 10 <= busy <= START + 16  # 20 + 21 + … + 35 are about 400


def test_a_cut_is_felt_where_the_cap_is_below_the_window() -> None:
    """One of many workers with a small part of the cap."""
    clock = FakeClock()

    async def main() -> tuple[float, float, float]:
        lane = Limiter(clock, cap=4).lane()
        local = Limiter(clock, cap=4).lane(concurrency=32, fixed=True, capped=False)
        before = lane.window
        lane.leave(await lane.enter(1, 1), "pushed_back")
        return before, lane.window, local.window

    before, after, local = clock.run(main())

    assert before == 4
    assert after < 4
    assert local == 32


def test_the_window_never_passes_its_ceiling() -> None:
    clock = FakeClock()

    async def main() -> list[float]:
        limiter = Limiter(clock)
        lanes = [limiter.lane(), limiter.lane(concurrency=7)]
        starts: list[tuple[int, float]] = []
        await asyncio.gather(*(serve(clock, lane, n, 1, starts) for n in range(8000) for lane in lanes))
        return [lane.window for lane in lanes]

    assert clock.run(main()) == [CEILING, 7]


def test_a_push_back_narrows_the_window_once_for_all_that_were_under_way() -> None:
    clock = FakeClock()

    async def main() -> list[float]:
        lane = Limiter(clock).lane()
        windows = []
        for _ in range(12):
            tickets = [await lane.enter(0, 1) for _ in range(int(lane.window))]
            await clock.sleep(1)
            for ticket in tickets:
                lane.leave(ticket, "pushed_back")
            windows.append(lane.window)
        return windows

    windows = clock.run(main())

    assert windows[:2] == [14.0, pytest.approx(9.8)]
    assert windows[-1] == 1.0


def test_after_a_pause_one_call_goes_alone_until_it_succeeds() -> None:
    clock = FakeClock()
    at_once: list[int] = []

    async def main() -> None:
        lane = Limiter(clock).lane()
        until = clock.now() + 60

        async def one() -> None:
            while True:
                ticket = await lane.enter(0, 1)
                at_once.append(lane.in_flight)
                await clock.sleep(0.1)
                if clock.now() > until:
                    lane.leave(ticket, "served", tokens=1)
                    return
                lane.leave(ticket, "pushed_back", pause_s=10)

        await asyncio.gather(*(one() for _ in range(100)))

    clock.run(main())

    refused = at_once[START:]
    assert at_once[:START] == list(range(1, START + 1))
    assert refused[:6] == [1] * 6
    assert len(at_once) <= 100 + START + 6


def test_a_pause_is_as_long_as_asked_and_at_most_a_tenth_longer() -> None:
    clock = FakeClock()

    async def main() -> list[float]:
        waits = []
        for seed in range(20):
            lane = Limiter(clock, seed=seed).lane()
            lane.leave(await lane.enter(0, 1), "pushed_back", pause_s=10)
            paused = clock.now()
            lane.leave(await lane.enter(0, 1), "served")
            waits.append(clock.now() - paused)
        return waits

    waits = clock.run(main())

    assert all(10 <= wait <= 11.001 for wait in waits)
    assert len({round(wait, 6) for wait in waits}) > 10


def test_no_pause_is_longer_than_ten_minutes() -> None:
    clock = FakeClock()

    async def main() -> float:
        lane = Limiter(clock).lane()
        lane.pause(10**9, probe=True)
        began = clock.now()
        await lane.enter(0, 1)
        return clock.now() - began

    assert 600 <= clock.run(main()) <= 660


def test_a_cancelled_call_leaves_no_trace() -> None:
    clock = FakeClock()

    async def main() -> tuple[int, int]:
        limiter = Limiter(clock, cap=1)
        lane = limiter.lane()
        first = await lane.enter(0, 1)
        waiting = [asyncio.create_task(lane.enter(n, 1)) for n in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        lane.leave(first, "served")  # grants the next one in line …
        waiting[1].cancel()  # … which is gone before it hears of it
        await asyncio.sleep(0)
        third = await waiting[2]
        lane.leave(third, "served")
        return lane.in_flight, len(lane._queue)

    assert clock.run(main()) == (0, 0)


def test_whoever_waits_in_an_aborted_lane_fails() -> None:
    clock = FakeClock()

    async def main() -> list[Ticket | BaseException]:
        lane = Limiter(clock).lane(concurrency=1)
        first = await lane.enter(0, 1)
        waiting = asyncio.gather(*(lane.enter(n, 1) for n in range(3)), return_exceptions=True)
        await asyncio.sleep(0)
        lane.abort(RuntimeError("gone"))
        lane.leave(first, "served")
        return await waiting

    assert [str(found) for found in clock.run(main())] == ["gone"] * 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "10s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "10s"}, 10),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2.5s"}, 62.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "250ms"}, 0.25),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "7.5"}, 7.5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000030"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000030000"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2023-11-14T22:13:50Z"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1600000000"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "6d"}, 600),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "-5"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "nan"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
    ],
)
def test_headers_say_how_long_an_empty_quota_lasts(headers: dict[str, str], seconds: float | None) -> None:
    assert pause_of(headers, 1_700_000_000_000) == (None if seconds is None else pytest.approx(seconds))
