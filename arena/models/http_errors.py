"""From what a provider sends back in place of an answer to one `ProviderError`, the same for every HTTP client.

The one place that classifies: by status, by the error body's words, by the exception's cause, in that order of
trust. A message is redacted here already by the client's own redactor, shows no control character and
stays short, since bodies of strangers end in logs and on terminals.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from arena.core.text import one_line
from arena.models.redact import Redactor
from arena.models.types import ErrorKind, ProviderError

MAX_RETRY_AFTER_S = 600.0
_SHOWN = 500
_RATE_HEADERS = re.compile(r"(x-ratelimit|ratelimit|anthropic-ratelimit|retry-after)", re.IGNORECASE)
_WAIT = re.compile(
    r"(?:try again|retry) in ((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)|retryDelay\W+(\d+(?:\.\d+)?s)", re.IGNORECASE
)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

_CONTEXT = re.compile(
    r"context_length|context length|context window|context size|maximum context|max_model_len|exceed_context_size"
    r"|prompt is too long|input is too long|too many (?:input )?tokens|request too large|input token count"
    r"|reduce the length|longer than the (?:maximum )?model|exceed context limit"
    r"|exceeds? the (?:available|maximum) (?:context|number of tokens)"
    r"|string_above_max_length|tokens? in (?:the )?(?:messages|prompt).{0,40}exceed",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(r"request too large", re.IGNORECASE)  # a 429 that no waiting cures
_FILTER = re.compile(r"content_filter|content_policy|content management policy|responsible ?ai ?policy", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|quota exceeded|quota_exceeded", re.IGNORECASE)
_BILLING = re.compile(
    r"billing_hard_limit|billing_not_active|payment required|insufficient (?:credit|balance|funds)|credit balance"
    r"|requires more credits|out of credits",
    re.IGNORECASE,
)
_OVERLOADED = re.compile(r"overloaded|over capacity|temporarily unavailable|loading model", re.IGNORECASE)
_ABSENT = re.compile(r"model_not_found|model.{0,200}(?:does not exist|not found|is not available)", re.IGNORECASE)
_KEY = re.compile(r"api[_ -]?key|unauthorized|authentication", re.IGNORECASE)

# The parameters that a session may drop and go on without, and how error texts spell them.
_PARAMETERS = {
    "response_format": ("response_format", "json_schema", "guided_json", "structured output", "output_config"),
    "reasoning": ("reasoning_effort", "reasoning", "thinking", "enable_thinking", "chat_template_kwargs"),
    "logprobs": ("top_logprobs", "logprobs"),
    "max_tokens": ("max_completion_tokens", "max_tokens"),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "min_p": ("min_p",),
    "seed": ("seed",),
    "stop": ("stop",),
}
_COMPLAINT = re.compile(
    r"unsupported|not supported|does ?n[o']t support|unrecognized|unknown|unexpected|extra inputs|not permitted|invalid"
    r"|not allowed|only the default|may only be|must be|deprecated|cannot",
    re.IGNORECASE,
)


class Refused(NamedTuple):
    """What a server said in place of an answer."""

    status: int | None
    body: str
    headers: Mapping[str, str] = {}


def provider_error(said: Refused, *, provider: str, model: str, redactor: Redactor) -> ProviderError:
    """The error that a reply with a status of failure means."""
    fields = _fields(said.body)
    text = f"{fields['message']} {fields['type']} {fields['code']}"
    wait = retry_after_s(said.headers, said.body)
    kind = _kind(said.status, text, wait)
    status = f"HTTP {said.status}" if said.status else "error"
    shown = clean(fields["message"] or said.body or "(empty body)", redactor)
    return ProviderError(
        kind,
        f"{provider}/{model}: {status}: {shown}",
        provider=provider,
        model=model,
        status=said.status,
        retry_after_s=wait,
        request_id=request_id(said.headers, redactor),
        parameter=_parameter(fields["param"], fields["message"]) if kind == "bad_request" else None,
        hint=_hint(kind, said, provider, redactor),
    )


def is_filtered(said: Refused) -> bool:
    """Whether the provider's filter refused the prompt: a refusal by the provider's own word, not a failure."""
    fields = _fields(said.body)
    return said.status in (400, 403) and bool(_FILTER.search(f"{fields['code']} {fields['type']} {fields['message']}"))


def failed(
    kind: ErrorKind, message: str, *, provider: str, model: str, redactor: Redactor, hint: str | None = None
) -> ProviderError:
    """An error that the client itself noticed: no connection, no time left, no readable reply."""
    return ProviderError(
        kind, f"{provider}/{model}: {clean(message, redactor)}", provider=provider, model=model, hint=hint
    )


def cause_chain(error: BaseException) -> list[BaseException]:
    """An exception and what it came from, outermost first: libraries wrap a refused connection in other names."""
    chain: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in chain:
        chain.append(step)
        step = step.__cause__ or step.__context__
    return chain


def kind_of_cause(error: BaseException) -> ErrorKind | None:
    """`timeout` or `connection` if that is what lies deepest below an exception, whatever the outer classes say."""
    for step in reversed(cause_chain(error)):
        names = {base.__name__ for base in type(step).__mro__}
        if isinstance(step, TimeoutError) or names & {"TimeoutException", "APITimeoutError"}:
            return "timeout"
        if isinstance(step, OSError) or names & {"NetworkError", "RemoteProtocolError", "ClientConnectionError"}:
            return "connection"
    return None


def clean(text: str, redactor: Redactor) -> str:
    """`text` on one line, without secrets and control characters, at most 500 characters."""
    text = " ".join(one_line(redactor.clean_error(text)).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def rate_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Only the headers that the limiter reads, in lower case."""
    return {name.lower(): value for name, value in headers.items() if _RATE_HEADERS.match(name)}


def request_id(headers: Mapping[str, str], redactor: Redactor) -> str | None:
    lower = {name.lower(): value for name, value in headers.items()}
    found = lower.get("x-request-id") or lower.get("request-id") or lower.get("x-litellm-call-id")
    return clean(found, redactor)[:128] if found else None


def retry_after_s(headers: Mapping[str, str], body: str = "", *, now: datetime | None = None) -> float | None:
    """How long the server asks to wait, in seconds, at most ten minutes; None if it does not say."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    for name, factor in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if (seconds := _float(lower.get(name))) is not None:
            return _capped(seconds * factor)
    if date := lower.get("retry-after"):
        try:
            when = parsedate_to_datetime(date)
        except ValueError:
            when = None
        if when is not None:
            when = when if when.tzinfo else when.replace(tzinfo=UTC)
            return _capped((when - (now or datetime.now(UTC))).total_seconds())
    for limit in ("requests", "tokens"):
        if lower.get(f"x-ratelimit-remaining-{limit}") == "0" and (reset := lower.get(f"x-ratelimit-reset-{limit}")):
            seconds = _float(reset)
            return _capped(seconds) if seconds is not None else _duration(reset)
    found = _WAIT.search(body[:20_000])
    return _duration(found[1] or found[2]) if found else None


def _duration(text: str) -> float | None:
    """`6.2s`, `1m3s`, `120ms`."""
    parts = _PART.findall(text)
    return _capped(sum(float(number) * _UNIT_S[unit] for number, unit in parts)) if parts else None


def _capped(seconds: float) -> float | None:
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _float(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _kind(status: int | None, text: str, wait: float | None) -> ErrorKind:
    """The kind that a status and an error's words make. Words win where a status is used for several things."""
    if status is None or status < 300:
        return "protocol"
    if status < 400:
        return "not_found"  # a redirect: not followed, since the key would go along
    too_long = _TOO_LARGE if status == 429 else _CONTEXT
    if status in (400, 413, 422, 429, 500) and too_long.search(text):
        return "context_length"
    if _BILLING.search(text) or status == 402:
        return "billing"
    if status in (403, 429) and _QUOTA.search(text) and wait is None:
        return "quota"  # with a time to wait it is a rate limit that calls itself a quota
    if status == 413:
        return "context_length"
    if status in (401, 403):
        return "auth"
    if status == 404:
        return "not_found"
    if status == 408:
        return "timeout"
    if status == 429:
        return "rate_limit"
    if status in (503, 529) or (status >= 500 and _OVERLOADED.search(text)):
        return "overloaded"
    if status >= 500 or status in (409, 425):
        return "server"
    if _ABSENT.search(text):
        return "not_found"
    return "auth" if status == 400 and _KEY.search(text) and "invalid" in text.lower() else "bad_request"


def _parameter(param: str, message: str) -> str | None:
    """The parameter that an error names first, in our word for it."""
    spelled = {way: name for name, ways in _PARAMETERS.items() for way in ways}
    root = re.split(r"[.\[]", param)[0]
    if root in spelled:
        return spelled[root]
    if not _COMPLAINT.search(message):
        return None
    places = {way: re.search(rf"(?<![A-Za-z_]){re.escape(way)}(?![A-Za-z_])", message) for way in spelled}
    named = [(found.start(), spelled[way]) for way, found in places.items() if found]
    return min(named)[1] if named else None


def _fields(body: str) -> dict[str, str]:
    """message, type, code and param of an error body, in any of the shapes that servers use."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {"message": _title(body), "type": "", "code": "", "param": ""}
    if isinstance(value, list) and value:
        value = value[0]
    inner = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(inner, dict):
        return {"message": _text(inner), "type": "", "code": "", "param": ""}
    message = inner.get("message") or inner.get("detail") or inner.get("error_description") or ""
    found = {name: _text(inner.get(name)) for name in ("type", "code", "param")}
    return {"message": _text(message), **found}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _title(body: str) -> str:
    """What a page says in its title; a body that is no page stands as it is."""
    found = re.search(r"<title>([^<]{1,200})</title>", body[:20_000], re.IGNORECASE)
    if found:
        return f"an HTML page, {found[1]!r}"
    return "an HTML page" if body.lstrip()[:1] == "<" else body[:2000]


def _hint(kind: str, said: Refused, provider: str, redactor: Redactor) -> str | None:
    match kind:
        case "auth":
            return f"check the key of {provider}; ?key_env=NAME names the variable that holds it"
        case "not_found" if said.status is not None and said.status < 400:
            headers = {name.lower(): value for name, value in said.headers.items()}
            where = clean(headers.get("location", "another address"), redactor)
            return f"the server redirects to {where}; redirects are not followed, so name that address"
        case "not_found":
            return "check the model id, and for a URL that it ends where /chat/completions begins, often in /v1"
        case "quota" | "billing":
            return f"the account at {provider} has nothing left to spend"
        case "context_length":
            return "use a model with a longer context, or an agent with memory=window=N"
    return None
