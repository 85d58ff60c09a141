"""How long one call is tried, and what a provider may refuse without ending it.

Eight tries within ten minutes of the first failure, three if the reply cannot be read; full-jitter back-off from one
second, doubling up to a minute. An optional parameter that the provider refuses by name is dropped once for all calls
of its model, and does not count as a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from arena.models.circuit import FailedTry
from arena.models.types import ProviderError, Request

_TRIES, _UNREADABLE, _PATIENCE_S = 8, 3, 600.0
_LONGEST_BACK_OFF_S = 60.0
_OPTIONAL: Mapping[str, str] = {  # a parameter as providers name it -> the part of a request that it is
    **{key: key for key in ("temperature", "top_p", "top_k", "min_p", "seed", "stop", "reasoning")},
    **dict.fromkeys(("reasoning_effort", "reasoning.effort", "thinking"), "reasoning"),
    **dict.fromkeys(("response_format", "json_schema", "guided_json", "structured_outputs"), "shape"),
    **dict.fromkeys(("logprobs", "top_logprobs"), "logprobs"),
}


@dataclass
class Attempts:
    """What one call has met so far."""

    failures: list[FailedTry] = field(default_factory=list)
    queue_s: float = 0.0
    _since: float = 0.0
    _dropped: int = 0

    def add(self, error: ProviderError, now: float, wall_ms: int) -> None:
        if not self.failures:
            self._since = now
        wait = None if error.retry_after_s is None else round(error.retry_after_s * 1000)
        self.failures.append(FailedTry(wall_ms, error.kind, error.status, wait, error.message))

    def forgive(self) -> None:
        """The last failure was about an optional parameter, which is not sent again."""
        self._dropped += 1

    def are_used_up(self, now: float) -> bool:
        unreadable = sum(failure.kind == "protocol" for failure in self.failures)
        return self._counted >= _TRIES or unreadable >= _UNREADABLE or now - self._since > _PATIENCE_S

    def back_off_s(self, rng: Random) -> float:
        return rng.uniform(0, min(_LONGEST_BACK_OFF_S, 2.0 ** (self._counted - 1)))

    @property
    def _counted(self) -> int:
        return len(self.failures) - self._dropped


def refused_part(error: ProviderError, sent: Request) -> str | None:
    """The optional part of the request that a bad_request names, if it was sent."""
    part = _OPTIONAL.get((error.parameter or "").lower()) if error.kind == "bad_request" else None
    return part if part is not None and without(sent, part) is not sent else None


def without(request: Request, part: str) -> Request:
    """The request without one optional part; the same object if the part is not in it."""
    if part == "shape":
        return request if request.shape is None else replace(request, shape=None)
    if part == "logprobs":
        return replace(request, want_logprobs=False) if request.want_logprobs else request
    empty: Any = () if part == "stop" else None
    if getattr(request.sampling, part) == empty:
        return request
    return replace(request, sampling=replace(request.sampling, **{part: empty}))
