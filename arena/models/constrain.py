"""Answers that keep to a shape: token masks from a grammar (llguidance), and the exact distribution over options.

Two different distributions, never mixed within one agent. `grammar` renormalises at every token over what the grammar
still allows. `score` weighs whole options: S(o) = sum of log p(token | prompt, earlier tokens of o), the end-of-turn
token included (without it "1" and "10" cannot be compared), and draws from exp(S/T) over all of them.

JSON is written as `arena.prompt.wire` writes it (one space after `:` and `,`) and in no other way, so that an answer
and its place in the history are the same tokens.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from arena.prompt.shape import Shape

if TYPE_CHECKING:
    import numpy as np
    import torch
    from transformers import PreTrainedTokenizerFast

MOST_OPTIONS = 256  # more are masked by a grammar; also the longest list of allowed ids that is kept
_AT_ONCE = 32  # options in one pass: their logits are as wide as the vocabulary
_JSON = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class NoGrammar(ValueError):
    """A shape that the grammar engine cannot express; the text is the engine's."""


class Grammars:
    """The grammar engine for one tokenizer, made on first use (0.3 s for 49,152 tokens)."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary: int, ends: Sequence[int]) -> None:
        self._tokenizer, self._vocabulary, self._ends = tokenizer, vocabulary, list(ends)
        self._engine: Any = None

    def mask(self, shape: Shape) -> Mask:
        """A fresh mask for one answer of this shape."""
        import llguidance.hf

        if self._engine is None:
            self._engine = llguidance.hf.from_tokenizer(self._tokenizer, n_vocab=self._vocabulary, eos_token=self._ends)
        grammar = llguidance.LLMatcher.grammar_from_lark(lark(shape))
        matcher = llguidance.LLMatcher(self._engine, grammar, log_level=0)
        if matcher.is_error():
            raise NoGrammar(matcher.get_error())
        return Mask(matcher, self._vocabulary, self._ends)


class Mask:
    """Which tokens may come next in one answer."""

    def __init__(self, matcher: Any, vocabulary: int, ends: list[int]) -> None:
        self._matcher, self._vocabulary, self._ends = matcher, vocabulary, ends
        self._allowed: np.ndarray | None = None

    def allowed(self) -> np.ndarray:
        """True per id that may come next; once the answer is whole, only the end may."""
        if self._allowed is None:
            self._allowed = self._find_allowed()
        return self._allowed

    @property
    def only(self) -> int | None:
        """The one id that may come next, if there is but one."""
        found = self.allowed()
        return int(found.argmax()) if found.sum() == 1 else None

    def _find_allowed(self) -> np.ndarray:
        import numpy as np

        if self._matcher.is_stopped():
            found = np.zeros(self._vocabulary, dtype=bool)
            found[self._ends[:1]] = True
            return found
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        return np.unpackbits(bits, bitorder="little", count=self._vocabulary).astype(bool)

    def take(self, token: int) -> None:
        self._allowed = None
        if not self._matcher.is_stopped() and not self._matcher.consume_token(token):
            raise NoGrammar(self._matcher.get_error() or "the grammar engine refused a token that it allowed")

    @property
    def is_whole(self) -> bool:
        """Whether nothing but the end can follow."""
        return bool(self._matcher.is_stopped())


def lark(shape: Shape) -> str:
    """The grammar of a shape, in the language of the engine; llama.cpp has the same engine inside."""
    if shape.kind == "options":
        return "start: " + " | ".join(json.dumps(option, ensure_ascii=False) for option in shape.options)
    return "start: %json " + json.dumps((shape.schema or {}) | {"x-guidance": _JSON}, ensure_ascii=False)


# --- options by their log-probability -------------------------------------------------------------------------------


class Drawn(NamedTuple):
    """The option that was drawn, and how likely each of its tokens was among the options that began alike."""

    option: int
    logprobs: tuple[float, ...]
    allowed: tuple[tuple[int, ...], ...]


def option_scores(
    model: Any, prompt: Sequence[int], options: Sequence[Sequence[int]], known: Any = None
) -> torch.Tensor:
    """S(o) of each option, whose ids end in the end-of-turn token: one pass over the prompt, then the options on it.
    `known` is a cache that holds the prompt's first tokens; it will hold all of them."""
    import torch

    device = model.device
    size = known.get_seq_length() if known is not None else 0
    ids = torch.tensor([list(prompt[size:])], device=device)
    start = model(input_ids=ids, past_key_values=known, use_cache=True, logits_to_keep=1)
    first = torch.log_softmax(start.logits[0, -1].float(), -1)
    scores: list[torch.Tensor] = []
    for at in range(0, len(options), _AT_ONCE):
        some = options[at : at + _AT_ONCE]
        longest = max(map(len, some))
        tokens = torch.zeros(len(some), longest, dtype=torch.long, device=device)
        is_real = torch.zeros(len(some), longest, dtype=torch.bool, device=device)
        for row, option in enumerate(some):
            tokens[row, : len(option)] = torch.tensor(option, device=device)
            is_real[row, : len(option)] = True
        total = first[tokens[:, 0]].double()
        if longest > 1:
            cache = deepcopy(start.past_key_values)
            cache.batch_repeat_interleave(len(some))
            # Padding stands behind the tokens that count, so it cannot be seen from them.
            positions = torch.arange(len(prompt), len(prompt) + longest - 1, device=device).expand(len(some), -1)
            seen = torch.ones(len(some), len(prompt) + longest - 1, dtype=torch.long, device=device)
            rest = model(input_ids=tokens[:, :-1], attention_mask=seen, position_ids=positions, past_key_values=cache)
            each = torch.log_softmax(rest.logits.float(), -1).gather(-1, tokens[:, 1:, None])[..., 0]
            total = total + each.double().masked_fill(~is_real[:, 1:], 0.0).sum(-1)
        scores.append(total.cpu())
    return torch.cat(scores)


def draw_option(
    scores: Sequence[float], options: Sequence[Sequence[int]], temperature: float, noise: Sequence[float]
) -> Drawn:
    """One option from exp(S/T), by Gumbel noise; the best one at T = 0.

    The draw as a walk over tokens: at each one, the mass of the options that go on so, of those that began alike.
    """
    if temperature <= 0:
        logits = [0.0 if score == max(scores) else -math.inf for score in scores]
        index = scores.index(max(scores))
    else:
        logits = [score / temperature for score in scores]
        index = max(range(len(scores)), key=lambda i: logits[i] + noise[i])
    chosen = options[index]
    alike = list(range(len(options)))
    logprobs: list[float] = []
    allowed: list[tuple[int, ...]] = []
    for at, token in enumerate(chosen):
        allowed.append(tuple(sorted({options[i][at] for i in alike})))
        going_on = [i for i in alike if options[i][at] == token]
        logprobs.append(_log_sum(logits, going_on) - _log_sum(logits, alike))
        alike = going_on
    return Drawn(index, tuple(logprobs), tuple(allowed))


def _log_sum(logits: Sequence[float], which: Sequence[int]) -> float:
    most = max(logits[i] for i in which)
    if most == -math.inf:
        return most
    return most + math.log(sum(math.exp(logits[i] - most) for i in which))
