"""What `arena new` writes: the folder of a small complete game, or the file of an agent, working as they stand.

The templates beside this file are text, one for each file that is made; `$word` is filled in, and NAME in file names.
A game outside a checkout has relative imports, so it works under any package name; its goldens are played when it is
made.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from arena.core.errors import UsageError

_TEMPLATES = Path(__file__).parent
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def new_game(name: str, where: Path) -> list[Path]:
    """Write a game called `name`: into games/, prompts/ and tests/games/ where `where` is a checkout of this project,
    else into one folder NAME with prompts/ and tests/ inside. The result lists the files."""
    from arena.registry import ROOT, game_names

    _check_name(name)
    inside = is_checkout(where)
    game = where / "games" / name if inside else where / name
    prompts = where / "prompts" / name if inside else game / "prompts"
    tests = where / "tests" / "games" / name if inside else game / "tests"
    if inside and not (where / "arena" / "core").samefile(ROOT / "core"):
        raise UsageError(f"{where} is another checkout than that of this command", hint=f"run the arena of {where}")
    if name in game_names():
        raise UsageError(f"there is a game called {name} already", hint="`arena games` lists them")
    _refuse_existing(game, prompts, tests)
    words = {
        "name": name,
        "Name": "".join(part.capitalize() for part in name.split("_")),
        "prompts": f"prompts/{name}" if inside else "prompts",
        "arena_name": name if inside else f"./{name}",
        "where": f'"{name}"' if inside else "str(Path(__file__).resolve().parents[1])",
        "package": f"arena.games.{name}." if inside else ".",
        "gap": "" if inside else "\n",
        "import_path": "" if inside else "from pathlib import Path\n",
        "path_block": "" if inside else "from pathlib import Path\n\n",
    }
    files = _write("game", game, words) + _write("prompts", prompts, words) + _write("tests", tests, words)
    if not inside:  # in a checkout the project's own suite runs over every game
        files += _write("own_tests", tests, words)
    return files + _goldens(game, tests)


def new_agent(name: str, where: Path) -> list[Path]:
    """Write agents/NAME.toml below `where`: an agent to be called `@NAME`. The result lists the one file."""
    _check_name(name)
    folder = where / "agents"
    _refuse_existing(folder / f"{name}.toml")
    return _write("agent", folder, {"name": name})


def is_checkout(where: Path) -> bool:
    """Whether a folder is a checkout of this project, where games have their places already."""
    return (where / "arena" / "core").is_dir() and (where / "games" / "__init__.py").is_file()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a name: up to 40 lower-case letters, digits and underscores, a letter first"
        )


def _refuse_existing(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise UsageError(f"{path} is there already, and nothing was written", hint="choose another name")


def _write(kind: str, folder: Path, words: dict[str, str]) -> list[Path]:
    written = []
    for template in sorted((_TEMPLATES / kind).rglob("*.txt")):
        place = template.relative_to(_TEMPLATES / kind).as_posix().removesuffix(".txt")
        path = folder / place.replace("NAME", words["name"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
        written.append(path)
    return written


def _goldens(game: Path, tests: Path) -> list[Path]:
    from arena.testing.golden import SEED, playthrough
    from arena.testing.playing import presets_of

    written = []
    for name in presets_of(str(game.resolve())):
        path = tests / "golden" / f"{name.rpartition('/')[2]}-{SEED}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(playthrough(name), encoding="utf-8")
        written.append(path)
    return written
