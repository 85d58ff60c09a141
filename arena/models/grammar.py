"""The grammar of names, as text only: lists to names, a name to its parts, parts back to text.

    agents = item *( "," item )         item   = [ selector "=" ] ( name / quoted )
    name   = *( method ":" ) target [ "?" key "=" value *( "&" key "=" value ) ]
    target = "human" / "bot/" … / "@" file / "league/" … / provider "/" id [ "+" adapter ] [ "@" url ]

Split in one order, so that every string has one reading: options at the first `?`, then methods (`ident ":"` before
any `/` or `@`), then the URL (the last `@` that `http://` or `https://` follows), then the adapter (the last `+`, hf
only). Each part is percent-decoded once. What the parts mean (is there such a bot?) is not known here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

from arena.core.errors import UsageError
from arena.core.text import sanitise
from arena.models.redact import USER_INFO, masked

IDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
LONGEST = 512  # characters of a canonical name
_SELECTOR = re.compile(r"([A-Za-z0-9_-]+)=")
_METHOD = re.compile(r"([^:/@]*):")
_PROVIDER = re.compile(r"[a-z][a-z0-9_-]*\Z")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9][A-Za-z0-9_-]*)*\Z")
_URL = re.compile(r"@(?=https?://)")
_NO_SCHEME = re.compile(r"@((?:localhost|[\d.]+|[\w.-]+:\d+)(?::\d+)?(?:/\S*)?)$")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@+=~")


Kind = Literal["human", "bot", "file", "league", "model"]


class Target(NamedTuple):
    """Who decides. `name` is the id of a model, or the word behind `bot/`, `@` or `league/`."""

    kind: Kind
    name: str = ""
    provider: str = ""
    adapter: str | None = None
    url: str | None = None


class Parts(NamedTuple):
    """A name, split and decoded."""

    methods: tuple[str, ...]
    target: Target
    options: tuple[tuple[str, str], ...]


def parse_list(text: str | Sequence[str]) -> list[tuple[str | None, str]]:
    """(selector or None, name) of every item; a sequence is a flag that was repeated."""
    items: list[tuple[str | None, str]] = []
    for piece in [text] if isinstance(text, str) else text:
        at = 0
        while True:
            item, at = _item(piece, at)
            items.append(item)
            if at >= len(piece):
                break
            at += 1  # the comma
            if not piece[at:].strip():
                raise UsageError("the list of agents ends with a comma")
    return items


def _item(text: str, at: int) -> tuple[tuple[str | None, str], int]:
    """The item that begins at `at`, and where it ends: at a comma or at the end."""
    while text[at : at + 1] == " ":
        at += 1
    found = _SELECTOR.match(text, at)
    selector = found[1] if found else None
    at = found.end() if found else at
    if text[at : at + 1] == '"':
        name, at = _quoted(text, at + 1)
    else:
        end = text.find(",", at)
        end = len(text) if end < 0 else end
        name, at = text[at:end].rstrip(" "), end
    if not name:
        raise UsageError("the list of agents holds an empty name", hint="names are separated by single commas")
    return (selector, name), at


def _quoted(text: str, at: int) -> tuple[str, int]:
    """CSV quoting: up to the next lone double quote; a doubled one stands for itself."""
    name = ""
    while True:
        end = text.find('"', at)
        if end < 0:
            raise UsageError("a quoted name in the list of agents has no closing double quote")
        name += text[at:end]
        if text[end + 1 : end + 2] != '"':
            break
        name, at = name + '"', end + 2
    rest = len(text) - len(text[end + 1 :].lstrip(" "))
    if rest < len(text) and text[rest] != ",":
        raise UsageError("after a quoted name in the list of agents comes a comma or the end")
    return name, rest


def split(text: str) -> Parts:
    """The parts of one name, or a UsageError with the first thing that is wrong with it."""
    if bad := next((char for char in text if not char.isprintable() or char == " "), None):
        raise _fault(text, f"holds {_called(bad)}; a name is printable, and a space in it is written %20")
    head, mark, tail = text.partition("?")
    if mark and not tail:
        raise _fault(text, "ends in `?` without an option")
    methods: list[str] = []
    while found := _METHOD.match(head):
        if not IDENT.match(found[1]):
            raise _fault(text, f"has no method's name before a colon: {masked(found[1])!r}")
        methods.append(found[1])
        head = head[found.end() :]
    return Parts(tuple(methods), _target(text, head), tuple(_option(text, item) for item in tail.split("&") if mark))


def _target(text: str, head: str) -> Target:
    if head == "human":
        return Target("human")
    if head.startswith("@"):
        return Target("file", _ident(text, head[1:], "a file of agents/ after `@`"))
    place, slash, rest = head.partition("/")
    if not slash or not rest:
        hint = "names look like openai/gpt-5-mini, hf/…, gguf/…, bot/random, @my-agent, league/NAME or human"
        raise _fault(text, "names no agent" if not head else f"has no `/`: {masked(head)!r} is no kind of agent", hint)
    if place == "bot":
        return Target("bot", "/".join(_ident(text, word, "a bot") for word in rest.split("/")))
    if place == "league":
        return Target("league", _ident(text, rest, "a policy of the league"))
    if not _PROVIDER.match(place):
        raise _fault(text, f"begins with {masked(place)!r}; a provider is written in lower-case letters and digits")
    return _model(text, place, rest)


def _model(text: str, provider: str, rest: str) -> Target:
    url: str | None = None
    adapter: str | None = None
    if found := _NO_SCHEME.search(rest):
        raise _fault(text, f"has a URL without its scheme; write @http://{found[1]}")
    if at := [found.start() for found in _URL.finditer(rest)]:
        rest, url = rest[: at[-1]], _url(text, rest[at[-1] + 1 :])
    if "+" in rest:
        if provider != "hf":
            hint = "GGUF takes no adapters; hf/smollm2-135m+ADAPTER does" if provider == "gguf" else None
            raise _fault(text, "has a `+`, which adds an adapter to an hf model; a literal plus is written %2B", hint)
        rest, _, adapter = rest.rpartition("+")
        if not adapter:
            raise _fault(text, "names no adapter after `+`")
        adapter = _decoded(text, adapter)
    if not rest:
        raise _fault(text, "names no model")
    return Target("model", _decoded(text, rest), provider, adapter, url)


def _url(text: str, raw: str) -> str:
    if "@" in raw.partition("://")[2].partition("/")[0]:
        raise _typed_key(text)
    url = _decoded(text, raw)
    try:
        parts = urlsplit(url)
        known = parts.hostname is not None and parts.port != 0 and " " not in url and not parts.fragment
    except ValueError:
        known = False
    if not known:
        raise _fault(text, "has a URL that is none; it looks like @http://127.0.0.1:8000/v1")
    if parts.username is not None or parts.password is not None:
        raise _typed_key(text)
    return url.rstrip("/")


def _option(text: str, item: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    if not equals or not _KEY.match(key):
        raise _fault(text, f"has an option that is not KEY=VALUE: {masked(item)!r}")
    return key, _decoded(text, value)


def _ident(text: str, word: str, what: str) -> str:
    if not IDENT.match(word):
        raise _fault(text, f"does not name {what}: {masked(word)!r} (letters, digits, `_`, `-`, `.`; at most 64)")
    return word


def _decoded(text: str, part: str) -> str:
    if bad := _ESCAPE.search(part):
        raise _fault(
            text, f"has a `%` that two hex digits must follow: {masked(part[bad.start() :][:3])!r} (%25 is `%`)"
        )
    if "%" in part:
        try:
            part = unquote_to_bytes(part).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _fault(text, "has %-escapes that are not UTF-8") from error
    if "\n" in part or sanitise(part) != part:
        raise _fault(text, "holds a control, invisible or reordering character")
    if USER_INFO.search(part):
        raise _typed_key(text)
    return part


def _fault(text: str, what: str, hint: str | None = None) -> UsageError:
    shown = sanitise(masked(text)).replace("\n", " ")
    return UsageError(f"{shown[:80] + '…' if len(shown) > 80 else shown!r} {what}", hint=hint)


def _typed_key(text: str) -> UsageError:
    """The text is not repeated from where the secret may begin."""
    start = re.split("@https?:|[?]", text, maxsplit=1)[0]
    return _fault(
        start, "has a user or password in a URL; put the key into an environment variable and write ?key_env=NAME"
    )


def _called(char: str) -> str:
    name = "a space" if char == " " else unicodedata.name(char, "").lower()
    return name or f"the character U+{ord(char):04X}"


# --- back to text ---------------------------------------------------------------------------------------------------


def join(methods: Sequence[str], target: Target, options: Sequence[tuple[str, str]]) -> str:
    """The one text that `split` reads as these parts; options come sorted by key."""
    text = "".join(f"{method}:" for method in methods)
    match target.kind:
        case "human":
            text += "human"
        case "file":
            text += f"@{target.name}"
        case "model":
            text += f"{target.provider}/{escape(target.name)}"
            text += f"+{escape(target.adapter)}" if target.adapter is not None else ""
            text += f"@{escape(target.url, keep='+')}" if target.url is not None else ""
        case kind:
            text += f"{kind}/{target.name}"
    shown = "&".join(f"{key}={escape(value, keep='+')}" for key, value in sorted(options))
    return f"{text}?{shown}" if shown else text


def escape(part: str, keep: str = "") -> str:
    """A part with only the escapes that it needs: delimiters, and characters that names do not hold.

    Letters and digits of any script stay as they are, unless the part is not in NFC: then the text that a reader
    sees would not be the text that is meant.
    """
    composed = unicodedata.is_normalized("NFC", part)

    def shown(char: str) -> str:
        if char in _PLAIN or (composed and char > "\x7f" and (char.isalpha() or char.isdecimal())):
            return char
        return quote(char, safe="")

    text = "".join(map(shown, part))
    text = re.sub("@(?=https?:)", "%40", text)
    return text if "+" in keep else text.replace("+", "%2B")
