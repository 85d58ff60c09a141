"""Networks: what links pay, what a node sees and a governor opens, how links form."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import arena
from arena.core import IllegalAnswer, Match

Play = Callable[..., Match]
C, D = "cooperate", "defect"


def test_payoffs_sum_over_links(play_rounds: Play) -> None:
    ring = play_rounds("matrix/pd_network", [(C, C, C, D, C, C)])
    path = play_rounds("matrix/ipd", [(C, D, C, C)], network="given", n=4, edges=[[0, 1], [2, 1]])

    assert list((ring.payoffs or {}).values()) == [6, 6, 3, 10, 3, 6]
    assert list((path.payoffs or {}).values()) == [0, 10, 0, 0]  # player_3 has no link


def test_a_random_network_comes_from_the_deal_and_is_told() -> None:
    def edges(seed: int, deal_seed: int) -> Any:
        match = arena.match("matrix/pd_network", seed=seed, deal_seed=deal_seed, network="random", n=8)
        return match.view("player_0").events[0].facts["edges"]

    assert edges(1, 9) == edges(2, 9) != edges(2, 10)


def governed(opened: list[list[str]], profiles: list[list[str]]) -> Match:
    """`network_pd` with the governor opening these nodes and the nodes playing these actions, round by round."""
    match = arena.match("matrix/network_pd", seed=1, rounds=len(profiles))
    for nodes, profile in zip(opened, profiles, strict=True):
        match.submit("player_6", {"open": nodes})
        for i, action in enumerate(profile):
            match.submit(f"player_{i}", action)
    return match


def test_a_node_always_sees_its_own_action_and_payoff_and_no_more_when_closed() -> None:
    match = governed([[]], [[C, D, C, D, D, C]])

    assert match.view("player_0").last("round") == {"round": 1, "actions": {"player_0": C}, "payoffs": {"player_0": 3}}


def test_an_open_node_sees_its_neighbours_from_the_next_round_on() -> None:
    match = governed([["player_0"], []], [[C, D, C, D, D, C], [C, C, C, C, C, C]])

    first, second = (event.facts for event in match.view("player_0").of_kind("round"))

    assert first["actions"] == {"player_0": C, "player_1": D, "player_5": C}
    assert first["payoffs"] == {"player_0": 3, "player_1": 10, "player_5": 5 - 1 - 1}
    assert first["links"] == {"player_1": 0, "player_5": 3}
    assert second["actions"] == {"player_0": C}
    told = match.view("player_0").of_kind("visibility")
    assert [event.facts["open"] for event in told] == [True, False]


def test_a_closed_node_cannot_tell_worlds_of_equal_own_payoffs_apart() -> None:
    one = governed([["player_3"]] * 2, [[C, D, C, D, D, C], [C, C, D, D, C, C]])
    two = governed([["player_3"]] * 2, [[C, C, C, D, C, D], [C, C, C, D, D, C]])

    assert one.view("player_0").events == two.view("player_0").events
    assert one.view("player_3").events != two.view("player_3").events


def test_the_governor_sees_everything_and_gets_the_mean_of_the_nodes() -> None:
    match = governed([["player_3"]], [[C, D, C, D, D, C]])

    assert match.view("player_6").last("round")["actions"]["player_4"] == D  # type: ignore[index]
    nodes = [value for seat, value in (match.payoffs or {}).items() if seat != "player_6"]
    assert nodes == [3, 10, 0, 6, 6, 3]
    assert (match.payoffs or {})["player_6"] == pytest.approx(28 / 6)


def test_the_governor_cannot_open_more_nodes_than_its_budget() -> None:
    match = arena.match("matrix/network_pd", seed=1)

    with pytest.raises(IllegalAnswer):
        match.submit("player_6", {"open": ["player_0", "player_1", "player_2", "player_3"]})
    assert match.submit_fallback("player_6") == {"open": []}


def test_sight_of_own_links_shows_what_each_of_them_paid(play_rounds: Play) -> None:
    match = play_rounds("matrix/pd_network", [(C, D, C, C, C, C)], visibility="own")

    own = match.view("player_0").last("round")

    assert own is not None
    assert own["actions"] == {"player_0": C}
    assert own["links"] == {"player_1": 0, "player_5": 3}


# --- links that form ------------------------------------------------------------------------------------------------


def formed(wanted: dict[str, list[str]], given_in: list[int], **config: Any) -> Match:
    match = arena.match("matrix/tompo", seed=1, **{"rounds": 1, "phases": 1, **config})
    for seat in match.seats:
        match.submit(seat, {"want": [f"player_{i}" for i in wanted.get(seat, ())]})
    for seat, amount in zip(match.seats, given_in, strict=True):
        match.submit(seat, amount)
    return match


def test_a_link_forms_only_where_both_want_it() -> None:
    match = formed({"player_0": ["1", "2"], "player_1": ["0"], "player_2": ["3"]}, [0, 0, 0, 0])

    assert match.view("player_3").last("links") == {"links": [["player_0", "player_1"]]}


def test_contributions_are_shared_among_linked_neighbours_and_links_cost() -> None:
    match = formed({"player_0": ["1"], "player_1": ["0", "2"], "player_2": ["1"]}, [10, 12, 0, 20])

    shares = {"player_0": 8.0, "player_1": 6.4}  # 1.6 x 10 / 2 and 1.6 x 12 / 3
    assert match.payoffs == {
        "player_0": 20 - 10 + shares["player_0"] + shares["player_1"] - 0.5,
        "player_1": pytest.approx(20 - 12 + shares["player_1"] + shares["player_0"] - 1.0),
        "player_2": pytest.approx(20 + shares["player_1"] - 0.5),
        "player_3": 20.0,  # without a link nothing is gained and nothing lost
    }


def test_all_linked_is_the_ordinary_public_goods_game_less_the_cost_of_links() -> None:
    everybody = {f"player_{i}": [str(j) for j in range(4) if j != i] for i in range(4)}

    assert formed(everybody, [20] * 4).payoffs == {f"player_{i}": 32 - 3 * 0.5 for i in range(4)}


def test_links_are_chosen_anew_in_each_phase(play: Play) -> None:
    rng = random.Random(0)

    match = play("matrix/tompo", lambda seat, ask: ask.sample(rng))

    at = [i for i, event in enumerate(match.events) if event.kind in ("links", "round")]
    order = "".join("L" if match.events[i].kind == "links" else "r" for i in at)
    assert order == "LrrrrrLrrrrr"
