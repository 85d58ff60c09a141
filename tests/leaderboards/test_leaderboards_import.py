"""The package loads what is used, when it is used."""

from __future__ import annotations

import subprocess
import sys


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_and_the_names_of_methods_load_nothing_heavy() -> None:
    loaded = modules_after("import arena.leaderboards\nfrom arena.leaderboards import methods\nmethods.describe()")

    assert "arena.leaderboards" in loaded
    assert not {"numpy", "scipy", "pandas", "jinja2"} & loaded


def test_the_plain_summary_of_match_objects_needs_neither_scipy_nor_pandas() -> None:
    loaded = modules_after(
        "from arena.leaderboards import plain\n"
        "seats = [{'seat': 'player_0', 'agent': 'x'}, {'seat': 'player_1', 'agent': 'y'}]\n"
        "plain.summary([{'match_id': 'm', 'seats': seats, 'outcome': {'ranks': [1, 2]}}])"
    )

    assert not {"scipy", "pandas"} & loaded


def test_public_names_are_there() -> None:
    import arena.leaderboards as package

    for name in package.__all__:
        assert getattr(package, name) is not None
