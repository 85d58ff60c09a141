"""The composite: every game counts the same, and agents may differ by game."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import bt, composite

Tables = Callable[..., Any]


def thetas(fit: Any) -> dict[str, float]:
    return dict(zip(fit.agents, fit.table["theta"], strict=True))


def test_repeating_the_matches_of_a_game_changes_nothing_without_offsets(pairs: Tables) -> None:
    games = {"chess": pairs(5, 400, seed=1), "go": pairs(5, 300, seed=2)}
    more = games | {"go": pd.concat([games["go"]] * 10)}

    before, after = composite.fit(games, offset_sd=0), composite.fit(more, offset_sd=0)

    for agent, theta in thetas(before).items():
        assert abs(theta - thetas(after)[agent]) < 1e-9


def test_one_game_is_bradley_terry(duels: Tables) -> None:
    table = duels(4, 60)

    one, other = composite.fit({"duel": table}, offset_sd=0), bt.fit(table)

    assert thetas(one) == pytest.approx(thetas(other), abs=1e-9)
    assert np.allclose(one.table["se"], other.table["se"])


def test_weights_scale_what_a_game_counts(pairs: Tables) -> None:
    games = {"chess": pairs(5, 400, seed=1), "go": pairs(5, 300, seed=2)}
    alone = thetas(bt.fit(games["chess"]))

    near = thetas(composite.fit(games, weights={"chess": 1000.0}, offset_sd=0))
    even = thetas(composite.fit(games, offset_sd=0))

    assert max(abs(near[a] - alone[a]) for a in alone) < 0.01
    assert max(abs(even[a] - alone[a]) for a in alone) > 0.05


def test_the_gradient_of_the_written_objective_vanishes(pairs: Tables) -> None:
    games = {"chess": pairs(4, 200, seed=1), "go": pairs(3, 150, seed=2)}

    fit = composite.fit(games, offset_sd=0.5)

    theta, per_game, weights = thetas(fit), fit.details["per_game"], fit.details["weights"]
    total = dict.fromkeys(theta, 0.0)
    for game, table in games.items():
        strength = per_game[game]
        own = dict.fromkeys(strength, 0.0)
        for a, b, score in table.itertuples(index=False):
            residual = weights[game] * (score - 1 / (1 + np.exp(strength[str(b)] - strength[str(a)])))
            own[str(a)] += residual
            own[str(b)] -= residual
        for agent, gradient in own.items():
            total[int(agent)] += gradient  # type: ignore[index]  # labels of a pair table are kept: numbers here
            offset = strength[agent] - theta[int(agent)]  # type: ignore[index]  # the same
            assert abs(gradient - offset / 0.25) < 1e-6
    assert max(map(abs, total.values())) < 1e-6
    assert weights["chess"] * 200 == pytest.approx(weights["go"] * 150)


def test_agents_of_few_games_are_provisional(pairs: Tables) -> None:
    games = {"a": pairs(4, 200, seed=1), "b": pairs(3, 150, seed=2), "c": pairs(3, 150, seed=3)}

    table = composite.fit(games).table.set_index("agent")

    assert table["n_games"].to_dict() == {0: 3, 1: 3, 2: 3, 3: 1}
    assert table["provisional"].to_dict() == {0: False, 1: False, 2: False, 3: True}
    assert table.loc[0, "n_matches"] == sum((g["a"] == 0).sum() + (g["b"] == 0).sum() for g in games.values())


def test_clusters_never_span_games(duels: Tables) -> None:
    one, other = duels(4, 30, seed=1), duels(4, 30, seed=2)  # the same deal names in both

    assert composite.fit({"x": one, "y": other}).n_clusters == 60


def test_rate_splits_a_table_by_game(duels: Tables, villages: Tables) -> None:
    table: Any = pd.concat([duels(5, 60), villages(5, 60)], ignore_index=True)

    rated = composite.rate(table, seed=1, bootstrap=50)

    assert set(rated.meta["weights"]) == {"duel-v1/default", "werewolf-v1/five"}
    assert (rated.table["rating_lo"] < rated.table["rating_hi"]).all()
    with pytest.raises(ValueError, match="1 game"):
        composite.rate(duels(4, 20), bootstrap=0)


@pytest.mark.parametrize(
    ("options", "match"),
    [({"weights": {"shogi": 1.0}}, "shogi"), ({"weights": {"go": 0}}, "go"), ({"offset_sd": -1}, "offset_sd")],
)
def test_bad_options_are_named(pairs: Tables, options: dict[str, Any], match: str) -> None:
    with pytest.raises((ValueError, LookupError), match=match):
        composite.fit({"go": pairs(3, 50)}, **options)


def test_no_games_at_all() -> None:
    with pytest.raises(ValueError, match="at least one game"):
        composite.fit({})
