"""What a server can really do, found out by asking it: at most six answered calls of at most 16 tokens.

Tables are not asked for what counts: servers accept `response_format`, `seed` and `logprobs` and ignore them, so a
capability is what shows in the replies. A server keeps to a schema if an absurd one is kept three times out of three at
temperature 1; it has seeds if two replies with one seed are equal and a third with another is not. What was found is
kept for seven days per (URL, model id, id that the server returned).
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple, Protocol

from arena.models.folders import cache_folder
from arena.models.types import Capabilities, Message, ProviderError, Request, Response, Sampling
from arena.prompt.shape import Shape

MOST_CALLS = 6
MOST_TOKENS = 16
_KEPT_S = 7 * 24 * 3600.0
_CONTEXT_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length", "n_ctx")

# Nobody greets like this unless a grammar makes him.
_ABSURD = Shape(
    "schema",
    schema={
        "type": "object",
        "properties": {"q": {"type": "string", "enum": ["no", "ay"]}},
        "required": ["q"],
        "additionalProperties": False,
    },
)
_LEGAL = ('{"q":"no"}', '{"q":"ay"}')
_GREET = "Say hello in one short sentence."
_WANDER = "Write some random words, one after the other."

Ask = Callable[[Request], Awaitable[Response]]


class Probeable(Protocol):
    """A client whose server is not known beforehand."""

    @property
    def place(self) -> str:
        """Where it is: the base URL, or the provider's name."""
        ...

    @property
    def requested(self) -> str: ...

    def capabilities(self) -> Capabilities: ...

    def adopt(self, capabilities: Capabilities) -> None: ...

    async def models(self) -> list[dict[str, Any]]: ...

    async def complete(self, request: Request) -> Response: ...


class _Found(NamedTuple):
    capabilities: Capabilities
    served: str


async def probe(
    client: Probeable, ask: Ask | None = None, *, folder: Path | None = None, now: Callable[[], float] = time.time
) -> Capabilities:
    """The capabilities of `client`, from the cache or by asking; the client has adopted them when this returns.

    `ask` sends a request (through the ledger, say); by default the client itself does. A ProviderError of the probing
    calls passes through, and nothing is kept then.
    """
    folder = cache_folder() / "probes" if folder is None else folder
    listed = await _listed(client)
    file = folder / f"{_key(client, _served(client, listed))}.json"
    found = _read(file, now())
    if found is None:
        found = await _ask_all(client, ask or client.complete, listed)
        for served in {_served(client, listed), found.served}:
            _write(folder / f"{_key(client, served)}.json", found.capabilities, now())
    client.adopt(found.capabilities)
    return found.capabilities


async def _ask_all(client: Probeable, ask: Ask, listed: dict[str, Any] | None) -> _Found:
    before = client.capabilities()
    probing = _Probing(client, ask)
    schema, (logprobs, varied), same = await _together(probing.schema(), probing.logprobs(), probing.same())
    seed = same is not None and same != varied  # where every seed gives one text, nothing is known
    capabilities = replace(
        before,
        schema=schema,
        seed=seed,
        logprobs=logprobs,
        system_role=probing.system_role,
        context=_context(listed) or before.context,
        reports_cache=probing.reports_cache,
        source="probed",
    )
    return _Found(capabilities, probing.served)


async def _together(*asking: Coroutine[Any, Any, Any]) -> list[Any]:
    """All at once, since a slow server's every answer would be waited for in turn; the first error, when all ended."""
    found = await asyncio.gather(*asking, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return found


class _Probing:
    """The calls of one probe, counted."""

    def __init__(self, client: Probeable, ask: Ask) -> None:
        self.client, self._ask = client, ask
        self.calls = 0  # answered ones: a refusal costs nothing
        self.served = ""
        self.takes_seed = True
        self.system_role = True
        self.reports_cache = False

    async def schema(self) -> Any:
        """Whether a schema is enforced: shown at least twice in three times and never broken; "json" if only the form
        is. A reply that a grammar's white space used up shows nothing (llama.cpp may write any amount of it)."""
        before = self.client.capabilities()
        shown = 0
        self.client.adopt(replace(before, schema="strict"))
        try:
            calls = (self.call(_GREET, seed=None, number=time_, shape=_ABSURD) for time_ in range(3))
            for reply in await _together(*calls):
                if reply is None:
                    return "none"
                kept = _keeps(reply)
                if kept is False:
                    return "json" if _is_object(reply) else "none"
                shown += kept is True
        finally:
            self.client.adopt(before)
        return "strict" if shown >= 2 else "none"

    async def logprobs(self) -> tuple[bool, str | None]:
        """Whether log-probabilities come back, and the text that came with another seed than `seed` uses."""
        reply = await self.call(_WANDER, seed=8, number=0, logprobs=True)
        if reply is None:
            reply = await self.call(_WANDER, seed=8, number=1)
            return False, reply.text if reply else None
        return reply.tokens is not None and len(reply.tokens.logprobs) > 0, reply.text

    async def same(self) -> str | None:
        """The text that one seed gave twice; None if it gave two, or is refused."""
        first, second = await _together(*(self.call(_WANDER, seed=7, number=number) for number in range(2)))
        if first is None or second is None or not self.takes_seed:
            return None
        return str(first.text) if first.text == second.text else None

    async def call(
        self, prompt: str, *, seed: int | None, number: int, shape: Shape | None = None, logprobs: bool = False
    ) -> Response | None:
        """One call; None if the server refuses what is probed, or if the calls are used up."""
        if self.calls >= MOST_CALLS:
            return None
        seed = seed if self.takes_seed else None
        key = sha256(f"{self.client.place} {self.client.requested} {prompt} {seed} {number} {logprobs}".encode())
        self.calls += 1
        messages = self._messages(prompt)
        try:
            reply = await self._ask(
                Request(
                    messages,
                    shape,
                    Sampling(temperature=1.0, max_tokens=MOST_TOKENS, seed=seed),
                    want_logprobs=logprobs,
                    sample_key=f"probe/{number}",
                    call_key=key.hexdigest()[:32],
                )
            )
        except ProviderError as error:
            self.calls -= 1
            if error.kind != "bad_request":
                raise
            if not self._does_without(error, seed, has_system=len(messages) > 1):
                return None
            return await self.call(prompt, seed=seed, number=number, shape=shape, logprobs=logprobs)
        self.served = reply.model or self.served
        self.reports_cache = self.reports_cache or reply.usage.cached is not None
        return reply

    def _does_without(self, error: ProviderError, seed: int | None, *, has_system: bool) -> bool:
        """Whether a refusal was of something beside the point, which is left out from now on."""
        if seed is not None and error.parameter == "seed":
            self.takes_seed = False
            return True
        text = error.message.lower()
        if has_system and "system" in text and "role" in text:
            self.system_role = False
            return True
        return False

    def _messages(self, prompt: str) -> tuple[Message, ...]:
        rules: Message = {"role": "system", "content": "You are a helpful assistant."}
        user: Message = {"role": "user", "content": prompt}
        return (rules, user) if self.system_role else (user,)


def _keeps(reply: Response) -> bool | None:
    """Whether a reply keeps to the absurd schema, as far as it goes; None if it does not go far enough to tell."""
    text = "".join(reply.text.split())
    if text in _LEGAL:
        return True
    if reply.finish != "length" or not any(legal.startswith(text) for legal in _LEGAL):
        return False
    return True if text.startswith('{"q') else None


def _is_object(reply: Response) -> bool:
    return isinstance(_json(reply.text), dict)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


async def _listed(client: Probeable) -> dict[str, Any] | None:
    """The server's own entry for the model, if it has one. Lists fail for many reasons; that says nothing."""
    try:
        entries = await client.models()
    except ProviderError:
        return None
    named = [entry for entry in entries if entry.get("id") == client.requested]
    return named[0] if named else entries[0] if len(entries) == 1 else None


def _served(client: Probeable, listed: dict[str, Any] | None) -> str:
    """The id that the server gives the model, as far as its list says."""
    found = (listed or {}).get("id")
    return found if isinstance(found, str) else client.requested


def _context(listed: dict[str, Any] | None) -> int | None:
    """The context length in the many places where servers write it."""
    entry = listed or {}
    places = [entry, *(inner for inner in (entry.get("meta"), entry.get("top_provider")) if isinstance(inner, dict))]
    found = (place.get(key) for place in places for key in _CONTEXT_KEYS)
    return next((value for value in found if type(value) is int and 0 < value < 1 << 31), None)


# --- seven days -----------------------------------------------------------------------------------------------------


def _key(client: Probeable, served: str) -> str:
    return sha256("\0".join((client.place, client.requested, served)).encode()).hexdigest()[:32]


def _read(file: Path, now: float) -> _Found | None:
    try:
        value = json.loads(file.read_text("utf-8"))
        if not 0 <= now - value["at"] < _KEPT_S:
            return None
        return _Found(Capabilities(**value["capabilities"]), "")
    except (OSError, ValueError, KeyError, TypeError):
        return None  # none yet, or one of another version: asking again costs six small calls


def _write(file: Path, capabilities: Capabilities, now: float) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as temporary:
        json.dump({"at": now, "capabilities": asdict(capabilities)}, temporary)
    os.replace(temporary.name, file)  # noqa: PTH105
