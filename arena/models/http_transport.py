"""One HTTP exchange with a server that nobody vouches for: a whole reply within a deadline and a size, or an error.

A body is read no further than 16 MiB after decompression, a redirect is never followed (the key would go along),
cookies and `.netrc` are not used, and a proxy comes from the environment only. Nothing is tried twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from arena.models.http_errors import Refused
from arena.models.types import ErrorKind, ProviderError

if TYPE_CHECKING:
    import aiohttp

MAX_BODY = 16 << 20
_MAX_ERROR_BODY = 64 << 10
# Servers close idle connections after 5 s or more (uvicorn, Node, cpp-httplib); a POST on one that just closed fails
# and must not be sent again blindly, so ours are dropped before.
_KEEP_ALIVE_S = 4.0

Fail = Callable[[ErrorKind, str], ProviderError]


class Reply(NamedTuple):
    """A reply with status 200, as it came."""

    raw: bytes
    headers: Mapping[str, str]


class Transport:
    """The connections to one base URL. `fail` makes the caller's error of a kind and a sentence."""

    def __init__(self, url: str, headers: Mapping[str, str], fail: Fail) -> None:
        self.url, self._headers, self._fail = url, headers, fail
        self._http: aiohttp.ClientSession | None = None
        self._proxy: str | None = None

    async def exchange(
        self,
        method: str,
        path: str,
        timeout_s: float,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply | Refused:
        """The reply; Refused if its status is not 200; ProviderError if there is none, or none that can be read."""
        import aiohttp

        try:
            async with (
                asyncio.timeout(timeout_s),
                self._session().request(
                    method, self.url + path, data=data, headers=headers, allow_redirects=False, proxy=self._proxy
                ) as reply,
            ):
                if reply.status != 200:
                    said, _ = await _read(reply.content, _MAX_ERROR_BODY)
                    return Refused(reply.status, said.decode("utf-8", "replace"), reply.headers)
                body, is_whole = await _read(reply.content, MAX_BODY)
                if not is_whole:
                    raise self._fail("protocol", f"the reply is longer than {MAX_BODY >> 20} MiB")
                return Reply(body, reply.headers)
        except TimeoutError as error:
            raise self._fail("timeout", f"no complete reply within {timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._fail(*what_broke(error)) from error

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    def _session(self) -> aiohttp.ClientSession:
        """Made on first use, since connections belong to the running loop."""
        import aiohttp

        if self._http is None or self._http.closed:
            self._proxy = _proxy_for(self.url)
            self._http = aiohttp.ClientSession(
                # No limit here: the limiter above decides how many calls are in flight.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,  # it would read .netrc, on a thread, for every request
            )
        return self._http


async def _read(content: aiohttp.StreamReader, limit: int) -> tuple[bytes, bool]:
    """At most `limit` bytes of a body, decompressed, and whether that was all. Leaving the rest unread closes it."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in content.iter_any():
        size += len(chunk)
        chunks.append(chunk)
        if size > limit:
            return b"".join(chunks)[:limit], False
    return b"".join(chunks), True


def what_broke(error: BaseException) -> tuple[ErrorKind, str]:
    """A transport's exception as a kind and a sentence."""
    import aiohttp

    text = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "connection", f"the server's certificate cannot be trusted: {text}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "connection", f"cannot connect: {text}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "connection", "the server closed the connection without a reply"
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ClientResponseError):
        kind: ErrorKind = "connection" if isinstance(error.__cause__, OSError) else "protocol"
        return kind, f"the reply cannot be read: {text}"
    return "connection", f"the connection broke: {text}"


def _proxy_for(url: str) -> Any:
    """The proxy that the environment names for `url`, if any."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)
