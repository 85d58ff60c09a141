"""Worlds drawn for search, and the linear value of states and answers."""

from __future__ import annotations

import json
from collections import Counter
from math import sqrt
from typing import Any

import pytest

import arena
from arena.core import Match, stream
from arena.core.canonical import canonical
from arena.games.avalon.bots import BOTS
from arena.games.avalon.game import Avalon
from arena.games.avalon.rules import GOOD_ROLES, ROLES
from arena.games.avalon.value import FEATURES, VALUE_FILE, guide, weights
from arena.games.avalon.worlds import draw_roles, world
from tests.games.avalon.tables import FIVE

PRESETS = sorted(Avalon.presets)


def known(match: Match, seat: str) -> str:
    """What the seat was told and may answer now; not what is played if it does not, which may be drawn."""
    view, ask = match.view(seat), match.pending().get(seat)
    return canonical(
        [[[e.kind, e.facts] for e in view.events], None if ask is None else [ask.name, ask.kind, ask.legal_set()]]
    )


@pytest.mark.parametrize(
    ("preset", "config"),
    [
        *((p, {}) for p in PRESETS),
        ("full7", {"lady": True, "evil_talk": True, "elicit_beliefs": "quest"}),
        ("p10", {"lady": True, "propose_first": True, "talk_every": "quest"}),
    ],
)
def test_a_drawn_world_looks_the_same_to_the_seat(preset: str, config: dict[str, Any]) -> None:
    for seed in range(3):
        match, rng = arena.match(f"avalon/{preset}", seed=seed, **config), stream(seed)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                if rng.random() < 0.06:
                    world = match.game.worlds(match.view(seat), rng)
                    assert world is not None
                    assert known(world, seat) == known(match, seat)
                if rng.random() < 0.1:
                    match.submit_fallback(seat)
                else:
                    match.submit(seat, ask.sample(rng))
        over = match.game.worlds(match.view("player_0"), rng)
        assert over is not None
        assert over.payoffs == match.payoffs


def test_a_drawn_world_does_not_know_the_seed_of_the_match() -> None:
    """Else search would foresee what is drawn for a seat that gives no answer."""
    match = arena.match("avalon/mute5", seed=1)
    (leader,) = match.pending()
    drawn = [world(match.game, match.view(leader), stream(s)) for s in range(60)]
    teams = {canonical(other.pending()[leader].fallback) for other in drawn}

    assert len(teams) == 10  # every pair of five


def test_worlds_are_uniform_over_what_is_left() -> None:
    """Servant 1 saw one fail of {2, 3}: 5 of the 6 pairs of others can be evil, and each pair can hold its two roles in
    2 ways, as the two good can. That leaves 20 layouts."""
    match = arena.match("avalon/mute5", seed=1, deal=["merlin", "servant", "servant", "assassin", "minion"])
    leader = next(iter(match.pending()))
    match.submit(leader, ["player_2", "player_3"])
    for seat in match.seats:
        match.submit(seat, "approve")
    match.submit("player_3", "fail")
    rng = stream(4)
    view = match.view("player_1")
    drawn = Counter(tuple(draw_roles(view, match.game.config.role_list(), rng).values()) for _ in range(8000))

    assert len(drawn) == 20
    assert all(cards[1] == "servant" for cards in drawn)
    assert all(abs(n - 400) < 4.5 * sqrt(400 * 0.95) for n in drawn.values())


def test_a_world_can_be_played_on() -> None:
    match = arena.match("avalon/full7", seed=9)
    rng = stream(9)
    for _ in range(30):
        for seat, ask in list(match.pending().items()):
            match.submit(seat, ask.sample(rng))
    seat = next(iter(match.pending()))
    world = match.game.worlds(match.view(seat), rng)
    assert world is not None
    while not world.done:
        for mover, ask in list(world.pending().items()):
            world.submit(mover, BOTS["bayes"](world.view(mover), ask, rng))
    assert world.payoffs


# --- value ----------------------------------------------------------------------------------------------------------


def test_the_value_file_is_complete_data() -> None:
    data = json.loads(VALUE_FILE.read_text(encoding="utf-8"))

    assert list(data["features"]) == list(FEATURES)
    assert {side: list(own) for side, own in weights().items()} == {"good": list(FEATURES), "evil": list(FEATURES)}
    assert set(data["guides"]) == set(ROLES)
    assert all(question.endswith("?") for role in ROLES for question in guide(role))


def test_features_have_a_fixed_length_and_follow_from_the_view() -> None:
    for preset in ("mute5", "full10"):
        match, rng = arena.match(f"avalon/{preset}", seed=3), stream(3)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                view, answer = match.view(seat), ask.sample(rng)
                features = match.game.features(view, answer)
                assert features is not None
                assert len(features) == len(FEATURES) + 9
                progress = match.game.progress(view)
                assert progress is not None
                assert 0 < progress < 1
                match.submit(seat, answer)
        assert [match.game.progress(match.view(s)) for s in match.seats] == list((match.payoffs or {}).values())


def test_the_value_prefers_what_a_side_wants() -> None:
    match = arena.match("avalon/mute5", seed=1, deal=FIVE, first_leader=0)
    game, merlin, assassin = match.game, match.view("player_0"), match.view("player_3")
    clean, spoilt = ["player_0", "player_1"], ["player_0", "player_3"]
    before = game.progress(merlin), game.progress(assassin)

    assert (game.score(merlin, clean) or 0) > (game.score(merlin, spoilt) or 0)
    match.submit("player_0", spoilt)
    assert (game.score(merlin, "reject") or 0) > (game.score(merlin, "approve") or 0)
    assert (game.score(assassin, "approve") or 0) > (game.score(assassin, "reject") or 0)
    for seat in match.seats:
        match.submit(seat, "approve")
    assert (game.score(assassin, "fail") or 0) > (game.score(assassin, "success") or 0)
    match.submit("player_3", "fail")
    assert (game.progress(merlin) or 1) < (before[0] or 0)
    assert (game.progress(assassin) or 0) > (before[1] or 1)


def test_the_value_tells_winners_from_losers() -> None:
    """Half-way through matches of Bayes players, seats that will win are valued higher on average."""
    values: dict[float, list[float]] = {0.0: [], 1.0: []}
    for seed in range(60):
        match, rng = arena.match("avalon/mute5", seed=seed), stream(seed)
        half: dict[str, float] = {}
        while not match.done:
            for seat, ask in list(match.pending().items()):
                match.submit(seat, BOTS["bayes"](match.view(seat), ask, rng))
            if not half and sum(e.kind == "quest_result" for e in match.events) == 3:
                half = {s: match.game.progress(match.view(s)) or 0 for s in match.seats}
        for seat, value in half.items():
            values[(match.payoffs or {})[seat]].append(value)
    won, lost = (sum(values[x]) / len(values[x]) for x in (1.0, 0.0))

    assert won > lost + 0.2
    assert all(role in ROLES for role in GOOD_ROLES)
