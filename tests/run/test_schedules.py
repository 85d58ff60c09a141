"""Who meets whom: balance, pairing, determinism, and plans that longer runs extend."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core.errors import UnknownName, UsageError
from arena.run.plan import make_plan
from arena.run.runfile import settings_of
from arena.run.schedules import Block, Field, find_schedule


def _blocks(kind: str, agents: int, slots: int, matches: int, seed: int = 1) -> list[Block]:
    names = tuple(f"a{i}" for i in range(agents))
    field = Field(tuple(f"player_{i}" for i in range(slots)), names, matches, seed)
    return find_schedule(kind).batch(field, []) or []


@given(agents=st.integers(2, 8), matches=st.integers(1, 80))
def test_paired_blocks_swap_the_seats_on_one_deal(agents: int, matches: int) -> None:
    blocks = _blocks("paired", agents, 2, matches)

    assert sum(len(b.seatings) for b in blocks) in (matches, matches + 1)
    assert [b.deal for b in blocks] == list(range(len(blocks)))
    for block in blocks:
        first, second = block.seatings
        assert (first["player_0"], first["player_1"]) == (second["player_1"], second["player_0"])


@given(agents=st.integers(2, 8), whole=st.integers(1, 60))
def test_after_any_number_of_blocks_no_pair_is_more_than_one_block_ahead(agents: int, whole: int) -> None:
    pairs = Counter(frozenset(b.seatings[0].values()) for b in _blocks("paired", agents, 2, 2 * whole))

    counts = [pairs[frozenset((f"a{i}", f"a{j}"))] for i, j in combinations(range(agents), 2)]
    assert max(counts) - min(counts) <= 1


@given(agents=st.integers(2, 8), whole=st.integers(1, 60))
def test_after_any_number_of_blocks_every_agent_sat_equally_often_in_each_seat(agents: int, whole: int) -> None:
    sat = Counter(
        (seat, a) for b in _blocks("paired", agents, 2, 2 * whole) for s in b.seatings for seat, a in s.items()
    )

    assert all(sat["player_0", f"a{i}"] == sat["player_1", f"a{i}"] for i in range(agents))


@pytest.mark.parametrize("kind", ["paired", "round-robin"])
def test_a_game_of_many_seats_rotates_its_agents_through_all_of_them(kind: str) -> None:
    for block in _blocks(kind, 7, 5, 50):
        for slot in block.seatings[0]:
            assert len({seating[slot] for seating in block.seatings}) == 5


def test_more_seats_than_agents_are_filled_by_the_rotation() -> None:
    (block,) = _blocks("paired", 2, 5, 2)

    sat = Counter(agent for seating in block.seatings for agent in seating.values())
    assert sat == {"a0": 5, "a1": 5}


def test_random_draws_a_fresh_deal_for_every_match() -> None:
    blocks = _blocks("random", 4, 2, 30)

    assert [b.deal for b in blocks] == list(range(30))
    assert all(len(b.seatings) == 1 and len(set(b.seatings[0].values())) == 2 for b in blocks)


@pytest.mark.parametrize("kind", ["paired", "round-robin", "random"])
def test_a_schedule_is_a_function_of_its_seed_and_longer_ones_extend_shorter_ones(kind: str) -> None:
    assert _blocks(kind, 5, 2, 40) == _blocks(kind, 5, 2, 40)
    assert _blocks(kind, 5, 2, 60)[: len(_blocks(kind, 5, 2, 20))] == _blocks(kind, 5, 2, 20)


def test_an_unknown_schedule_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean paired"):
        find_schedule("pared")


def _plan(**values: object) -> list[tuple[str, int, dict[str, str]]]:
    settings = settings_of({"game": "kuhn", "seed": 1, "matches": 6, "agents": ["bot/tight", "bot/loose"]} | values)
    agents = [(None, name) for name in settings.agents]
    if "=" in settings.agents[0]:
        agents = [tuple(name.split("=", 1)) for name in settings.agents]  # type: ignore[misc]
    return [(p.deal_id, p.seed, dict(p.seating)) for p in make_plan(settings, agents)]


def test_paired_matches_share_the_deal_and_not_the_match_seed() -> None:
    (first_deal, first_seed, first), (second_deal, second_seed, second) = _plan()[:2]

    assert first_deal == second_deal
    assert first_seed != second_seed
    assert first == {"player_0": "bot/tight", "player_1": "bot/loose"}
    assert second == {"player_0": "bot/loose", "player_1": "bot/tight"}


def test_a_cross_table_plays_every_combination_on_one_deal_with_one_seed() -> None:
    agents = ["player_0=bot/tight", "player_0=bot/loose", "player_1=bot/nash", "player_1=bot/random"]

    plan = _plan(agents=agents, matches=8)

    cells = [tuple(seating.values()) for _, _, seating in plan[:4]]
    assert len(plan) == 8
    assert len(set(cells)) == 4
    assert len({(deal, seed) for deal, seed, _ in plan[:4]}) == 1


def test_a_pinned_seat_is_met_by_every_agent_on_every_deal() -> None:
    settings = settings_of(
        {"game": "kuhn", "seed": 1, "matches": 6, "agents": ["bot/tight", "bot/loose"]}
        | {"schedule": {"pin": {"player_1": "bot/nash"}}}
    )
    agents = [(None, "bot/tight"), (None, "bot/loose"), ("player_1", "bot/nash")]

    plan = [(p.deal_id, p.seed, dict(p.seating)) for p in make_plan(settings, agents)]

    assert settings.agents[-1] == "player_1=bot/nash"

    assert {seating["player_1"] for _, _, seating in plan} == {"bot/nash"}
    assert [seating["player_0"] for _, _, seating in plan] == ["bot/tight", "bot/loose"] * 3


def test_a_slot_without_an_agent_is_said() -> None:
    with pytest.raises(UsageError, match="no agent is named for player_1"):
        _plan(agents=["player_0=bot/tight", "player_0=bot/loose"])


def test_several_games_are_interleaved_in_proportion() -> None:
    games = [{"game": "kuhn", "matches": 8}, {"game": "leduc", "matches": 4}]
    settings = settings_of({"games": games, "seed": 1, "agents": ["bot/random", "bot/always"]})

    plan = make_plan(settings, [(None, "bot/random"), (None, "bot/always")])

    names = [p.game for p in plan]
    assert Counter(names) == {"kuhn-v1": 8, "leduc-v1": 4}
    assert Counter(names[:6]) == {"kuhn-v1": 4, "leduc-v1": 2}
    assert [p.number for p in plan] == list(range(1, 13))
