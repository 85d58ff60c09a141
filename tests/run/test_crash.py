"""kill -9 at every point of a run, then resume: the same results, and no committed call is made again."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from arena.run.api import result_of
from arena.store.export import match_rows
from arena.store.reader import Reader
from tests.run.playing import rows

CHILD = Path(__file__).with_name("crashing.py")


def _run(folder: Path, count_file: Path, point: int = 0) -> str:
    words = [sys.executable, str(CHILD), str(folder), count_file.name, str(point)]
    folder.parent.mkdir(exist_ok=True)
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=count_file.parent)
    assert done.returncode in (0, -9), done.stderr
    return done.stdout


def _results(folder: Path) -> list[tuple[object, ...]]:
    return [(r["key"], r["record_hash"], r["evidence_hash"], r["outcome"], r["seats"]) for r in match_rows(folder)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The uninterrupted run, and how many points it has."""
    folder = tmp_path_factory.mktemp("whole")
    points, status = _run(folder / "run", folder / "count").split()
    assert status == "complete"
    return folder / "run", int(points)


def _check(folder: Path, count_file: Path, whole: Path, kills: int) -> None:
    assert result_of(folder, "").status == "complete"
    assert _results(folder) == _results(whole)
    committed = {r["call_key"] for r in rows(folder, "SELECT call_key FROM calls")}
    served = Counter(line.split()[0] for line in count_file.read_text().splitlines())
    expected = len(rows(whole, "SELECT * FROM calls"))
    assert len(committed) == expected
    # a request is sent again only if its reply was not on disk at the kill: at most one for each of the four matches
    assert sum(served.values()) - expected <= 4 * kills
    with Reader(folder) as reader:
        assert reader.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def _killed_at(point: int, tmp_path: Path, whole: Path) -> None:
    folder, count_file = tmp_path / "run", tmp_path / "count"
    _run(folder, count_file, point)
    held = {r["call_key"] for r in rows(folder, "SELECT call_key FROM calls")} if _readable(folder) else set()
    served = len(count_file.read_text().splitlines()) if count_file.exists() else 0

    _run(folder, count_file)

    again = count_file.read_text().splitlines()[served:]
    assert not held.intersection(line.split()[0] for line in again), "a committed call was made again"
    _check(folder, count_file, whole, 1)


def _readable(folder: Path) -> bool:
    try:
        with Reader(folder) as reader:
            reader.manifest()
    except Exception:
        return False
    return True


@pytest.mark.parametrize("share", [0.15, 0.35, 0.5, 0.65, 0.85])
def test_a_kill_at_a_point_changes_nothing(share: float, tmp_path: Path, whole: tuple[Path, int]) -> None:
    folder, points = whole

    _killed_at(max(1, round(share * points)), tmp_path, folder)


@pytest.mark.long
def test_a_kill_at_any_point_changes_nothing(tmp_path: Path, whole: tuple[Path, int]) -> None:
    folder, points = whole

    for point in range(1, points + 1):
        _killed_at(point, tmp_path / str(point), folder)


def test_two_kills_in_a_row_change_nothing(tmp_path: Path, whole: tuple[Path, int]) -> None:
    folder, points = whole
    run, count_file = tmp_path / "run", tmp_path / "count"
    _run(run, count_file, points // 3)
    _run(run, count_file, points // 4)

    _run(run, count_file)

    _check(run, count_file, folder, 2)
