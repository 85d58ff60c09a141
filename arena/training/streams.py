"""Token streams: one seat's whole match as it was sampled, token by token, never re-tokenised.

A stream is the prompt of the first ask, then own answers (mask 1) and engine text (mask 0) in turn. Own tokens are
those that were drawn; engine text is what the template puts between an answer and the next ask, so a later prompt is
the stream itself and not a new rendering. That works because views only grow: a history that is rewritten is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from arena.core.errors import GameError
from arena.models.chat_template import ChatTemplate, Piece
from arena.models.types import Message, Tokens

Allowed = tuple[int, ...] | None


@dataclass
class Span:
    """One own answer: where its tokens are in the completion, its turn, the kind of its ask."""

    start: int
    end: int
    turn: int


@dataclass
class Stream:
    """`completion` begins after the first prompt. `allowed`: the ids that a mask left, None = all."""

    prompt: list[int] = field(default_factory=list)
    completion: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    allowed: list[Allowed] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)  # of the last ask

    @property
    def ids(self) -> list[int]:
        return [*self.prompt, *self.completion]

    def ask(self, template: ChatTemplate, messages: Sequence[Message], ends: Sequence[int]) -> list[int]:
        """Take in the engine's words up to the next ask; the prompt's ids."""
        if not self.prompt:
            self.prompt = template.encode(messages)
        else:
            self._engine(engine_ids(template, self.messages, messages), ends)
        self.messages = [dict(m) for m in messages]
        return self.ids

    def answer(self, tokens: Tokens, turn: int) -> None:
        """An own answer, as it was drawn."""
        start = len(self.completion)
        self.completion += tokens.completion
        self.logprobs += tokens.logprobs
        self.mask += [1] * len(tokens.completion)
        allowed = tokens.allowed or (None,) * len(tokens.completion)
        self.allowed += [a if a else None for a in allowed]  # () = too many to keep: as if all were allowed
        self.spans.append(Span(start, len(self.completion), turn))

    def row(self) -> tuple[list[int], list[float], list[int], list[Allowed]]:
        """Completion, log-probabilities, mask and supports up to the last own token."""
        end = self.spans[-1].end if self.spans else 0
        return self.completion[:end], self.logprobs[:end], self.mask[:end], self.allowed[:end]

    def _engine(self, ids: list[int], ends: Sequence[int]) -> None:
        if ids and ids[0] in ends and self.completion and self.completion[-1] in ends:
            ids = ids[1:]  # the end of the turn was drawn by the model itself
        self.completion += ids
        self.logprobs += [0.0] * len(ids)
        self.mask += [0] * len(ids)
        self.allowed += [None] * len(ids)


def engine_ids(template: ChatTemplate, before: Sequence[Message], now: Sequence[Message]) -> list[int]:
    """The ids that stand between the answer to `before` and the end of the prompt `now`."""
    said = now[len(before)] if len(now) > len(before) else None
    if (
        [dict(m) for m in now[: len(before)]] != [dict(m) for m in before]
        or said is None
        or said["role"] != "assistant"
    ):
        raise GameError(
            "a seat's messages did not grow at their end, so its match is no single stream of tokens",
            hint="train with memory=full, and with a game whose prompts are append-only",
        )
    old = "".join(piece.text for piece in template.pieces(before))
    pieces = template.pieces(now)
    known = old + said["content"]
    if not "".join(piece.text for piece in pieces).startswith(known):
        raise GameError(
            "the chat template rewrites earlier messages, so a match is no single stream of tokens",
            hint="use a model whose template leaves history alone (prefix_stable)",
        )
    ids: list[int] = []
    for piece in _after(pieces, len(known)):
        ids += template.encode_text(piece.text, is_literal=piece.is_literal)
    return ids


def _after(pieces: Sequence[Piece], characters: int) -> list[Piece]:
    found = []
    for piece in pieces:
        if characters >= len(piece.text):
            characters -= len(piece.text)
            continue
        found.append(Piece(piece.text[characters:], piece.is_literal))
        characters = 0
    return found
