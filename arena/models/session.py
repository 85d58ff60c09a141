"""One run's access to models: cache, budget, limiter, client, redaction, in this order, once.

    session = Session(limits=limits)
    call = await session.complete(name, request)       # Call, or ProviderError, or BudgetReached

Retries live here and nowhere else. A call is tried up to 8 times within 10 minutes of its first failure; waiting
holds no slot. A model that fails on and on is given up for a while (its circuit opens), one that refuses for good (a
wrong key) for the rest of the run: its calls then fail at once, so that matches are set aside and not queued up.
Simulated models use the reply cache only where ARENA_CACHE names one, so that tests count calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Literal, NamedTuple, Protocol

from arena.core.errors import UsageError
from arena.models import cache as replies
from arena.models.circuit import PARKING, Circuit
from arena.models.clients import make_client
from arena.models.ledger import (
    Budget,
    Price,
    PriceSource,
    Totals,
    checked_usage,
    cost_of,
    estimate_tokens,
    price_of,
    refuse_unpriced,
    usd,
    worst_case,
)
from arena.models.limiter import LONGEST_PAUSE_S, Clock, Lane, Limiter, pause_of
from arena.models.names import ModelName
from arena.models.options import COMMON, parse
from arena.models.redact import Redactor
from arena.models.types import BudgetReached, ModelClient, ProviderError, Request, Response

_TRIES, _PATIENCE_S = 8, 600.0
_UNREADABLE = 3  # tries of a call whose reply cannot be read
_LONGEST_BACK_OFF_S = 60.0
_DEFAULT_CAP = 64  # calls in flight in the whole run, where no concurrency is given
_PUSHES_BACK = frozenset({"rate_limit", "overloaded", "timeout"})
_OVER_NAME = ("rpm", "tpm", "concurrency", "price_in", "price_out")
_LOCAL_AHEAD = 4  # batches that wait in front of a local model
_DROPPABLE: Mapping[str, str] = {
    **dict.fromkeys(("temperature", "top_p", "top_k", "min_p", "seed", "stop", "reasoning")),  # type: ignore[arg-type]
    **dict.fromkeys(("reasoning_effort", "reasoning.effort", "thinking"), "reasoning"),
    **dict.fromkeys(("response_format", "json_schema", "guided_json", "structured_outputs"), "shape"),
    **dict.fromkeys(("logprobs", "top_logprobs"), "logprobs"),
}
