"""What is no contest gets no rating, and agents whom no match compares get no common rank."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import Board, board, bt, composite, contest, csvfile, leaderboard, matches, pl
from arena.leaderboards.fitting.fit import SCALE
from arena.leaderboards.page import standing

Tables = Callable[..., Any]


def meta_of(found: Board) -> Any:
    return json.loads(board._json(found.meta))


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


def fixed(villages: Tables, n_deals: int = 60, **options: Any) -> Any:
    """Matches in which agents 0 and 1 are always the wolves and 2 and 3 always the village."""
    table = villages(4, n_deals, **options)
    as_wolf = table["agent"].where(table["team"] == "wolves").groupby(table["match_id"]).transform("first")
    of = {"agent-0": 0, "agent-1": 1, "agent-2": 0, "agent-3": 1}
    wolf = as_wolf.map(of)
    deal = table["deal_id"].str[-5:].astype(int)
    table["agent"] = np.where(
        table["team"] == "wolves", "agent-" + wolf.astype(str), "agent-" + (2 + deal % 2).astype(str)
    )
    return table


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


# --- pools ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["bt", "pl"])
def test_two_blocks_of_one_side_each_get_no_common_rank(villages: Tables, method: str) -> None:
    found = leaderboard(fixed(villages), method, bootstrap=50)
    table = found.table.set_index("agent")

    assert table["pool"].to_dict() == {
        "agent-0": "wolves",
        "agent-1": "wolves",
        "agent-2": "village",
        "agent-3": "village",
    }
    assert sorted(table["rank"]) == [1, 1, 2, 2]
    assert table.groupby("pool")["rating"].mean().tolist() == pytest.approx([1500, 1500])
    assert table.groupby("pool")["p_top1"].sum().tolist() == pytest.approx([1, 1])
    assert table["rank_ub"].max() <= 2
    assert table["regularised"].all()
    assert "compare within a pool only" in meta_of(found)["warnings"][0]
    assert found.page("b").count("<caption>wolves</caption>") == 1


def test_how_strong_a_side_is_moves_nothing_within_it(villages: Tables) -> None:
    """Who holds one side only is compared with its like by the results against common opponents."""
    table = matches.played(fixed(villages, 200, side_bias=0.0))
    rates = table.drop_duplicates(["match_id", "agent"]).groupby("agent")["rank"].apply(lambda rank: (rank == 1).mean())

    found = leaderboard(table, bootstrap=20).table.set_index("agent")["rating"]

    assert (found["agent-0"] > found["agent-1"]) == (rates["agent-0"] > rates["agent-1"])
    assert (found["agent-2"] > found["agent-3"]) == (rates["agent-2"] > rates["agent-3"])
    assert found["agent-0"] + found["agent-1"] == pytest.approx(3000)


def test_ladders_of_everybody_are_left_out_where_no_match_compares_everybody(villages: Tables) -> None:
    skipped = meta_of(leaderboard(fixed(villages), "all", bootstrap=20))["skipped"]

    assert {name for name, why in skipped.items() if "2 pools" in why} == {"elo", "nash"}


@pytest.mark.parametrize("method", ["alpharank", "plain"])
def test_boards_without_a_rating_keep_the_blocks_apart_too(villages: Tables, method: str) -> None:
    found = leaderboard(fixed(villages, 200), method, bootstrap=20)

    assert found.table["pool"].tolist() == ["village", "village", "wolves", "wolves"]
    assert found.table["rank"].dropna().tolist() == ([1, 2, 1, 2] if found.table["rank"].notna().any() else [])


def test_a_ladder_of_masses_is_one_where_all_met(duels: Tables) -> None:
    found = leaderboard(duels(3, 200, theta=[-2, 0, 2]), "nash", bootstrap=20).table

    assert found["rank"].tolist() == [1, 2, 3]
    assert "pool" not in found


def test_the_offset_of_a_side_that_nobody_left_is_not_told(villages: Tables) -> None:
    fit = bt.fit(fixed(villages), roles="bias")

    assert (fit.regularised, fit.reason) == (True, "sides")
    assert sorted(fit.details["undetermined"]) == ["side=village", "side=wolves"]
    assert list(fit.biases.values()) == pytest.approx([0, 0], abs=1e-6)
    assert meta_of(leaderboard(fixed(villages), bootstrap=5))["offsets"] == {}


def test_one_agent_on_both_sides_joins_the_blocks(villages: Tables) -> None:
    table = pd.concat([fixed(villages), villages(4, 4, seed=9).assign(match_id=lambda t: "x" + t["match_id"])])

    found = leaderboard(table, bootstrap=5)

    assert "pool" not in found.table
    assert meta_of(found)["pools"] == {}


def test_agents_who_kept_their_seats_are_rated_with_a_warning(duels: Tables) -> None:
    table = duels(4, 60)
    kept = table[table["agent"].isin(["agent-0", "agent-1"]) == (table["seat"] == "player_0")]
    kept = kept[kept.groupby("match_id")["seat"].transform("size") == 2]

    found = leaderboard(kept, bootstrap=10)

    assert found.table["rating"].notna().all()
    assert "agents kept their seats" in " / ".join(meta_of(found)["warnings"])


def test_agents_of_one_of_several_games_are_rated_in_it(duels: Tables) -> None:
    first, second = duels(3, 60, game="chess-v1"), duels(4, 60, seed=2, game="go-v1", prefix="g")
    second = second.replace({"agent-2": "gopher", "agent-3": "goat"})
    both: Any = pd.concat([first, second])

    found = leaderboard(both, "all", bootstrap=50)
    table, meta = found.table.set_index("agent"), meta_of(found)
    alone = leaderboard(second, bootstrap=50).table.set_index("agent")

    assert table["pool"].to_dict() == {
        "agent-0": "several games",
        "agent-1": "several games",
        "agent-2": "chess-v1/default",
        "gopher": "go-v1/default",
        "goat": "go-v1/default",
    }
    assert table["method"].to_dict() == dict.fromkeys(["agent-2", "gopher", "goat"], "bt") | dict.fromkeys(
        ["agent-0", "agent-1"], "composite"
    )
    columns = ["rank", "rank_lb", "rank_ub", "rating", "rating_lo", "rating_hi", "p_top1"]
    own, expected = (one.loc[["gopher", "goat"], columns].to_numpy(dtype=float) for one in (table, alone))
    assert np.array_equal(own, expected)
    assert set(meta["games"]["go-v1/default"]["agents"]) == {"agent-0", "agent-1", "gopher", "goat"}
    assert meta["games"]["go-v1/default"]["agents"]["goat"]["rating"] == pytest.approx(alone.loc["goat", "rating"])
    assert found.table["pool"].tolist()[:2] == ["several games"] * 2


def test_games_without_a_common_agent_have_no_common_rating(duels: Tables) -> None:
    first = duels(3, 40, game="chess-v1")
    second = duels(3, 40, game="go-v1", prefix="g").replace({f"agent-{i}": f"go-{i}" for i in range(3)})

    found = leaderboard(pd.concat([first, second]), "all", bootstrap=20)

    assert "nobody was in two of the 2" in meta_of(found)["skipped"]["composite"]
    assert sorted(found.table["rank"]) == [1, 1, 2, 2, 3, 3]
    assert found.table.groupby("pool")["rating"].mean().tolist() == pytest.approx([1500, 1500])


def test_an_anchor_holds_in_its_own_game(duels: Tables) -> None:
    first = duels(3, 40, game="chess-v1")
    second = duels(3, 40, game="go-v1", prefix="g").replace({f"agent-{i}": f"go-{i}" for i in range(3)})

    found = leaderboard(pd.concat([first, second]), bootstrap=20, anchor="go-1").table.set_index("agent")["rating"]

    assert found["go-1"] == 1500
    assert found[["agent-0", "agent-1", "agent-2"]].mean() == pytest.approx(1500)


# --- sides in every fitted method -----------------------------------------------------------------------------------


def test_a_composite_fits_the_sides_of_its_games(villages: Tables) -> None:
    strong = villages(5, 300, side_bias=1.5, seed=4)
    fit = composite.fit({"werewolf": strong}, offset_sd=0.0)
    alone = bt.fit(strong, roles="bias")

    assert fit.biases["werewolf:side=wolves"] == pytest.approx(alone.biases["side=wolves"], abs=1e-6)
    assert fit.table["theta"].tolist() == pytest.approx(alone.table["theta"].tolist(), abs=1e-6)


def test_plackett_luce_rates_with_the_offset_of_the_side(villages: Tables) -> None:
    table = villages(5, 300, side_bias=1.5, seed=4)

    offsets = pl.rate(table, bootstrap=0).meta["offsets"]

    alone = bt.fit(table, roles="bias").biases
    assert {key: one["value"] for key, one in offsets.items()} == pytest.approx(alone, abs=1e-5)


# --- one deal is no interval ----------------------------------------------------------------------------------------


def test_a_single_match_gives_no_interval(duels: Tables) -> None:
    table = duels(2, 1).iloc[:2]

    found = leaderboard(table, bootstrap=50, min_matches=0).table

    assert found["rating"].notna().all()
    assert found[["rating_lo", "rating_hi", "rating_se", "p_top1", "rank_lb", "rank_ub"]].isna().all(axis=None)
    assert found["provisional"].all()


def test_an_agent_of_a_single_deal_has_none_among_others_who_have(duels: Tables) -> None:
    table = duels(3, 40)
    late: Any = table.iloc[:4].assign(match_id=["l1", "l1", "l2", "l2"], deal_id="late", payoff=[1.0, -1, 1, -1])
    late["agent"], late["rank"] = ["agent-0", "newcomer", "newcomer", "agent-0"], [1, 2, 1, 2]

    found = leaderboard(pd.concat([table, late]), bootstrap=20).table.set_index("agent")

    assert found["rating_lo"].isna().to_dict() == {
        "newcomer": True,
        **dict.fromkeys(["agent-0", "agent-1", "agent-2"], False),
    }
    assert found.loc["newcomer", "rating_se"] != 0


def test_rating_errors_are_of_differences_to_the_pool(villages: Tables) -> None:
    """Two agents of a pool: each is as far from their mean as the other, and as unsure."""
    found = leaderboard(fixed(villages), bootstrap=0).table.set_index("agent")

    assert found.loc["agent-0", "rating_se"] == pytest.approx(found.loc["agent-1", "rating_se"])
    half = (found["rating_hi"] - found["rating_lo"]) / 2
    assert (half / found["rating_se"]).tolist() == pytest.approx([1.96] * 4, rel=0.08)
    assert found["rating_se"].max() < 2 * SCALE
