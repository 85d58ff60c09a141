"""What a pool is measured by: errors, anchors, and the ratings without fallbacks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import board, bt, leaderboard

Tables = Callable[..., Any]


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
    assert json.loads(board._json(found.meta))["gauge"] == (
        "go-1 at 1500; mean strength of the agents of each pool where it has no part"
    )
    assert page.count("of this game alone; go-1 is set to 1500.") == 1
    assert page.count("of this game alone; their mean is 1500.") == 1


def test_a_game_of_several_pools_says_what_each_is_measured_by(villages: Tables, duels: Tables) -> None:
    table = villages(2, 40)
    table["agent"] = np.where(table["team"] == "wolves", "wolf-", "man-") + table["agent"].str[-1]

    page = leaderboard(pd.concat([table, duels(2, 20)]), bootstrap=10).page("b")

    assert "of this game alone; the mean of each pool is 1500." in page
