"""From messages to token ids by a model's own chat template, with the words of messages kept words.

A player who writes `<|im_end|>` must not end his turn: where a message holds the text of a special token, that text is
encoded apart, without special tokens; everything else is encoded as the template renders it, so ids do not change for
ordinary text. A missing system message is sent as an empty one, since some templates put their own in its place
(SmolLM2: "You are a helpful AI assistant named SmolLM").

What a template does is found out when it is loaded: whether it takes a system message, whether it knows a switch for
reasoning, and whether it leaves history alone (`prefix_stable`; Qwen3's drops earlier thoughts).
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from arena.core.errors import UsageError
from arena.models.types import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_LONGEST = 64 << 10
_PATIENCE_S = 1.0


class Piece(NamedTuple):
    """A part of a rendered prompt; `is_literal`: text of a special token that somebody only wrote."""

    text: str
    is_literal: bool


class ChatTemplate:
    """One tokenizer's template. Encoding is for one thread at a time."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, name: str) -> None:
        self._tokenizer = tokenizer
        template = tokenizer.chat_template
        if not isinstance(template, str):
            raise UsageError(f"{name} has no chat template, so it cannot be spoken to", hint="use an instruct model")
        if len(template) > _LONGEST:
            raise UsageError(f"the chat template of {name} is longer than {_LONGEST >> 10} KiB")
        # `all_special_tokens` holds only those with a role (eos, pad …); templates open turns with others too.
        added = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
        special = sorted(added.union(tokenizer.all_special_tokens), key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, special))) if special else None
        self.takes_reasoning = "enable_thinking" in template
        try:
            _within(_PATIENCE_S, self._look)
        except TimeoutError as error:
            raise UsageError(f"the chat template of {name} takes more than {_PATIENCE_S:g} s to render") from error
        except Exception as error:  # a template can raise anything; its sandbox sees to the rest
            raise UsageError(f"the chat template of {name} cannot render a dialogue: {error}") from error

    def _look(self) -> None:
        user: Message = {"role": "user", "content": "ask one"}
        system: Message = {"role": "system", "content": "rules"}
        try:
            self.system_role = "rules" in self._render([system, user], None)
        except Exception:  # Gemma's raises: "System role not supported"
            self.system_role = False
        start = [system, user] if self.system_role else [user]
        answered: list[Message] = [*start, {"role": "assistant", "content": "one"}]
        before = self._render(start, None)
        after = self._render([*answered, {"role": "user", "content": "ask two"}], None)
        self.prefix_stable = after.startswith(before + "one")

    def encode(self, messages: Sequence[Message], reasoning: str | None = None) -> list[int]:
        """The prompt's ids, ready for the model's answer."""
        ids: list[int] = []
        for piece in self.pieces(messages, reasoning):
            ids += self.encode_text(piece.text, is_literal=piece.is_literal)
        return ids

    def encode_text(self, text: str, *, is_literal: bool = True) -> list[int]:
        """Plain text; special tokens in it count as such only if it is not literal."""
        backend = self._tokenizer.backend_tokenizer
        backend.encode_special_tokens = is_literal
        try:
            ids: list[int] = backend.encode(text, add_special_tokens=False).ids
            return ids
        finally:
            backend.encode_special_tokens = False

    def pieces(self, messages: Sequence[Message], reasoning: str | None = None) -> list[Piece]:
        """The rendered prompt, split where a message holds the text of a special token."""
        messages = self._with_system(messages)
        written = [found for m in messages for found in self._written(m["content"])]
        if not written:
            return [Piece(self._render(messages, reasoning), False)]
        # No player can have written this: it is drawn anew for every prompt.
        marks = {text: f"\ue000{secrets.token_hex(8)}\ue001" for text in dict.fromkeys(written)}
        assert self._special is not None
        marked = [m | {"content": self._special.sub(lambda found: marks[found[0]], m["content"])} for m in messages]
        texts = {mark: text for text, mark in marks.items()}
        parts = re.split("(" + "|".join(map(re.escape, texts)) + ")", self._render(marked, reasoning))
        return [Piece(texts.get(part, part), part in texts) for part in parts if part]

    def _with_system(self, messages: Sequence[Message]) -> list[Message]:
        if not self.system_role or (messages and messages[0]["role"] == "system"):
            return list(messages)
        return [{"role": "system", "content": ""}, *messages]

    def _written(self, content: str) -> list[str]:
        return self._special.findall(content) if self._special else []

    def _render(self, messages: Sequence[Message], reasoning: str | None) -> str:
        switch: dict[str, Any] = {}
        if reasoning is not None and self.takes_reasoning:
            switch["enable_thinking"] = reasoning != "none"
        text = self._tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True, **switch)
        return str(text)


def _within(seconds: float, look: Any) -> None:
    """Call `look` on a thread that is left behind if it takes longer; a template cannot be interrupted."""
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            look()
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, name="template", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError
    if outcome:
        raise outcome[0]
