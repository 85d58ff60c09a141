"""Secrets stay out: exact values of known secrets, in the forms that they travel in, and what looks like a key.

A `Redactor` knows the values of the environment's secret variables and whatever is added to it. `clean` is for text
that may be a player's words (exact secrets, key patterns, user info of URLs); `clean_error` also drops what stands
behind the names of secret headers and query keys, which in speech would be ordinary words.
Left out on purpose: secrets shorter than eight characters (replacing them would garble text), and encodings that
nobody sends keys in (hex, gzip, rot13).
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from arena.models.types import ProviderError, Response

SECRET_NAME = re.compile(r"(?i)key|token|secret|passw|credential")
SHORTEST = 8

# A look ahead is bounded: a reply may be a megabyte of "sk-sk-sk-".
_KEY = re.compile(
    r"""
    (?<![A-Za-z0-9])(?:
        sk-(?=[A-Za-z_-]{0,32}[0-9])[A-Za-z0-9_-]{16,}        # openai, anthropic, openrouter, deepseek
      | AIza[A-Za-z0-9_-]{30,} | ya29\.[A-Za-z0-9_-]{20,}    # google
      | (?:gsk|hf|ghp|gho|ghs|glpat|r8|xai|pplx|csk|nvapi)[_-](?=[A-Za-z_-]{0,32}[0-9])[A-Za-z0-9_-]{20,}
      | github_pat_[A-Za-z0-9_]{20,} | xox[abprs]-[A-Za-z0-9-]{10,} | AKIA[A-Z0-9]{16}
      | eyJ[A-Za-z0-9_-]{8,256}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    )""",
    re.VERBOSE,
)
_KEY_SIGNS = (
    "sk-",
    "AIza",
    "ya29",
    "gsk",
    "hf_",
    "gh",
    "glpat",
    "r8_",
    "xai-",
    "pplx",
    "csk-",
    "nvapi",
    "xox",
    "AKIA",
    "eyJ",
)
USER_INFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^\s/@?#\"'<>]{1,400}@")
_HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization|x-api-key|x-goog-api-key|api-key)"
    r"(b?[\"']?\s*[:=,]\s*(?:b?[\"'])?)((?:bearer|basic)\s+)?[^\s\"',;}]+"
)
_COOKIE = re.compile(r"(?i)\b((?:set-)?cookie)(b?[\"']?\s*[:=,]\s*(?:b?[\"'])?)[^\r\n\"']+")
_BEARER = re.compile(r"(?i)\b(bearer\s+)(?=[A-Za-z._~+/-]*[0-9])[A-Za-z0-9._~+/-]{12,}=*")
_QUERY = re.compile(
    r"(?i)([?&](?:[a-z_-]*(?:key|token|secret|passw|credential|signature|sig)[a-z_-]*)=)(?!env\b)[^&\s\"'<>]+"
)
_LONG_RUN = re.compile(r"[0-9a-fA-F]{32,}|[A-Za-z0-9+/]{32,}={0,2}")


class Redactor:
    """Replaces secrets in text by `[redacted:NAME]`."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._forms: list[tuple[str, str]] = []  # form -> what stands in its place; longest first
        self._known: set[str] = set()
        for name, value in (os.environ if environ is None else environ).items():
            if SECRET_NAME.search(name):
                self.add(name, value)

    def add(self, name: str, value: str | None) -> None:
        """From now on `value` is a secret called `name`."""
        if not value or len(value) < SHORTEST or value in self._known:
            return
        self._known.add(value)
        known = {form for form, _ in self._forms}
        self._forms += [(form, f"[redacted:{name}]") for form in _forms(value) if form not in known]
        self._forms.sort(key=lambda pair: -len(pair[0]))

    def add_url(self, name: str, url: str | None) -> None:
        """The user info and the query values of a URL are secrets."""
        if url:
            parts = urlsplit(url)
            for value in (parts.username, parts.password, *(v for _, v in parse_qsl(parts.query))):
                self.add(name, value)

    def clean(self, text: str) -> str:
        """`text` without secrets; safe for a player's words."""
        for form, instead in self._forms:
            if form in text:
                text = text.replace(form, instead)
        if any(sign in text for sign in _KEY_SIGNS):
            text = _KEY.sub("[redacted:key]", text)
        if "://" in text:
            text = USER_INFO.sub(r"\1[redacted:userinfo]@", text)
        return text

    def clean_error(self, text: str) -> str:
        """`text` of an exception, a server's error body or a log line without secrets, headers' values included."""
        text = _HEADER.sub(r"\1\2[redacted:header]", self.clean(text))
        text = _COOKIE.sub(r"\1\2[redacted:header]", text)
        text = _BEARER.sub(r"\1[redacted:bearer]", text)
        return _QUERY.sub(r"\1[redacted:query]", text)

    def clean_json(self, value: Any) -> Any:
        """A JSON value with every string in it cleaned, keys too."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, Mapping):
            return {self.clean(str(k)): self.clean_json(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean_json(v) for v in value]
        return value

    def clean_response(self, response: Response) -> Response:
        """A reply as it may be stored: a model can echo its prompt, a server its headers."""
        text = self.clean(response.text)
        reasoning = self.clean(response.reasoning) if response.reasoning else response.reasoning
        if text != response.text or reasoning != response.reasoning:
            # The ids of the tokens would spell the secret out again.
            response = replace(response, text=text, reasoning=reasoning, tokens=None)
        parsed, params = self.clean_json(response.parsed), self.clean_json(response.params)
        request_id = self.clean(response.request_id) if response.request_id else response.request_id
        model = self.clean(response.model)
        if (parsed, params, request_id, model) != (
            response.parsed,
            response.params,
            response.request_id,
            response.model,
        ):
            response = replace(response, parsed=parsed, params=params, request_id=request_id, model=model)
        return response

    def clean_failure(self, error: ProviderError) -> None:
        """Clean a provider's error in place; a chain that holds a secret is cut off, so that no traceback shows it."""
        error.message = self.clean_error(error.message)
        error.args = (error.message,)
        error.hint = self.clean_error(error.hint) if error.hint else error.hint
        error.request_id = self.clean_error(error.request_id) if error.request_id else error.request_id
        if self.holds_secret(error.__cause__) or self.holds_secret(error.__context__):
            error.__cause__ = error.__context__ = None
            error.__suppress_context__ = True

    def holds_secret(self, error: BaseException | None) -> bool:
        """Whether an exception, or one behind it, says or carries a secret."""
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            told = "\n".join([str(error), repr(error), *map(repr, vars(error).values()), *_traceback_url(error)])
            if self.clean_error(told) != told:
                return True
            error = error.__cause__ or error.__context__
        return False


def looks_like_key(value: str) -> bool:
    """Whether an option's value must be a key that somebody typed where the shell's history keeps it."""
    if value.startswith("sk-") or _KEY.search(value):
        return True
    if value.startswith(("/", "./", "../", "~")) or os.path.exists(value):  # noqa: PTH110  # Path raises for long ones
        return False
    return any("/" not in run or _is_mixed(run) for run in _LONG_RUN.findall(value))


def masked(text: str) -> str:
    """A name as an error message may repeat it: user info and what looks like a key are left out."""
    head, mark, tail = text.partition("?")
    options = (item.partition("=") for item in tail.split("&"))
    shown = "&".join(f"{key}{eq}{'…' if looks_like_key(unquote(value)) else value}" for key, eq, value in options)
    plain = USER_INFO.sub(r"\1…@", _KEY.sub("…", f"{head}{mark}{shown}"))
    plain = re.sub(r"(?<![A-Za-z0-9])sk-[^\s&,?]+", "…", plain)
    return _LONG_RUN.sub(lambda run: run[0] if "/" in run[0] else "…", plain)  # a long path is no key


def _is_mixed(run: str) -> bool:
    """Capitals, small letters and digits together: seldom in a path, always in a key."""
    return all(any(map(kind, run)) for kind in (str.isupper, str.islower, str.isdigit))


def _traceback_url(error: BaseException) -> list[str]:
    """Exceptions of HTTP libraries hold the request, whose repr hides the URL's query."""
    request = getattr(error, "__dict__", {}).get("_request") or getattr(error, "__dict__", {}).get("request")
    found = [str(getattr(request, "url", "")), str(getattr(request, "headers", ""))]
    return [text for text in found if text]


def _forms(value: str) -> set[str]:
    """A secret as it may appear: plain, URL-encoded, JSON-escaped, and inside base64 at each of its three offsets."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    encoded = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    forms |= encoded | {re.sub("%..", lambda m: m[0].lower(), form) for form in encoded}
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * offset + raw).decode().rstrip("=")
            # Characters that mix with a neighbour's bits are left out of the form.
            core = text[(0, 2, 3)[offset] : len(text) - ((offset + len(raw)) % 3 != 0)]
            forms.add(core)
    return {form for form in forms if len(form) >= SHORTEST}
