"""ResponseGraphUCB: it plays where it is not yet sure, until every edge is resolved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from arena.core.errors import UsageError
from arena.core.seeds import stream
from arena.run.response_graph import clopper_pearson, graph_of, hoeffding
from arena.run.schedules import BlockResult, Field
from tests.run.worlds import Pay, field_of, play, stop_of

WINS = {("x", "u"): 0.9, ("x", "v"): 0.2, ("y", "u"): 0.3, ("y", "v"): 0.85}  # noisy matching pennies


def bernoulli(seed: int) -> Pay:
    """The first seat wins with the chance that WINS gives; payoffs on some scale, since scores are what counts."""

    def pay(seating: Mapping[str, str], deal: int) -> dict[str, float]:
        won = stream(seed, deal).random() < WINS[seating["player_0"], seating["player_1"]]
        return {"player_0": 7.0 * won, "player_1": 7.0 - 7.0 * won}

    return pay


def pennies(matches_: int, **options: Any) -> Field:
    own = {"player_0": ("x", "y"), "player_1": ("u", "v")}
    return replace(field_of(4, matches_, goal="edges", **options), own=own)


def means(results: Sequence[BlockResult]) -> dict[tuple[str, ...], float]:
    """The mean payoff of the first seat in each profile."""
    paid: dict[tuple[str, ...], list[float]] = {}
    for block, (payoffs,), _ in results:
        paid.setdefault(tuple(block.seatings[0].values()), []).append((payoffs or {})["player_0"])
    return {profile: sum(values) / len(values) for profile, values in paid.items()}


@pytest.mark.parametrize("stop", ["matches", "anytime"])
def test_a_bernoulli_game_is_resolved_with_the_right_signs(stop: str) -> None:
    field = pennies(2000, stop=stop)

    results = play("adaptive", field, bernoulli(1))

    end, mean = stop_of("adaptive", field, results), means(results)
    assert (end.rule, end.why) == ("edges", "all 4 edges of the response graph are resolved")
    assert len(results) < 400
    assert mean["x", "u"] > mean["y", "u"]
    assert mean["x", "v"] < mean["y", "v"]
    assert mean["x", "u"] > mean["x", "v"]
    assert mean["y", "u"] < mean["y", "v"]


def test_an_interval_that_holds_at_all_times_asks_for_more_deals() -> None:
    fixed, anytime = (len(play("adaptive", pennies(2000, stop=s), bernoulli(2))) for s in ("matches", "anytime"))

    assert fixed < anytime


def test_rock_paper_scissors_is_resolved_pair_by_pair() -> None:
    names = ("rock", "paper", "scissors")
    beats = {("paper", "rock"), ("scissors", "paper"), ("rock", "scissors")}

    def pay(seating: Mapping[str, str], deal: int) -> dict[str, float]:
        first, second = seating["player_0"], seating["player_1"]
        surely = 0.95 if "rock" in (first, second) else 0.75  # scissors against paper is the hard one
        won = float((stream(deal, first).random() < surely) == ((first, second) in beats))
        return {"player_0": won, "player_1": 1 - won}

    field = replace(field_of(3, 2000, goal="edges"), agents=names)
    results = play("adaptive", field, pay)

    deals = Counter(frozenset(r.block.seatings[0].values()) for r in results)
    assert stop_of("adaptive", field, results).rule == "edges"
    assert all(len(r.block.seatings) == 2 for r in results)
    assert deals[frozenset({"paper", "scissors"})] > 1.5 * max(deals[frozenset({"rock", n})] for n in names[1:])


def test_a_run_that_ends_before_its_edges_are_resolved_says_so() -> None:
    field = pennies(12)

    end = stop_of("adaptive", field, play("adaptive", field, bernoulli(1)))

    assert (end.rule, end.value) == ("matches", 4)
    assert end.why == "all planned matches are played: 12; 4 of 4 edges of the response graph are not resolved"


def test_a_side_is_a_population_of_all_agents() -> None:
    field = replace(field_of(3, 100, goal="edges"), sided=True)

    apart, mirrors = graph_of(field), graph_of(replace(field, options={"no_model_on_both_sides": False}))

    assert len(apart.profiles) == 6
    assert len(mirrors.profiles) == 9
    assert len(mirrors.edges) == 2 * 3 * 3
    assert all(sum(a != b for a, b in zip(*(mirrors.profiles[i] for i, _ in edge), strict=True)) == 1
               for edge in mirrors.edges)  # fmt: skip


def test_what_edges_cannot_mean_is_refused() -> None:
    with pytest.raises(UsageError, match="here are 5 seats"):
        graph_of(field_of(3, 100, slots=5))
    with pytest.raises(UsageError, match="28 profiles at least once; the matches allow 20"):
        graph_of(field_of(8, 40))
    with pytest.raises(UsageError, match="looks for no best agent"):
        graph_of(field_of(3, 40, stop="p_top1"))


def test_intervals_by_hand() -> None:
    assert hoeffding(25, 50, 0.01) == pytest.approx((0.5 - 0.23018, 0.5 + 0.23018), abs=1e-5)
    assert clopper_pearson(5, 10, 0.05) == pytest.approx((0.18709, 0.81291), abs=1e-5)
    assert clopper_pearson(0, 10, 0.05) == pytest.approx((0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10, 0.05) == pytest.approx((0.025**0.1, 1))
