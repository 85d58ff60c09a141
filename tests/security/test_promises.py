"""SECURITY.md promises what is tested: each promise names its tests, and each test of this folder keeps a promise."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def test_every_promise_names_tests_that_exist() -> None:
    promises = ROW.findall((ROOT / "SECURITY.md").read_text("utf-8"))

    assert [int(number) for number, _, _ in promises] == list(range(1, 20))
    for number, _, kept_by in promises:
        files = re.findall(r"`([^`]+)`", kept_by)
        assert files, number
        for file in files:
            assert re.search(r"^def test_", (ROOT / file).read_text("utf-8"), re.MULTILINE), file


def test_every_test_of_this_folder_keeps_a_promise() -> None:
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    files = {p.name for p in Path(__file__).parent.glob("test_*.py")} - {Path(__file__).name}

    assert [name for name in sorted(files) if f"`tests/security/{name}`" not in page] == []
