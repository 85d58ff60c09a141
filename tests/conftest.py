"""What all tests share: the way to tests/strategies.py, and Hypothesis without a clock."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # so that `from tests.strategies import …` works however pytest is started
    sys.path.insert(0, str(ROOT))

# A loaded machine must not fail a test, so there are no deadlines; a failure prints how to repeat it.
settings.register_profile("arena", deadline=None, print_blob=True, database=None, max_examples=100)
settings.register_profile("long", parent=settings.get_profile("arena"), max_examples=2000)
settings.load_profile("arena")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests run only where they are asked for: `pytest -m long`."""
    if "long" in str(config.getoption("markexpr")):
        settings.load_profile("long")
        return
    skipped = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=skipped)
    items[:] = [item for item in items if item not in skipped]
