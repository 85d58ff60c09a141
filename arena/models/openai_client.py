"""The direct client: any server that speaks OpenAI's chat completions, over aiohttp.

aiohttp and not the openai package: 0.15 ms of CPU a request against 0.92 ms, and 58 MB against 126 MB with 1,000 in
flight (`benchmarks/clients.py`). What the package would add (retries, streaming) this layer must not do, and what the
transport needs (bodies cut off, redirects not followed) the package hides.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from importlib.metadata import version
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from arena.core.errors import UsageError
from arena.models.chat import Enforced, Unreadable, body_error, decode, enforce, read_completion, sampling_body
from arena.models.http_errors import (
    Refused,
    failed,
    is_filtered,
    provider_error,
    rate_headers,
    request_id,
)
from arena.models.http_transport import Reply, Transport
from arena.models.redact import Redactor
from arena.models.types import Capabilities, ErrorKind, ProviderError, Request, Response

if TYPE_CHECKING:
    from arena.models.names import ModelName

OPTIONS: dict[str, tuple[type, Any]] = {"insecure": (bool, False)}  # a key over plain http to another machine


class Server(NamedTuple):
    """What is known of a provider: where it is, whose key it takes, how it spells things."""

    url: str | None = None
    url_env: str | None = None
    key_env: str | None = None
    reasoning: Literal["effort", "object", "thinking"] = "effort"


SERVERS: dict[str, Server] = {
    "openai": Server("https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "openrouter": Server("https://openrouter.ai/api/v1", None, "OPENROUTER_API_KEY", "object"),
    "ollama": Server("http://127.0.0.1:11434/v1", "OLLAMA_HOST"),
    "vllm": Server(reasoning="thinking"),
    "hosted_vllm": Server(reasoning="thinking"),
    "llamacpp": Server(reasoning="thinking"),
    "tgi": Server(),
}


class OpenAIClient:
    """One model at one base URL."""

    def __init__(self, name: ModelName) -> None:
        server = SERVERS.get(name.provider, Server())
        self.name = name
        self.url = _base_url(name, server)
        self.is_openai = (urlsplit(self.url).hostname or "").endswith("api.openai.com")
        self._redactor = Redactor({})
        self._redactor.add_url("url", self.url)
        headers = {"Content-Type": "application/json", "User-Agent": "parley-arena"}
        self._reasoning = server.reasoning
        self._max_tokens = "max_completion_tokens" if self.is_openai else "max_tokens"
        self._capabilities = _declared(self.is_openai, server)
        self._transport = Transport(self.url, headers | self._authorization(server), self._failed)
        if name.options.get("choice", "auto") == "score":
            raise UsageError(
                f"{name.provider}/{name.model}: choice=score needs a model in process; use choice=auto here",
                hint="only hf/… weighs every option by its log-probability",
            )
        self._reasoning_body(name.options.get("reasoning"))  # unmappable is a usage error now, not in play

    async def complete(self, request: Request) -> Response:
        enforced = self._enforced(request)
        try:
            body = self._body(request, enforced)
        except UsageError as error:
            raise self._failed("bad_request", error.message) from error
        started = time.monotonic()
        reply = await self._post(body, request)
        if isinstance(reply, Refused) and self._respell(reply):
            body = self._body(request, enforced)
            reply = await self._post(body, request)
        params = {key: value for key, value in body.items() if key not in ("messages", "model")}
        if isinstance(reply, Reply):
            response = self._read(reply, enforced)
        elif is_filtered(reply):
            response = Response("", "filter", headers=rate_headers(reply.headers))
        else:
            raise self._refused(reply)
        return replace(response, params=params, latency_s=time.monotonic() - started)

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def adopt(self, capabilities: Capabilities) -> None:
        """Replace what was declared by what a probe found, or by what was learned in play."""
        self._capabilities = capabilities

    @property
    def place(self) -> str:
        return self._redactor.clean_error(self.url)

    @property
    def requested(self) -> str:
        return self.name.model

    @property
    def wants_probe(self) -> bool:
        """Whether what this server can do is unknown until it was asked."""
        return not self.is_openai and self._capabilities.source == "declared"

    async def identity(self) -> dict[str, Any]:
        return {
            "provider": self.name.provider,
            "model": self.name.model,
            "url": self.place,
            "revision": self.name.options.get("revision"),
            "client": "openai",
            "versions": {"aiohttp": version("aiohttp")},
        }

    async def models(self, timeout_s: float = 10.0) -> list[dict[str, Any]]:
        """The server's `/models`: what it serves. A ProviderError if it does not say."""
        reply = await self._transport.exchange("GET", "/models", timeout_s)
        if isinstance(reply, Refused):
            raise self._refused(reply)
        try:
            value = decode(reply.raw)
        except Unreadable as error:
            raise self._failed("protocol", str(error)) from error
        found = value.get("data") if isinstance(value, dict) else None
        return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []

    async def aclose(self) -> None:
        await self._transport.aclose()

    # --- what is sent -----------------------------------------------------------------------------------------------

    async def _post(self, body: dict[str, Any], request: Request) -> Reply | Refused:
        headers = {"Idempotency-Key": request.call_key} if request.call_key else {}
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        return await self._transport.exchange("POST", "/chat/completions", request.timeout_s, data, headers)

    def _enforced(self, request: Request) -> Enforced | None:
        if self.name.options.get("choice") == "text":
            return None
        return enforce(request.shape, self._capabilities, all_required=self.is_openai)

    def _body(self, request: Request, enforced: Enforced | None) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.name.model, "messages": list(request.messages)}
        body |= sampling_body(request, self._max_tokens) | self._reasoning_body(request.sampling.reasoning)
        if enforced is not None:
            body["response_format"] = enforced.response_format
        return body

    def _reasoning_body(self, wanted: str | None) -> dict[str, Any]:
        """How this server is told to think: an effort word, or a number of tokens where it takes one."""
        if wanted is None:
            return {}
        if self._reasoning == "object":
            if wanted.isdigit():
                return {"reasoning": {"max_tokens": int(wanted)}}
            return {"reasoning": {"enabled": False} if wanted == "none" else {"effort": wanted}}
        if wanted.isdigit():
            raise UsageError(
                f"{self.name.provider}/{self.name.model}: reasoning={wanted} is a number of tokens, which this server "
                "does not take; use none, low, medium or high"
            )
        if self._reasoning == "thinking" and wanted == "none":
            return {"chat_template_kwargs": {"enable_thinking": False}}
        return {"reasoning_effort": wanted}

    def _respell(self, said: Refused) -> bool:
        """Whether the server only wanted `max_tokens` under its other name. Known from then on."""
        other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}[self._max_tokens]
        if said.status not in (400, 422) or other not in said.body or f"'{self._max_tokens}'" not in said.body:
            return False
        if self._refused(said).parameter != "max_tokens":
            return False
        self._max_tokens = other
        return True

    def _authorization(self, server: Server) -> dict[str, str]:
        """The key's header. A server named by URL gets a key only if the name says which."""
        name = self.name
        given = name.options.get("key_env")
        variable = given or (server.key_env if name.url is None else None)
        key = os.environ.get(variable, "") if variable else ""
        if variable and not key and (given or self.url == server.url):
            raise UsageError(
                f"{name.provider}/{name.model} needs a key: set the variable {variable}",
                hint=f"export {variable}=… or name another variable with ?key_env=NAME",
            )
        if not key:
            return {"Authorization": "Bearer none"}
        self._redactor.add(variable or "key", key)
        if any(char <= " " or char > "~" for char in key):
            raise UsageError(f"the key in {variable} holds a space, a line break or a character that no header can")
        check_key_travels(name, self.url)
        headers = {"Authorization": f"Bearer {key}"}
        for header, env in (("OpenAI-Organization", "OPENAI_ORG_ID"), ("OpenAI-Project", "OPENAI_PROJECT_ID")):
            if self.is_openai and os.environ.get(env):
                headers[header] = os.environ[env]
        return headers

    # --- what comes back --------------------------------------------------------------------------------------------

    def _read(self, reply: Reply, enforced: Enforced | None) -> Response:
        try:
            value = decode(reply.raw)
            if found := body_error(value):
                raise self._refused(Refused(found[0], found[1], reply.headers))
            response = read_completion(value, enforced)
        except Unreadable as error:
            raise self._failed("protocol", str(error)) from error
        id_ = request_id(reply.headers, self._redactor) or response.request_id
        return replace(response, request_id=id_, headers=rate_headers(reply.headers))

    def _refused(self, said: Refused) -> ProviderError:
        return provider_error(said, provider=self.name.provider, model=self.name.model, redactor=self._redactor)

    def _failed(self, kind: ErrorKind, message: str) -> ProviderError:
        hint = None
        if kind == "connection" and self.name.provider == "ollama":
            hint = "is Ollama running? `ollama serve` starts it"
        provider, model = self.name.provider, self.name.model
        return failed(kind, message, provider=provider, model=model, redactor=self._redactor, hint=hint)


def _base_url(name: ModelName, server: Server) -> str:
    if name.url is not None:
        return name.url.rstrip("/")
    if server.url is None:
        raise UsageError(
            f"{name.provider}/{name.model} needs the URL of its server",
            hint=f"{name.provider}/{name.model}@http://127.0.0.1:8000/v1",
        )
    given = os.environ.get(server.url_env, "").strip() if server.url_env else ""
    if not given:
        return server.url
    if "@" in given:
        raise UsageError(
            f"{server.url_env} holds a user or password",
            hint="put the key into a variable of its own and name it with ?key_env=NAME",
        )
    if server.url_env == "OLLAMA_HOST":  # host, host:port or a URL, without the path
        given = given if "://" in given else f"http://{given}"
        port = "" if urlsplit(given).port else ":11434"
        given = f"{given.rstrip('/').replace('0.0.0.0', '127.0.0.1')}{port}/v1"  # noqa: S104  # an address to call, not to bind
    return given.rstrip("/")


def check_key_travels(name: ModelName, url: str) -> None:
    """Stop before a key goes over plain http to another machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if parts.scheme != "https" and not is_here and not name.options.get("insecure", False):
        raise UsageError(
            f"{name.provider}/{name.model}: a key would travel unencrypted to {host}",
            hint="use an https URL, or accept the risk with ?insecure=true",
        )


def _declared(is_openai: bool, server: Server) -> Capabilities:
    if is_openai:
        return Capabilities(schema="strict", seed=True, logprobs=True, reasoning="effort", reports_cache=True)
    return Capabilities(reasoning="budget" if server.reasoning == "object" else "effort")
