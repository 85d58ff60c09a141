"""What is no contest gets no rating, and is counted and shown by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import board, contest, csvfile, leaderboard, matches
from arena.leaderboards.page import standing
from tests.leaderboards.boards import meta_of

Tables = Callable[..., Any]


def guided(n_deals: int = 30, *, fixed_sides: bool = False, seed: int = 0) -> pd.DataFrame:
    """A game as `nyc`: two of blue are paid by their arrival, one of red by its advertisements; nobody wins. With fixed
    sides blue is one agent and red another."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for deal in range(n_deals):
        pairs = [("a", "x")] if fixed_sides else [("a", "b"), ("b", "a")]
        for blue, red in pairs if deal % 2 else pairs[::-1]:
            paid = {"blue": float(rng.random()), "red": float(rng.integers(0, 20)) / 20}
            for seat, colour in enumerate(("blue", "blue", "red")):
                rows.append(
                    {
                        "match_id": f"m{len(rows) // 3:04d}",
                        "deal_id": f"d{deal}",
                        "game": "guided-v1",
                        "seat": f"player_{seat}",
                        "role": colour,
                        "team": colour,
                        "agent": blue if colour == "blue" else red,
                        "payoff": paid[colour],
                        "arrived": paid["blue"],
                        "contest": False,
                    }
                )
    return pd.DataFrame(rows)


# --- no contest -----------------------------------------------------------------------------------------------------


def test_what_its_matches_call_no_contest_is_none() -> None:
    assert list(contest.no_contest(matches.played(guided()))) == ["guided-v1"]


@pytest.mark.parametrize("word", ["false", 0, 0.0, False])
def test_a_table_may_say_it_in_any_form_and_of_some_of_the_matches(word: Any) -> None:
    table = guided().drop(columns="contest")
    table["contest"] = [word] * 3 + [None] * (len(table) - 3)

    done = matches.played(table)

    assert not matches.is_contest(done).any()
    assert list(contest.no_contest(done)) == ["guided-v1"]


def test_a_table_that_says_nothing_is_all_contests() -> None:
    done = matches.played(guided().drop(columns="contest"))

    assert contest.no_contest(done) == {}
    assert leaderboard(done, bootstrap=5).table["rating"].notna().all()


def test_neither_payoffs_nor_ranks_make_a_board_no_contest(villages: Tables) -> None:
    """One match of sixty in which both sides get nothing; survivors of three roles; dense ranks."""
    table = villages(4, 30)
    table.loc[table["match_id"] == table["match_id"].iloc[0], "payoff"] = 0.0
    trio: Any = guided().drop(columns="contest").assign(team="", role=lambda t: t["seat"])
    dense = trio.assign(rank=[1, 1, 2] * (len(trio) // 3))

    for one in (table.drop(columns="rank"), trio, dense):
        assert contest.no_contest(matches.played(one)) == {}


def test_the_declaration_goes_through_the_match_file_and_csv(tmp_path: Path) -> None:
    found = leaderboard(guided(4), bootstrap=5)
    found.write(tmp_path / "b", "b")
    csvfile_of = tmp_path / "t.csv"
    table = guided(4)
    csvfile_of.write_text(csvfile.write(list(table.columns), matches.records(table)))

    lines = [json.loads(line) for line in (tmp_path / "b" / "matches.jsonl").read_text().splitlines()]

    assert all(line["outcome"]["contest"] is False for line in lines)
    assert board.check(tmp_path / "b") == []
    for path in (tmp_path / "b" / "matches.jsonl", csvfile_of):
        assert list(contest.no_contest(matches.played(matches.read(path)))) == ["guided-v1"]


def test_payoffs_that_do_not_add_up_are_told_of_contests_too(duels: Tables) -> None:
    table = duels(3, 20)
    table.loc[table["payoff"] == 1, "payoff"] = 3.0

    done = matches.played(table)

    assert contest.no_contest(done) == {}
    assert contest.open_sums(done) == ["duel-v1/default"]


def test_a_forfeit_is_paid_by_the_policy_and_its_sum_is_not_told(villages: Tables) -> None:
    table = villages(4, 20)
    first = table["match_id"] == table["match_id"].iloc[0]
    table.loc[first & (table["team"] == "wolves"), "payoff"] = -5.0
    table["forfeit"] = first & (table["team"] == "wolves")

    assert contest.open_sums(matches.played(table)) == []
    assert contest.open_sums(matches.played(table.drop(columns="forfeit"))) == ["werewolf-v1/five"]


def test_a_void_match_of_another_configuration_changes_no_result() -> None:
    table = guided().assign(config_sha256="a" * 64, preset="p")
    void = guided(2).assign(config_sha256="b" * 64, preset="p", status="void", match_id=lambda t: "v" + t["match_id"])

    found = leaderboard(pd.concat([table, void.drop(columns=["payoff", "contest"])]), "all", bootstrap=5)

    alone = leaderboard(table, "all", bootstrap=5).table
    assert "rating" not in found.table
    columns = ["agent", "rank", "n_matches", "n_wins", "win_rate", "payoff_blue", "payoff_red", "arrived"]
    assert found.table[columns].equals(alone[columns])
    assert list(meta_of(found)["no_contest"]) == ["guided-v1/p@aaaaaaaa"]
    assert found.page("b")


def test_a_void_match_of_another_configuration_leaves_the_contests_apart(villages: Tables) -> None:
    idle = guided().assign(game="same-v1", config_sha256="a" * 64)
    rated = villages(2, 20).assign(game="same-v1", preset="", config_sha256="b" * 64)

    found = leaderboard(pd.concat([idle, rated]), bootstrap=5)

    assert found.table.set_index("agent")["rating"].notna().to_dict() == {
        "agent-0": True,
        "agent-1": True,
        "a": False,
        "b": False,
    }
    assert list(meta_of(found)["no_contest"]) == ["same-v1@aaaaaaaa"]


@pytest.mark.parametrize("asked", ["bt", "plain", "all"])
def test_one_agent_on_each_side_of_no_contest_is_counted(asked: str) -> None:
    found = leaderboard(guided(fixed_sides=True), asked, bootstrap=5)
    table = found.table.set_index("agent")

    assert table["payoff_blue"].notna().to_dict() == {"a": True, "x": False}
    assert table["payoff_red"].notna().to_dict() == {"a": False, "x": True}
    assert table["win_rate"].isna().all()
    assert found.page("b")


def test_contests_of_an_agent_with_itself_beside_no_contest_are_counted(villages: Tables) -> None:
    alone = villages(2, 20).assign(agent="a")

    found = leaderboard(pd.concat([guided(), alone]), "all", bootstrap=5)

    assert found.table.set_index("agent")["n_wins"].to_dict() == {"a": 40, "b": 0}
    assert found.page("b")


def test_a_set_up_of_an_agent_with_itself_has_its_page(villages: Tables, duels: Tables) -> None:
    table = pd.concat([villages(2, 20).assign(agent="agent-0"), duels(2, 20)])

    page = leaderboard(table, "all", bootstrap=5).page("b")

    assert "No rating: agent: a rating needs at least two agents" in page


@pytest.mark.parametrize("method", ["bt", "pl"])
def test_agents_who_only_met_themselves_are_listed_with_the_reason(villages: Tables, method: str) -> None:
    one = villages(2, 10).assign(agent="a", game="one-v1")
    two = villages(2, 10).assign(agent="b", game="two-v1", match_id=lambda t: "x" + t["match_id"])

    found = leaderboard(pd.concat([one, two]), method, bootstrap=5)

    assert found.table["rating"].isna().all()
    assert sorted(found.table["agent"]) == ["a", "b"]
    assert all("at least two agents" in game["why"] for game in meta_of(found)["games"].values())
    assert found.page("b")


def test_the_interval_of_a_win_rate_counts_deals_of_contests_only(villages: Tables) -> None:
    games: Any = villages(2, 3).replace({"agent-0": "a", "agent-1": "b"})

    def cells(table: pd.DataFrame) -> dict[str, Any]:
        found = leaderboard(table, bootstrap=5)
        rows = [{str(k): v for k, v in row.items()} for row in found.table.to_dict("records")]
        (one,) = standing.whole(rows, meta_of(found), found.played, {"a": 0, "b": 1})
        return {line.agent: line.cells[one.heads.index("win rate")] for line in one.lines}

    beside = cells(pd.concat([games, guided()]))

    assert beside == cells(games)
    assert beside["a"].low is not None


@pytest.mark.parametrize("asked", ["bt", "all", ("elo", "nash"), "composite"])
def test_no_method_ranks_what_is_no_contest(asked: Any) -> None:
    found = leaderboard(guided(), asked, bootstrap=20)
    meta = meta_of(found)

    assert "rating" not in found.table
    assert found.table[["rank", "win_rate"]].isna().all(axis=None)
    assert found.table[["n_wins", "n_ties", "n_losses"]].to_numpy().sum() == 0
    assert found.table["payoff"].isna().all()  # of two units
    assert found.table[["payoff_blue", "payoff_red"]].notna().all(axis=None)
    assert meta["method"] == "plain"
    assert set(meta["skipped"]) >= ({"bt", "elo", "pl", "alpharank", "nash", "composite"} if asked == "all" else set())
    assert all("guided-v1: the game pays its sides in units" in why for why in meta["skipped"].values())
    assert "guided-v1 is no contest" in " / ".join(meta["warnings"])
    assert "guided-v1 is no contest" in found.page("b")


def test_contests_beside_it_are_rated_without_it(villages: Tables) -> None:
    games: Any = villages(2, 40).replace({"agent-0": "a", "agent-1": "b"})

    mixed = leaderboard(pd.concat([games, guided()]), bootstrap=20)
    alone = leaderboard(games, bootstrap=20)

    columns = ["agent", "rank", "rating", "rating_lo", "rating_hi", "win_rate", "n_wins"]
    assert mixed.table[columns].equals(alone.table[columns])
    assert (mixed.table["n_matches"] == alone.table["n_matches"] + 60).all()


def test_the_page_shows_a_no_contest_by_side(villages: Tables) -> None:
    found = leaderboard(pd.concat([villages(3, 40), guided()]), bootstrap=20)

    panel = found.page("b").partition('data-panel="game-guided-v1"')[2].partition("data-panel=")[0]

    assert "No contest, so no rating" in panel
    assert '<th scope="col">payoff as blue</th>' in panel
    assert '<th scope="col">payoff</th>' not in panel.partition("<details")[0]
    assert ">win rate</th>" not in panel
    assert "mean payoff of red" in panel


def test_an_agent_of_no_contest_alone_is_listed_and_not_rated(villages: Tables) -> None:
    found = leaderboard(pd.concat([villages(3, 40), guided()]), bootstrap=20).table.set_index("agent")

    assert found["rating"].notna().to_dict() == {
        "agent-0": True,
        "agent-1": True,
        "agent-2": True,
        "a": False,
        "b": False,
    }
    assert found["pool"].to_dict() == {
        **dict.fromkeys(["agent-0", "agent-1", "agent-2"], "werewolf-v1/five"),
        **dict.fromkeys("ab", "guided-v1"),
    }
    assert found.loc[["a", "b"], "provisional"].all()
