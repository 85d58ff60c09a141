"""A transformers model in memory: one batch of jobs in, tokens out. Only the batcher's thread calls `run`.

Every row has its own settings and its own random stream: its token is the arg max of log-probabilities, divided by the
row's temperature, masked, and shifted by the row's Gumbel noise, which is an exact sample. So a row's result does not
depend on who shared the batch, nor on what of its prompt was read before (`prefixes.py`), but for float differences
(none of 8 texts in fp32, 3 of 8 in bf16 on SmolLM2-135M: bf16 batches are not reproducible by seed, the record is what
reproduces a match).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.models import on_cpu
from arena.models.adapters import Adapters
from arena.models.chat_template import ChatTemplate
from arena.models.constrain import Grammars, Mask, draw_option, option_scores
from arena.models.hf_rows import Answer, Job, Row, Rows, generator, gumbel
from arena.models.prefixes import Prefixes
from arena.models.types import ProviderError, Tokens

_PREFIX_BYTES = 1 << 29  # of prompts that were read: 23,000 tokens of SmolLM2-135M in bf16, half of that in fp32


class CannotLoad(RuntimeError):
    """Weights that are there and cannot be used."""


class Engine:
    """One base model on one device, its tokenizer, its adapters. The weights are read when the first batch runs."""

    def __init__(self, folder: Path, name: str, *, dtype: str, device: str, threads: int | None) -> None:
        import transformers

        if not os.environ.get("TRANSFORMERS_VERBOSITY"):  # nothing is printed unless somebody asks for it
            transformers.logging.disable_progress_bar()
            transformers.logging.set_verbosity_error()
        self.folder, self.name = folder, name
        self._threads = threads
        self.config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if not isinstance(tokenizer, transformers.PreTrainedTokenizerFast):
            raise UsageError(f"{name} has no fast tokenizer (tokenizer.json), which masks and exact ids need")
        self.tokenizer = tokenizer
        self.template = ChatTemplate(tokenizer, name)
        self.device = _device(device)
        self.dtype = _dtype(dtype, self.device, self.config)
        self.ends = _ends(folder, tokenizer, self.config)
        self._lock = _device_lock(self.device)
        self.prefixes = Prefixes(_PREFIX_BYTES)

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        text_config = self.config.get_text_config()
        return int(getattr(text_config, "max_position_embeddings", None) or 1 << 20)

    @cached_property
    def model(self) -> Any:
        """The weights in memory."""
        import torch
        import transformers

        if self._threads is not None:
            torch.set_num_threads(self._threads)
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(
                self.folder, dtype=getattr(torch, self.dtype), use_safetensors=True, trust_remote_code=False
            )
        except Exception as error:  # a folder of a stranger: wrong shapes, unknown architectures, odd configs
            raise CannotLoad(f"the model cannot be loaded: {type(error).__name__}: {error}") from error
        # The checkpoint's own sampling settings would work behind ours.
        model.generation_config = transformers.GenerationConfig(
            do_sample=False, eos_token_id=self.ends, pad_token_id=self.pad, bos_token_id=self.tokenizer.bos_token_id
        )
        if self.device == "cpu":
            on_cpu.whole_rows(model.get_output_embeddings())
            if self.dtype == "bfloat16":
                on_cpu.use(model)
        return model.to(self.device).eval()

    @cached_property
    def pad(self) -> int:
        found = self.tokenizer.pad_token_id
        return int(found if found is not None else self.ends[0])

    @cached_property
    def vocabulary(self) -> int:
        """As wide as the logits, which may be wider than the tokenizer."""
        return int(self.model.get_output_embeddings().weight.shape[0])

    @cached_property
    def _grammars(self) -> Grammars:
        return Grammars(self.tokenizer, self.vocabulary, self.ends)

    @cached_property
    def _adapters(self) -> Adapters:
        return Adapters(self.model)

    def encode(self, job: Job) -> int:
        """Fill in the prompt's ids; its length. What does not fit at all is an error, not a cut."""
        job.prompt = self.template.encode(job.messages, job.reasoning)
        size = len(job.prompt)
        if size >= job.limit:
            raise ProviderError(
                "context_length",
                f"{job.name}: the prompt has {size} tokens, and {job.limit} are the limit for prompt and answer",
                provider="hf",
                model=job.name,
                hint="use a model with a longer context, or an agent with memory=window=N",
            )
        job.max_tokens = min(job.max_tokens, job.limit - size)
        return size

    def run(self, jobs: Sequence[Job]) -> list[Answer | BaseException]:
        """The answers to jobs of one adapter and one mode."""
        import torch

        with self._lock, torch.inference_mode():
            model = self._adapters.use(jobs[0].adapter) if self._uses_adapters(jobs) else self.model
            try:
                if jobs[0].mode == "score":
                    return [self._score(model, job) for job in jobs]
                return self._generate(model, jobs)
            except Exception as error:
                if is_out_of_memory(error):
                    self.prefixes.clear()
                raise

    def _uses_adapters(self, jobs: Sequence[Job]) -> bool:
        return jobs[0].adapter is not None or "_adapters" in self.__dict__

    # --- generating -------------------------------------------------------------------------------------------------

    def _generate(self, model: Any, jobs: Sequence[Job]) -> list[Answer | BaseException]:
        from transformers import LogitsProcessorList, StoppingCriteriaList

        from arena.models.hf_decode import decode

        rows: list[Row] = []
        failed: dict[int, BaseException] = {}
        for at, job in enumerate(jobs):
            try:
                rows.append(Row(job, self._mask(job), self.ends, self._decode, self.device))
            except ValueError as error:  # a shape that no grammar expresses
                failed[at] = error
        if rows:
            prompts, who = [row.job.prompt for row in rows], jobs[0].adapter and jobs[0].adapter.key
            start = self.prefixes.start(model, who, prompts, self.pad)
            if start.cache is not None:
                decode(model, rows, start, self.pad, lambda: self.prefixes.done(who, prompts, start))
            else:
                together = Rows(rows, self.device)
                model.generate(
                    input_ids=start.ids,
                    attention_mask=start.seen,
                    max_new_tokens=max(row.job.max_tokens for row in rows),
                    logits_processor=LogitsProcessorList([together.process]),
                    stopping_criteria=StoppingCriteriaList([together.take]),
                )
        done = iter(rows)
        return [failed[at] if at in failed else next(done).answer() for at in range(len(jobs))]

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _mask(self, job: Job) -> Mask | None:
        return self._grammars.mask(job.shape) if job.mode == "grammar" and job.shape is not None else None

    # --- scoring ----------------------------------------------------------------------------------------------------

    def _score(self, model: Any, job: Job) -> Answer | BaseException:
        options = job.shape.options if job.shape else ()
        ids = [(*self.template.encode_text(option), self.ends[0]) for option in options]
        who = job.adapter and job.adapter.key
        start = self.prefixes.start(model, who, [job.prompt], self.pad)
        scores = option_scores(model, job.prompt, ids, start.cache)
        self.prefixes.done(who, [job.prompt], start)
        noise = gumbel(generator(job.seed, "cpu"), len(options), "cpu").tolist()
        drawn = draw_option(scores.tolist(), ids, job.temperature, noise)
        chosen = ids[drawn.option]
        kept = None
        if job.keep_tokens:
            kept = Tokens(tuple(job.prompt), tuple(chosen), drawn.logprobs, "sampled", drawn.allowed)
        return Answer(options[drawn.option], "stop", len(chosen), kept)


def is_out_of_memory(error: BaseException) -> bool:
    """torch has a class for it on GPUs; on a CPU its allocator raises a plain RuntimeError."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


_LOCKS: dict[str, threading.Lock] = {}


def _device_lock(device: str) -> threading.Lock:
    """Two models on one device take turns: together they would only be slower, or run out of memory."""
    return _LOCKS.setdefault(device, threading.Lock())


def _device(wanted: str) -> str:
    import torch

    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


_SMALL = 10_000_000
_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


def _dtype(wanted: str, device: str, config: Any) -> str:
    """torch's word. `auto` is bf16 where that is fast (CUDA, AVX-512), but not for toys, where it only adds noise."""
    import torch

    if wanted in _DTYPES:
        return _DTYPES[wanted]
    if wanted != "auto":
        raise UsageError(f"dtype={wanted} is none of auto, {', '.join(_DTYPES)}")
    hidden, layers = getattr(config, "hidden_size", 1 << 20), getattr(config, "num_hidden_layers", 1 << 10)
    is_fast = device.startswith("cuda") or torch.backends.cpu.get_cpu_capability() == "AVX512"
    return "bfloat16" if is_fast and 12 * layers * hidden**2 > _SMALL else "float32"


def _ends(folder: Path, tokenizer: Any, config: Any) -> list[int]:
    """The ids that end a turn, the tokenizer's own first: the one that the chat template closes messages with."""
    from transformers import GenerationConfig

    found = [tokenizer.eos_token_id, config.eos_token_id]
    if (folder / "generation_config.json").is_file():
        found.append(GenerationConfig.from_pretrained(folder).eos_token_id)
    flat = [i for entry in found for i in (entry if isinstance(entry, list) else [entry]) if i is not None]
    if not flat:
        raise UsageError(f"{folder} names no end-of-turn token")
    return list(dict.fromkeys(int(i) for i in flat))
