"""The words between an agent and a model: request, response, capabilities, errors, client.

    agent  ->  session: cache -> budget -> limiter -> client -> redaction  ->  the runner commits the call
                                                        |- openai  |- litellm  |- hf  |- gguf  |- mock

A client turns one request into one response. It never retries, caches, sleeps or prints; those live above it, once.
What went wrong at a provider is a `ProviderError`, never a text: an error must not become a move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from arena.core.errors import ArenaError
from arena.prompt.shape import Shape

Message = dict[str, str]
Finish = Literal["stop", "length", "refusal", "filter"]
ErrorKind = Literal[
    "rate_limit",
    "overloaded",
    "server",
    "connection",
    "timeout",
    "protocol",
    "auth",
    "not_found",
    "quota",
    "billing",
    "bad_request",
    "context_length",
]
RETRYABLE: frozenset[str] = frozenset({"rate_limit", "overloaded", "server", "connection", "timeout", "protocol"})


@dataclass(frozen=True)
class Sampling:
    """What is asked of the sampler; None leaves it to the provider."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    seed: int | None = None
    reasoning: str | None = None  # none, low, medium, high, or a number of tokens

    def as_json(self) -> dict[str, Any]:
        """Only what is set: the part of a request's identity that sampling makes."""
        found = {k: v for k, v in self.__dict__.items() if v is not None and v != ()}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in found.items()}


@dataclass(frozen=True)
class Request:
    """One call. `sample_key` tells apart calls that say the same in different matches or turns; `call_key` is the
    same for every retry of this call; `order` is the number of its match: older ones are served first."""

    messages: tuple[Message, ...]
    shape: Shape | None = None
    sampling: Sampling = Sampling()
    want_logprobs: bool = False
    keep_tokens: bool = False
    sample_key: str = ""
    call_key: str = ""
    order: int = 0
    timeout_s: float = 120.0
    on_clock: bool = False  # the deadline is the seat's own clock: running into it is its turn, not the server's fault
    about: Mapping[str, str] = field(default_factory=dict)  # role and ask, for simulated models; no part of the call


@dataclass(frozen=True)
class Usage:
    """Tokens as the provider counted them; None = it did not say."""

    prompt: int | None = None
    cached: int | None = None
    completion: int | None = None
    reasoning: int | None = None
    cost_usd: float | None = None  # what the provider itself says that the call cost


@dataclass(frozen=True)
class Tokens:
    """The exact tokens of a local call, for training. `of` says which distribution the log-probabilities are of:
    the one sampled from (after temperature and masks), or the model's own. `allowed` holds, per completion token, the
    ids that a mask left (None = all)."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    logprobs: tuple[float, ...] = ()
    of: Literal["sampled", "model"] = "sampled"
    allowed: tuple[tuple[int, ...] | None, ...] = ()


@dataclass(frozen=True)
class Response:
    """A complete reply. `parsed` is set where the shape was enforced by the client; `params` are the parameters that
    were really sent; `headers` holds only rate-limit headers, for the limiter."""

    text: str
    finish: Finish = "stop"
    parsed: Any = None
    reasoning: str | None = None
    usage: Usage = Usage()
    model: str = ""  # the id that the server returned
    request_id: str | None = None
    latency_s: float = 0.0
    tokens: Tokens | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Capabilities:
    """What an endpoint can do. `schema` "strict" = any JSON schema is enforced; `batch`: of a local model."""

    schema: Literal["strict", "json", "none"] = "none"
    seed: bool = False
    logprobs: bool = False
    min_p: bool = False
    reasoning: Literal["effort", "budget", "none"] = "none"
    system_role: bool = True
    context: int | None = None
    max_output: int | None = None
    reports_cache: bool = False
    prefix_stable: bool = True
    batch: int | None = None  # calls that a model in this process answers together; None: a server's
    source: Literal["declared", "probed", "learned"] = "declared"


class ProviderError(ArenaError, RuntimeError):
    """A model could not be had. The message is redacted and says what a user can do."""

    kind: str

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        provider: str = "",
        model: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
        parameter: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.provider, self.model, self.status = provider, model, status
        self.retry_after_s, self.request_id = retry_after_s, request_id
        self.parameter = parameter  # the optional parameter that a bad_request names, if it names one

    @property
    def retryable(self) -> bool:
        return self.kind in RETRYABLE


class BudgetReached(ArenaError, RuntimeError):
    """The run's money, tokens or time are used up; the open turns stay open."""

    kind = "budget"


class Halted(Exception):  # no error: the run was told to stop
    """No new request is sent; what waited for its turn stays unasked."""


class ModelClient(Protocol):
    """One model at one place. Implementations import their library in the constructor."""

    async def complete(self, request: Request) -> Response:
        """One call; raises ProviderError, never returns an error as text."""
        ...

    def capabilities(self) -> Capabilities: ...

    async def identity(self) -> dict[str, Any]:
        """Who this is beyond its name: provider, requested id, revision, weight hashes, library versions."""
        ...

    async def aclose(self) -> None: ...
