"""What a board tells of the runs it was made from: forfeits, and why their schedules ended."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.leaderboards import behaviour, leaderboard, matches, plain, runs, runtable
from arena.leaderboards.board import unpublished
from arena.leaderboards.posterior import posterior
from arena.run.api import resolve_agents, start
from arena.run.replayed import verify
from arena.run.runfile import settings_of
from arena.store.export import match_rows
from arena.store.reader import Reader
from arena.store.schema import FILE

BOTS = ["bot/nash", "bot/loose", "bot/tight"]


def played(folder: Path, agents: list[str] = BOTS, **values: Any) -> Path:
    file: dict[str, Any] = {"game": "kuhn", "agents": agents, "seed": 1, "matches": 12, "void": {"passes": 0}} | values
    settings = settings_of(file)
    specs = resolve_agents(settings.agents, [file["game"]])
    settings = replace(settings, agents=tuple(spec.agent.canonical for spec in specs))
    start(settings, specs, folder, posterior=posterior)
    return folder


def stop_of(folder: Path) -> dict[str, Any]:
    stop: dict[str, Any] = runs.facts(folder)["stop"]
    return stop


def test_who_forfeits_is_counted_from_the_record(tmp_path: Path) -> None:
    agents = ["mock/fixed?text=no", "bot/tight"]

    table = matches.read(played(tmp_path / "r", agents, illegal={"reasks": 0, "then": "forfeit"}))

    rates = behaviour.table(table).query("role == ''").set_index("agent")["forfeit_rate"]
    assert rates.to_dict() == {"mock/fixed?text=no": 1.0, "bot/kuhn-tight": 0.0}


@pytest.mark.parametrize(
    ("game", "agents"),
    [
        ("kuhn", BOTS),
        ("werewolf/mini5", ["bot/werewolf-sample", "bot/random"]),
        ("kuhn", ["mock/legal?price_in=1000&price_out=1000&tokens=chars4&illegal=0.5", "bot/tight"]),
        ("kuhn", ["mock/legal?server=0.3&tokens=chars4", "bot/tight"]),
        ("nyc/tiny", ["bot/bayes", "bot/always"]),
    ],
)
def test_the_columns_of_a_run_count_as_its_match_file_does(tmp_path: Path, game: str, agents: list[str]) -> None:
    folder = played(tmp_path / "r", agents, game=game)

    assert plain.counted(runs.seats(folder)) == plain.summary(match_rows(folder))


def test_a_static_schedule_ends_when_all_is_played(tmp_path: Path) -> None:
    stop = stop_of(played(tmp_path / "r"))

    assert stop == {
        "rule": "matches",
        "ended_by": "matches",
        "why": "all planned matches are played: 12",
        "deals": 6,
        "matches": 12,
        "leader": None,
        "value": None,
    }


def test_a_board_tells_which_rule_stopped_the_run_and_on_what(tmp_path: Path) -> None:
    schedule = {"kind": "swiss", "stop": "p_top1"}
    agents = ["bot/best-reply", "bot/always"]
    folder = played(tmp_path / "r", agents, game="matrix/rps", schedule=schedule, matches=400)

    board = leaderboard(matches.read(folder), bootstrap=50)

    stop = board.meta["stop"]
    assert (stop["rule"], stop["ended_by"], stop["leader"]) == ("p_top1", "p_top1", "bot/matrix-best-reply")
    assert stop["value"] >= 0.95
    assert stop["matches"] == board.meta["excluded"]["done"] < 400
    assert board.meta["interval"].startswith("anytime")
    assert stop["why"] in board.page()


@pytest.mark.parametrize("kind", ["paired", "adaptive"])
def test_a_run_that_is_not_at_its_end_says_so(tmp_path: Path, kind: str) -> None:
    limits = {"budget_usd": 0.0001}
    agents = ["mock/legal?price_in=1000", "bot/tight"]

    stop = stop_of(played(tmp_path / "r", agents, schedule={"kind": kind}, limits=limits))

    assert stop["rule"] == "matches"
    assert "is not at its end" in stop["why"]
    assert stop["why"].endswith("its budget is spent")
    assert "ended_by" not in stop


@pytest.mark.parametrize(
    ("game", "agents", "policy"),
    [
        ("kuhn", BOTS, {}),
        ("werewolf/mini5", ["bot/werewolf-sample", "bot/random"], {}),
        ("kuhn", ["mock/legal?illegal=0.5", "bot/tight"], {"reasks": 0, "then": "forfeit"}),
        ("kuhn", ["mock/legal?server=0.3", "bot/tight"], {}),
    ],
)
def test_the_terminal_s_table_is_that_of_the_published_board(
    tmp_path: Path, game: str, agents: list[str], policy: dict[str, Any]
) -> None:
    run = played(tmp_path / "r", agents, game=game, **({"illegal": policy} if policy else {}))

    published = leaderboard(matches.read(run), "all", bootstrap=10)
    shown, meta = unpublished(runtable.read([run]), "all", bootstrap=10)

    columns = ["agent", "rank", "rating", "rating_lo", "rating_hi", "p_top1", "win_rate", "payoff", "n_matches", "elo"]
    columns += ["illegal_rate", "forfeit_rate", "provisional", "rating_clean", "alpharank_mass"]
    assert shown[columns].equals(published.table[columns])
    for key in ("warnings", "skipped", "offsets", "schedule", "open_sums"):
        assert meta[key] == published.meta[key], key
    told = {key: value for key, value in meta["excluded"].items() if value or key != "by_reason"}
    assert told == published.meta["excluded"]


def test_a_run_of_a_game_that_is_no_contest_says_so_wherever_it_is_read(tmp_path: Path) -> None:
    run = played(tmp_path / "r", ["bot/bayes", "bot/always"], game="nyc/tiny")

    published = leaderboard(matches.read(run), bootstrap=5)
    shown, meta = unpublished(runtable.read([run]), bootstrap=5)

    assert list(published.meta["no_contest"]) == list(meta["no_contest"]) == ["nyc-v1/tiny"]
    assert "rating" not in published.table
    assert "rating" not in shown
    assert all(row["win_rate"] is None and not row["n_wins"] for row in plain.counted(runs.seats(run)))
    assert all(match["outcome"]["contest"] is False for match in match_rows(run))
    with Reader(run) as reader:
        assert list(verify(reader)) == []


def test_a_contest_says_nothing_of_it(tmp_path: Path) -> None:
    (match, *_) = match_rows(played(tmp_path / "r"))

    assert set(match["outcome"]) == {"ranks", "payoffs", "winner_team", "end_reason"}


def test_a_record_without_the_declaration_or_with_another_is_told(tmp_path: Path) -> None:
    run = played(tmp_path / "r", ["bot/bayes", "bot/always"], game="nyc/tiny")
    for change in ("json_remove(outcome, '$.contest')", "json_set(outcome, '$.contest', 'x')"):
        with closing(sqlite3.connect(run / FILE)) as db, db:
            db.execute(f"UPDATE matches SET outcome = {change}")
        with Reader(run) as reader:
            told = [one.what for one in verify(reader)]

        assert told
        assert all('it is {"contest":false' in what for what in told)
