"""The commands on a small real run: what they print, what they write, what they exit with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from arena.cli import COMMANDS, main


class Cli:
    """Runs commands in this process, in an empty folder."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        out, err = self._capsys.readouterr()
        return int(str(ended.value.code or 0)), out, err

    def json(self, *words: str) -> Any:
        code, out, err = self(*words, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(capsys)


@pytest.fixture
def run(cli: Cli) -> str:
    code, _, err = cli(
        "tournament",
        "kuhn",
        "--agents",
        "mock/legal,bot/nash,bot/tight",
        "--matches",
        "12",
        "--seed",
        "4",
        "--out",
        "r",
    )
    assert code == 0, err
    return "r"


@pytest.mark.parametrize("executor", ["async", "processes"])
def test_a_doubtful_configuration_is_said_once_in_plain_words(tmp_path: Path, executor: str) -> None:
    words = ["avalon/p5", "--set", "lady=true", "--agents", "bot/random", "--matches", "2", "--executor", executor]
    command = [sys.executable, "-m", "arena", "tournament", *words, "--out", str(tmp_path / "r")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stderr.count("lady") == 1
    assert "warning: lady: the Lady of the Lake is meant for 7 or more players, not 5\n" in done.stderr


def test_play_shows_a_match_and_keeps_no_folder(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("play", "kuhn", "--agents", "bot/nash,bot/tight", "--seed", "7")

    assert code == 0
    assert "payoffs: player_0" in out
    assert "player_0 = bot/kuhn-nash, player_1 = bot/kuhn-tight" in err
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_gives_the_same_match(cli: Cli) -> None:
    words = ("play", "leduc", "--agents", "bot/nash,bot/loose", "--seed", "11")

    first, second = cli.json(*words), cli.json(*words)

    assert first == second
    assert set(first) == {
        "match", "key", "game", "config_sha256", "seed", "status", "reason", "seats", "payoffs", "turns",
        "record_hash", "calls", "cost_usd",
    }  # fmt: skip


def test_agents_named_out_of_order_hold_the_seats_that_they_were_given(cli: Cli) -> None:
    agents = "player_1=bot/always?answer=rock,player_0=bot/always?answer=paper"
    assert cli("play", "matrix/rps", "--set", "rounds=1", "--agents", agents, "--out", "r")[0] == 0
    (match,) = cli.json("show", "r")["matches"]
    paid = {row["agent"]: row["payoff"] for row in cli.json("leaderboard", "r")}

    assert match["agents"] == {"player_0": "bot/always?answer=paper", "player_1": "bot/always?answer=rock"}
    assert paid == {"bot/always?answer=paper": 1, "bot/always?answer=rock": -1}
    assert cli("show", "r", "--verify")[0] == 0


def test_a_seats_view_holds_no_other_card(cli: Cli) -> None:
    _, out, _ = cli("play", "kuhn", "--agents", "bot/tight", "--seed", "1", "--set", "deal=QJ", "--view", "player_0")

    assert "Your card is Q." in out
    assert "Your card is J." not in out


def test_a_complete_run_is_left_as_it_is(cli: Cli, run: str) -> None:
    before = Path(run, "run.sqlite").read_bytes()

    code, _, err = cli("resume", run)

    assert code == 0
    assert "complete: 12 of 12 matches" in err
    assert Path(run, "run.sqlite").read_bytes() == before


def test_the_same_command_again_changes_nothing(cli: Cli, run: str) -> None:
    words = ("tournament", "kuhn", "--agents", "mock/legal,bot/nash,bot/tight", "--matches", "12", "--seed", "4")

    code, _, err = cli(*words, "--out", run)

    assert code == 0
    assert "complete: 12 of 12" in err


def test_tournament_json_is_one_document(cli: Cli) -> None:
    facts = cli.json("tournament", "kuhn", "--agents", "bot/nash,bot/tight", "--matches", "4", "--out", "r2")

    assert facts["status"] == "complete"
    assert facts["matches"] == {"planned": 4, "done": 4, "void": 0, "failed": 0}
    assert facts["resume"] is None


def test_show_lists_matches_and_one_match(cli: Cli, run: str) -> None:
    listed = cli.json("show", run)
    one = cli.json("show", run, "m3")
    by_key = cli.json("show", run, one["key"][:8])

    assert [m["match"] for m in listed["matches"]] == list(range(1, 13))
    assert one == by_key
    assert one["turns"][0]["ask_kind"] == "move"
    assert one["events"][0]["kind"] == "card"


def test_show_of_a_seat_holds_only_what_it_knew(cli: Cli, run: str) -> None:
    facts = cli.json("show", run, "1", "--view", "player_1")

    assert all(e["audience"] == "*" or "player_1" in e["audience"] for e in facts["events"])
    assert all(t["seat"] == "player_1" for t in facts["turns"])


def test_show_prompts_prints_what_the_model_read(cli: Cli, run: str) -> None:
    _, out, _ = cli("show", run, "1", "--prompts")

    assert "[system]" in out
    assert "| Answer with one of:" in out


def test_verify_holds_and_finds_every_edit(cli: Cli, run: str) -> None:
    import sqlite3

    assert cli("show", run, "--verify")[0] == 0
    edits = [
        'UPDATE events SET facts=\'{"card":"J"}\' WHERE match_id=1 AND seq=0 AND facts!=\'{"card":"J"}\'',
        'UPDATE events SET facts=\'{"card":"Q"}\' WHERE match_id=1 AND seq=0 AND facts!=\'{"card":"Q"}\'',
        "UPDATE turns SET answer=iif(answer='\"bet\"', '\"check\"', '\"bet\"') WHERE match_id=1 AND turn=0",
        "UPDATE turns SET status='repaired' WHERE match_id=(SELECT match_id FROM calls LIMIT 1)",
        'UPDATE matches SET payoffs=\'{"player_0":5.0,"player_1":-5.0}\' WHERE match_id=1',
        "UPDATE matches SET record_hash='00' WHERE match_id=1",
        "UPDATE calls SET reply='bet or check'",
        "UPDATE messages SET body=replace(body, 'chips', 'coins')",
        "DELETE FROM events WHERE match_id=1 AND seq=2",
        "UPDATE seats SET payoff=9 WHERE match_id=1 AND seat_no=0",
        "UPDATE seats SET agent_id=CASE agent_id WHEN 1 THEN 2 ELSE 1 END WHERE match_id=1",
        "UPDATE seats SET n_illegal=3 WHERE match_id=2 AND seat_no=1",
        "UPDATE matches SET deal_seed='1' WHERE match_id=3",
        "UPDATE matches SET config_sha256='00' WHERE match_id=3",
        "UPDATE matches SET turns=9 WHERE match_id=3",
        "UPDATE matches SET outcome='{}' WHERE match_id=3",
        "UPDATE matches SET tag='rollout/1', deal_seed='1' WHERE match_id=3",
        "UPDATE manifest SET value=json_set(value, '$.schedule.kind', 'training') WHERE key='config'",
    ]
    found = []
    for edit in edits:
        db = sqlite3.connect(Path(run, "run.sqlite"))
        copy = sqlite3.connect(":memory:")
        db.backup(copy)
        changed = db.execute(edit).rowcount
        db.commit()
        found.append(changed == 0 or cli("show", run, "--verify")[0] == 1)
        copy.backup(db)
        db.close()

    assert found == [True] * len(edits)
    assert cli("show", run, "--verify")[0] == 0


def test_runs_lists_newest_first(cli: Cli) -> None:
    for name in ("a", "b"):
        cli("tournament", "kuhn", "--agents", "bot/tight", "--matches", "1", "--out", f"runs/{name}")

    listed = cli.json("runs")

    assert {r["run"] for r in listed} == {"runs/a", "runs/b"}
    assert {r["status"] for r in listed} == {"complete"}


def test_leaderboard_has_intervals_counts_and_cost(cli: Cli, run: str) -> None:
    rows = cli.json("leaderboard", run)

    assert {r["agent"] for r in rows} == {"mock/legal", "bot/kuhn-nash", "bot/kuhn-tight"}
    model = next(r for r in rows if r["agent"] == "mock/legal")
    assert model["cost_usd_per_match"] is None
    assert model["n_matches"] == 8


def test_export_gives_the_same_bytes_twice(cli: Cli, run: str) -> None:
    cli("export", run, "--out", "one.jsonl", "--metrics")
    cli("export", run, "--out", "two.jsonl", "--metrics")
    cli("export", run, "--out", "tables")
    cli("export", run, "--format", "parquet", "--out", "parquet")

    assert Path("one.jsonl").read_bytes() == Path("two.jsonl").read_bytes()
    assert len(Path("one.jsonl").read_text().splitlines()) == 12
    names = {"matches.jsonl", "turns.jsonl", "calls.jsonl", "events.jsonl", "agents.jsonl", "manifest.json"}
    assert {p.name for p in Path("tables").iterdir()} == names
    assert len(list(Path("parquet").glob("*.parquet"))) == 5


def test_fork_asks_one_turn_anew_and_copies_the_rest_for_free(cli: Cli, run: str) -> None:
    listed = cli.json("show", run)["matches"]
    long = next(m["match"] for m in listed if m["turns"] >= 2 and "mock/legal" in m["agents"].values())

    facts = cli.json("fork", run, str(long), "--at", "1", "--matches", "3", "--agents", "bot/random")

    fork = cli.json("show", facts["run"], "1")
    assert facts["matches"]["done"] == 3
    assert [t["origin"] for t in fork["turns"]][:2] == ["copied", "asked"]
    assert facts["calls"] == 0
    assert cli("show", facts["run"], "--verify")[0] == 0


def test_a_fork_whose_settings_change_the_past_is_refused(cli: Cli, run: str) -> None:
    code, _, err = cli("fork", run, "1", "--at", "99", "--matches", "1")

    assert code == 2
    assert "has turns 0 to" in err


def test_dry_run_starts_nothing(cli: Cli, tmp_path: Path) -> None:
    agents = "mock/legal?price_in=1&price_out=2,bot/nash"

    facts = cli.json("tournament", "kuhn", "--agents", agents, "--matches", "20", "--dry-run")

    assert facts["matches"] == 20
    assert 0 < facts["calls"]["p10"] <= facts["calls"]["p90"]
    assert facts["cost_usd"]["p10"] < facts["cost_usd"]["p90"]
    assert list(tmp_path.iterdir()) == []


def test_a_schedule_with_a_stop_rule_says_why_it_ended(cli: Cli) -> None:
    words = ("tournament", "matrix/rps", "--agents", "bot/best-reply,bot/always", "--matches", "400", "--seed", "1")
    rule = ("--schedule", "swiss", "--set", "schedule.stop=p_top1", "--out", "s")

    _, _, err = cli(*words, *rule)
    facts = cli.json("show", "s")

    assert "the schedule is finished: bot/matrix-best-reply is the best with posterior probability" in err
    assert len(facts["matches"]) < 400


def test_a_budget_stops_the_run_and_more_goes_on(cli: Cli) -> None:
    agents = "mock/legal?price_in=1000&price_out=1000&tokens=chars4,bot/nash"
    words = ("tournament", "kuhn", "--agents", agents, "--matches", "20", "--seed", "1", "--out", "b")

    code, _, err = cli(*words, "--budget", "0.9")
    rows = cli.json("leaderboard", "b")
    more, _, _ = cli("resume", "b", "--budget", "1000")

    assert code == 4
    assert "stopped by budget" in err
    assert "arena resume b" in err
    assert sum(r["n_matches"] for r in rows) < 40
    assert more == 0


def test_a_tournament_of_processes_gives_the_same_record(cli: Cli) -> None:
    words = ("tournament", "leduc", "--agents", "mock/legal,bot/loose", "--matches", "12", "--seed", "2")

    cli(*words, "--out", "one")
    code, _, err = cli(*words, "--out", "two", "--executor", "processes", "--workers", "2")

    assert code == 0, err
    hashes = [[(m["key"], m["record_hash"]) for m in cli.json("show", name)["matches"]] for name in ("one", "two")]
    assert hashes[0] == hashes[1]


def test_an_interrupt_ends_softly_and_resume_goes_on(cli: Cli, tmp_path: Path) -> None:
    words = ["tournament", "leduc", "--agents", "mock/legal?latency=50ms,bot/loose", "--matches", "40", "--out", "i"]
    process = subprocess.Popen(
        [sys.executable, "-m", "arena", *words, "--concurrency", "2"], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    while not (tmp_path / "i" / "run.sqlite").exists():
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "continue with: arena resume i" in err
    assert cli("resume", "i")[0] == 0
    assert cli("show", "i", "--verify")[0] == 0


def test_a_closed_stdout_ends_quietly(tmp_path: Path) -> None:
    command = f"{sys.executable} -m arena agents | head -1"

    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert done.stderr == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str, cli: Cli) -> None:
    code, out, _ = cli(name, "--help")

    assert code == 0
    assert "Examples: " in out


def test_a_person_plays_through_a_pipe(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "arena", "play", "kuhn", "--agents", "human,bot/tight", "--seed", "3", "--out", "h"]

    left = subprocess.run([*words], input="what\n", capture_output=True, text=True, cwd=tmp_path, check=False)
    resumed = subprocess.run(
        [sys.executable, "-m", "arena", "resume", "h"],
        input="1\n1\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert left.returncode == 130
    assert "That cannot be used" in left.stderr
    assert "arena resume h" in left.stderr
    assert resumed.returncode == 0, resumed.stderr
