"""What the commands say of a game with sides: who won on which side and in which role, and side against side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import Cli

WORDS = (
    "tournament",
    "nyc/tiny",
    "--schedule",
    "round-robin",
    "--matches",
    "8",
    "--seed",
    "1",
    "--out",
    "r",
    "--agents",
)
AGENTS = "blue=bot/nyc-always,blue=bot/nyc-never,red=bot/nyc-greedy-red,red=bot/nyc-honest-red"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(capsys)


def test_one_command_plays_any_blues_against_any_reds_and_shows_the_matrix(cli: Cli) -> None:
    code, out, err = cli(*WORDS, AGENTS, "--board")
    lines = out.splitlines()
    at = lines.index("nyc-v1/tiny: mean payoff of blue, ± 95 % (matches); blue down, red across")

    assert code == 0, err
    assert lines[at + 1].split() == ["bot/nyc-greedy-red", "bot/nyc-honest-red"]
    assert [line.split()[0] for line in lines[at + 2 : at + 4]] == ["bot/nyc-always", "bot/nyc-never"]
    assert all(line.count("±") == 2 and line.count("(2)") == 2 for line in lines[at + 2 : at + 4])
    assert "nyc-v1/tiny: mean payoff of red, ± 95 % (matches); blue down, red across" in lines


def test_payoffs_of_different_seats_are_no_contest_so_there_is_no_win_rate(cli: Cli) -> None:
    _, out, err = cli(*WORDS, AGENTS, "--board")

    assert "win rate" not in out
    assert "no win rate" in err


@pytest.mark.parametrize("method", ["bt", "plain", "all"])
def test_one_agent_on_each_side_has_a_board_of_counts(cli: Cli, method: str) -> None:
    cli(*WORDS, "blue=bot/nyc-oracle,red=bot/nyc-greedy-red")

    code, out, err = cli("leaderboard", "r", "--method", method, "--out", "b")

    assert code == 0, err
    assert "payoff_blue" in out
    assert "nyc-v1/tiny is no contest" in err
    assert cli("leaderboard", "--check", "b")[0] == 0


@pytest.mark.parametrize("schedule", ["swiss", "adaptive"])
def test_a_schedule_by_wins_is_refused_where_nobody_wins(cli: Cli, schedule: str) -> None:
    words = ("nyc/tiny", "--agents", "bot/nyc-always,bot/nyc-walk", "--schedule", schedule, "--out", "r")
    code, _, err = cli("tournament", *words)

    assert code == 2
    assert "nyc is no contest" in err
    assert not Path("r").exists()


def test_agents_of_different_games_stand_in_different_tables(cli: Cli) -> None:
    assert cli("play", "kuhn", "--agents", "bot/nash,bot/tight", "--out", "k")[0] == 0
    assert cli("play", "matrix/rps", "--agents", "bot/random,bot/always?answer=rock", "--out", "m")[0] == 0
    _, out, err = cli("leaderboard", "k", "m")
    first, second = out.split("matrix-v1:\n")

    assert first.startswith("kuhn-v1:\n")
    assert ("bot/kuhn-nash" in first, "bot/random" in first) == (True, False)
    assert ("bot/kuhn-nash" in second, "bot/random" in second) == (False, True)
    assert "a draw counts half" in err
    assert "this game is told by what is earned" in err


def test_a_board_says_where_it_took_its_schedule_from(cli: Cli, tmp_path: Path) -> None:
    cli("tournament", "kuhn", "--agents", "bot/nash,bot/tight", "--matches", "4", "--seed", "1", "--out", "k")
    cli("leaderboard", "k", "--method", "bt", "--bootstrap", "5", "--out", "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "matches.jsonl").write_bytes((tmp_path / "b" / "matches.jsonl").read_bytes())

    told, alone = (cli("leaderboard", f"{at}/matches.jsonl", "--method", "bt", "--bootstrap", "5")[2] for at in "bc")

    assert "schedule, stop rule and planned matches are those told by b/meta.json" in told
    assert "meta.json" not in alone


def test_a_board_is_not_mixed_with_a_json_document(cli: Cli) -> None:
    code, _, err = cli(*WORDS, AGENTS, "--board", "--json")

    assert code == 2
    assert "--board prints tables" in err


def test_the_leaderboard_has_results_by_side_and_role_and_any_figure_by_cell(cli: Cli) -> None:
    agents = "bot/werewolf-sample,bot/werewolf-quiet"
    cli("tournament", "werewolf/duel5", "--agents", agents, "--matches", "4", "--seed", "1", "--out", "w")
    _, out, _ = cli("leaderboard", "w")
    _, figure, _ = cli("leaderboard", "w", "--figure", "days", "--figure", "exiles_of_village/exiles")
    rows = {row["agent"]: row for row in cli.json("leaderboard", "w")}

    assert "werewolf-v1/duel5: payoff by side and role" in out
    assert "werewolf-v1/duel5: mean payoff of village, ± 95 % (matches); village down, wolves across" in out
    assert "werewolf-v1/duel5: days, ± 95 % (matches); village down, wolves across" in figure
    assert "werewolf-v1/duel5: exiles_of_village/exiles, ± 95 % (matches)" in figure
    roles = {(r["side"], r["role"]) for r in rows["bot/werewolf-quiet"]["by_role"]}
    assert roles == {("village", ""), ("village", "seer"), ("village", "villager"), ("wolves", ""), ("wolves", "wolf")}
    (as_wolf,) = [c for c in rows["bot/werewolf-quiet"]["against"] if c["side"] == "wolves"]
    assert (as_wolf["opponent"], as_wolf["what"], as_wolf["matches"]) == (
        "bot/werewolf-sample",
        "mean payoff of village",
        2,
    )


def test_options_that_the_counted_table_or_only_it_reads_are_refused_elsewhere(cli: Cli) -> None:
    cli(*WORDS, AGENTS)

    for words, message in (
        (("--figure", "success", "--method", "bt"), "--figure goes with the counted table"),
        (("--plots",), "--plots goes with --out"),
        (("--anchor", "bot/nyc-always"), "--anchor goes with a rating"),
        (("--seed", "7", "--baseline", "bot/nyc-always"), "--seed goes with a rating"),
        (("--figure", "trust_brier", "--baseline", "bot/nyc-always"), "nothing compares with bot/nyc-always"),
        (("--figure", "sucess"), "no figure 'sucess'. Nearest: success"),
        (("--baseline", "bot/nyc-always", "--method", "bt"), "--baseline goes with the counted table"),
        (("--baseline", "bot/nyc-alway"), "'bot/nyc-alway' holds no side here. Nearest: bot/nyc-always"),
    ):
        code, _, err = cli("leaderboard", "r", *words)
        assert code == 2
        assert message in err


def test_no_mean_is_told_over_two_sides_that_are_paid_in_different_units(cli: Cli) -> None:
    cli(*WORDS, "blue=bot/nyc-always,blue=bot/nyc-never,red=bot/nyc-never")

    _, out, _ = cli("leaderboard", "r")
    lines = [line.split() for line in out.splitlines()]

    assert ["bot/nyc-never", "-", "-", "8", "0", "0.000", "0.000", "0.0000"] in lines
    assert [line[1] for line in lines if line[:1] == ["bot/nyc-never"] and line[1:2] in (["blue"], ["red"])] == [
        "blue",
        "red",
    ]


def test_every_agent_of_a_side_is_compared_with_a_baseline_on_the_same_deals(cli: Cli) -> None:
    cli(*WORDS[:5], "48", *WORDS[6:], AGENTS)

    _, out, _ = cli("leaderboard", "r", "--figure", "own", "--baseline", "bot/nyc-always")
    lines = out.splitlines()
    at = lines.index("nyc-v1/tiny: own, less that of bot/nyc-always on the same deals; p after Holm by opponent")

    assert lines[at + 1].split() == ["side", "agent", "against", "difference", "95", "%", "p", "deals"]
    assert lines[at + 2].split()[:3] == ["blue", "bot/nyc-never", "bot/nyc-greedy-red"]
    assert lines[at + 2].endswith(" 12  higher")
    assert lines[at + 3].split()[:3] == ["blue", "bot/nyc-never", "bot/nyc-honest-red"]

    _, told, _ = cli("leaderboard", "r", "--baseline", "bot/nyc-always", "--json")
    less = {row["agent"]: row["less_baseline"] for row in json.loads(told)}
    assert {(d["what"], d["opponent"]) for d in less["bot/nyc-never"]} == {
        (f"mean payoff of {side}", f"bot/nyc-{red}-red") for side in ("blue", "red") for red in ("greedy", "honest")
    }
    assert less["bot/nyc-always"] == []


def test_show_lists_agents_and_results_by_side_and_a_match_s_figures_seat_by_seat(cli: Cli) -> None:
    agents = "bot/werewolf-sample,bot/werewolf-quiet"
    cli("tournament", "werewolf/duel5", "--agents", agents, "--matches", "2", "--seed", "1", "--out", "w")
    _, listed, _ = cli("show", "w")
    _, shown, _ = cli("show", "w", "1")
    lines = shown.splitlines()

    assert "village: bot/werewolf-sample×4; wolves: bot/werewolf-quiet" in listed
    assert "village 1, wolves 0" in listed or "village 0, wolves 1" in listed
    assert lines[lines.index("figures of the match:") + 1].startswith("village_win ")
    assert lines[lines.index("figures of player_3:") + 1].startswith("alive ")
    assert max(map(len, lines[lines.index("figures of the match:") :])) <= 110


def test_a_game_says_about_how_many_asks_a_match_of_each_preset_takes(cli: Cli) -> None:
    presets = {p["name"]: p["asks"] for p in cli.json("games", "werewolf")["presets"]}

    assert presets["duel5"] <= 11
    assert presets["duel5"] < presets["makto9g"] < presets["arena8"] < presets["aiwolf15"]


@pytest.mark.parametrize("seed", [2, 5, 9])
def test_a_match_seats_agents_by_the_sides_and_roles_of_its_own_deal(cli: Cli, seed: int) -> None:
    """They were those of the deal of seed 0, so that an agent for the wolves held villagers."""
    for agents in (
        "wolves=bot/werewolf-sample,village=bot/werewolf-quiet",
        "bot/werewolf-sample,bot/werewolf-quiet",
        "wolf=bot/werewolf-sample,village=bot/werewolf-quiet",
    ):
        cli("play", "werewolf/duel5", "--agents", agents, "--seed", str(seed), "--out", f"r{agents[:6]}{seed}")
        _, out, _ = cli("show", f"r{agents[:6]}{seed}", "1")
        held = [line for line in out.splitlines() if " = bot/" in line]

        assert len(held) == 5
        assert all(("sample" in line) == line.endswith("(wolf)") for line in held), held
