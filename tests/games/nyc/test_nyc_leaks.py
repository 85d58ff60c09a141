"""Section 12.5: no seat learns a colour, a trip, a seat or a control by anything but play."""

from __future__ import annotations

from typing import Any

import pytest

import arena
from arena.core import Event, Match
from arena.core.canonical import canonical
from arena.core.seeds import stream
from arena.prompt import messages
from arena.registry import make_game

PRESETS = ["nyc/small", "nyc/tiny", "nyc/midtown", "nyc/city", "nyc/city-talk"]


def everything(match: Match, seat: str) -> str:
    """All that a seat has: events with their audiences, rules, prompt, ask."""
    match.renderer = messages
    view = match.view(seat)
    events: list[Any] = [[e.audience, e.kind, e.facts] for e in view.events]
    return canonical([events, view.rules, view.messages(), view.ask.spec() if view.ask else None])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_seat_cannot_see_which_colour_a_name_belongs_to(preset: str) -> None:
    game, _ = make_game(preset)
    compared = other_colour = 0
    for seed in range(8):
        for seat in [f"player_{i}" for i in range(game.seat_count())]:
            for a, b in game.twins(seed, seat):
                assert everything(a, seat) == everything(b, seat), (seed, seat)
                compared += 1
                colours = [
                    {name: m.events[0].facts["colours"][s] for s, name in m.events[0].facts["names"].items()}
                    for m in (a, b)
                ]
                other_colour += any(colours[0][name] != colours[1][name] for name in colours[0])

    assert compared >= 0.8 * 8 * game.seat_count()
    assert other_colour >= 6


def test_twins_speak_through_a_name_that_is_red_in_one_world_and_blue_in_the_other() -> None:
    game, _ = make_game("nyc/small")
    heard = 0
    for seed in range(30):
        for a, b in game.twins(seed, "player_1"):
            tips = [e.facts["adviser"] for e in a.view("player_1").events if e.kind == "tip"]
            seats = [{name: s for s, name in m.events[0].facts["names"].items()} for m in (a, b)]
            heard += any((seats[0][tip] < "player_3") != (seats[1][tip] < "player_3") for tip in tips)

    assert heard >= 8


@pytest.mark.parametrize("preset", PRESETS)
def test_every_fact_after_the_first_goes_to_one_seat_or_to_the_log(preset: str) -> None:
    match = arena.match(preset, seed=3)
    rng = stream(3, "drawn")
    while not match.done:
        for seat, ask in dict(match.pending()).items():
            match.submit(seat, ask.sample(rng))

    for event in match.events:
        assert event.audience in ("*", "-") or len(event.audience) == 1
        assert (event.audience == "*") == (event.kind in ("players", "world"))
        assert (event.audience == "-") == (event.kind == "truth")
        if event.audience != "-":
            assert "player_" not in canonical(event.facts)


def test_a_blue_cannot_read_the_controls_off_its_rules_or_its_first_prompt() -> None:
    open_ = arena.match("nyc/small", seed=3, announced_red_rate=50, p_meet=0)
    for control in ({"mute": True}, {"no_red": True}, {"red_rate": 0}, {"red_rate": 100}):
        other = arena.match("nyc/small", seed=3, announced_red_rate=50, p_meet=0, **control)

        assert not {"mute", "no_red", "red_rate", "names", "map_seed"} & other.rules.keys()
        for seat in ("player_0", "player_3"):
            assert everything(open_, seat) == everything(other, seat)


def test_without_an_announcement_the_rules_tell_the_true_rate() -> None:
    assert arena.match("nyc/small", seed=3, red_rate=30).rules["announced_red_rate"] == 30


@pytest.mark.parametrize("preset", ["nyc/small", "nyc/city-talk"])
def test_an_adviser_sees_the_same_in_a_muted_match(preset: str) -> None:
    def walked(mute: bool) -> Match:
        match = arena.match(preset, seed=8, mute=mute)
        while not match.done:
            for seat, ask in dict(match.pending()).items():
                rng = stream(8, seat, len(match.view(seat).exchanges))
                answer = ask.sample(rng)
                if ask.name == "move" and isinstance(answer, dict):
                    answer = {"to": answer["to"]} | ({"p_red": 50} if "p_red" in answer else {})
                    options = match.view(seat).of_kind("place")[-1].facts["options"]
                    answer["to"] = stream(8, seat, "to", len(match.view(seat).exchanges)).choice(options)["place"]
                match.submit(seat, answer)
        return match

    heard, muted = walked(False), walked(True)
    for seat in heard.seats:
        if heard.roles[seat] == "red":
            assert everything(heard, seat) == everything(muted, seat)


def test_no_seat_sees_another_ones_trip_unless_it_advises_it() -> None:
    match = arena.match("nyc/small", seed=5)
    rng = stream(5, "drawn")
    while not match.done:
        for seat, ask in dict(match.pending()).items():
            match.submit(seat, ask.sample(rng))
    names = match.events[0].facts["names"]

    def told_of_others(event: Event, seat: str) -> bool:
        return "destination" in event.facts and event.kind not in ("place", "briefing", "meeting")

    for seat in match.seats:
        own = {names[t.seat] for t in match.turns if t.seat == seat}
        assert not any(told_of_others(event, seat) for event in match.view(seat).events)
        assert all(event.facts["traveller"] not in own for event in match.view(seat).of_kind("meeting"))
