"""A shared file can cost nothing but an error: run files, files of agents, values of --set."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from arena.cli import main
from arena.core.errors import UsageError
from arena.run.api import resolve_agents
from arena.run.runfile import put_keys, read_toml, settings_of

GOOD = 'game = "kuhn"\nagents = ["bot/nash", "bot/tight"]\nmatches = 2\n'

BOMBS: dict[str, str] = {
    "deep arrays": "x = " + "[" * 5000 + "]" * 5000,
    "deep tables": "x = " + "{a=" * 5000 + "1" + "}" * 5000,
    "arrays over lines": "x = [\n" * 50_000 + "]\n" * 50_000,
    "dotted keys": "a" + ".a" * 100_000 + " = 1",
    "many dotted keys": "".join(f"a{i}.b.c.d = {i}\n" for i in range(60_000)),
    "many keys": "[set]\n" + "".join(f"k{i} = {i}\n" for i in range(20_000)),
    "a header of dots": "[a" + ".b" * 3000 + "]\nx = 1",
    "many headers": "".join(f"[t{i}]\n" for i in range(30_000)),
    "a huge integer": GOOD + "seed = " + "9" * 100_000,
    "a huge hexadecimal": GOOD + "seed = 0x" + "f" * 100_000,
    "an integer over 64 bits": GOOD + f"seed = {2**64}",
    "a float that is none": GOOD + "[limits]\nbudget_usd = nan",
    "an infinite float": GOOD + "[limits]\nwall_s = inf",
    "a huge float": GOOD + "[limits]\nbudget_usd = 1e999",
    "a date": GOOD + "[set]\ndeal = 2026-01-01",
    "a key twice": GOOD + 'game = "leduc"',
    "a table twice": GOOD + "[limits]\n[limits]",
    "a NUL": GOOD + "x = 1\0",
    "a control character": GOOD + 'deal = "\x1b[2J"',
    "a lone carriage return": GOOD + "x = 1\ry = 2",
    "no end": GOOD + 'x = """' + "y" * 500_000,
    "escapes": GOOD + 'x = "' + "\\u0041" * 100_000,
    "two megabytes": GOOD + "# " + "x" * (2 << 20),
    "a key from nowhere": GOOD + "import = 'os'",
    "an include": GOOD + "include = '../secret.toml'",
    "an environment variable": GOOD + "seed = ${HOME}",
    "a template": GOOD + "seed = {{ 7 * 7 }}",
}

LIMITED = """
    import resource, sys, time
    from arena.core.errors import UsageError
    from arena.run.runfile import read_toml, settings_of
    from pathlib import Path
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.process_time()
    for name in sys.argv[1:]:
        at = time.process_time()
        try:
            settings_of(read_toml(Path(name)), name)
        except UsageError as error:
            assert len(str(error.message)) < 700, name
        else:
            raise AssertionError(f"{name} was taken")
        assert time.process_time() - at < 2, name
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss
    print(grown)
"""


def test_no_bomb_costs_more_than_a_moment_and_a_little_memory(tmp_path: Path) -> None:
    """In a process of its own, where memory can be told: a second each, 100 MB in all."""
    for number, text in enumerate(BOMBS.values()):
        (tmp_path / f"{number}.toml").write_bytes(text.encode())
    (tmp_path / "utf8.toml").write_bytes(GOOD.encode() + b'x = "\xff\xfe"')
    names = [str(p) for p in sorted(tmp_path.iterdir())]

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED), *names], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 100 << 20


@pytest.mark.parametrize("name", ["deep arrays", "a NUL", "a key twice", "a huge integer", "an include", "a template"])
def test_the_command_says_it_in_one_line_and_starts_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(BOMBS[name])

    with pytest.raises(SystemExit) as ended:
        main(["tournament", "run.toml"])

    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert len([line for line in err.splitlines() if not line.startswith("  ")]) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["run.toml"]


def test_the_good_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(GOOD)

    assert settings_of(read_toml(tmp_path / "run.toml")).games[0].name == "kuhn"


def test_a_budget_in_a_shared_file_never_raises_the_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(
        'game = "kuhn"\nagents = ["mock/legal?price_in=1000&price_out=1000", "bot/tight"]\nmatches = 20\n'
        "[limits]\nbudget_usd = 1000000\n"
    )

    with pytest.raises(SystemExit) as ended:
        main(["tournament", "run.toml", "--budget", "0.5", "--out", "r", "--display", "quiet"])

    assert ended.value.code == 4


@pytest.mark.parametrize(
    "pair",
    ["x=" + "[" * 100_000, "x=" + "9" * 5000, "a." * 2000 + "b=1", "x=NaN", "x=Infinity", "=1", "x"],
)
def test_a_value_of_set_is_bounded_too(pair: str) -> None:
    try:
        settings_of(put_keys(dict(_good()), [pair]))
    except UsageError as error:
        assert len(error.message) < 400
    else:
        assert put_keys(dict(_good()), [pair])["set"]["x"] == pair.partition("=")[2], "read as text"


def _good() -> dict[str, object]:
    return {"game": "kuhn", "agents": ["bot/nash"]}


def test_files_of_agents_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("agents").mkdir()
    for number, text in enumerate(BOMBS.values()):
        Path("agents", f"b{number}.toml").write_bytes(text.replace(GOOD, 'name = "bot/random"\n').encode())
        with pytest.raises(UsageError):
            resolve_agents([f"@b{number}"], ["kuhn"])
