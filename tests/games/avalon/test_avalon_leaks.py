"""No seat can tell apart two worlds that the rules do not let it tell apart."""

from __future__ import annotations

from typing import Any

import pytest

import arena
from arena.core import Match, Rng, stream
from arena.core.canonical import canonical
from arena.games.avalon.game import Avalon
from arena.registry import make_game
from arena.testing.leaks import everything

PRESETS = sorted(Avalon.presets)
# What the presets leave out: an order, a channel, a secret that only a setting turns on.
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("p7", {"lady": True, "elicit_beliefs": "quest"}),
    ("full10", {"lady": True, "evil_talk": True, "talk_rounds": 0}),
    ("full7", {"evil_talk": True, "elicit_beliefs": "quest", "talk_every": "quest"}),
    ("full5", {"propose_first": True, "fifth_reject": "auto_pass", "talk_rounds": 2}),
]

# Deals that differ in two seats, and a seat that knows nothing of either.
SWAPS = [
    ("mute5", ["merlin", "servant", "servant", "assassin", "minion"], (1, 3), "player_2"),  # servant, assassin
    ("mute5", ["merlin", "servant", "servant", "assassin", "minion"], (1, 4), "player_2"),  # servant, minion
    ("mute5", ["merlin", "servant", "servant", "assassin", "minion"], (0, 1), "player_2"),  # Merlin, servant
    ("mute5", ["merlin", "servant", "servant", "assassin", "minion"], (3, 4), "player_0"),  # seen by Merlin
    ("mute5", ["merlin", "servant", "servant", "assassin", "minion"], (0, 2), "player_4"),  # good, by evil
    ("full5", ["merlin", "percival", "servant", "assassin", "morgana"], (0, 4), "player_1"),  # seen by Percival
    ("full7", ["merlin", "percival", "servant", "servant", "assassin", "morgana", "oberon"], (2, 6), "player_4"),
    ("full7", ["merlin", "percival", "servant", "servant", "assassin", "morgana", "oberon"], (0, 4), "player_6"),
]


def seen(match: Match, seat: str) -> str:
    return canonical(everything(match, seat))


def step(match: Match, rng: Rng) -> None:
    """Answer all that is open, alike in worlds that look alike to the public: cards are successes."""
    for seat, ask in list(match.pending().items()):
        if ask.name == "quest":
            match.submit(seat, "success")
        elif ask.name == "propose":
            match.submit(seat, ask.fallback)
        elif ask.name == "team_vote":
            votes = sum(event.kind == "ballots" for event in match.events)
            match.submit(seat, "approve" if (votes + int(seat[-1])) % 3 else "reject")
        else:
            match.submit(seat, ask.sample(rng))


@pytest.mark.parametrize(("preset", "deal", "swap", "seat"), SWAPS)
def test_swapping_two_seats_that_a_third_knows_nothing_of_changes_nothing_it_reads(
    preset: str, deal: list[str], swap: tuple[int, int], seat: str
) -> None:
    other = list(deal)
    i, j = swap
    other[i], other[j] = deal[j], deal[i]
    a, b = (arena.match(f"avalon/{preset}", seed=6, deal=d, talk_rounds=0, first_leader=0) for d in (deal, other))

    quests = 0
    while quests < 2:
        # Only one of the worlds may have evil on the team; its cards come out before the views are compared.
        for match in (a, b):
            if "quest" in {ask.name for ask in match.pending().values()}:
                step(match, stream(1))
        assert seen(a, seat) == seen(b, seat)
        for match in (a, b):
            step(match, stream(2))
        quests = sum(e.kind == "quest_result" for e in a.events)
    assert a.roles != b.roles


@pytest.mark.parametrize(("preset", "config"), [*((p, {}) for p in PRESETS), *SETTINGS])
def test_generated_twins_look_alike_and_differ(preset: str, config: dict[str, Any]) -> None:
    game, _ = make_game(f"avalon/{preset}", config)
    reached, differed = set(), 0
    for seed in range(6):
        for number in range(game.seat_count()):
            seat = f"player_{number}"
            for a, b in game.twins(seed, seat):
                assert seen(a, seat) == seen(b, seat), f"twins({seed}, {seat!r})"
                differed += a.roles != b.roles
                assert not a.done
                reached |= {ask.name for ask in a.pending().values()}
    assert len(reached) > 1  # pairs stop at different asks
    assert differed >= (6 * game.seat_count() if preset != "resist5" else 10)  # its minions know all roles


def test_private_words_of_one_seat_stand_in_no_other_prompt() -> None:
    """Cards, forms and beliefs carry marks that must not turn up elsewhere."""
    match = arena.match("avalon/full7", seed=2, elicit_beliefs="quest", evil_talk=True)
    rng = stream(2)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            answer = ask.sample(rng)
            if ask.name == "speech":
                suspicion = {s: 43 for s in match.seats if s != seat}
                answer = {"text": "hm", "suspicion": suspicion, "claim": "oberon", "intended_vote": "reject"}
            elif ask.name == "beliefs":
                answer = {field: dict.fromkeys(given, 57) for field, given in answer.items()}
            elif ask.name == "team_vote":
                answer = "approve"
            elif ask.name == "quest":
                answer = "success"
            elif ask.name == "evil_talk":
                answer = f"secret of {seat}"
            match.submit(seat, answer)

    for seat in match.seats:
        read = match.view(seat).messages()
        theirs = "".join(m["content"] for m in read if m["role"] == "user")
        assert "43" not in theirs
        assert "57" not in theirs
        hears = match.roles[seat] in ("assassin", "morgana")
        assert ("secret of" in theirs) == hears
        kinds = {event.kind for event in match.view(seat).events}
        assert not kinds & {"cards", "believed"}
        assert {e.facts["speaker"] for e in match.view(seat).events if e.kind == "intent"} == {seat}


def test_order_of_names_never_shows_a_role() -> None:
    """Percival is shown his two in seat order, whoever is Merlin."""
    for deal in (["morgana", "merlin"], ["merlin", "morgana"]):
        cards = [deal[0], "percival", deal[1], "servant", "assassin"]
        match = arena.match("avalon/full5", seed=1, deal=cards)
        told = next(e.facts for e in match.view("player_1").events if e.kind == "sight")

        assert told == {"seen": ["player_0", "player_2"], "label": "merlin or morgana"}
