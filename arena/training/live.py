"""The policy that is being trained, answering calls of matches: batched, exact, beside its frozen relatives.

One model in memory serves the live adapter (`default`), frozen adapters of the same base (loaded under names of their
own) and the base itself (adapters off). Whoever else sits at the table is reached by name, through a session.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.core.seeds import derive
from arena.models.adapters import Adapter, check_adapter
from arena.models.hf_client import find_model
from arena.models.hf_engine import Engine
from arena.models.hf_rows import Answer, Job, Mode
from arena.models.local import Batcher, Rules
from arena.models.names import ModelName
from arena.models.session import Call, Session
from arena.models.types import ProviderError, Request, Response, Usage
from arena.prompt.shape import Shape
from arena.training.adapters.policies import put_weights
from arena.training.streams import Stream

LIVE = Adapter(Path(), "live", "", "")


class LiveEngine(Engine):
    """The engine of local models around a model that a trainer owns. Only the batcher's thread calls `run`."""

    def __init__(self, folder: Path, model: Any, device: str) -> None:
        super().__init__(folder, "the trained model", dtype="fp32", device=device, threads=None)
        self.__dict__["model"] = model  # in place of the weights that `Engine.model` would read
        self._loaded: set[str] = set()

    def weights_changed(self) -> None:
        """What was read was read with other weights."""
        self.prefixes.clear()

    def run(self, jobs: Sequence[Job]) -> list[Answer | BaseException]:
        import torch

        with torch.no_grad(), self._adapter(jobs[0].adapter):
            return self._generate(self.model, jobs)

    @contextmanager
    def _adapter(self, adapter: Adapter | None) -> Iterator[None]:
        """An adapter in force; afterwards `default` is active and trainable again."""
        from trl.trainer.utils import use_adapter

        if adapter is LIVE:
            yield
            return
        if adapter is None:
            with use_adapter(self.model, None):
                yield
            return
        name = f"opp_{adapter.key}"
        if name not in self._loaded:
            self._load(adapter, name)
        with use_adapter(self.model, name):
            yield

    def _load(self, adapter: Adapter, name: str) -> None:
        import json

        from peft import LoraConfig

        self.model.add_adapter(name, LoraConfig(**json.loads(adapter.config), inference_mode=True))
        put_weights(self.model, str(adapter.folder), name)
        for key, weight in self.model.named_parameters():
            if f".{name}." in key:
                weight.requires_grad_(False)
        self._loaded.add(name)


class RolloutSession:
    """Model access of a set of rollouts, in the place of a run's session. Keeps the live seats' token streams."""

    def __init__(self, engine: LiveEngine, frozen: Mapping[ModelName, Adapter | None], inner: Session, *,
                 choice: str, limit: int, min_p: float, seed: int, batch: int,
                 once: Mapping[str, tuple[int, ModelName]] | None = None) -> None:  # fmt: skip
        """`once`: by match key, the one turn that the live policy answers, and who answers its seat's others."""
        self._engine, self._frozen, self._inner, self._once = engine, frozen, inner, once or {}
        self._choice, self._limit, self._min_p, self._seed = choice, limit, min_p, seed
        self.streams: dict[tuple[str, str], Stream] = {}
        self.spent_usd = 0.0  # by those that are reached by name
        rules: Rules[Job] = Rules(
            batch=batch,
            wait_s=0.02,
            prepare=lambda job: len(job.prompt),
            group=lambda job: (job.adapter and job.adapter.key, job.mode, job.shape.kind if job.shape else "text"),
            most_tokens=262_144 if engine.device != "cpu" else 65_536,
        )
        self._batcher: Batcher[Job, Answer] = Batcher(engine.run, rules)

    @property
    def at_once(self) -> int:
        return self._inner.at_once + self._batcher.rules.batch

    async def complete(self, name: Any, request: Request) -> Call:
        """One answer: of the live policy, of a frozen one in the same memory, or of anybody else by name."""
        if name is LIVE:
            key, _, turn, _ = request.sample_key.split("/", 3)
            at, snapshot = self._once.get(key, (int(turn), LIVE))
            if int(turn) == at:
                return await self._live(request)
            name = snapshot
        if name in self._frozen:
            prompt = self._engine.template.encode(request.messages)
            options = name.options
            job = self._job(request, prompt, self._frozen[name], str(options.get("choice", "auto")))
            return _call(await self._served(job, request.order), job, time.monotonic())
        call = await self._inner.complete(name, request)
        self.spent_usd += call.cost_usd or 0.0
        return call

    async def _live(self, request: Request) -> Call:
        key, seat, turn, _ = request.sample_key.split("/", 3)
        stream = self.streams.setdefault((key, seat), Stream())
        prompt = stream.ask(self._engine.template, request.messages, self._engine.ends)
        job = self._job(request, prompt, LIVE, self._choice)
        job.min_p = self._min_p or None
        started = time.monotonic()
        answer = await self._served(job, request.order)
        assert answer.tokens is not None
        stream.answer(answer.tokens, int(turn))
        return _call(answer, job, started)

    def _job(self, request: Request, prompt: Sequence[int], adapter: Adapter | None, choice: str) -> Job:
        if len(prompt) >= self._limit:
            raise ProviderError(
                "context_length", f"a prompt of {len(prompt)} tokens does not fit into {self._limit}", provider="hf"
            )
        sampling = request.sampling
        return Job(
            messages=request.messages,
            mode=_mode(request.shape, choice),
            shape=request.shape,
            adapter=adapter,
            seed=derive("rollout", self._seed, request.sample_key),
            temperature=1.0 if sampling.temperature is None else sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            max_tokens=min(sampling.max_tokens, self._limit - len(prompt)),
            stop=sampling.stop,
            keep_tokens=True,
            limit=self._limit,
            prompt=list(prompt),
        )

    async def _served(self, job: Job, order: int) -> Answer:
        try:
            return await self._batcher.submit(job, order)
        except asyncio.CancelledError:
            raise
        except ProviderError:
            raise
        except Exception as error:
            raise ProviderError("server", f"{type(error).__name__}: {error}", provider="hf") from error

    # --- what a runner asks of a session ------------------------------------------------------------------------------

    def redact(self, text: str) -> str:
        return self._inner.redact(text)

    def latency_s(self, name: Any) -> float | None:
        """Unknown for everybody: the order of rollouts must not depend on the clock."""
        return None

    def check_time(self) -> None:
        self._inner.check_time()

    def stop(self) -> None:
        self._inner.stop()

    def state(self) -> list[dict[str, Any]]:
        return self._inner.state()

    async def aclose(self) -> None:
        await self._batcher.aclose()
        await self._inner.aclose()


def _mode(shape: Shape | None, choice: str) -> Mode:
    """As the hf client decides it; options by score are for play only (their distribution is none over tokens)."""
    return "text" if shape is None or shape.kind == "text" or choice == "text" else "grammar"


def _call(answer: Answer, job: Job, started: float) -> Call:
    response = Response(
        text=answer.text,
        finish=answer.finish,
        usage=Usage(prompt=len(job.prompt), completion=answer.completion),
        model="live" if job.adapter is LIVE else "frozen",
        latency_s=time.monotonic() - started,
        params={"temperature": job.temperature, "choice": job.mode},
    )
    return Call(
        response=response,
        cached=False,
        cost_usd=0.0,
        price_source="local",
        tries=1,
        errors=(),
        queue_ms=0,
        latency_ms=int(1000 * response.latency_s),
        started_ms=int(1000 * time.time()),
        params=response.params,
    )


def frozen_of_base(names: Sequence[ModelName], base: Path) -> dict[ModelName, Adapter | None]:
    """Those models that are adapters of `base`, or it itself: they need no second copy in memory."""
    found: dict[ModelName, Adapter | None] = {}
    for name in names:
        if name.provider != "hf" or name.options.get("choice") == "score":
            continue
        folder, _ = find_model(name.model, name.options)
        if folder.resolve() != base.resolve():
            continue
        if name.adapter is None:
            found[name] = None
        else:
            known = {name.model, str(folder), str(folder.resolve())}
            found[name] = check_adapter(Path(name.adapter).expanduser(), known)
    return found
