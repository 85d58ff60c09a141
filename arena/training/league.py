"""The league: a folder of policies, each self-contained, each playable as `league/NAME`.

NAME/ holds policy.toml, README.md (the model card) and, if anything was trained, the adapter's two files. A name is
never overwritten: the same bytes are a no-op, other bytes an error. `arena.models.files` reads policy.toml; the keys
that it looks at are `base`, `base_sha256`, `adapter_sha256`, `methods`, `options`.
"""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.core.canonical import digest
from arena.core.errors import UsageError
from arena.core.game import Game
from arena.models.adapters import check_adapter
from arena.models.hf_client import find_model
from arena.models.names import AgentName, parse_name
from arena.models.weights import check_folder, hashes, identity_files

ADAPTER_FILES = ("adapter_model.safetensors", "adapter_config.json")
POLICY, CARD = "policy.toml", "README.md"


def league_folder() -> Path:
    """$ARENA_LEAGUE, else ./league; absolute."""
    return Path(os.environ.get("ARENA_LEAGUE") or "league").expanduser().resolve()


@dataclass(frozen=True)
class Start:
    """The untrained start of a run: a base, what is around it, and the adapter of a warm start."""

    name: str
    base: str  # the name of the base for policy.toml: an absolute path or an alias, with its options
    folder: Path
    sha256: str
    methods: tuple[str, ...]
    options: Mapping[str, Any]  # of the model
    warm: str | None  # folder of a warm start's adapter
    memory: str = "full"

    @property
    def context(self) -> int:
        """Tokens that the base can read, by its config."""
        config = json.loads((self.folder / "config.json").read_text("utf-8"))
        own = config.get("max_position_embeddings") or config.get("text_config", {}).get("max_position_embeddings")
        return min(int(own or 1 << 20), int(self.options.get("max_len") or 1 << 30))


def find_start(model: str, game: type[Game]) -> Start:
    """What `--model` means; a UsageError where it cannot be trained."""
    agent = parse_name(model, game)
    if agent.model is None or agent.model.provider != "hf":
        raise UsageError(
            f"{model} cannot be trained here: training needs weights in this process (hf/…)",
            hint="hf/smollm2-135m, hf/PATH, or league/NAME of a policy that was trained here",
        )
    if any(options for _, options in agent.methods):
        raise UsageError(
            f"{model}: methods with options around a trained model are not supported", hint="leave them out"
        )
    name = agent.model
    folder, source = find_model(name.model, name.options)
    check_folder(folder, "model")
    # With the agent's own options (memory, persona): a policy plays as it was trained to.
    own = agent.canonical.removeprefix("".join(f"{method}:" for method, _ in agent.methods))
    base, mark, options = own.partition("?")
    base = base.rpartition("+")[0] if name.adapter else base
    if source == "path":
        from arena.models.grammar import escape

        base = f"hf/{escape(str(folder.resolve()))}"
    return Start(
        name=agent.canonical,
        base=f"{base}{mark}{options}",
        folder=folder.resolve(),
        sha256=digest(hashes(identity_files(folder))),
        methods=tuple(method for method, _ in agent.methods),
        options=dict(name.options),
        warm=_warm(name.adapter, {name.model, str(folder), str(folder.resolve())}) if name.adapter else None,
        memory=agent.memory,
    )


def _warm(adapter: str, base: set[str]) -> str:
    """The folder of a warm start's adapter, which must be one of this base."""
    folder = Path(adapter).expanduser().resolve()
    check_adapter(folder, base)
    return str(folder)


def adapter_of(agent: AgentName) -> str | None:
    return agent.model.adapter if agent.model is not None else None


def check_free(folder: Path, names: list[str], run_id: str) -> None:
    """Stop if a name that this run will register belongs to another run."""
    for name in names:
        held = folder / name / POLICY
        if held.is_file() and tomllib.loads(held.read_text("utf-8")).get("run") != run_id:
            raise UsageError(
                f"league/{name} is another run's policy ({folder / name}); names are never overwritten",
                hint="--league NAME chooses other names",
            )


def register(folder: Path, name: str, facts: Mapping[str, Any], card: str, adapter: Path | None) -> dict[str, str]:
    """Put a policy into the league, whole or not at all; the hashes of its files."""
    target, part = folder / name, folder / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    sums: dict[str, str] = {}
    if adapter is not None:
        for file in ADAPTER_FILES:
            shutil.copyfile(adapter / file, part / file)
        sums = hashes([part / file for file in ADAPTER_FILES])
    whole = dict(facts) | ({"adapter_sha256": sums[ADAPTER_FILES[0]]} if sums else {})
    (part / POLICY).write_text(_toml(whole), "utf-8")
    (part / CARD).write_text(card, "utf-8")
    sums = {path.name: file_hash(path) for path in sorted(part.iterdir())}
    if target.exists():
        there = {path.name: file_hash(path) for path in sorted(target.iterdir()) if path.is_file()}
        if there == sums:
            shutil.rmtree(part)
            return sums
        shutil.rmtree(part)
        other = [file for file in sorted({*there, *sums}) if there.get(file) != sums.get(file)]
        raise UsageError(
            f"league/{name} is there with other bytes ({', '.join(other)}); a name is never overwritten",
            hint="--league NAME chooses other names",
        )
    part.replace(target)
    return sums


def read(folder: Path, name: str) -> dict[str, Any]:
    return tomllib.loads((folder / name / POLICY).read_text("utf-8"))


def file_hash(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def _toml(values: Mapping[str, Any]) -> str:
    from arena.training.settings import toml_value as text

    plain = {k: v for k, v in values.items() if not isinstance(v, Mapping) and v is not None}
    tables = {k: v for k, v in values.items() if isinstance(v, Mapping)}
    lines = [f"{key} = {text(value)}" for key, value in plain.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{json.dumps(k)} = {text(v)}" for k, v in table.items() if v is not None)]
    return "\n".join(lines) + "\n"
