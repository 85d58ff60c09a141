"""The command-line reference, from the same source as `--help`: `python -m arena.cli.reference > docs/cli.md`."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os

from arena.cli import COMMANDS, main
from arena.training.settings import Params


def reference() -> str:
    """docs/cli.md, whole."""
    parts = ["# Command line\n\nMade by `python -m arena.cli.reference`; a test compares it.\n"]
    for command in ("", *COMMANDS):
        words = [command, "--help"] if command else ["--help"]
        parts.append(f"## arena {command}".rstrip() + f"\n\n```text\n{_help(words)}\n```\n")
    return "\n".join([*parts, _params()])


def _params() -> str:
    """What `arena train --param` takes."""
    lines = ["## Training params", "", "`arena train … --param key=value`; empty = worked out from the rest.", ""]
    lines += ["| param | default | meaning |", "|---|---|---|"]
    for f in dataclasses.fields(Params):
        default = "" if f.default in (None, ()) else f"`{f.default}`".lower()
        lines.append(f"| `{f.name}` | {default} | {f.metadata['doc']} |".replace("  ", " "))
    return "\n".join(lines) + "\n"


def _help(words: list[str]) -> str:
    os.environ["COLUMNS"] = "100"  # help is wrapped to the terminal; the page is not
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main(words)
    return "\n".join(line.rstrip() for line in out.getvalue().strip("\n").split("\n"))


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201
