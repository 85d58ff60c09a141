"""From names to games, bots, methods and rating methods. Being there is being registered.

Built-in ones are folders and files of this package; third parties add entry points (groups `arena.games`,
`arena.agents`, `arena.ratings`) or give a game's folder on the command line (`./mygame`, `./mygame/preset`); folders
named in ARENA_PATH are searched too. Listing reads names only; a module is imported when its name is asked for.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from arena.core.bots import Bot
from arena.core.canonical import canonical
from arena.core.config import Config
from arena.core.errors import ConfigError, UnknownName, UsageError
from arena.core.game import Game

ROOT = Path(__file__).parent


class GameName(NamedTuple):
    """What a name like `werewolf/makto9g`, `kuhn-v1` or `./mygame/small` stands for."""

    cls: type[Game]
    preset: str
    where: str  # the game's part of the name, as given: enough to find it again in another process


def game_names() -> list[str]:
    """Every game that can be played by its bare name, in alphabetical order."""
    return sorted({*_built_in_games(), *_path_games(), *_entry_points("arena.games")})


def find_game(name: str) -> GameName:
    """The game and preset that `name` means; a bare game name means its first preset."""
    where, preset = _split(name)
    cls = load_game(where)
    if preset and preset not in cls.presets:
        raise UnknownName(
            f"preset of {cls.name}", preset, cls.presets, hint=f"`arena games {cls.name}` lists the presets"
        )
    return GameName(cls, preset or next(iter(cls.presets)), where)


def make_game(name: str, values: Mapping[str, Any] | None = None) -> tuple[Game, str]:
    """The game in the preset's configuration with `values` on top, and the preset's name."""
    cls, preset, _ = find_game(name)
    cls_: Any = cls  # a class can be hashed, which its type does not say
    if not values:
        return cls(_preset(cls_, preset)), preset
    whole = {**cls.presets[preset], **values}
    try:
        text = canonical(whole)
    except (TypeError, ValueError):  # values that only Python can write
        text = ""
    try:
        config = _config(cls_, text) if text else cls.config_type.make(whole)
    except ConfigError as error:
        raise ConfigError(
            f"{cls.name}/{preset}: {error.message}", hint=f"`arena games {cls.name}` lists the config fields"
        ) from error
    return cls(config), preset


@cache
def _preset(cls: Any, preset: str) -> Config:
    made: Config = cls.config_type.make(cls.presets[preset])
    return made


@lru_cache(maxsize=1024)
def _config(cls: Any, values: str) -> Config:
    """Configs do not change, so equal values share one: checking a large one takes longer than a short match."""
    made: Config = cls.config_type.make(json.loads(values))
    return made


def load_game(where: str) -> type[Game]:
    """The game class of a bare name, a versioned name or a folder."""
    return _load_folder(Path(where).expanduser().resolve()) if _is_path(where) else _load_named(where)


@cache
def _load_folder(folder: Path) -> type[Game]:
    if not (folder / "game.py").is_file():
        raise UsageError(f"{folder} is no game folder: it holds no game.py")
    return _only_game(_import_folder(folder), folder.name)


@cache
def _load_named(where: str) -> type[Game]:
    name, _, version = where.rpartition("-v")
    if not (name and version.isascii() and version.isdecimal()):
        name, version = where, ""
    if name in _built_in_games():
        cls = _only_game(f"arena.games.{name}", name)
    elif name in _path_games():
        cls = _only_game(_import_folder(_path_games()[name]), name)
    elif name in _entry_points("arena.games"):
        cls = _entry_points("arena.games")[name].load()
        cls.name = name
    else:
        raise UnknownName("game", where, game_names(), hint="`arena games` lists what there is")
    if version and int(version) != cls.version:
        raise UsageError(
            f"{where} is not installed; this is {cls.name}-v{cls.version}",
            hint=f"install the release of parley-arena that has {where}",
        )
    return cls


def load_version(where: str, game: str) -> type[Game]:
    """The class of a recorded game (`kuhn-v1`); another version than the recorded one cannot stand in for it."""
    cls = load_game(where)
    if f"{cls.name}-v{cls.version}" != game:
        raise UsageError(
            f"{game} is not installed; this is {cls.name}-v{cls.version}",
            hint=f"install the release that has {game}; nothing was changed",
        )
    return cls


def trust(name: str) -> None:
    """Remember that the user played the game of this folder: reading its runs may run its code from now on."""
    if _is_path(name):
        file, folder = _trusted_file(), str(Path(_split(name)[0]).expanduser().resolve())
        if folder not in _trusted():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(folder + "\n")


def require_trust(name: str) -> None:
    """A run that comes from somebody else may name a folder; its code is not run because somebody looks at the run."""
    if _is_path(name) and str(Path(_split(name)[0]).expanduser().resolve()) not in _trusted():
        raise UsageError(
            f"this run is of the game folder {name}, which was never played here; reading the run would run its code",
            hint=f"look at it, then: arena play {name} --agents bot/random",
        )


def _trusted_file() -> Path:
    home = os.environ.get("ARENA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share" / "parley-arena") / "games.txt"


def _trusted() -> set[str]:
    file = _trusted_file()
    return set(file.read_text(encoding="utf-8").splitlines()) if file.is_file() else set()


def game_package(cls: type[Game]) -> str:
    return cls.__module__.rpartition(".")[0]


def game_folder(cls: type[Game]) -> Path:
    file = sys.modules[cls.__module__].__file__
    return Path(file or "").parent


def prompt_folders(cls: type[Game]) -> list[Path]:
    """Where a game's templates are: its own prompts/ folder if it comes from outside, else prompts/<name>/."""
    own = game_folder(cls) / "prompts"
    return [own if own.is_dir() else Path(str(package_file("prompts"))) / cls.name]


def game_bots(cls: type[Game]) -> dict[str, Bot]:
    """The bots of a game's bots.py by their full-word names."""
    return dict(getattr(_optional(f"{game_package(cls)}.bots"), "BOTS", {}))


def game_bot_aliases(cls: type[Game]) -> dict[str, str]:
    """Short name -> full-word name."""
    return dict(getattr(_optional(f"{game_package(cls)}.bots"), "ALIASES", {}))


@cache
def common_bots() -> dict[str, Bot]:
    """The bots of agents/ that fit every game."""
    return {name: thing.bot for name, thing in _agent_modules().items() if hasattr(thing, "bot")}


@cache
def methods() -> dict[str, Any]:
    """The methods of agents/ that wrap a model."""
    return {name: thing.method for name, thing in _agent_modules().items() if hasattr(thing, "method")}


# --- finding --------------------------------------------------------------------------------------------------------


def package_file(name: str) -> Path:
    """A folder of the package: arena/NAME, or NAME beside arena/ in a checkout without links."""
    inside = ROOT / name
    return inside if inside.is_dir() else ROOT.parent / name


@cache
def _built_in_games() -> dict[str, Path]:
    return {
        folder.name: folder
        for folder in package_file("games").iterdir()
        if not folder.name.startswith("_") and (folder / "game.py").is_file()
    }


def _path_games() -> dict[str, Path]:
    roots = [Path(p) for p in os.environ.get("ARENA_PATH", "").split(os.pathsep) if p]
    return {f.name: f for root in roots if root.is_dir() for f in root.iterdir() if (f / "game.py").is_file()}


@cache
def _entry_points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


@cache
def _agent_modules() -> dict[str, Any]:
    files = sorted(package_file("agents").glob("*.py"))
    found: dict[str, Any] = {
        f.stem.replace("_", "-"): import_module(f"arena.agents.{f.stem}") for f in files if not f.stem.startswith("_")
    }
    return found | {name: point.load() for name, point in _entry_points("arena.agents").items()}


def _split(name: str) -> tuple[str, str]:
    """The game's part and the preset's part of a name. A folder's preset follows the folder."""
    if not _is_path(name):
        where, _, preset = name.partition("/")
        return where, preset
    path = Path(name).expanduser()
    rest: list[str] = []
    while not (path / "game.py").is_file() and path != path.parent:
        rest.insert(0, path.name)
        path = path.parent
    if not (path / "game.py").is_file():
        raise UsageError(f"{name} is no game folder: it holds no game.py")
    text = str(path)
    return text if _is_path(text) else f"./{text}", "/".join(rest)


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or (os.sep != "/" and os.sep in name)


def _import_folder(folder: Path) -> str:
    """Make a folder importable under a name of its own, so that `from .rules import …` works in it."""
    package = f"arena_game_{folder.name}"
    known = sys.modules.get(package)
    if known is None or list(known.__path__) != [str(folder)]:
        for stale in [m for m in sys.modules if m == package or m.startswith(f"{package}.")]:
            del sys.modules[stale]
        module = ModuleType(package)
        module.__path__ = [str(folder)]
        sys.modules[package] = module
    return package


def _only_game(package: str, name: str) -> type[Game]:
    module = import_module(f"{package}.game")
    classes = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Game) and thing.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise UsageError(f"{package}.game must define exactly one Game; it defines {len(classes)}")
    classes[0].name = name
    return classes[0]


@cache
def _optional(module: str) -> ModuleType | None:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            return None
        raise
