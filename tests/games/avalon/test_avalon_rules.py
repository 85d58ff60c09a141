"""Avalon's rules as pure functions, and its configuration."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import pytest

import arena
from arena.core import ConfigError
from arena.games.avalon.config import AvalonConfig
from arena.games.avalon.game import Avalon
from arena.games.avalon.rules import (
    EVIL_SEATS,
    TEAM_SIZES,
    Ending,
    ending,
    fails_needed,
    is_approved,
    known_sides,
    prior,
    role_list,
    side,
    sight,
    specials,
)

FLAGS = ("merlin", "percival", "morgana", "mordred", "oberon")

# Who is shown to whom, role by role, written down from the rulebook apart from the code.
SHOWN = {
    "merlin": {"assassin", "minion", "morgana", "oberon"},
    "percival": {"merlin", "morgana"},
    "assassin": {"assassin", "minion", "morgana", "mordred"},
    "minion": {"assassin", "minion", "morgana", "mordred"},
    "morgana": {"assassin", "minion", "morgana", "mordred"},
    "mordred": {"assassin", "minion", "morgana", "mordred"},
}


def legal_configs(*players: int) -> Iterator[AvalonConfig]:
    for n, *flags in product(players, *[(False, True)] * len(FLAGS)):
        try:
            yield AvalonConfig.make({"players": n, **dict(zip(FLAGS, flags, strict=True))})
        except ConfigError:
            continue


def layouts(cards: list[str]) -> set[tuple[str, ...]]:
    """Every different deal of the cards; equal cards are placed once."""
    if len(set(cards)) == 1:
        return {tuple(cards)}
    return set(permutations(cards)) if len(cards) <= 6 else set(_deals(tuple(sorted(cards))))


def _deals(cards: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not cards:
        yield ()
    for card in sorted(set(cards)):
        i = cards.index(card)
        yield from ((card, *rest) for rest in _deals(cards[:i] + cards[i + 1 :]))


@pytest.mark.parametrize(
    ("players", "evil", "sizes", "fails"),
    [
        (5, 2, (2, 3, 2, 3, 3), (1, 1, 1, 1, 1)),
        (6, 2, (2, 3, 4, 3, 4), (1, 1, 1, 1, 1)),
        (7, 3, (2, 3, 3, 4, 4), (1, 1, 1, 2, 1)),
        (8, 3, (3, 4, 4, 5, 5), (1, 1, 1, 2, 1)),
        (9, 3, (3, 4, 4, 5, 5), (1, 1, 1, 2, 1)),
        (10, 4, (3, 4, 4, 5, 5), (1, 1, 1, 2, 1)),
    ],
)
def test_the_table_of_the_box(players: int, evil: int, sizes: tuple[int, ...], fails: tuple[int, ...]) -> None:
    assert EVIL_SEATS[players] == evil
    assert TEAM_SIZES[players] == sizes
    assert fails_needed(players) == fails


@pytest.mark.parametrize(
    ("preset", "cards"),
    [
        ("bench5", "merlin servant servant assassin minion"),
        ("p6", "merlin servant servant servant assassin minion"),
        ("p7", "merlin servant servant servant assassin minion minion"),
        ("p10", "merlin servant servant servant servant servant assassin minion minion minion"),
        ("full5", "merlin percival servant assassin morgana"),
        ("full7", "merlin percival servant servant assassin morgana oberon"),
        ("full8", "merlin percival servant servant servant assassin morgana minion"),
        ("full10", "merlin percival servant servant servant servant assassin morgana mordred oberon"),
        ("resist5", "servant servant servant minion minion"),
    ],
)
def test_role_lists_of_the_presets(preset: str, cards: str) -> None:
    config = AvalonConfig.make(Avalon.presets[preset])

    assert config.role_list() == cards.split()


def test_every_legal_config_deals_as_many_good_and_evil_as_the_box() -> None:
    for config in legal_configs(*EVIL_SEATS):
        cards = config.role_list()

        assert len(cards) == config.players
        assert sum(side(card) == "evil" for card in cards) == EVIL_SEATS[config.players]
        assert ("assassin" in cards) == config.merlin


def test_sight_of_every_role_list_and_every_deal_of_five_to_seven_seats() -> None:
    """Merlin never sees Mordred, evil never sees Oberon, Percival sees both without telling them apart."""
    compared = 0
    for config in legal_configs(5, 6, 7):
        for cards in layouts(config.role_list()):
            roles = {f"player_{i}": card for i, card in enumerate(cards)}
            for seat, role in roles.items():
                shown = sight(roles, seat)
                if role not in SHOWN:
                    assert shown is None
                    continue
                assert shown is not None
                wanted = [s for s, r in roles.items() if s != seat and r in SHOWN[role]]
                assert list(shown.seen) == wanted
                label = {"merlin": "evil", "percival": "merlin"}.get(role, "evil")
                assert shown.label == ("merlin or morgana" if label == "merlin" and config.morgana else label)
                compared += 1
    assert compared > 50_000


def test_a_team_needs_more_than_half_of_all() -> None:
    assert [is_approved(k, 5) for k in range(6)] == [False, False, False, True, True, True]
    assert not is_approved(3, 6)
    assert is_approved(4, 6)


def test_endings() -> None:
    assert ending(0, 0, 5, merlin=True) == Ending("evil", "five_rejections")
    assert ending(2, 3, 0, merlin=True) == Ending("evil", "three_fails")
    assert ending(3, 2, 0, merlin=False) == Ending("good", "three_successes")
    assert ending(3, 2, 0, merlin=True) is None  # the assassin is to come
    assert ending(2, 2, 4, merlin=True) is None


def test_what_a_seat_can_be_sure_of() -> None:
    cards = role_list(7, *specials(True, True, True, True, False))
    roles = dict(zip("abcdefg", cards, strict=True))  # merlin percival servant servant assassin morgana mordred

    assert known_sides(roles, "a") == {"e": "evil", "f": "evil"}  # a Mordred may be anybody else
    assert known_sides(roles, "b") == {}
    assert known_sides(roles, "c") == {}
    assert known_sides(roles, "g") == {"e": "evil", "f": "evil", "a": "good", "b": "good", "c": "good", "d": "good"}


def test_prior_beliefs_count_what_is_left() -> None:
    cards = role_list(7, *specials(True, True, True, False, True))
    roles = dict(zip("abcdefg", cards, strict=True))  # merlin percival servant servant assassin morgana oberon

    assert prior(roles, "a") == {"b": 0, "c": 0, "d": 0, "e": 100, "f": 100, "g": 100}
    assert prior(roles, "b") == {"a": 50, "c": 50, "d": 50, "e": 50, "f": 50, "g": 50}
    assert prior(roles, "c") == {"a": 50, "b": 50, "d": 50, "e": 50, "f": 50, "g": 50}
    assert prior(roles, "e") == {"a": 20, "b": 20, "c": 20, "d": 20, "f": 100, "g": 20}  # one unseen: Oberon
    assert prior(roles, "g") == {"a": 33, "b": 33, "c": 33, "d": 33, "e": 33, "f": 33}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"players": 4}, "players must be at least 5 and at most 10, not 4"),
        ({"players": 11}, "players must be at least 5 and at most 10, not 11"),
        ({"morgana": True}, "morgana: .* percival must be true"),
        ({"merlin": False, "percival": True}, "percival: .* merlin must be true"),
        ({"percival": True, "morgana": True, "mordred": True}, "mordred: 5 players have 2 evil seats"),
        ({"mordred": True, "oberon": True}, "oberon: 5 players have 2 evil seats"),
        ({"merlin": False, "evil_talk": True}, "evil_talk: without merlin"),
        ({"fifth_reject": "pass"}, "fifth_reject must be one of evil_wins, auto_pass"),
        ({"talk_every": "day"}, "talk_every must be one of proposal, quest"),
        ({"elicit_beliefs": "always"}, "elicit_beliefs must be one of none, quest"),
        ({"deal": ["merlin"] * 5}, "deal must hold exactly these roles"),
        ({"first_leader": 5}, "first_leader must be below 5"),
        ({"talkrounds": 1}, "there is no config field 'talkrounds'. Nearest: talk_rounds"),
    ],
)
def test_a_config_that_cannot_be_played_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        arena.match("avalon/p5", seed=1, **config)


def test_the_lady_with_few_seats_is_only_warned_of() -> None:
    with pytest.warns(UserWarning, match="meant for 7 or more players, not 5"):
        AvalonConfig.make({"players": 5, "lady": True})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AvalonConfig.make({"players": 7, "lady": True})


def test_the_deal_is_in_no_view() -> None:
    deal = ["minion", "assassin", "servant", "servant", "merlin"]
    match = arena.match("avalon/p5", seed=1, deal=deal, first_leader=2)

    assert not {"deal", "first_leader"} & match.rules.keys()
    assert list(match.roles.values()) == deal
    assert match.sides == {
        "player_0": "evil",
        "player_1": "evil",
        "player_2": "good",
        "player_3": "good",
        "player_4": "good",
    }


def test_deals_and_first_leaders_are_uniform_and_shared_by_paired_matches() -> None:
    leaders, merlins = [0] * 5, [0] * 5
    for seed in range(2000):
        match = arena.match("avalon/mute5", seed=seed)
        leaders[match.seats.index(match.events[0].facts["leader0"])] += 1
        merlins[list(match.roles.values()).index("merlin")] += 1
        if seed < 50:
            other = arena.match("avalon/mute5", seed=seed + 10_000, deal_seed=seed)
            assert other.roles == match.roles
            assert other.events[0] == match.events[0]
    for counts in (leaders, merlins):
        assert all(abs(count - 400) < 4 * 17.9 for count in counts)  # binomial: sd 17.9
