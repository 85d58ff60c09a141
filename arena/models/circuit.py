"""Whether a model can be had at all, so that its matches are set aside at once and not one after another.

Open: five failures in a row over 30 seconds without a success; over 5 seconds where nothing ever listened. One call
then goes as a probe, after 15 s first, up to 60 s later; a success closes the circuit. Parked: the provider refuses for
good (wrong key, no such model, no money); nothing goes any more in this run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from arena.models.limiter import Clock
from arena.models.types import ProviderError

PARKING = frozenset({"auth", "not_found", "quota", "billing", "bad_request"})
_FAILURES, _SILENCE_S, _NOBODY_S = 5, 30.0, 5.0
_FIRST_PROBE_S, _LAST_PROBE_S = 15.0, 60.0


class FailedTry(NamedTuple):
    """One failed try of a call, as the record keeps it; `text` is redacted."""

    at_ms: int
    kind: str
    status: int | None
    retry_after_ms: int | None
    text: str


class CallFailed(ProviderError):
    """The last error of a call that could not be had, with all its failed tries."""

    def __init__(self, error: ProviderError, tries: Sequence[FailedTry] = (), message: str | None = None) -> None:
        super().__init__(
            error.kind,  # type: ignore[arg-type]  # an error's kind is one of the kinds
            message or error.message,
            provider=error.provider,
            model=error.model,
            status=error.status,
            retry_after_s=error.retry_after_s,
            request_id=error.request_id,
            parameter=error.parameter,
            hint=error.hint,
        )
        self.tries = tuple(tries)


class SetAside(Exception):  # not an error of its own: the circuit knows why
    """Told to calls that wait in a queue when their model is given up."""


class Circuit:
    """The state of one endpoint; calls ask `admit` before each try."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._since = 0.0
        self._probe_at = 0.0
        self._gap = _FIRST_PROBE_S
        self._probing = False
        self._heard = False
        self._last: ProviderError | None = None
        self.is_parked = False
        self.opened = asyncio.Event()  # set while the model is given up

    @property
    def is_open(self) -> bool:
        return self.opened.is_set()

    def admit(self, tries: Sequence[FailedTry] = ()) -> bool:
        """Whether the call is a probe (then `probe_over` must follow); a model that is given up raises at once."""
        if not self.is_open:
            return False
        if not self.is_parked and not self._probing and self._clock.now() >= self._probe_at:
            self._probing = True
            return True
        raise self.refusal(tries)

    def refusal(self, tries: Sequence[FailedTry] = ()) -> CallFailed:
        """Why a call fails without being sent."""
        if self._last is None:
            raise RuntimeError("a closed circuit refuses nothing")
        return CallFailed(self._last, tries, f"{self._last.message} ({self.text()})")

    def probe_over(self) -> None:
        self._probing = False

    def succeeded(self) -> None:
        self._failures, self._heard = 0, True
        if not self.is_parked:
            self._gap = _FIRST_PROBE_S
            self.opened.clear()

    def failed(self, error: ProviderError) -> bool:
        """Count a failure; whether the circuit opened by it."""
        now = self._clock.now()
        self._last = error
        if self.is_open:
            self._gap = min(self._gap * 2, _LAST_PROBE_S)
            self._probe_at = now + self._gap
            return False
        self._since = self._since if self._failures else now
        self._failures += 1
        silence = _SILENCE_S if self._heard or error.kind != "connection" else _NOBODY_S
        if self._failures < _FAILURES or now - self._since < silence:
            return False
        self._probe_at = now + self._gap
        self.opened.set()
        return True

    def park(self, error: ProviderError) -> None:
        self._last, self.is_parked = error, True
        self.opened.set()

    def text(self) -> str:
        """The state in a few words, for a display and for errors."""
        if self.is_parked:
            return "parked: it is not asked again in this run"
        if self.is_open:
            left = max(self._probe_at - self._clock.now(), 0.0)
            return f"given up after {self._failures} failures in a row; next probe in {left:.0f} s"
        return "ok" if not self._failures else f"{self._failures} failures in a row"
