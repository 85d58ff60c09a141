"""One byte form for one value: the JSON that every hash, key and comparison is computed from.

Sorted keys, no spaces, no ASCII escaping, exact integers, shortest round-trip floats, no NaN or infinity.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

_dumps = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def canonical(value: Any) -> str:
    """The canonical JSON of `value`; a value that is not JSON raises TypeError or ValueError."""
    return _dumps(value)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return sha256(_dumps(value).encode()).hexdigest()
