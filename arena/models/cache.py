"""Replies that were paid for once: one SQLite file of JSON, keyed by all that could change the reply.

The sample key is part of the key, so the same prompt in two matches is two samples, and the same tournament played
again is free. Only complete replies are kept, never errors. Resuming a run does not rely on this file, so it is
written behind (a crash loses a few free replies, no paid ones of the record), and trouble with it turns it off
instead of ending a match.

`ARENA_CACHE` is a folder, a file ending in .sqlite, or `off`; without it, the user's cache folder.
"""

from __future__ import annotations

import json
import os
import sqlite3
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.core.canonical import canonical
from arena.models.folders import cache_folder
from arena.models.types import Request, Response, Tokens, Usage

if TYPE_CHECKING:
    from arena.models.names import ModelName

_FILE = "replies.sqlite"
_TABLE = "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL) WITHOUT ROWID"
_BEHIND = 64  # replies held back for one transaction
_LONGEST = 4 << 20
_NOT_WHO = ("served", "latency", "date", "versions")  # of an identity: what does not decide what is replied


class ReplyCache:
    """The cache file, made when it is first needed. `is_asked_for`: the user named it, so simulated models use it."""

    def __init__(self, path: Path, *, is_asked_for: bool = False) -> None:
        self.path, self.is_asked_for = path, is_asked_for
        self.trouble: str | None = None
        self._new: dict[str, str] = {}
        self._db: sqlite3.Connection | None = None

    def get(self, key: str) -> Response | None:
        text = self._new.get(key)
        if text is None and (db := self._opened()) is not None:
            try:
                row = db.execute("SELECT reply FROM replies WHERE key=?", (key,)).fetchone()
            except sqlite3.Error as error:
                self._give_up(error)
                return None
            text = row[0] if row else None
        return None if text is None else _response(text)

    def put(self, key: str, response: Response) -> None:
        text = "" if self.trouble else _text(response)
        if 0 < len(text) <= _LONGEST:
            self._new[key] = text
        if len(self._new) >= _BEHIND:
            self.flush()

    def flush(self) -> None:
        """Write what was held back; a file that somebody else is writing is tried again later."""
        if not self._new or (db := self._opened()) is None:
            return
        try:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR REPLACE INTO replies VALUES (?, ?)", self._new.items())
            db.execute("COMMIT")
            self._new.clear()
        except sqlite3.OperationalError as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if "locked" not in str(error) or len(self._new) > 100 * _BEHIND:
                self._give_up(error)
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        self.flush()
        if self._db is not None:
            self._db.close()
            self._db = None

    def _opened(self) -> sqlite3.Connection | None:
        if self._db is None and self.trouble is None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._db = sqlite3.connect(self.path, isolation_level=None, timeout=0.5)
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=NORMAL")
                self._db.execute(_TABLE)
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
        return self._db

    def _give_up(self, error: Exception) -> None:
        self.trouble = f"the reply cache {self.path} is off: {error}"
        self._new.clear()
        if self._db is not None:
            self._db.close()
            self._db = None


def open_cache(environ: Mapping[str, str] | None = None) -> ReplyCache | None:
    """The cache that the environment asks for; None if it is switched off."""
    asked = (os.environ if environ is None else environ).get("ARENA_CACHE", "")
    if asked.lower() == "off":
        return None
    if not asked:
        return ReplyCache(cache_folder() / _FILE)
    path = Path(asked).expanduser()
    return ReplyCache(path if path.suffix == ".sqlite" else path / _FILE, is_asked_for=True)


def model_key(name: ModelName, identity: Mapping[str, Any]) -> str:
    """A model's part of the key: where it is, what it is, and its identity as far as it is known before a call."""
    who = {k: v for k, v in identity.items() if v is not None and not k.startswith(_NOT_WHO)}
    options = {key: name.options.get(key) for key in ("revision", "choice", "dtype")}
    whole = {"provider": name.provider, "id": name.model, "url": name.url, "adapter": name.adapter, "who": who}
    return canonical(whole | {"options": options, "client": name.client})


def reply_key(model: str, request: Request) -> str:
    """The key of one reply. Text is compared in NFC: two spellings of one prompt are one prompt."""
    asked = canonical(
        {
            "messages": request.messages,
            "sampling": request.sampling.as_json(),
            "shape": request.shape.as_json() if request.shape else None,
            "sample": request.sample_key,
            "kept": [request.want_logprobs, request.keep_tokens],
        }
    )
    text = f"{model}\n{asked}"
    return sha256(
        (text if text.isascii() else unicodedata.normalize("NFC", text)).encode("utf-8", "replace")
    ).hexdigest()


def _text(response: Response) -> str:
    value = asdict(response)
    return json.dumps(
        value | {"params": dict(response.params), "headers": {}}, ensure_ascii=True, separators=(",", ":")
    )


def _response(text: str) -> Response | None:
    """A stored reply; one that another release wrote otherwise is no reply."""
    try:
        value = json.loads(text)
        tokens = value.pop("tokens")
        return Response(
            **{
                **value,
                "usage": Usage(**value["usage"]),
                "tokens": tokens and Tokens(**{k: _tuples(v) for k, v in tokens.items()}),
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
