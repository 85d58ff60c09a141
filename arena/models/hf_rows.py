"""The rows of one batch while it is generated: each with its own settings, random stream, mask and end.

`draw` is one step of our own loop (`hf_decode.py`). `process` and `take`, its parts, are also a logits processor and a
stopping criterion of transformers' `generate`, for models whose cache is no plain list of keys and values. What is kept
per token is of the distribution that was really sampled from: after temperature, mask and cut-offs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from arena.models.adapters import Adapter
from arena.models.constrain import MOST_OPTIONS, Mask, NoGrammar
from arena.models.types import Finish, Message, Tokens
from arena.prompt.shape import Shape

if TYPE_CHECKING:
    import torch

Mode = Literal["text", "grammar", "score"]

_STOP_TAIL = 16  # tokens that are decoded again to find a stop string: one is seldom longer


@dataclass(eq=False)
class Job:
    """One call as the engine sees it. `prompt` is filled when the job is prepared."""

    messages: tuple[Message, ...]
    mode: Mode
    shape: Shape | None
    adapter: Adapter | None
    seed: int
    temperature: float = 1.0
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    reasoning: str | None = None
    keep_tokens: bool = False
    limit: int = 1 << 20  # tokens that prompt and answer may have together
    name: str = "hf"  # of the model, for messages
    prompt: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """What a job gave. `completion` counts every token that was drawn, the end among them."""

    text: str
    finish: Finish
    completion: int
    tokens: Tokens | None


class Row:
    """One answer in the making."""

    def __init__(
        self, job: Job, mask: Mask | None, ends: Sequence[int], decode: Callable[[Sequence[int]], str], device: str
    ) -> None:
        self.job, self.mask = job, mask
        self._ends, self._decode = ends, decode
        self.stream = generator(job.seed, device)
        self.ids: list[int] = []
        self.logprobs: list[float] = []
        self.allowed: list[tuple[int, ...] | None] = []
        self.finish: Finish | None = None
        self.error: BaseException | None = None
        self._read = 0  # tokens of the answer that the model has read

    @property
    def is_done(self) -> bool:
        return self.finish is not None or self.error is not None

    def take(self, token: int, logprob: float, allowed: tuple[int, ...] | None) -> None:
        """The next token; sees whether the answer ends with it."""
        if math.isnan(logprob):
            self.error = ArithmeticError("the model's logits are not numbers; try dtype=fp32")
            return
        self.ids.append(token)
        self.logprobs.append(logprob)
        self.allowed.append(allowed)
        if token in self._ends:
            self.finish = "stop"
            return
        if self.mask is not None:
            try:
                self.mask.take(token)
            except NoGrammar as error:
                self.error = error
                return
            if self.mask.is_whole:  # the end is all that may follow: no need to ask the model for it
                self.ids.append(self._ends[0])
                self.logprobs.append(0.0)
                self.allowed.append((self._ends[0],))
                self.finish = "stop"
                return
        if self.job.stop and self._has_stop():
            self.finish = "stop"
        elif len(self.ids) >= self.job.max_tokens:
            self.finish = "length"

    def force(self) -> None:
        """Take the tokens that the grammar leaves no choice about."""
        while self.mask is not None and not self.is_done and (only := self.mask.only) is not None:
            self.take(only, 0.0, (only,))

    def unread(self) -> list[int]:
        """The tokens that the model has not read; it will have."""
        found, self._read = self.ids[self._read :], len(self.ids)
        return found

    def _has_stop(self) -> bool:
        tail = self._decode(self.ids[-_STOP_TAIL:])
        return any(stop in tail for stop in self.job.stop)

    def answer(self) -> Answer | BaseException:
        if self.error is not None:
            return self.error
        text = self._decode(self.ids)
        found = [at for stop in self.job.stop if (at := text.find(stop)) >= 0]
        kept = None
        if self.job.keep_tokens:
            kept = Tokens(tuple(self.job.prompt), tuple(self.ids), tuple(self.logprobs), "sampled", tuple(self.allowed))
        return Answer(text[: min(found)] if found else text, self.finish or "length", len(self.ids), kept)


class Rows:
    """All rows of a batch, step by step."""

    def __init__(self, rows: list[Row], device: str) -> None:
        import torch

        self.rows, self._device = rows, device
        temperatures = [row.job.temperature for row in rows]
        self._temperature = torch.tensor([t if t > 0 else 1.0 for t in temperatures], device=device)[:, None]
        self._logprobs: torch.Tensor | None = None

    def draw(self, logits: torch.Tensor) -> None:
        """The next token of every row, and those that must follow it."""
        self.take(self.process(logits, logits).argmax(-1)[:, None], None)
        for row in self.rows:
            row.force()

    def process(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """From logits to something whose arg max is each row's sample."""
        import torch

        scores = scores.float() / self._temperature
        for n, row in enumerate(self.rows):
            if not row.is_done:
                self._restrict(scores[n], row)
        self._logprobs = torch.log_softmax(scores, -1)
        shifted = self._logprobs.clone()
        for n, row in enumerate(self.rows):
            if not row.is_done and row.job.temperature > 0:
                shifted[n] += gumbel(row.stream, shifted.shape[-1], self._device)
        return shifted

    def take(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Give every row its token; true for the rows that are done."""
        import torch

        tokens = input_ids[:, -1]
        assert self._logprobs is not None
        chosen = self._logprobs.gather(-1, tokens[:, None])[:, 0].tolist()
        for n, (row, token, logprob) in enumerate(zip(self.rows, tokens.tolist(), chosen, strict=True)):
            if not row.is_done:
                known = logprob if row.job.temperature > 0 or math.isnan(logprob) else 0.0
                row.take(token, known, self._allowed(n, row))
        return torch.tensor([row.is_done for row in self.rows], device=input_ids.device)

    def _restrict(self, logits: torch.Tensor, row: Row) -> None:
        """Mask and cut-offs of one row, in place; min_p and top_p look at what the mask left."""
        import torch

        job = row.job
        if row.mask is not None:
            allowed = torch.from_numpy(row.mask.allowed()).to(logits.device)
            logits[~allowed] = -torch.inf
        if job.temperature <= 0:
            best = logits.argmax()
            return _keep_only(logits, best[None])
        if job.top_k:
            _keep_only(logits, logits.topk(min(job.top_k, len(logits))).indices)
        if job.min_p:
            probabilities = logits.softmax(-1)
            logits[probabilities < job.min_p * probabilities.max()] = -torch.inf
        if job.top_p is not None and job.top_p < 1:
            ordered, which = logits.softmax(-1).sort(descending=True)
            inside = ordered.cumsum(-1) - ordered < job.top_p  # the first one is always inside
            _keep_only(logits, which[inside])
        return None

    def _allowed(self, n: int, row: Row) -> tuple[int, ...] | None:
        """The ids that could have been drawn; None = all, () = too many to keep."""
        job = row.job
        if not job.keep_tokens or self._logprobs is None:
            return None
        if row.mask is None and job.temperature > 0 and not (job.top_k or job.min_p or (job.top_p or 1.0) < 1):
            return None
        found = (self._logprobs[n] > float("-inf")).nonzero()[:, 0]
        return tuple(found.tolist()) if len(found) <= MOST_OPTIONS else ()


def _keep_only(logits: torch.Tensor, which: torch.Tensor) -> None:
    import torch

    kept = logits[which]
    logits.fill_(-torch.inf)
    logits[which] = kept


def generator(seed: int, device: str) -> torch.Generator:
    import torch

    return torch.Generator(device=device).manual_seed(seed)


def gumbel(stream: torch.Generator, size: int, device: str) -> torch.Tensor:
    """Gumbel noise: the arg max of log-probabilities plus this is a sample of them."""
    import torch

    return -torch.empty(size, device=device).exponential_(generator=stream).log()
