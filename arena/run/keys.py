"""The names by which a run knows its matches, calls and seeds. Each is a pure function of what it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    links: list[Link] = []
    for piece in _pieces(messages):
        parent = links[-1].hash if links else ""
        body = canonical(piece)
        links.append(Link(sha256((parent + body).encode()).hexdigest(), parent, body))
    return links


def _pieces(messages: Sequence[Message]) -> Iterable[list[dict[str, str]]]:
    piece: list[dict[str, str]] = []
    for message in messages:
        piece.append({"role": message["role"], "content": str(message["content"])})
        if message["role"] in ("system", "user"):
            yield piece
            piece = []
    if piece:
        yield piece
