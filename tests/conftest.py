"""What all tests share: the way to tests/strategies.py, and Hypothesis without a clock."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["ARENA_CACHE"] = "off"  # a fake server on a port used before must not be answered from the user's cache

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # so that `from tests.strategies import …` works however pytest is started
    sys.path.insert(0, str(ROOT))

# A loaded machine must not fail a test, so there are no deadlines. The quick run draws the same examples each time; the
# long one draws new ones, and a failure prints how to repeat it.
settings.register_profile("arena", deadline=None, derandomize=True, database=None, max_examples=100)
settings.register_profile("long", deadline=None, print_blob=True, database=None, max_examples=2000)


def _wants_long(config: pytest.Config) -> bool:
    return "long" in str(config.getoption("markexpr")).replace("not long", "")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("long" if _wants_long(config) else "arena")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests run only where they are asked for: `pytest -m long`."""
    if _wants_long(config):
        return
    skipped = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=skipped)
    items[:] = [item for item in items if item not in skipped]
