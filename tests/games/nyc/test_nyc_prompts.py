"""What models read: short, complete for the seat, and never more than its view."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import arena
from arena.core import Match
from arena.core.seeds import stream
from arena.games.nyc.bots import BOTS
from arena.prompt import messages

PRESETS = ["nyc/small", "nyc/tiny", "nyc/midtown", "nyc/city", "nyc/city-talk"]


def words(text: str) -> int:
    return sum(any(char.isalnum() for char in word) for word in text.split())


def asked(match: Match, blue: str = "bayes-open") -> Iterator[tuple[str, str, str]]:
    """(seat, ask's name, last message) of every ask of a match by scripted players."""
    streams = {seat: stream(match.seed, seat) for seat in match.seats}
    while not match.done:
        for seat, ask in dict(match.pending()).items():
            view = match.view(seat)
            yield seat, ask.name, view.messages()[-1]["content"]
            bot = BOTS[blue if match.roles[seat] == "blue" else "greedy-red"]
            match.submit(seat, bot(view, ask, streams[seat]))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_rules_have_at_most_180_words(preset: str) -> None:
    for rate in (0, 50, 100):
        match = arena.match(preset, seed=1, announced_red_rate=rate)

        assert words(match.view("player_0").messages()[0]["content"]) <= 180


@pytest.mark.parametrize("preset", PRESETS[:4])
def test_a_move_ask_has_at_most_120_words(preset: str) -> None:
    longest = 0
    for seed in range(8):
        for _, name, text in asked(arena.match(preset, seed=seed)):
            if name == "move":
                longest = max(longest, words(text[text.index("You are at ") :]))

    assert 60 < longest <= 120


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("knowledge", ["signs", "full", "local"])
def test_every_template_renders_for_every_seat_at_every_ask(preset: str, knowledge: str) -> None:
    match = arena.match(preset, seed=5, map_knowledge=knowledge)
    rng = stream(5, "drawn")
    while not match.done:
        for seat, ask in dict(match.pending()).items():
            for memory in ("full", "window=1", "notes"):
                assert messages(match.view(seat), memory)[-1]["role"] == "user"
            if rng.random() < 0.1:
                match.submit_fallback(seat)
            else:
                match.submit(seat, ask.sample(rng))
    for seat in match.seats:
        assert match.view(seat).messages()[0]["role"] == "system"


def test_what_a_seat_must_know_stands_in_its_first_prompt_and_stays_when_memory_is_short() -> None:
    match = arena.match("nyc/small", seed=3)
    deal = match.events[0].facts
    names, trip = deal["names"], deal["trips"]["player_0"]
    for memory in ("full", "window=0", "notes"):
        blue = "\n".join(m["content"] for m in messages(match.view("player_0"), memory))
        red = "\n".join(m["content"] for m in messages(match.view("player_3"), memory))

        assert f"You are {names['player_0']}, a Blue." in blue
        assert f"to {deal['places'][trip['destination']]} within {trip['deadline']} minutes" in blue
        assert f"You are {names['player_3']}, a Red. The other Reds: {names['player_4']}." in red
        assert "50% of those met are Red" in blue and "50% of those met are Red" in red


def test_the_map_is_read_only_under_full() -> None:
    def first_prompt(knowledge: str) -> str:
        return "\n".join(
            m["content"]
            for m in arena.match("nyc/small", seed=3, p_meet=0, map_knowledge=knowledge).view("player_0").messages()
        )

    assert "Streets and minutes:" in first_prompt("full") and "Billboards you know:" in first_prompt("full")
    assert "Streets and minutes:" not in first_prompt("signs") + first_prompt("local")
    assert "that way" in first_prompt("signs") and "that way" not in first_prompt("local")


@pytest.mark.parametrize("preset", PRESETS)
def test_no_prompt_holds_a_seat_or_the_truth(preset: str) -> None:
    for seed in range(2):
        for _, _, text in asked(arena.match(preset, seed=seed)):
            assert "player_" not in text and "regret" not in text


def test_p_red_is_asked_after_a_tip_and_only_then() -> None:
    for seed in range(3):
        match = arena.match("nyc/midtown", seed=seed)
        for seat, name, text in asked(match):
            if name == "move":
                view = match.view(seat)
                tip, place = view.last("tip"), view.last("place")
                fresh = bool(tip and place and tip["round"] == place["round"])
                assert ('- "p_red": integer from 0 to 100' in text) == fresh
                assert ("is Red, in percent" in text) == fresh


def test_claims_are_the_engines_words_and_the_text_is_the_persons() -> None:
    match = arena.match("nyc/midtown", seed=1, p_meet=100, red_rate=100)
    for seat in dict(match.pending()):
        go = match.view(seat).of_kind("meeting")[0].facts["options"][0]["place"]
        match.submit(seat, {"go": go, "text": "Trust me", "boards": "clear", "fastest": "no"})
    served = next(seat for seat in ("player_0", "player_1", "player_2") if match.view(seat).last("tip"))
    tip = match.view(served).last("tip") or {}
    text = match.view(served).messages()[-1]["content"]

    assert f"{tip['adviser']} points to {tip['go']}, claims clear, claims not fastest, and says:\n| Trust me\n" in text
