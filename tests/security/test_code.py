"""Things that stand nowhere in the code: pickles, evaluated text, markup made of data, HTML made by script."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("arena", "games", "agents", "leaderboards", "benchmarks")


def _sources(suffixes: tuple[str, ...] = (".py",)) -> list[Path]:
    """Our files, each once: arena/games and its like are links to the folders beside arena."""
    found = {p.resolve() for folder in FOLDERS for p in (ROOT / folder).rglob("*") if p.suffix in suffixes}
    return sorted(found)


MODULES = frozenset({"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"})
CALLS = frozenset({"eval", "exec", "compile", "__import__"})
METHODS = {
    ("torch", "load"): "unpickles",
    ("os", "system"): "runs a shell",
    ("os", "popen"): "runs a shell",
    ("tempfile", "mktemp"): "names a file that somebody else may make first",
    ("numpy", "load"): "may unpickle",
    ("np", "load"): "may unpickle",
}


def broken_rules(code: str) -> Iterator[tuple[int, str]]:
    """Line and rule of everything in `code` that stands nowhere."""
    for node in ast.walk(ast.parse(code)):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Import():
                for name in node.names:
                    if name.name.split(".")[0] in MODULES:
                        yield line, f"imports {name.name}"
            case ast.ImportFrom() if (node.module or "").split(".")[0] in MODULES:
                yield line, f"imports {node.module}"
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield line, f"calls {name}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if (owner, name) in METHODS:
                yield line, f"{owner}.{name} {METHODS[owner, name]}"
            case ast.Call(func=ast.Attribute(attr="unsafe_load" | "full_load")):
                yield line, "loads YAML as code"
        if isinstance(node, ast.Call):
            for word in node.keywords:
                on = isinstance(word.value, ast.Constant) and word.value.value is True
                if on and word.arg in ("shell", "trust_remote_code", "allow_pickle"):
                    yield line, f"{word.arg}=True"
                off = isinstance(word.value, ast.Constant) and word.value.value is False
                if off and word.arg in ("verify", "verify_ssl", "ssl", "weights_only"):
                    yield line, f"{word.arg}=False"
            yield from _markup(node)


def _markup(node: ast.Call) -> Iterator[tuple[int, str]]:
    """rich reads a plain string as markup, unless its console was told not to."""
    match node.func:
        case ast.Name(id="Console") | ast.Attribute(attr="Console"):
            told = {word.arg: word.value for word in node.keywords}
            for name in ("markup", "highlight"):
                value = told.get(name)
                if not (isinstance(value, ast.Constant) and value.value is False):
                    yield node.lineno, f"a Console without {name}=False"
        case ast.Attribute(attr="from_markup"):
            yield node.lineno, "makes markup of a string"
        case ast.Attribute(attr="add_row"):
            for cell in node.args:
                inner = cell.value if isinstance(cell, ast.Starred) else cell
                inner = inner.elt if isinstance(inner, ast.GeneratorExp) else inner
                if not (isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "Text"):
                    yield node.lineno, "a cell of a table that is no Text"


PLANTED = [
    "import pickle",
    "from joblib import load",
    "import yaml",
    "eval('1')",
    "exec(text)",
    "__import__(name)",
    "torch.load(path)",
    "os.system('ls')",
    "subprocess.run(x, shell=True)",
    "AutoModel.from_pretrained(x, trust_remote_code=True)",
    "requests.get(u, verify=False)",
    "torch.load(p, weights_only=False)",
    "tempfile.mktemp()",
    "Console()",
    "Console(markup=False)",
    "Text.from_markup(x)",
    "table.add_row('[red]x')",
]


@pytest.mark.parametrize("code", PLANTED)
def test_the_rules_find_what_is_planted(code: str) -> None:
    assert list(broken_rules(code))


def test_no_line_of_ours_breaks_a_rule() -> None:
    found = []
    for path in _sources():
        code = path.read_text("utf-8")
        found += [f"{path.relative_to(ROOT)}:{line}: {rule}" for line, rule in broken_rules(code)]

    assert found == []


def test_no_page_is_made_by_inserting_html() -> None:
    banned = re.compile(r"\.(inner|outer)HTML\b|insertAdjacentHTML|document\.write\b|\bnew Function\b|javascript:")

    found = [
        str(p.relative_to(ROOT))
        for p in _sources((".py", ".js", ".html", ".j2"))
        if banned.search(p.read_text("utf-8"))
    ]
    assert found == []


def test_scripts_evaluate_nothing_and_set_no_inline_handler() -> None:
    banned = re.compile(r"\beval\s*\(|setTimeout\s*\(\s*[\"']|setAttribute\(\s*[\"']on")

    for path in _sources((".js",)):
        assert not banned.search(path.read_text("utf-8")), path
