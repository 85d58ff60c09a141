"""`hf/…`: a transformers model in this process, batched across matches, with PEFT adapters.

The weights are safetensors and nothing else, no code of a model is run, and a prompt's special tokens are only those
that its template writes. Clients of one base share its weights and its queue. A local model is never late, only busy:
the deadline of a request does not count here.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from arena.core.canonical import digest
from arena.core.errors import UsageError
from arena.core.seeds import derive
from arena.models.adapters import Adapter, check_adapter
from arena.models.constrain import MOST_OPTIONS, NoGrammar
from arena.models.local import Batcher, Closed, Loaded, Rules, thread_count
from arena.models.types import Capabilities, ErrorKind, ProviderError, Request, Response, Usage
from arena.models.weights import check_folder, hashes, identity_files

if TYPE_CHECKING:
    from arena.models.hf_engine import Engine
    from arena.models.hf_rows import Answer, Job, Mode
    from arena.models.names import ModelName

OPTIONS: dict[str, tuple[type, Any]] = {
    "dtype": (str, "auto"),  # fp32, bf16, fp16
    "device": (str, "auto"),
    "batch": (int, None),  # 8 on a CPU, 64 on a GPU
    "wait_ms": (int, 15),
    "max_len": (int, None),  # tokens of prompt and answer, if fewer than the model can
    "threads": (int, None),
    "any_base": (bool, False),  # an adapter of another base
}
_HUB_FILES = ["*.json", "*.safetensors", "*.jinja"]


class HFClient:
    """One base model, or one adapter on it."""

    def __init__(self, name: ModelName) -> None:
        self.name = name
        self._shown = f"hf/{name.model}" + (f"+{name.adapter}" if name.adapter else "")
        self.folder, self._source = find_model(name.model, name.options)
        check_folder(self.folder, "model")
        self._adapter = self._find_adapter()
        self._key: tuple[object, ...] | None = _key(self.folder, name.options)
        self._shared = _BASES.take(self._key, lambda: _made(self.folder, name))
        engine = self._shared.engine
        self._limit = min(name.options.get("max_len") or engine.context, engine.context)
        self._choice = name.options.get("choice", "auto")
        reasoning = name.options.get("reasoning")
        if reasoning is not None and (reasoning.isdigit() or not engine.template.takes_reasoning):
            _BASES.give_back(self._key)
            raise UsageError(
                f"{self._shown}: reasoning={reasoning} does nothing here"
                + ("; use none, low, medium or high" if reasoning.isdigit() else ": its template has no switch for it")
            )

    async def complete(self, request: Request) -> Response:
        started = time.monotonic()
        job = self._job(request)
        try:
            answer = await self._shared.batcher.submit(job, request.order)
        except ProviderError:
            raise
        except NoGrammar as error:
            raise self._failed("bad_request", f"no grammar for this answer: {error}", "response_format") from error
        except UsageError as error:
            raise self._failed("bad_request", error.message) from error
        except Closed as error:
            raise self._failed("connection", "the model was closed") from error
        except Exception as error:
            raise self._broke(error) from error
        return self._response(answer, job, request, time.monotonic() - started)

    def capabilities(self) -> Capabilities:
        template = self._shared.engine.template
        return Capabilities(
            schema="none" if self._choice == "text" else "strict",
            seed=True,
            logprobs=True,
            min_p=True,
            reasoning="effort" if template.takes_reasoning else "none",
            system_role=template.system_role,
            context=self._limit,
            max_output=self._limit,
            prefix_stable=template.prefix_stable,
            batch=self._shared.batcher.rules.batch,
        )

    async def identity(self) -> dict[str, Any]:
        engine = self._shared.engine
        loop = asyncio.get_running_loop()
        files = await loop.run_in_executor(None, lambda: hashes(identity_files(self.folder)))
        libraries = ["torch", "transformers", *(["peft"] if self._adapter else [])]
        return {
            "provider": "hf",
            "model": self.name.model,
            "source": self._source,
            "revision": self.name.options.get("revision"),
            "files": files,
            "adapter": self._adapter.sha256 if self._adapter else None,
            "dtype": engine.dtype,
            "client": "hf",
            "versions": {library: version(library) for library in libraries},
        }

    async def aclose(self) -> None:
        key, self._key = self._key, None
        if key is not None and (last := _BASES.give_back(key)) is not None:
            await last.batcher.aclose()

    # --- a request as a job -----------------------------------------------------------------------------------------

    def _job(self, request: Request) -> Job:
        from arena.models.hf_rows import Job

        sampling, shape = request.sampling, request.shape
        asked = digest([list(request.messages), shape.as_json() if shape else None])
        return Job(
            messages=request.messages,
            mode=self._mode(request),
            shape=shape,
            adapter=self._adapter,
            seed=derive("hf", sampling.seed or 0, request.sample_key, asked),
            temperature=1.0 if sampling.temperature is None else sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            max_tokens=sampling.max_tokens,
            stop=sampling.stop,
            reasoning=sampling.reasoning,
            keep_tokens=request.keep_tokens or request.want_logprobs,
            limit=self._limit,
            name=self._shown,
        )

    def _mode(self, request: Request) -> Mode:
        shape = request.shape
        if shape is None or shape.kind == "text" or self._choice == "text":
            return "text"
        if self._choice == "score" and shape.kind == "options" and len(shape.options) <= MOST_OPTIONS:
            return "score"
        return "grammar"

    def _response(self, answer: Answer, job: Job, request: Request, seconds: float) -> Response:
        parsed: Any = None
        if job.mode != "text" and answer.finish == "stop" and request.shape is not None:
            parsed = answer.text if request.shape.kind == "options" else json.loads(answer.text)
        params = request.sampling.as_json() | {
            "temperature": job.temperature,
            "max_tokens": job.max_tokens,
            "choice": job.mode,
        }
        return Response(
            text=answer.text,
            finish=answer.finish,
            parsed=parsed,
            usage=Usage(prompt=len(job.prompt), completion=answer.completion),
            model=self._shown,
            latency_s=seconds,
            tokens=answer.tokens,
            params=params,
        )

    # --- failures ---------------------------------------------------------------------------------------------------

    def _failed(self, kind: ErrorKind, message: str, parameter: str | None = None) -> ProviderError:
        return ProviderError(
            kind, f"{self._shown}: {message}", provider="hf", model=self.name.model, parameter=parameter
        )

    def _broke(self, error: Exception) -> ProviderError:
        from arena.models.hf_engine import CannotLoad, is_out_of_memory

        if is_out_of_memory(error):
            return self._failed("context_length", "this one prompt does not fit into the memory")
        if isinstance(error, CannotLoad):
            return self._failed("not_found", str(error))
        return self._failed("server", f"{type(error).__name__}: {error}")

    def _find_adapter(self) -> Adapter | None:
        name = self.name
        if name.adapter is None:
            return None
        folder = Path(name.adapter).expanduser()
        if not folder.is_dir():
            folder = _from_hub(name.adapter, None, ["adapter_config.json", "adapter_model.safetensors"])
        base = {name.model, str(self.folder), str(self.folder.resolve())}
        return check_adapter(folder, base, any_base=bool(name.options.get("any_base", False)))


def find_model(model: str, options: Any) -> tuple[Path, str]:
    """The folder of a model, and where it came from: made here, a path, or the hub. A path wins over a hub id."""
    from arena.models import smollm2, tiny

    if model == "tiny-random":
        return tiny.tiny_random(options.get("seed") or 0), "made"
    if model == "smollm2-135m":
        return smollm2.converted(), "made"
    path = Path(model).expanduser()
    if (path / "config.json").is_file():
        return path, "path"
    if model.startswith(("/", ".", "~")) or model.count("/") > 1:
        raise UsageError(f"there is no model at {model}: it holds no config.json")
    return _from_hub(model, options.get("revision"), _HUB_FILES), "hub"


def _from_hub(model: str, revision: str | None, files: list[str]) -> Path:
    """A snapshot of a hub's repository, from its cache if it is there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=files))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"{model} is neither a folder with a config.json nor to be had from the hub: {reason}",
            hint="check the id; gated models need a token; HF_HUB_OFFLINE=1 allows only what is in the cache",
        ) from error


# --- one base, many clients -----------------------------------------------------------------------------------------


class Base(NamedTuple):
    """A base in memory and its queue, for all clients of it."""

    engine: Engine
    batcher: Batcher[Job, Answer]


_BASES: Loaded[Base] = Loaded()


def _key(folder: Path, options: Mapping[str, Any]) -> tuple[object, ...]:
    own = ("dtype", "device", "batch", "wait_ms", "threads")
    return (str(folder.resolve()), *(options.get(option) for option in own))


def _made(folder: Path, name: ModelName) -> Base:
    from arena.models.hf_engine import Engine, is_out_of_memory

    options = name.options
    threads = options.get("threads")
    if threads is None and not os.environ.get("OMP_NUM_THREADS"):
        threads = thread_count(1.0)
    dtype, device = options.get("dtype", "auto"), options.get("device", "auto")
    engine = Engine(folder, f"hf/{name.model}", dtype=dtype, device=device, threads=threads)
    is_gpu = engine.device != "cpu"
    rules: Rules[Job] = Rules(
        batch=options.get("batch") or (64 if is_gpu else 8),
        wait_s=options.get("wait_ms", 15) / 1000,
        prepare=engine.encode,
        group=lambda job: (job.adapter and job.adapter.key, job.mode, job.shape.kind if job.shape else "text"),
        most_tokens=262_144 if is_gpu else 16_384,
        is_out_of_memory=is_out_of_memory,
    )
    return Base(engine, Batcher(engine.run, rules))
