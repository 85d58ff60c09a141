"""The JSON of OpenAI's chat completions: from a `Request` to a body, from a body to a `Response`.

Every server that speaks this protocol answers through `read_completion`, in process (gguf) or over HTTP. It believes
nothing: a value of the wrong type is `Unreadable`, a lying usage is no usage, and an error in a body with status 200
is an error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from arena.core.text import spoken
from arena.models.types import Capabilities, Finish, Request, Response, Tokens, Usage
from arena.prompt.shape import Shape

_FINISH: dict[str, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "filter",
    "safety": "filter",
    "refusal": "refusal",
}
_WRAPPED = "answer"  # the key under which a closed choice travels: a schema's root must be an object


class Unreadable(ValueError):
    """A body that is no completion; the text says what is wrong with it."""


class Enforced(NamedTuple):
    """A shape that the server enforces: what to send, and how its text reads back as (text, parsed)."""

    response_format: dict[str, Any]
    read: Callable[[str], tuple[str, Any]]


def enforce(shape: Shape | None, can: Capabilities, *, all_required: bool = False) -> Enforced | None:
    """How to make the server keep to `shape`; None if it cannot, or if the shape is free text.

    `all_required` is OpenAI's own strict mode: every property is required (an optional one may be null) and no length
    is allowed; https://platform.openai.com/docs/guides/structured-outputs#supported-schemas.
    """
    if shape is None or shape.kind == "text" or can.schema == "none":
        return None
    if can.schema == "json":
        return Enforced({"type": "json_object"}, _read_json) if shape.kind == "schema" else None
    if shape.kind == "options":
        options = shape.options
        properties = {_WRAPPED: {"type": "string", "enum": list(options)}}
        schema = {"type": "object", "properties": properties, "required": [_WRAPPED], "additionalProperties": False}
        return Enforced(_schema_format(schema), lambda text: _read_option(text, options))
    wanted = shape.schema or {}
    if not all_required:
        return Enforced(_schema_format(wanted), _read_json)
    return Enforced(_schema_format(_strict(wanted)), lambda text: _read_strict(text, wanted))


def sampling_body(request: Request, max_tokens: str = "max_tokens") -> dict[str, Any]:
    """The sampling parameters as the protocol spells them; reasoning apart, which every server spells its own way."""
    found = request.sampling.as_json()
    found.pop("reasoning", None)
    found[max_tokens] = found.pop("max_tokens")
    if request.want_logprobs:
        found["logprobs"] = True
    return found


def read_completion(value: Any, enforced: Enforced | None = None) -> Response:
    """The response in a decoded body, without what only the transport knows (headers, latency, parameters)."""
    choice = _choice(value)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Unreadable("the reply's choice holds no message")
    finish = choice.get("finish_reason")
    if finish == "error":
        raise Unreadable("the reply's choice ended in an error")
    ended: Finish = _FINISH.get(finish, "stop") if isinstance(finish, str) else "stop"
    refusal = message.get("refusal")
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    text = _content(message, ended != "stop" or bool(reasoning) or bool(refusal))
    if isinstance(refusal, str) and refusal:
        ended, text = "refusal", text or refusal
    parsed = None
    if enforced is not None and ended == "stop":
        text, parsed = enforced.read(text)
    served = value.get("model")
    return Response(
        text=_whole(text),
        finish=ended,
        parsed=parsed,
        reasoning=_whole(reasoning) if isinstance(reasoning, str) else None,
        usage=read_usage(value.get("usage")),
        model=_whole(served)[:256] if isinstance(served, str) else "",
        request_id=str(value["id"])[:128] if isinstance(value.get("id"), str) else None,
        tokens=_tokens(choice),
    )


def read_usage(value: Any) -> Usage:
    """Token counts, where they are counts; a provider's nonsense is None, never a bill."""
    if not isinstance(value, Mapping):
        return Usage()
    prompt, completion = value.get("prompt_tokens_details"), value.get("completion_tokens_details")
    cost = value.get("cost")
    is_cost = isinstance(cost, int | float) and not isinstance(cost, bool) and math.isfinite(cost) and cost >= 0
    return Usage(
        prompt=_count(value.get("prompt_tokens")),
        cached=_count(prompt.get("cached_tokens")) if isinstance(prompt, Mapping) else None,
        completion=_count(value.get("completion_tokens")),
        reasoning=_count(completion.get("reasoning_tokens")) if isinstance(completion, Mapping) else None,
        cost_usd=float(cost) if is_cost and cost is not None else None,
    )


def decode(raw: bytes | str) -> Any:
    """JSON of a stranger: whatever is wrong with it is `Unreadable`."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        start = raw[:60].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[:60]
        raise Unreadable(f"the reply is no JSON ({len(raw)} bytes, beginning {start!r})") from error


def body_error(value: Any) -> tuple[int | None, str] | None:
    """The (status, body) of an error that came with status 200, as some routers send it."""
    if not isinstance(value, dict) or not value.get("error") or value.get("choices"):
        return None
    inner = value["error"]
    code = inner.get("code") if isinstance(inner, dict) else None
    status = code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 else None
    return status, json.dumps(value)


def _choice(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"the reply is a JSON {type(value).__name__}, not an object")
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Unreadable("the reply holds no choices")
    return choices[0]


def _content(message: dict[str, Any], may_lack: bool) -> str:
    """The text. Null or absent is empty only where something else says why; a part list is joined."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
        if texts:
            return "".join(texts)
    if content is None and may_lack:
        return ""
    raise Unreadable("the reply's message holds no text")


def _tokens(choice: dict[str, Any]) -> Tokens | None:
    """Log-probabilities before any mask, if the server gave them; with token ids only where it gave those as well."""
    found = choice.get("logprobs")
    entries = found.get("content") if isinstance(found, dict) else None
    if not isinstance(entries, list) or not entries:
        return None
    ids: list[int] = []
    logprobs: list[float] = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("logprob"), int | float):
            return None
        logprobs.append(float(entry["logprob"]))
        ids += [entry["id"]] if type(entry.get("id")) is int else []  # llama.cpp's
    return Tokens((), tuple(ids) if len(ids) == len(logprobs) else (), tuple(logprobs), of="model")


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 40 else None


def _whole(text: str) -> str:
    return str(spoken(text))


# --- shapes ---------------------------------------------------------------------------------------------------------


def _schema_format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def _read_json(text: str) -> tuple[str, Any]:
    try:
        return text, json.loads(text)
    except (ValueError, RecursionError):
        return text, None  # a server that promised and did not keep: the parser above decides


def _read_option(text: str, options: tuple[str, ...]) -> tuple[str, Any]:
    _, value = _read_json(text)
    if isinstance(value, dict) and value.keys() == {_WRAPPED} and value[_WRAPPED] in options:
        return value[_WRAPPED], value[_WRAPPED]
    return text, None


def _read_strict(text: str, schema: dict[str, Any]) -> tuple[str, Any]:
    _, value = _read_json(text)
    if value is None:
        return text, None
    value = _without_nulls(value, schema)
    return json.dumps(value, ensure_ascii=False), value


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with every property required, optional ones nullable, and no caps on text (the parser has them)."""
    found = {key: value for key, value in schema.items() if key not in ("maxLength", "minLength")}
    if "items" in found:
        found["items"] = _strict(found["items"])
    if "properties" in found:
        required = set(found.get("required", ()))
        inner = {name: _strict(value) for name, value in found["properties"].items()}
        found["properties"] = {
            name: value if name in required else {"anyOf": [value, {"type": "null"}]} for name, value in inner.items()
        }
        found["required"] = list(inner)
    return found


def _without_nulls(value: Any, schema: dict[str, Any]) -> Any:
    """A reply to `_strict(schema)` as one to `schema`: a null that stands for a left-out property goes."""
    if isinstance(value, list) and "items" in schema:
        return [_without_nulls(entry, schema["items"]) for entry in value]
    if isinstance(value, dict) and "properties" in schema:
        required = schema.get("required", ())
        return {
            name: _without_nulls(entry, schema["properties"].get(name, {}))
            for name, entry in value.items()
            if entry is not None or name in required
        }
    return value
