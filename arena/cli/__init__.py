"""The command `arena`: one file a command. Errors end here, as a sentence and an exit code."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import suppress
from json import JSONDecodeError
from typing import Any

from arena.core.errors import ArenaError, UnknownName, UsageError

COMMANDS = (
    "play",
    "tournament",
    "resume",
    "runs",
    "show",
    "leaderboard",
    "fork",
    "merge",
    "export",
    "train",
    "compare",
    "detect",
    "games",
    "agents",
    "ratings",
    "new",
    "doctor",
)


def main(argv: list[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 internal error or failed matches, 2 wrong usage, 3 void matches remain,
    4 budget, 5 a training health rule, 130 interrupted."""
    words = ["--display=quiet" if word == "-q" else word for word in (sys.argv[1:] if argv is None else argv)]
    words = words or ["--help"]
    debug = "--debug" in words or os.environ.get("ARENA_DEBUG") == "1"
    sys.exit(_run([w for w in words if w != "--debug"], as_json="--json" in words, debug=debug))


def _run(words: list[str], *, as_json: bool, debug: bool) -> int:
    import typer

    from arena.cli.output import warnings_said

    wrong_usage: Any = typer.BadParameter.__mro__[2]  # the root of what the parser raises
    try:
        chosen = [word for word in words[:1] if word in COMMANDS]  # one command needs no other to be loaded
        parser = typer.main.get_command(_app(chosen or COMMANDS))
        with warnings_said():
            result = parser.main(words, prog_name="arena", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except typer.Exit as error:
        return error.exit_code
    except wrong_usage as error:
        hint = f"see `arena {words[0]} --help`" if words and words[0] in COMMANDS else "see `arena --help`"
        return _fail(2, "usage", _parser_message(error), hint, as_json)
    except BrokenPipeError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail(130, "interrupted", "interrupted", None, as_json)
    except ArenaError as error:
        if debug:
            raise
        code = 2 if isinstance(error, UsageError | UnknownName) or error.kind == "store" else 1
        place = {"match": error.match, "turn": error.turn, "resume": error.resume}
        return _fail(code, error.kind, error.message, error.hint, as_json, place)
    except OSError as error:
        if debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _fail(2, "io", f"{where}{error.strerror or error}", None, as_json)
    except (sqlite3.Error, JSONDecodeError) as error:
        if debug:
            raise
        return _fail(2, "store", f"the run's record cannot be read: {error}", "nothing was changed", as_json)
    except Exception as error:
        if debug:
            raise
        if damaged := _damaged(words):
            what = f"the run's record cannot be read: {damaged} ({type(error).__name__})"
            return _fail(2, "store", what, None, as_json)
        hint = "this is a bug; the same command with --debug shows where"
        return _fail(1, "internal", f"{type(error).__name__}: {error}", hint, as_json)


def _damaged(words: list[str]) -> str | None:
    """What is wrong in the records of the runs that a failed command names."""
    from pathlib import Path

    from arena.store.shapes import damage

    for word in words:
        with suppress(OSError, ValueError):  # a word that is no path
            if found := damage(Path(word)):
                return found
    return None


def _app(commands: Iterable[str]) -> Any:
    from importlib import import_module

    import typer

    app = typer.Typer(
        name="arena",
        help="Language models play strategic language games, are rated, and train on their own play.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    def version(value: bool) -> None:
        if value:
            from arena import __version__

            print(f"parley-arena {__version__}")  # noqa: T201
            raise typer.Exit

    @app.callback()
    def root(
        version: bool = typer.Option(False, "--version", callback=version, is_eager=True, help="Show the version."),
    ) -> None:
        pass

    for name in commands:
        module = import_module(f"arena.cli.{name}")
        app.command(name)(module.command)
    return app


def _fail(
    code: int, kind: str, message: str, hint: str | None, as_json: bool, place: dict[str, Any] | None = None
) -> int:
    from arena.cli.output import document, say
    from arena.models.redact import Redactor

    clean = Redactor().clean_error
    message, hint = clean(message), clean(hint) if hint else None
    say(f"error: {message}" + (f"\n  {hint}" if hint else ""))
    place = place or {"match": None, "turn": None, "resume": None}
    if place["resume"]:
        say(f"  continue with: {place['resume']}")
    if as_json:
        document({"error": {"code": code, "kind": kind, "message": message, "hint": hint, **place}})
    return code


def _parser_message(error: Any) -> str:
    return str(error.format_message())
