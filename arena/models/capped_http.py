"""An OpenAI SDK client for litellm whose transport keeps our limits: bodies of 16 MiB, no redirects, no compression.

Compression is refused outright: httpx inflates a chunk as a whole, so a bomb would be in memory before it is counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from arena.models.http_transport import MAX_BODY


def capped_openai(base_url: str, key: str) -> Any:
    """The client that litellm is handed for a server named by URL. The libraries are there: litellm needs them."""
    import httpx
    import httpx_aiohttp
    import openai

    class TooLong(httpx.TransportError):
        """A body that is longer than any answer, or that will not say how long it is."""

    class CappedStream(httpx.AsyncByteStream):
        def __init__(self, stream: httpx.AsyncByteStream) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in self._stream:
                size += len(chunk)
                if size > MAX_BODY:
                    raise TooLong(f"the reply is longer than {MAX_BODY >> 20} MiB")
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    class CappedTransport(httpx_aiohttp.AiohttpTransport):  # type: ignore[misc]  # an untyped package
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response: httpx.Response = await super().handle_async_request(request)
            if response.headers.get("content-encoding", "identity") != "identity":
                await response.aclose()
                raise TooLong("the reply is compressed, which was not asked for")
            if isinstance(response.stream, httpx.AsyncByteStream):
                response.stream = CappedStream(response.stream)
            return response

    # The transport reads "no limit" as aiohttp's default of 100 connections (httpx-aiohttp 0.2.0).
    transport = CappedTransport(limits=httpx.Limits(max_connections=10_000, keepalive_expiry=4.0))
    http = httpx.AsyncClient(transport=transport, headers={"Accept-Encoding": "identity"}, follow_redirects=False)
    client = openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, http_client=http)
    client.organization = client.project = None  # the environment's are openai.com's business
    return client
