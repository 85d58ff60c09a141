"""Every other provider, through litellm: one call, its traps handled, its errors mapped as those of the direct client.

litellm is imported in the constructor (1.6 s and 170 MB). Without the settings made there its import fetches a price
list over the network, and an error prints a banner to stdout, into the middle of `--json`. Its own retries, caches,
callbacks, cost and router stay off; what they do is done above, once.

What this client cannot promise: the size of a body is limited only where the name gives a URL; elsewhere litellm's own
transport reads what the provider sends, until the deadline.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from arena.core.errors import UnknownName, UsageError
from arena.models.chat import Enforced, Unreadable, enforce, read_completion, sampling_body
from arena.models.http_errors import (
    Refused,
    cause_chain,
    failed,
    is_filtered,
    kind_of_cause,
    provider_error,
    rate_headers,
    request_id,
)
from arena.models.openai_client import SERVERS, check_key_travels
from arena.models.redact import Redactor
from arena.models.types import Capabilities, ErrorKind, ProviderError, Request, Response

if TYPE_CHECKING:
    from arena.models.names import ModelName

OPTIONS: dict[str, tuple[type, Any]] = {"insecure": (bool, False)}

_HEADER_PREFIX = "llm_provider-"
_PREFIX = re.compile(r"(?:litellm\.\w+: |\w*(?:Error|Exception)(?:: | - ))+")


class LiteLLMClient:
    """One model of one provider that litellm knows."""

    _open = 0  # clients that may still call

    def __init__(self, name: ModelName) -> None:
        self._litellm = litellm = quiet_litellm()
        self.name = name
        self._redactor = Redactor()  # litellm takes its keys from many variables
        self._redactor.add_url("url", name.url)
        known = {str(getattr(provider, "value", provider)) for provider in litellm.provider_list}
        if name.provider not in known:
            raise UnknownName("provider", name.provider, known | set(SERVERS), hint="litellm's provider names work")
        # By URL every server of this protocol is the same to litellm; its own names differ in their defaults only.
        by_url = name.url is not None and name.provider in SERVERS
        self._model = f"{'openai' if by_url else name.provider}/{name.model}"
        self._place = self._endpoint(by_url)
        self._is_unknown = False
        self._capabilities = self._declared(by_url)
        self._http: Any = None
        if name.options.get("choice", "auto") == "score":
            raise UsageError(
                f"{name.provider}/{name.model}: choice=score needs a model in process; use choice=auto here"
            )
        self._reasoning_body(name.options.get("reasoning"))
        self._is_open = True
        LiteLLMClient._open += 1

    async def complete(self, request: Request) -> Response:
        enforced = self._enforced(request)
        try:
            params = sampling_body(request) | self._reasoning_body(request.sampling.reasoning)
        except UsageError as error:
            raise self._failed("bad_request", error.message) from error
        if enforced is not None:
            params["response_format"] = enforced.response_format
        started = time.monotonic()
        try:
            async with asyncio.timeout(request.timeout_s):
                reply = await self._litellm.acompletion(**self._call(request), **params)
        except TimeoutError as error:
            raise self._failed("timeout", f"no complete reply within {request.timeout_s:g} s") from error
        except Exception as error:  # litellm raises a hundred classes, some of them plain Exception
            response = self._filtered(error)
            if response is None:
                raise self._error(error) from None  # theirs hold the request with its key
        else:
            response = self._read(reply, enforced)
        return replace(response, params=params, latency_s=time.monotonic() - started)

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def adopt(self, capabilities: Capabilities) -> None:
        """Replace what was declared by what a probe found, or by what was learned in play."""
        self._capabilities = capabilities

    @property
    def place(self) -> str:
        return self._redactor.clean_error(self.name.url) if self.name.url else self.name.provider

    @property
    def requested(self) -> str:
        return self.name.model

    @property
    def wants_probe(self) -> bool:
        """Whether what this model can do is unknown until it was asked."""
        return self._is_unknown and self._capabilities.source == "declared"

    async def identity(self) -> dict[str, Any]:
        return {
            "provider": self.name.provider,
            "model": self.name.model,
            "url": self._redactor.clean_error(self.name.url) if self.name.url else None,
            "revision": self.name.options.get("revision"),
            "client": "litellm",
            "versions": {"litellm": version("litellm")},
        }

    async def models(self, timeout_s: float = 10.0) -> list[dict[str, Any]]:
        """litellm lists nothing that the provider vouches for."""
        return []

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None
        if not self._is_open:
            return
        self._is_open = False
        LiteLLMClient._open -= 1
        if not LiteLLMClient._open:  # litellm keeps one pool for all of them
            from litellm.llms.custom_httpx.async_client_cleanup import close_litellm_async_clients

            await close_litellm_async_clients()

    # --- what is sent -----------------------------------------------------------------------------------------------

    def _call(self, request: Request) -> dict[str, Any]:
        call: dict[str, Any] = {
            "model": self._model,
            "messages": list(request.messages),
            "num_retries": 0,
            "max_retries": 0,
            "timeout": request.timeout_s,
            "drop_params": False,
            **self._place,
        }
        if request.call_key:
            call["extra_headers"] = {"Idempotency-Key": request.call_key}
        if "api_base" in call and self._model.startswith("openai/"):
            call["client"] = self._capped_client()
        return call

    def _enforced(self, request: Request) -> Enforced | None:
        if self.name.options.get("choice") == "text":
            return None
        is_openai = self.name.provider in ("openai", "azure") and self.name.url is None
        return enforce(request.shape, self._capabilities, all_required=is_openai)

    def _reasoning_body(self, wanted: str | None) -> dict[str, Any]:
        if wanted is None:
            return {}
        if not wanted.isdigit():
            return {"reasoning_effort": wanted}
        model, provider, _, _ = self._litellm.get_llm_provider(self._model)
        supported = self._litellm.get_supported_openai_params(model=model, custom_llm_provider=provider) or []
        if "thinking" not in supported:
            raise UsageError(
                f"{self.name.provider}/{self.name.model}: reasoning={wanted} is a number of tokens, which this model "
                "does not take; use none, low, medium or high"
            )
        return {"thinking": {"type": "enabled", "budget_tokens": int(wanted)}}

    def _endpoint(self, by_url: bool) -> dict[str, Any]:
        """Where to call and with which key. A server named by URL gets a key only if the name says which."""
        name = self.name
        variable = name.options.get("key_env")
        key = os.environ.get(variable, "") if variable else ""
        if variable and not key:
            raise UsageError(f"{name.provider}/{name.model} needs a key: set the variable {variable}")
        place: dict[str, Any] = {}
        if key:
            self._redactor.add(variable or "key", key)
            place["api_key"] = key
        if name.url is not None:
            place["api_base"] = name.url
            place.setdefault("api_key", "none")
            if key:
                check_key_travels(name, name.url)
        elif not key:
            self._check_environment()
        return place

    def _check_environment(self) -> None:
        """Stop before anything starts if the one key that this provider takes is missing."""
        found = self._litellm.validate_environment(model=self._model)
        missing = [variable for variable in found.get("missing_keys", ()) if isinstance(variable, str)]
        # Clouds have further ways to sign in (roles, default credentials); only a plain key is known to be needed.
        if missing and all(variable.endswith("_API_KEY") for variable in missing):
            raise UsageError(
                f"{self.name.provider}/{self.name.model} needs a key: set the variable {' or '.join(missing)}",
                hint=f"export {missing[0]}=… or name another variable with ?key_env=NAME",
            )

    def _declared(self, by_url: bool) -> Capabilities:
        if by_url:
            self._is_unknown = True
            return Capabilities(reasoning="effort")
        try:
            has_schema = bool(self._litellm.supports_response_schema(model=self._model))
            info = self._litellm.get_model_info(model=self._model)
        except Exception:  # a model that its table does not hold; a probe can find out more
            self._is_unknown = True
            return Capabilities(reasoning="effort")
        return Capabilities(
            schema="strict" if has_schema else "none",
            reasoning="effort" if info.get("supports_reasoning") else "none",
            context=info.get("max_input_tokens"),
            max_output=info.get("max_output_tokens"),
            reports_cache=bool(info.get("supports_prompt_caching")),
        )

    def _capped_client(self) -> Any:
        """An SDK client whose bodies end at 16 MiB and whose redirects are not followed; made on first use."""
        if self._http is None:
            from arena.models.capped_http import capped_openai

            self._http = capped_openai(self._place["api_base"], self._place["api_key"])
        return self._http

    # --- what comes back --------------------------------------------------------------------------------------------

    def _read(self, reply: Any, enforced: Enforced | None) -> Response:
        try:
            value = reply.model_dump(warnings=False)
            for choice in value.get("choices") or ():
                # litellm keeps a refusal apart from the message that it belongs to
                choice["message"].setdefault(
                    "refusal", (choice["message"].get("provider_specific_fields") or {}).get("refusal")
                )
            response = read_completion(value, enforced)
        except (Unreadable, AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._failed("protocol", str(error)) from error
        hidden = getattr(reply, "_hidden_params", None) or {}
        headers = _plain_headers(hidden.get("additional_headers") or {})
        id_ = request_id(headers, self._redactor) or response.request_id
        return replace(response, request_id=id_, headers=rate_headers(headers))

    def _filtered(self, error: Exception) -> Response | None:
        if is_filtered(_said(error)) or type(error).__name__ == "ContentPolicyViolationError":
            return Response("", "filter")
        return None

    def _error(self, error: Exception) -> ProviderError:
        """litellm's exception as ours. Its classes and statuses are made up unless the server's headers are there:
        a refused connection, a page of HTML and a wrong type all call themselves InternalServerError, 500."""
        said = _said(error)
        is_said = bool(said.headers) or (said.status is not None and said.status < 500 and said.status != 408)
        if is_said:
            return provider_error(said, provider=self.name.provider, model=self.name.model, redactor=self._redactor)
        told, cause = _plain_message(error), str(cause_chain(error)[-1])
        text = told if cause in told else f"{told} ({cause})"
        kind = kind_of_cause(error)
        return self._failed(kind, text) if kind else self._failed("protocol", f"the reply cannot be read: {text}")

    def _failed(self, kind: ErrorKind, message: str) -> ProviderError:
        provider, model = self.name.provider, self.name.model
        return failed(kind, message, provider=provider, model=model, redactor=self._redactor)


def quiet_litellm() -> Any:
    """litellm, imported so that it neither calls home nor prints, with everything off that is ours to do."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # before the import, or it fetches a price list
    import litellm

    # litellm asks for this at its import only; its classes are built, and remarked upon, at their first use
    warnings.filterwarnings("ignore", message=".*`ReadOnly` qualifier", category=UserWarning)
    litellm.suppress_debug_info = True  # else an unknown model prints "Provider List …" to stdout
    litellm.set_verbose = False
    litellm.callbacks, litellm.success_callback, litellm.failure_callback = [], [], []
    litellm.cache = None
    litellm.drop_params = False
    litellm.num_retries = 0
    litellm.telemetry = False
    for logger in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # its lines quote URLs and keys
    return litellm


def _said(error: Exception) -> Refused:
    """What the server said, as far as litellm's exception, or one below it, still knows it."""
    headers: Mapping[Any, Any] = {}
    body: object = None
    for step in cause_chain(error):
        response = getattr(step, "response", None)
        headers = headers or getattr(step, "litellm_response_headers", None) or getattr(response, "headers", None) or {}
        body = body or getattr(step, "body", None)
    status = getattr(error, "status_code", None)
    if isinstance(body, Mapping):
        text = json.dumps(body if "error" in body else {"error": dict(body)}, default=str)
    else:
        text = _plain_message(error)
    return Refused(status if isinstance(status, int) else None, text, _plain_headers(headers))


def _plain_message(error: Exception) -> str:
    """The provider's words without litellm's class names in front and its traceback behind."""
    text = str(getattr(error, "message", None) or error).partition("Traceback (most recent call last)")[0]
    return _PREFIX.sub("", text).strip()


def _plain_headers(headers: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name).removeprefix(_HEADER_PREFIX): str(value) for name, value in headers.items()}
