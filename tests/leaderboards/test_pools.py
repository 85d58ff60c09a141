"""Agents whom no match compares get no common rank; and what a pool is measured by: errors, anchors, intervals, and the
ratings without fallbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import bt, composite, leaderboard, matches, pl
from arena.leaderboards.fitting.fit import SCALE
from tests.leaderboards.boards import meta_of

Tables = Callable[..., Any]


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


def one_sided(n: int) -> pd.DataFrame:
    """a and b are always the wolf, c and d always the village."""
    rng = np.random.default_rng(0)
    wolf, village = rng.integers(0, 2, n), rng.integers(2, 4, n)
    won = rng.random(n) < 0.6 + 0.1 * (wolf == 0) - 0.1 * (village == 2)
    return pd.DataFrame(
        {
            "match_id": np.repeat(np.arange(n), 2).astype(str),
            "seat": np.tile(["player_0", "player_1"], n),
            "role": np.tile(["wolf", "villager"], n),
            "team": np.tile(["wolves", "village"], n),
            "agent": np.array(list("abcd"))[np.c_[wolf, village].ravel()],
            "payoff": np.c_[won, ~won].astype(float).ravel(),
        }
    )


@pytest.mark.parametrize("roles", ["bias", "conditional"])
@pytest.mark.parametrize("n", [1000, 100_000])
def test_errors_of_one_sided_agents_are_those_of_their_differences(roles: Any, n: int) -> None:
    fit = bt.fit(one_sided(n), roles=roles)

    errors = fit.table.set_index("agent")["se"]
    at = {agent: i for i, agent in enumerate(fit.agents)}
    a, b = at["a"], at["b"]
    apart = np.sqrt(fit.cov[a, a] + fit.cov[b, b] - 2 * fit.cov[a, b])

    assert apart == pytest.approx(2 * errors["a"], rel=1e-6)  # each is half the difference from the mean of the two
    assert apart == pytest.approx(np.sqrt(2 / (n / 2 * 0.235)), rel=0.05)  # two shares around .6, in nats


def test_an_agent_alone_in_its_group_has_no_error(villages: Tables) -> None:
    table = villages(2, 40)
    table["agent"] = np.where(table["team"] == "wolves", "wolf", "man")

    assert bt.fit(table, roles="bias").table["se"].isna().all()


def strong(first: str, second: str, share: float, *, clean: bool, tag: str) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for deal in range(40):
        for order in ((first, second), (second, first)):
            best = first if rng.random() < share else second
            rows += [
                {"match_id": f"{tag}{len(rows) // 2}", "deal_id": f"{tag}d{deal}", "seat": f"player_{i}",
                 "agent": agent, "payoff": float(agent == best), "clean": clean}
                for i, agent in enumerate(order)
            ]  # fmt: skip
    return pd.DataFrame(rows)


def test_ratings_without_fallbacks_that_compare_others_are_left_out_with_the_reason() -> None:
    """a-b and c-d met without fallbacks, the two pairs each other only with."""
    table = [strong("a", "b", 0.55, clean=True, tag="x"), strong("c", "d", 0.55, clean=True, tag="y")]
    found = leaderboard(pd.concat([*table, strong("b", "c", 0.95, clean=False, tag="z")]), bootstrap=10)

    assert found.table["rating"].notna().all()
    assert found.table[["rating_clean", "rating_clean_lo", "rating_clean_hi"]].isna().all(axis=None)
    assert (found.table["n_clean"] == 80).all()
    assert found.meta["clean"]["why"].endswith("are compared with others than before: a, b, c, d")


def test_ratings_without_fallbacks_stay_where_all_still_compare() -> None:
    table = [strong("a", "b", 0.55, clean=True, tag="x"), strong("b", "c", 0.55, clean=True, tag="y")]
    found = leaderboard(pd.concat([*table, strong("a", "c", 0.95, clean=False, tag="z")]), bootstrap=10)

    assert found.table["rating_clean"].notna().all()
    assert found.meta["clean"]["why"] == ""


def test_the_anchor_is_named_where_it_is_one(duels: Tables) -> None:
    first = duels(3, 40, game="chess-v1")
    second = duels(3, 40, game="go-v1", prefix="g").replace({f"agent-{i}": f"go-{i}" for i in range(3)})

    found = leaderboard(pd.concat([first, second]), bootstrap=10, anchor="go-1")
    named = found.table.set_index("agent")["anchor"]
    page = found.page("b")

    assert named.notna().to_dict() == {f"{game}-{i}": game == "go" for game in ("agent", "go") for i in range(3)}
    assert meta_of(found)["gauge"] == ("go-1 at 1500; mean strength of the agents of each pool where it has no part")
    assert page.count("of this game alone; go-1 is set to 1500.") == 1
    assert page.count("of this game alone; their mean is 1500.") == 1


def test_a_game_of_several_pools_says_what_each_is_measured_by(villages: Tables, duels: Tables) -> None:
    table = villages(2, 40)
    table["agent"] = np.where(table["team"] == "wolves", "wolf-", "man-") + table["agent"].str[-1]

    page = leaderboard(pd.concat([table, duels(2, 20)]), bootstrap=10).page("b")

    assert "of this game alone; the mean of each pool is 1500." in page


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
