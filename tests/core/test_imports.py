"""What the core may import, and what a scripted match must not load."""

from __future__ import annotations

import ast
import subprocess
import sys

import arena.core
from arena.registry import ROOT

HEAVY = {"pettingzoo", "gymnasium", "numpy", "jinja2", "pydantic", "openai", "litellm", "torch", "pandas", "scipy"}


def test_the_core_imports_only_the_standard_library_and_itself() -> None:
    foreign = {
        f"{file.name}: {name}"
        for file in (ROOT / "core").glob("*.py")
        for name in _imported(ast.parse(file.read_text()))
        if name.partition(".")[0] not in sys.stdlib_module_names and not name.startswith("arena.core")
    }

    assert not foreign


def test_a_scripted_match_loads_no_heavy_library() -> None:
    program = """
import sys, arena
from arena.core import Rng
match = arena.match("kuhn", seed=1)
while not match.done:
    for seat, ask in match.pending().items():
        match.submit(seat, ask.sample(Rng(1)))
print("\\n".join(sys.modules))
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert "arena.core.match" in loaded
    assert HEAVY.isdisjoint(loaded)


def test_the_core_lists_its_public_names() -> None:
    assert len(set(arena.core.__all__)) == len(arena.core.__all__)
    assert all(hasattr(arena.core, name) for name in arena.core.__all__)


def _imported(tree: ast.AST) -> list[str]:
    """The modules that are imported at run time."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        found += _imported(node)
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found
