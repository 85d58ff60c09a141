"""Replies that no client may believe: what a hostile or broken server sends in place of a completion.

Made when they are asked for: some are large.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

_HTML = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>"
_GOOD: dict[str, Any] = {
    "id": "chatcmpl-x",
    "object": "chat.completion",
    "created": 0,
    "model": "fake-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "rock"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
_CHUNK = b" " * (1 << 16)


def _http(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    lines = (
        f"HTTP/1.1 {status}",
        f"content-type: {kind}",
        f"content-length: {len(body)}",
        "connection: close",
        *headers,
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


def _json(value: Any) -> bytes:
    return _http(json.dumps(value).encode())


def _with(**changed: Any) -> bytes:
    return _json(_GOOD | changed)


_FIXED: dict[str, Callable[[], bytes]] = {
    "html": lambda: _http(_HTML, kind="text/html"),
    "html_502": lambda: _http(_HTML, status="502 Bad Gateway", kind="text/html"),
    "half_json": lambda: _http(json.dumps(_GOOD).encode()[:-40]),
    "short_body": lambda: _http(json.dumps(_GOOD).encode()).replace(b"content-length: ", b"content-length: 9"),
    "nothing": lambda: _http(b""),
    "garbage": lambda: _http(bytes(range(256)) * 4),
    "no_http": lambda: b"\x16\x03\x01 this is not HTTP at all\r\n\r\n",
    "bad_utf8": lambda: _http(json.dumps(_GOOD).encode().replace(b"rock", b"r\xff\xfek")),
    "a_list": lambda: _json([_GOOD]),
    "a_string": lambda: _json("rock"),
    "null": lambda: _json(None),
    "no_choices": lambda: _with(choices=[]),
    "choices_null": lambda: _with(choices=None),
    "choices_text": lambda: _with(choices="rock"),
    "no_message": lambda: _with(choices=[{"index": 0, "finish_reason": "stop"}]),
    "content_number": lambda: _with(choices=[{"index": 0, "message": {"role": "assistant", "content": 7}}]),
    "content_missing": lambda: _with(choices=[{"index": 0, "message": {"role": "assistant"}, "finish_reason": "stop"}]),
    "error_in_200": lambda: _json({"error": {"message": "The backend failed to answer", "code": 500}}),
    "deep": lambda: _http(b'{"choices":' + b"[" * 200_000),
    "long_number": lambda: _http(b'{"choices":[],"created":' + b"9" * 100_000 + b"}"),
    "redirect": lambda: _http(b"", "location: http://127.0.0.1:1/v1/chat/completions", status="307 Temporary Redirect"),
    "gzip_bomb": lambda: _http(gzip.compress(b" " * (64 << 20), 9), "content-encoding: gzip"),
    "gzip_lie": lambda: _http(b"this is not gzip", "content-encoding: gzip"),
    "many_headers": lambda: _http(json.dumps(_GOOD).encode(), *(f"x-h{n}: {n}" for n in range(100_000))),
    "long_header": lambda: _http(json.dumps(_GOOD).encode(), "x-long: " + "y" * (1 << 20)),
    # these are complete replies whose extras lie: the reply counts, the extras do not
    "odd_usage": lambda: _with(usage={"prompt_tokens": -5, "completion_tokens": "many", "cost": "NaN"}),
    "usage_list": lambda: _with(usage=[1, 2]),
}


async def _endless(writer: asyncio.StreamWriter) -> None:
    """A body that never ends, as fast as it is read."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"%x\r\n%s\r\n" % (len(_CHUNK), _CHUNK))
        await writer.drain()


async def _huge(writer: asyncio.StreamWriter) -> None:
    """A body that announces 20 MiB and sends them."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (20 << 20))
    for _ in range((20 << 20) // len(_CHUNK)):
        writer.write(_CHUNK)
        await writer.drain()


async def _drip(writer: asyncio.StreamWriter) -> None:
    """One byte at a time, for ever: only a total deadline ends it."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


_LIVE: dict[str, Callable[[asyncio.StreamWriter], Awaitable[None]]] = {
    "endless": _endless,
    "huge": _huge,
    "drip": _drip,
}
NAMES = (*_FIXED, *_LIVE)


async def send(name: str, writer: asyncio.StreamWriter) -> None:
    """Send the broken reply of that name."""
    if name in _LIVE:
        await _LIVE[name](writer)
    else:
        writer.write(_FIXED[name]())
        await writer.drain()
