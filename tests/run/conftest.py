"""Runs are tested in asyncio's debug mode: a task that nobody awaits is an error here."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _debug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
