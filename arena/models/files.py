"""Names that stand in files: `@NAME` (agents/NAME.toml) and `league/NAME` (a trained policy's folder).

A file holds data only: no import string, no code, no environment expansion, and a `prompts` folder that lies beside it.
What a file says is a `Definition`, which arena.models.names expands; the hash of the file's bytes goes into the record.
The weights of a league policy's base are verified by whoever loads them; the adapter's hash is verified here.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.core.errors import UnknownName, UsageError
from arena.core.text import sanitise
from arena.models.grammar import escape
from arena.models.options import show
from arena.registry import package_file

_MOST_BYTES = 64 << 10
_MOST_PERSONA = 8000
_ADAPTER = "adapter_model.safetensors"
_PICKLED = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


@dataclass(frozen=True)
class Definition:
    """`text` is the name that is meant; `methods` go around it (outermost first) and `options` over its own."""

    text: str
    sha256: str
    methods: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    persona: str = ""
    prompts: str | None = None


def read_agent(name: str) -> Definition:
    """What `@NAME` says: the working folder's agents/ first, then those of the package."""
    folders = [Path("agents"), package_file("agents")]
    path = next((folder / f"{name}.toml" for folder in folders if (folder / f"{name}.toml").is_file()), None)
    if path is None:
        known = [file.stem for folder in folders for file in sorted(folder.glob("*.toml"))]
        raise UnknownName("agent file", f"@{name}", [f"@{stem}" for stem in known], hint=f"write agents/{name}.toml")
    data, sha256 = _read(path, _MOST_BYTES)
    _refuse_unknown(path, data, {"agent", "model", "methods", "options", "persona", "prompts"})
    if ("agent" in data) == ("model" in data):
        raise UsageError(f"{path} must hold either `agent` (a whole name) or `model`")
    if "agent" in data and ("methods" in data or "options" in data):
        raise UsageError(f"{path}: `methods` and `[options]` go with `model`; an `agent` has them in its name")
    return Definition(
        text=_text(path, data, "agent" if "agent" in data else "model"),
        sha256=sha256,
        methods=_methods(path, data),
        options=_options(path, data),
        persona=sanitise(_text(path, data, "persona"))[:_MOST_PERSONA],
        prompts=_prompts(path, data),
    )


def read_policy(name: str) -> Definition:
    """What `league/NAME` says. Its folder holds policy.toml and, if the policy was trained, an adapter."""
    league = Path(os.environ.get("ARENA_LEAGUE") or "league").expanduser()
    folder = league / name
    if not (folder / "policy.toml").is_file():
        known = sorted(file.parent.name for file in league.glob("*/policy.toml"))
        raise UnknownName(
            "league policy", name, known, hint=f"policies are looked for in {league} ($ARENA_LEAGUE or ./league)"
        )
    data, sha256 = _read(folder / "policy.toml", 1 << 20)
    return Definition(
        text=_with_adapter(name, folder, _base(name, folder, data), data),
        sha256=sha256,
        methods=_methods(folder, data),
        options=_options(folder, data),
    )


def _base(name: str, folder: Path, data: Mapping[str, Any]) -> str:
    """The name of a policy's base; a folder that moved away is said here, before anything starts."""
    base = data.get("base")
    if not isinstance(base, str) or not base:
        raise UsageError(f"{folder / 'policy.toml'} names no `base`")
    text = base if base.partition("/")[0] in ("hf", "gguf", "openai", "mock") or "@http" in base else f"hf/{base}"
    provider, _, rest = text.partition("/")
    place = rest.partition("?")[0].partition("+")[0]
    if provider in ("hf", "gguf") and place.startswith(("/", "~")) and not Path(place).expanduser().exists():
        was = data.get("base_sha256")
        raise UsageError(
            f"the base of league/{name} is not at {place} any more" + (f" (its hash is {was})" if was else ""),
            hint=f"put it back, or write where it is now as `base` into {folder / 'policy.toml'}",
        )
    return text


def _with_adapter(name: str, folder: Path, base: str, data: Mapping[str, Any]) -> str:
    """The base's name with the policy's adapter, if it has one: a policy k0 is its base alone."""
    adapter, wanted = folder / _ADAPTER, data.get("adapter_sha256")
    if not adapter.is_file():
        if pickled := sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLED):
            raise UsageError(f"league/{name} holds {pickled[0]}: adapters are safetensors; nothing is unpickled")
        if wanted:
            raise UsageError(f"league/{name} has lost its adapter: there is no {adapter}")
        return base
    if wanted and wanted != (found := file_sha256(adapter)):
        raise UsageError(f"the adapter of league/{name} was changed: its hash is {found}, policy.toml says {wanted}")
    target, mark, options = base.partition("?")
    if "+" in target:
        raise UsageError(f"league/{name} has an adapter beside it and another one in its base {base!r}")
    return f"{target}+{escape(str(folder.resolve()))}{mark}{options}"


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- TOML of a stranger ---------------------------------------------------------------------------------------------


def _read(path: Path, most: int) -> tuple[dict[str, Any], str]:
    with path.open("rb") as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise UsageError(f"{path} is larger than {most // 1024} KiB")
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # tomllib and UTF-8 errors are ValueErrors
        reason = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"{path} is not valid TOML: {reason}") from None
    return data, hashlib.sha256(raw).hexdigest()


def _refuse_unknown(path: Path, data: Mapping[str, Any], known: set[str]) -> None:
    for key in data:
        if key not in known:
            what = UnknownName("key", key, known).message
            raise UsageError(f"{path}: {what}", hint=f"keys: {', '.join(sorted(known))}")


def _text(path: Path, data: Mapping[str, Any], key: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{path}: `{key}` must be text")
    return value


def _methods(path: Path, data: Mapping[str, Any]) -> tuple[str, ...]:
    value = data.get("methods", [])
    if not isinstance(value, list) or not all(isinstance(method, str) for method in value):
        raise UsageError(f"{path}: `methods` must be a list of names, outermost first")
    return tuple(value)


def _options(path: Path, data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Options as (key, text); a table in the table qualifies its keys: `[options.klevel] k = 2`."""
    table = data.get("options", {})
    if not isinstance(table, dict):
        raise UsageError(f"{path}: `options` must be a table")
    flat = {
        (f"{key}.{inner}" if isinstance(value, dict) else key): entry
        for key, value in table.items()
        for inner, entry in (value.items() if isinstance(value, dict) else [(key, value)])
    }
    for key, value in flat.items():
        if not isinstance(value, bool | int | float | str):
            raise UsageError(f"{path}: the option {key} must be text, a number, true or false")
        if isinstance(value, str) and ("\n" in value or sanitise(value) != value):
            raise UsageError(f"{path}: the option {key} holds a control, invisible or reordering character")
    return tuple((key, show(value)) for key, value in flat.items())


def _prompts(path: Path, data: Mapping[str, Any]) -> str | None:
    """The folder of templates that go before the built-in ones; it lies beside the file that names it."""
    if not (name := _text(path, data, "prompts")):
        return None
    home = path.parent.resolve()
    folder = (home / name).resolve()
    if not folder.is_relative_to(home) or folder == home:
        raise UsageError(f"{path}: the prompts folder must lie inside {path.parent}")
    if not folder.is_dir():
        raise UsageError(f"{path}: there is no prompts folder {folder}")
    return str(folder)
