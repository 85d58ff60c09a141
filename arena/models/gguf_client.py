"""`gguf/…`: llama.cpp in this process (xllamacpp), the embedded default: no key, no GPU, no compiler.

llama.cpp batches by itself: as many calls run at once as it has slots, the oldest match first. Its log-probabilities
are those before the mask, so they are marked as the model's own and training refuses them as sampling probabilities.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.core.canonical import digest
from arena.core.errors import UsageError
from arena.core.seeds import derive
from arena.models.chat import Unreadable, read_completion
from arena.models.constrain import lark
from arena.models.gguf_engine import Model
from arena.models.http_errors import Refused, provider_error
from arena.models.local import Loaded
from arena.models.redact import Redactor
from arena.models.types import Capabilities, ErrorKind, ProviderError, Request, Response
from arena.models.weights import hashes
from arena.prompt.shape import Shape

if TYPE_CHECKING:
    from arena.models.names import ModelName

OPTIONS: dict[str, tuple[type, Any]] = {
    "ctx": (int, 4096),  # tokens of prompt and answer of one call
    "slots": (int, 4),  # calls at the same time
    "threads": (int, None),
}
_NEUTRAL = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}  # llama.cpp's own would cut the tail off


class GGUFClient:
    """One GGUF model."""

    def __init__(self, name: ModelName) -> None:
        self.name = name
        if name.adapter:
            raise UsageError(
                f"gguf/{name.model}: adapters on GGUF files are not supported",
                hint=f"use hf/smollm2-135m+{name.adapter}, or the safetensors of this model",
            )
        if name.options.get("choice") == "score":
            raise UsageError(f"gguf/{name.model}: choice=score needs hf/…; use choice=grammar here")
        self.path = find_file(name.model)
        self._key: tuple[object, ...] | None = _key(self.path, name.options)
        self._model = _MODELS.take(self._key, lambda: _made(self.path, name))
        reasoning = name.options.get("reasoning")
        if reasoning is not None and (reasoning.isdigit() or not self._model.takes_reasoning):
            _MODELS.give_back(self._key)
            raise UsageError(f"gguf/{name.model}: reasoning={reasoning} does nothing here")

    async def complete(self, request: Request) -> Response:
        started = time.monotonic()
        body = self._body(request)
        messages, keep = request.messages, request.keep_tokens
        reply = await self._model.call(lambda: self._model.answer(messages, body, with_ids=keep), request.order)
        if isinstance(reply, BaseException):
            raise self._failed("bad_request" if isinstance(reply, ValueError) else "server", str(reply)) from reply
        if reply.get("error"):
            raise self._refused(reply["error"])
        try:
            response = read_completion(reply)
        except Unreadable as error:
            raise self._failed("protocol", str(error)) from error
        return self._finished(response, body, request, reply, time.monotonic() - started)

    def capabilities(self) -> Capabilities:
        model = self._model
        return Capabilities(
            schema="none" if self.name.options.get("choice") == "text" else "strict",
            seed=True,
            logprobs=True,
            min_p=True,
            reasoning="effort" if model.takes_reasoning else "none",
            system_role=model.system_role,
            context=model.context,
            max_output=model.context,
            reports_cache=True,
            prefix_stable=model.prefix_stable,
            batch=model.slots,
        )

    async def identity(self) -> dict[str, Any]:
        files = await asyncio.get_running_loop().run_in_executor(None, lambda: hashes([self.path]))
        return {
            "provider": "gguf",
            "model": self.name.model,
            "files": files,
            "adapter": None,
            "client": "gguf",
            "versions": {"xllamacpp": version("xllamacpp")},
        }

    async def aclose(self) -> None:
        key, self._key = self._key, None
        if key is not None and (last := _MODELS.give_back(key)) is not None:
            last.close()

    # --- there and back ---------------------------------------------------------------------------------------------

    def _body(self, request: Request) -> dict[str, Any]:
        shape = request.shape
        asked = digest([list(request.messages), shape.as_json() if shape else None])
        sampling = request.sampling.as_json()
        reasoning = sampling.pop("reasoning", None)
        seed = derive("gguf", sampling.get("seed", 0), request.sample_key, asked) % (1 << 31)
        body = _NEUTRAL | sampling | {"seed": seed} | self._constraint(shape)
        if request.keep_tokens or request.want_logprobs:
            body |= {"logprobs": True, "top_logprobs": 1}
        if reasoning is not None:
            body["chat_template_kwargs"] = {"enable_thinking": reasoning != "none"}
        return body

    def _constraint(self, shape: Shape | None) -> dict[str, Any]:
        if shape is None or shape.kind == "text" or self.name.options.get("choice") == "text":
            return {}
        return {"grammar": f"%llguidance {{}}\n{lark(shape)}"}

    def _finished(
        self, response: Response, body: dict[str, Any], request: Request, reply: Mapping[str, Any], seconds: float
    ) -> Response:
        parsed = self._parsed(response, request.shape) if "grammar" in body else None
        tokens = response.tokens
        if tokens is not None:
            tokens = replace(tokens, prompt=tuple(reply.get("prompt_ids", ()))) if request.keep_tokens else tokens
        params = {key: value for key, value in body.items() if key not in ("grammar", "logprobs", "top_logprobs")}
        params["choice"] = "grammar" if "grammar" in body else "text"
        return replace(
            response,
            parsed=parsed,
            model=f"gguf/{self.name.model}",
            tokens=tokens,
            latency_s=seconds,
            params=params,
        )

    def _parsed(self, response: Response, shape: Shape | None) -> Any:
        """The answer that the grammar let through. llama.cpp goes on without a grammar that it cannot use."""
        if shape is None or response.finish != "stop":
            return None
        try:
            found = response.text if shape.kind == "options" else json.loads(response.text)
        except ValueError:
            found = None
        if found is None or (shape.kind == "options" and found not in shape.options):
            raise self._failed("bad_request", "llama.cpp could not use the grammar of this answer", "response_format")
        return found

    def _refused(self, error: Mapping[str, Any]) -> ProviderError:
        status = error.get("code")
        said = Refused(status if isinstance(status, int) else 500, json.dumps({"error": error}))
        return provider_error(said, provider="gguf", model=self.name.model, redactor=Redactor({}))

    def _failed(self, kind: ErrorKind, message: str, parameter: str | None = None) -> ProviderError:
        text = f"gguf/{self.name.model}: {message[:500]}"
        return ProviderError(kind, text, provider="gguf", model=self.name.model, parameter=parameter)


def find_file(model: str) -> Path:
    """The GGUF file that a name means."""
    if model == "smollm2-135m":
        from arena.models.smollm2 import packaged_gguf

        return packaged_gguf()
    path = Path(model).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no file {model}")
    return path


_MODELS: Loaded[Model] = Loaded()


def _key(path: Path, options: Mapping[str, Any]) -> tuple[object, ...]:
    return (str(path.resolve()), *(options.get(option) for option in OPTIONS))


def _made(path: Path, name: ModelName) -> Model:
    options = name.options
    ctx, slots = int(options.get("ctx", 4096)), int(options.get("slots", 4))
    return Model(path, f"gguf/{name.model}", ctx=ctx, slots=slots, threads=options.get("threads"))
