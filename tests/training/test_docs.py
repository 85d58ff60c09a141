"""The guide's commands are commands: each `arena train` line parses, and every parameter it names exists."""

from __future__ import annotations

import re
import shlex

import pytest

from arena.registry import ROOT
from arena.training.settings import Params

GUIDE = ROOT.parent / "docs" / "training.md"
pytestmark = pytest.mark.skipif(not GUIDE.is_file(), reason="the documentation is not part of the package")


def test_every_train_command_of_the_guide_is_understood() -> None:
    from typer.testing import CliRunner

    from arena.cli import _app

    text = GUIDE.read_text().replace("\\\n", " ")  # a command that goes on in the next line
    lines = [line.strip() for line in text.splitlines() if line.startswith("    arena train")]
    for line in lines:
        help_of = [*shlex.split(line)[1:], "--help"]
        assert CliRunner().invoke(_app(["train", "play"]), help_of).exit_code == 0, line
    assert len(lines) >= 2


def test_every_parameter_that_the_guide_names_exists() -> None:
    text = GUIDE.read_text()
    known = {field["name"] for field in Params.describe()}
    named = set(re.findall(r"--param (\w+)=", text)) - {"key"}
    paragraph = text.partition("Off by default: ")[2].partition("\n\n")[0]
    named |= set(re.findall(r"`(\w+)`", paragraph))

    assert named
    assert named <= known
