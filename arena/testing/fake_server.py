"""A model server that speaks the OpenAI protocol over loopback and fails on request.

    python -m arena.testing.fake_server --port 0 --kind legal --latency 200ms --rate-limit @10 --retry-after 1

prints its base URL on one line and serves until it is stopped. In a test: `with serving(kind="fixed", text="rock") as
server:`, then `server.url`. Kinds: `legal` (a random legal answer, read from the prompt's answer block or the request's
schema), `fixed`, `echo`, `script`, `chaos` (legal, and now and then a fault). Options: arena.testing.fake_model.

`GET /count` is the provider's own counter: calls by Idempotency-Key, so that a test sees what was paid twice.
`POST /reset` clears it, and changes the options that its body names. Only the standard library; HTTP/1.1 with
Content-Length and without streaming: what our clients use.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from typing import Any

from arena.testing import broken_replies
from arena.testing.fake_model import Behaviour, Call, FakeModel, Reply

_CLOSES = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, asyncio.CancelledError)


@dataclass
class Counts:
    """What was asked and what was served."""

    requests: int = 0
    served: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)  # served calls by key
    tries: Counter[str] = field(default_factory=Counter)  # requests by key
    in_flight: int = 0
    in_flight_max: int = 0
    first_s: float = 0.0
    last_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "served": self.served,
            "errors": dict(self.errors),
            "keys": dict(self.keys),
            "repeated": {key: n for key, n in self.keys.items() if n > 1},
            "in_flight_max": self.in_flight_max,
            "span_s": self.last_s - self.first_s,  # from the first request to the last reply
        }


class FakeServer:
    """The server. `seen` holds the last thousand requests as (headers, body), for tests of what a client sends."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.model = FakeModel(behaviour or Behaviour())
        self.counts = Counts()
        self.seen: deque[tuple[dict[str, str], dict[str, Any]]] = deque(maxlen=1000)
        self.url = ""
        self._served_at: deque[float] = deque()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[Any]] = set()

    async def start(self, port: int = 0) -> str:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", port, limit=1 << 20, backlog=4096)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self.url

    async def aclose(self) -> None:
        if self._server:
            self._server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def reset(self, **options: Any) -> None:
        """Clear the counters; change the options that are named."""
        self.model = FakeModel(replace(self.model.behaviour, **options))
        self.counts = Counts(in_flight=self.counts.in_flight)
        self._served_at.clear()
        self.seen.clear()

    # --- HTTP -------------------------------------------------------------------------------------------------------

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._connections.add(task)  # type: ignore[arg-type]  # a connection is always a task
        try:
            while True:
                first = await reader.readexactly(1)
                if first == b"\x16":
                    break  # a TLS greeting: not spoken here
                method, path, headers = _head(first + await reader.readuntil(b"\r\n\r\n"))
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if (method, path) == ("POST", "/v1/chat/completions"):
                    if not await self._chat(headers, body, writer):
                        break
                else:
                    await _send(writer, self._page(method, path, body))
        except _CLOSES:
            pass  # the client went away, or the server is closing
        finally:
            self._connections.discard(task)
            writer.close()

    def _page(self, method: str, path: str, body: bytes) -> Reply:
        b = self.model.behaviour
        match method, path:
            case "GET", "/v1/models":
                entry = {"id": b.model, "object": "model", "context_length": b.context or None}
                return Reply(200, {"object": "list", "data": [entry]}, {})
            case "GET", "/count":
                return Reply(200, self.counts.as_json(), {})
            case "POST", "/reset":
                self.reset(**json.loads(body or b"{}"))
                return Reply(200, {"reset": True}, {})
        return Reply(404, {"error": {"message": f"no such path: {path}", "type": "invalid_request_error"}}, {})

    async def _chat(self, headers: dict[str, str], raw: bytes, writer: asyncio.StreamWriter) -> bool:
        """One call; false if the connection is finished."""
        call, counts, model = self._note(headers, raw), self.counts, self.model
        try:
            if wait := model.latency_s(call):
                await asyncio.sleep(wait)
            fault = model.fault(call) or self._over_rate()
            if fault == "connection":
                counts.errors[fault] += 1
                writer.transport.abort()
                return False
            if fault == "hang":
                counts.errors[fault] += 1
                await asyncio.Event().wait()
            if fault == "protocol":
                counts.errors[model.behaviour.broken] += 1
                await broken_replies.send(model.behaviour.broken, writer)
                return False
            await _send(writer, self._reply(call, fault))
            return True
        finally:
            counts.in_flight -= 1
            counts.last_s = time.monotonic()

    def _note(self, headers: dict[str, str], raw: bytes) -> Call:
        counts = self.counts
        key = headers.get("idempotency-key") or hashlib.sha256(raw).hexdigest()
        counts.first_s = counts.first_s or time.monotonic()
        counts.requests += 1
        counts.in_flight += 1
        counts.in_flight_max = max(counts.in_flight_max, counts.in_flight)
        call = Call(counts.requests, key, counts.tries[key], headers, json.loads(raw))
        counts.tries[key] += 1
        self.seen.append((headers, call.body))
        return call

    def _reply(self, call: Call, fault: str | None) -> Reply:
        reply = None if fault else self.model.answer(call)
        if reply is None:
            fault = fault or "mock_miss"
            self.counts.errors[fault] += 1
            reply = self.model.refusal(fault, call)
        else:
            self._served(call)
            if rpm := self.model.behaviour.rpm:
                left = str(max(0, rpm - len(self._served_at)))
                reply.headers.update({"x-ratelimit-limit-requests": str(rpm), "x-ratelimit-remaining-requests": left})
        if self.model.behaviour.leak:
            reply.headers["x-request-id"] = call.bearer
        return reply

    def _over_rate(self) -> str | None:
        now, rpm = time.monotonic(), self.model.behaviour.rpm
        while self._served_at and now - self._served_at[0] >= 60:
            self._served_at.popleft()
        return "rate_limit" if rpm and len(self._served_at) >= rpm else None

    def _served(self, call: Call) -> None:
        self.counts.served += 1
        self.counts.keys[call.key] += 1
        if self.model.behaviour.rpm:
            self._served_at.append(time.monotonic())
        if path := self.model.behaviour.count_file:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            try:
                os.write(file, f"{call.key}\n".encode())
                os.fsync(file)
            finally:
                os.close(file)


@contextmanager
def serving(**options: Any) -> Iterator[FakeServer]:
    """A server in a thread of its own, for tests: `with serving(rate_limit="@2") as server: … server.url`."""
    server = FakeServer(Behaviour(**options))
    loop = asyncio.new_event_loop()
    started = threading.Event()

    def run() -> None:
        loop.run_until_complete(server.start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(server.aclose())
        loop.close()

    thread = threading.Thread(target=run, name="fake-server", daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def _head(raw: bytes) -> tuple[str, str, dict[str, str]]:
    first, *rest = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in rest)
    return method, path, {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _send(writer: asyncio.StreamWriter, reply: Reply) -> None:
    body = json.dumps(reply.body).encode()
    lines = [f"HTTP/1.1 {reply.status} -", "content-type: application/json", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
    await writer.drain()


async def _serve_forever(behaviour: Behaviour, port: int) -> None:
    server = FakeServer(behaviour)
    print(await server.start(port), flush=True)  # noqa: T201  # the URL is this program's output
    await asyncio.Event().wait()


def main() -> None:
    description = "A model server that speaks the OpenAI protocol over loopback and fails on request."
    parser = argparse.ArgumentParser(prog="python -m arena.testing.fake_server", description=description)
    parser.add_argument("--port", type=int, default=0)
    for option in fields(Behaviour):
        flag = f"--{option.name.replace('_', '-')}"
        if option.type == "bool":
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, type=int if option.type == "int" else str, default=option.default)
    options = vars(parser.parse_args())
    port = options.pop("port")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve_forever(Behaviour(**options), port))


if __name__ == "__main__":
    main()
