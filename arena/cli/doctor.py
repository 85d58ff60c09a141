"""`arena doctor`: what this machine can run, and what to type where it cannot."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer

from arena.cli import options

Grade = Literal["ok", "warn", "fail"]


class Row(NamedTuple):
    grade: Grade
    what: str
    facts: str
    fix: str = ""


def command(
    agents: Annotated[list[str], typer.Option("--agent", help="Also ask this agent's model one question.")] = [],  # noqa: B006
    folder: Annotated[Path, typer.Option("--runs", help="Where runs are to be written.")] = Path("runs"),
    as_json: options.Json = False,
) -> None:
    """Check the installation. Without --agent no network is used.

    Examples: `arena doctor`   `arena doctor --agent openai/qwen3@http://127.0.0.1:8000/v1`
    """
    from arena.cli.output import document, table

    rows = [*_python(), *_layout(), *_disk(folder), *_keys(), *_models(), *_machine(), *_pth()]
    for agent in agents:
        rows += _agent(agent)
    if as_json:
        document([row._asdict() for row in rows])
    else:
        table(("", "what", "facts", "fix"), [(r.grade, r.what, r.facts, r.fix) for r in rows])
    if any(row.grade == "fail" for row in rows):
        raise typer.Exit(1)


_CORE = ("openai", "litellm", "aiohttp", "pettingzoo", "numpy", "pydantic", "typer", "jinja2")


def _graded(good: bool, otherwise: Grade, what: str, facts: str, fix: str) -> Row:
    return Row("ok", what, facts) if good else Row(otherwise, what, facts, fix)


def _python() -> Iterator[Row]:
    from importlib.metadata import PackageNotFoundError, version

    number = ".".join(map(str, sys.version_info[:3]))
    yield _graded(sys.version_info >= (3, 11), "fail", "python", number, "install 3.11 or newer")
    pinned = _constraints()
    for package, extra in (
        *((name, "") for name in _CORE),
        ("pyarrow", "parquet"),
        ("torch", "local"),
        ("transformers", "local"),
        ("peft", "local"),
        ("llguidance", "local"),
        ("trl", "train"),
        ("xllamacpp", "embedded"),
    ):
        try:
            found = version(package)
        except PackageNotFoundError:
            install = f"pip install 'parley-arena[{extra}]'" if extra else f"pip install {package}"
            yield Row("warn" if extra else "fail", package, "not installed", install)
            continue
        wanted = pinned.get(package)
        same = wanted is None or found.split("+")[0] == wanted
        yield _graded(same, "warn", package, found, f"the tested version is {wanted}")


def _constraints() -> dict[str, str]:
    from arena.registry import ROOT

    file = ROOT.parent / "constraints.txt"
    lines = file.read_text().split("\n") if file.is_file() else []
    pairs = (line.partition("==") for line in lines if "==" in line and not line.startswith("#"))
    return {name.strip().lower(): number.split(";")[0].strip() for name, _, number in pairs}


def _layout() -> Iterator[Row]:
    from arena.registry import game_names, package_file

    missing = [name for name in ("games", "agents", "prompts", "leaderboards") if not package_file(name).is_dir()]
    yield _graded(not missing, "fail", "package folders", ", ".join(missing) or "all there", "reinstall")
    yield Row("ok", "games", str(len(game_names())))


def _disk(folder: Path) -> Iterator[Row]:
    import shutil
    import sqlite3
    import tempfile

    place = folder if folder.is_dir() else Path()
    try:
        with tempfile.TemporaryDirectory(dir=place, prefix=".doctor-") as scratch:
            db = sqlite3.connect(Path(scratch) / "probe.sqlite")
            mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            db.execute("CREATE TABLE t (x)")
            db.commit()
            db.close()
    except (OSError, sqlite3.Error) as error:
        yield Row("fail", "run folder", f"{place.absolute()} cannot be written: {error}", "choose another with --out")
        return
    yield _graded(mode == "wal", "fail", "run folder", f"{mode} journal", "use a local disk")
    free = shutil.disk_usage(place).free >> 20
    yield Row("ok" if free > 1024 else "warn" if free > 200 else "fail", "free disk", f"{free} MB")


def _keys() -> Iterator[Row]:
    names = sorted(n for n in os.environ if n.endswith("_API_KEY") and os.environ[n])
    yield Row("ok", "keys", ", ".join(names) or "none (only local models and bots)")


def _models() -> Iterator[Row]:
    from arena.core.errors import ArenaError
    from arena.models.names import resolve

    for name in ("gguf/smollm2-135m", "hf/smollm2-135m"):
        try:
            resolve([name], None)
        except ArenaError as error:
            yield Row("warn", name, "not usable", f"{error.message}")
        else:
            yield Row("ok", name, "ready")


def _machine() -> Iterator[Row]:
    import shutil

    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    yield Row("ok" if load <= cores else "warn", "load", f"{load:.1f} on {cores} cores")
    yield Row("ok", "GPU", "nvidia-smi is there" if shutil.which("nvidia-smi") else "none seen")
    yield Row("ok", "bubblewrap", "there" if shutil.which("bwrap") else "none (only needed for model-written programs)")


_KNOWN_PTH = ("distutils-precedence.pth", "_virtualenv.pth", "matplotlib.pth", "protobuf", "_editable", "_parley")


def _pth() -> Iterator[Row]:
    """Files that run at every start of Python: a stolen package once hid there."""
    stray = [
        file.name
        for place in sys.path
        if "site-packages" in place and Path(place).is_dir()
        for file in Path(place).glob("*.pth")
        if not any(mark in file.name for mark in _KNOWN_PTH)
    ]
    yield _graded(not stray, "warn", ".pth files", ", ".join(stray) or "none unknown", "look at what they run")


def _agent(name: str) -> Iterator[Row]:
    """One real question to an agent's model."""
    import tempfile

    from arena.cli.play import plan_one
    from arena.core.errors import ArenaError
    from arena.run.api import start
    from arena.store.reader import Reader

    try:
        settings, specs, plan = plan_one("kuhn", [f"player_0={name}", "player_1=bot/random"], 0, ["void.passes=0"])
        with tempfile.TemporaryDirectory(prefix="arena-") as scratch:
            result = start(settings, specs, Path(scratch) / "run", plan=[plan])
            with Reader(Path(scratch) / "run") as reader:
                row, calls = reader.find_match("1"), reader.rows("calls", 1)
                turns = reader.rows("turns", 1)
    except ArenaError as error:
        yield Row("fail", name, error.message, error.hint or "")
        return
    if result.status != "complete":
        yield Row("fail", name, str(row["reason"]), "see docs/troubleshooting.md")
        return
    statuses = ", ".join(t["status"] for t in turns if t["seat_no"] == 0)
    cost: Any = "unpriced" if any(c["cost_usd"] is None for c in calls) else f"${sum(c['cost_usd'] for c in calls):.6f}"
    served = calls[0]["model_served"] or "?"
    yield Row("ok", name, f"answered: {statuses}; {len(calls)} calls, {cost}; served by {served}")
