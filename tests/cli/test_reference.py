"""docs/cli.md is what the commands say of themselves."""

from __future__ import annotations

from arena.cli.reference import reference
from arena.registry import ROOT


def test_the_reference_is_up_to_date() -> None:
    assert (ROOT.parent / "docs" / "cli.md").read_text() == reference(), "python -m arena.cli.reference > docs/cli.md"
