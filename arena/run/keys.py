"""The names by which a run knows its matches, calls and seeds. Each is a pure function of what it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from arena.core.canonical import canonical, digest
from arena.core.seeds import derive

Message = Mapping[str, str]


def deal_seed(run_seed: int, deal: int) -> int:
    """The seed of the deal-th deal of a run; longer runs extend shorter ones."""
    return derive("deal", run_seed, deal)


def match_seed(deal: int, index: int) -> int:
    """The seed of everything but the deal, for the index-th match of a block."""
    return derive("match", deal, index)


def config_hash(config: Mapping[str, Any], policy: Mapping[str, Any]) -> str:
    """Game config and illegal-answer policy together: matches under different policies never pool."""
    return digest({"config": config, **policy})


def match_key(
    game: str,
    config_sha256: str,
    deal: int,
    seed: int,
    seating: Mapping[str, str],
    fork: Mapping[str, Any] | None = None,
) -> str:
    """What makes a match this match: same key, same samples."""
    identity = {"game": game, "config_sha256": config_sha256, "deal_seed": deal, "seed": seed, "seating": dict(seating)}
    return digest(identity | (dict(fork) if fork else {}))[:20]


def call_key(run_id: str, match: str, execution: int, turn: int, path: str) -> str:
    """One call, whatever the number of its tries: servers that know Idempotency-Key can drop repeats by it."""
    return sha256("\0".join((run_id, match, str(execution), str(turn), path)).encode()).hexdigest()[:32]


class Link(NamedTuple):
    """A piece of a prompt in the content-addressed chain."""

    hash: str
    parent: str
    body: str


def prompt_chain(messages: Sequence[Message]) -> list[Link]:
    """A prompt as a chain that its continuations share: a new link begins after the rules and after every user
    message, so the store holds an append-only conversation once."""
    return PromptChain().links(messages)


class PromptChain:
    """The chain of one seat's prompts: what a prompt shares with the one before it is not hashed again."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._links: list[Link] = []
        self._ends: list[int] = []  # where each link's messages end

    def links(self, messages: Sequence[Message]) -> list[Link]:
        same = 0
        for old, new in zip(self._messages, messages, strict=False):
            if old != new:
                break
            same += 1
        while self._ends and (self._ends[-1] > same or not _ends_link(self._messages[self._ends[-1] - 1])):
            self._ends.pop()
            self._links.pop()
        start = self._ends[-1] if self._ends else 0
        for end in range(start + 1, len(messages) + 1):
            if _ends_link(messages[end - 1]) or end == len(messages):
                self._add(messages[start:end], end)
                start = end
        self._messages = [dict(message) for message in messages]
        return list(self._links)

    def _add(self, piece: Sequence[Message], end: int) -> None:
        parent = self._links[-1].hash if self._links else ""
        body = canonical([{"role": m["role"], "content": str(m["content"])} for m in piece])
        self._links.append(Link(sha256((parent + body).encode()).hexdigest(), parent, body))
        self._ends.append(end)


def _ends_link(message: Message) -> bool:
    return message["role"] in ("system", "user")
