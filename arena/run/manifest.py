"""What a run is made of, written once when it starts: enough to resume it, and to say later what produced it."""

from __future__ import annotations

import os
import platform
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import arena
from arena.core.canonical import canonical
from arena.core.game import Game
from arena.registry import ROOT, game_folder, load_game, package_file, prompt_folders
from arena.run.plan import Planned, plan_hash
from arena.run.rows import now_ms
from arena.run.settings import Settings
from arena.store.schema import schema_version
from arena.store.writer import Unit

_PACKAGES = ("openai", "litellm", "aiohttp", "pettingzoo", "numpy", "jinja2", "torch", "transformers", "xllamacpp")
_SECRET = re.compile(r"(?i)(key|token|secret|passw\w*|credential)=([^&\s,]{4,})|sk-[\w-]{8,}|(?<=://)[^/@\s]+(?=@)")


def manifest_rows(settings: Settings, plan: Sequence[Planned], parent: Mapping[str, Any] | None = None) -> Unit:
    """The rows of a new run's manifest."""
    games = [load_game(where) for where in dict.fromkeys(p.where for p in plan)]
    values: dict[str, Any] = {
        "run_id": secrets.token_hex(16),
        "schema": schema_version(),
        "created_ms": now_ms(),
        "command": redacted_command(sys.argv),
        "config": settings.as_json(),
        "config_sha256": settings.sha256(),
        "plan_hash": plan_hash(plan),
        "seed": settings.seed,
        "versions": versions(),
        "git": git_state(),
        "game_hashes": {f"{cls.name}-v{cls.version}": files_hash(game_folder(cls).rglob("*.py")) for cls in games},
        "prompt_hashes": {f"{cls.name}-v{cls.version}": prompt_hash(cls) for cls in games},
        "parent": dict(parent) if parent else None,
    }
    return [("manifest", (key, canonical(value))) for key, value in values.items()]


def session_row(session_id: int) -> Unit:
    boot = Path("/proc/sys/kernel/random/boot_id")
    boot_id = boot.read_text().strip() if boot.is_file() else None
    row = (session_id, now_ms(), socket.gethostname(), os.getpid(), boot_id, arena.__version__)
    return [("session", row)]


def prompt_hash(cls: type[Game]) -> str:
    """The hash of every template that matches of this game are rendered from."""
    engine = (package_file("prompts") / "_engine").glob("*.j2")
    return files_hash([*engine, *(file for folder in prompt_folders(cls) for file in folder.rglob("*.j2"))])


def files_hash(files: Iterable[Path]) -> str:
    """The hash of files' names and bytes; their place does not count."""
    total = sha256()
    for name, data in sorted((f"{file.parent.name}/{file.name}", file.read_bytes()) for file in files):
        total.update(f"{name}\0{len(data)}\0".encode() + data)
    return total.hexdigest()


def versions() -> dict[str, str]:
    found = {"arena": arena.__version__, "python": platform.python_version(), "platform": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_state() -> dict[str, Any] | None:
    """The commit that this code is, if it is a checkout; remotes are not kept."""
    top = ROOT.parent
    if not (top / ".git").exists():
        return None

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(top), *words], capture_output=True, text=True, check=False).stdout

    return {"commit": git("rev-parse", "HEAD").strip(), "dirty": bool(git("status", "--porcelain").strip())}


def redacted_command(argv: Sequence[str]) -> str:
    """The command line, without anything that looks like a key."""
    words = [Path(argv[0]).name, *argv[1:]] if argv else []
    return _SECRET.sub(lambda m: f"{m.group(1)}=[redacted]" if m.group(1) else "[redacted]", " ".join(words))
