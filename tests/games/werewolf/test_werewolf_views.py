"""What seats read: their must-know facts, the rules as configured, nothing of others, and not too much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import arena
from arena.core import EVERYONE, Match, Spoken, Table, record, stream
from arena.core.canonical import canonical
from arena.games.werewolf.config import WerewolfConfig
from arena.games.werewolf.presets import PRESETS
from arena.prompt import messages
from arena.registry import make_game
from arena.run.transcript import transcript
from tests.games.werewolf.scripted import QUIET, names, random_match, start, step, until

# --- must-know facts --------------------------------------------------------------------------------------------

DEAL = "wolf wolf seer witch guard medium hunter villager villager villager possessed"


def told(match: Match, seat: str, memory: str = "full") -> str:
    return "\n".join(m["content"] for m in messages(match.view(seat), memory))


@pytest.mark.parametrize("index", range(11))
def test_every_role_reads_its_role_in_its_first_prompt(index: int) -> None:
    match = start(DEAL)

    assert f"Your role: {DEAL.split()[index]}." in told(match, f"player_{index}")


def test_wolves_read_their_fellows_and_nobody_else_does() -> None:
    match = start(DEAL)

    assert "Your fellow wolves: player_1." in told(match, "player_0")
    assert all("Your fellow" not in told(match, f"player_{i}") for i in range(2, 11))
    assert "You are alone." in told(start("wolf seer villager villager"), "player_0")
    assert "Your fellow mafia: player_2." in told(
        start("mafia doctor mafia villager villager", win="parity"), "player_0"
    )


def two_nights() -> Match:
    """A match in its second day: a kill, a check, a guard, a poison, an exile and a medium's result lie behind."""
    match = start(DEAL, rounds=1, vote_tie="none", win="parity", summaries=True)
    night = {"p0": "player_7", "p1": "player_7", "p2": "player_0", "p4": "player_2", "p3": {"act": "heal"}}
    for day in (1, 2):
        while "speech" not in {ask.name for ask in match.pending().values()}:
            asked = {seat.replace("player_", "p") for seat in match.pending()}
            step(match, **{p: answer for p, answer in night.items() if p in asked})
        until(match, "vote")
        if day == 1:
            step(match, p8="player_10")
            step(match, p3="I healed player_7.")
            night = {"p0": "player_8", "p1": "player_8", "p2": "player_1", "p4": "player_3"}
            night["p3"] = {"act": "poison", "target": "player_9"}
    return match


def test_a_shortened_memory_keeps_what_a_seat_must_know() -> None:
    match = two_nights()

    for memory in ("window=0", "window=1", "notes"):
        assert "Your role: wolf. Your fellow wolves: player_1." in told(match, "player_0", memory)
        assert "Night 0: you checked player_0. Result: wolf." in told(match, "player_2", memory)
        assert "Night 1: you checked player_1. Result: wolf." in told(match, "player_2", memory)
        assert "Night 0: you healed player_7. Your healing potion is used up." in told(match, "player_3", memory)
        assert "Night 1: you poisoned player_9. Your poison is used up." in told(match, "player_3", memory)
        assert "| I healed player_7." in told(match, "player_3", memory)
        assert "Night 1: you protected player_3." in told(match, "player_4", memory)
        assert "player_10, exiled the day before, was a human." in told(match, "player_5", memory)
        assert "player_10 is exiled on day 1." in told(match, "player_7", memory)
        assert "Dead this morning: player_8, player_9." in told(match, "player_7", memory)


# --- the rules text ---------------------------------------------------------------------------------------------

FULL = {"wolf": 2, "possessed": 1, "seer": 1, "medium": 1, "witch": 1, "guard": 1, "hunter": 1, "villager": 3}
OTHER: dict[str, Any] = {
    "names": "first_names",
    "first_night_kill": False,
    "first_night_seer": False,
    "wolf_decision": "revote",
    "wolf_order": "random",
    "wolf_tie": "none",
    "wolf_abstain": False,
    "wolf_self_kill": False,
    "wolf_chat": 3,
    "seer_info": "role",
    "guard_self": False,
    "guard_repeat": True,
    "guard_none": False,
    "guard_heal_clash": "saved",
    "witch_self_heal": "never",
    "witch_both": True,
    "witch_sees": False,
    "hunter_before_check": True,
    "hunter_poisoned_shoots": True,
    "speech": "talk",
    "rounds": 2,
    "show_intent": True,
    "last_words": True,
    "vote_mode": "sequential",
    "vote_self": False,
    "vote_abstain": False,
    "threshold": "majority",
    "vote_tie": "random",
    "reveal_role": "exile",
    "announce_cause": True,
    "win": "parity",
    "max_days": 9,
    "summaries": True,
    "compat_no_kill": True,
}
TALKING = {"talk_limit": 3, "talk_turns": 3, "max_skip": 4}
UNREAD = {"roles", "deal", "max_chars", "turns", "probe_votes", "elicit_beliefs", *TALKING}


def rules_text(**config: Any) -> str:
    match = arena.match("werewolf/makto9g", seed=1, roles=FULL, **config)
    return messages(match.view("player_0"))[0]["content"]


@pytest.mark.parametrize("field", OTHER)
def test_the_rules_text_follows_the_config(field: str) -> None:
    assert rules_text(**{field: OTHER[field]}) != rules_text()


@pytest.mark.parametrize("field", TALKING)
def test_the_rules_text_follows_the_config_of_talk(field: str) -> None:
    assert rules_text(speech="talk", **{field: TALKING[field]}) != rules_text(speech="talk")


def test_every_field_that_changes_the_rules_is_tested_here() -> None:
    assert {field["name"] for field in WerewolfConfig.describe()} == set(OTHER) | UNREAD


def test_the_rules_text_names_only_roles_of_the_match() -> None:
    text = messages(arena.match("werewolf/mini5", seed=1).view("player_0"))[0]["content"]

    assert not any(role in text for role in ("witch", "guard", "hunter", "medium", "possessed", "doctor"))


# --- templates and sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_every_prompt_renders_for_every_seat_at_every_ask(preset: str) -> None:
    match, rng = arena.match(f"werewolf/{preset}", seed=2), stream("views", preset)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            if len(match.turns) < 150 or len(match.turns) % 25 == 0:
                assert messages(match.view(seat), "window=2")[-1]["role"] == "user"
            match.submit(seat, ask.sample(rng))
    for seat in match.seats:
        assert "The game is over:" in told(match, seat)


BUDGET = {"full": 40_000, "window=4": 20_000, "window=1": 14_000, "window=0": 10_000, "notes": 11_000}


def test_prompts_of_a_nine_seat_match_stay_within_their_budget() -> None:
    """Characters by memory, as the README states them; every speech at its full 600, notes too."""
    largest = dict.fromkeys(BUDGET, 0)
    for seed in range(4):
        match, rng = arena.match("werewolf/makto9g", seed=seed), stream("sizes", seed)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                for memory in BUDGET:
                    read = messages(match.view(seat), memory, notes="x" * 600)
                    largest[memory] = max(largest[memory], sum(len(message["content"]) for message in read))
                answer = ask.sample(rng)
                match.submit(seat, answer | {"text": Spoken("x" * 600)} if "speech" in ask.name else answer)

    assert all(BUDGET[memory] / 2 < size <= BUDGET[memory] for memory, size in largest.items()), largest


def test_the_rules_of_makto9g_take_at_most_seven_hundred_tokens() -> None:
    text = messages(arena.match("werewolf/makto9g", seed=1).view("player_0"))[0]["content"]

    assert len(text) // 4 <= 700


# --- no leaks ---------------------------------------------------------------------------------------------------


def reading(match: Match, seat: str) -> str:
    """All that a seat reads, as one text."""
    view = match.view(seat)
    asks = [exchange.ask.spec() for exchange in view.exchanges] + [view.ask.spec() if view.ask else None]
    return canonical([[e.kind, e.facts] for e in view.events]) + canonical(asks) + canonical(messages(view))


def pairs(preset: str, seeds: range) -> Iterator[tuple[str, Match, Match]]:
    game, _ = make_game(f"werewolf/{preset}")
    for seed in seeds:
        seat = f"player_{seed % game.seat_count()}"
        for first, second in game.twins(seed, seat):
            yield seat, first, second


def full(match: Match) -> Match:
    """The same match with the engine's renderer."""
    return arena.match(record=record(match))


@pytest.mark.parametrize("preset", PRESETS)
def test_worlds_that_a_seat_cannot_tell_apart_read_the_same(preset: str) -> None:
    compared = differed = 0
    for seat, first, second in pairs(preset, range(8)):
        assert reading(full(first), seat) == reading(full(second), seat)
        compared += 1
        differed += canonical([[e.kind, e.facts] for e in first.events]) != canonical(
            [[e.kind, e.facts] for e in second.events]
        )

    assert compared >= 8
    assert differed >= compared // 2


@pytest.mark.long
@pytest.mark.parametrize("preset", PRESETS)
def test_many_worlds_that_a_seat_cannot_tell_apart_read_the_same(preset: str) -> None:
    for seat, first, second in pairs(preset, range(8, 208)):
        assert reading(full(first), seat) == reading(full(second), seat)


@pytest.mark.parametrize("preset", ["makto9g", "makto9h", "arena8", "aiwolf13"])
def test_twins_swap_roles_of_others_and_never_the_seat_s_own(preset: str) -> None:
    swapped = 0
    for seat, first, second in pairs(preset, range(20)):
        changed = [s for s in first.seats if first.roles[s] != second.roles[s]]
        assert seat not in changed
        assert len(changed) in (0, 2)
        swapped += len(changed) == 2

    assert swapped >= 10


LEAKS = {
    "checked": ("makto9g", "a seer's result"),
    "wolf_pick": ("makto9g", "a wolf's pick"),
    "whispered": ("aiwolf13", "wolves' talk"),
    "role": ("duel5", "a role"),
    "intent": ("makto9g", "the form of a speech"),
    "summary_kept": ("arena8", "a summary"),
    "believed": ("makto9g", "a belief"),
}


@pytest.mark.parametrize("kind", LEAKS)
def test_a_planted_leak_is_caught(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation check: told to everybody, each private kind of event makes some pair of worlds read differently."""
    honest = Table.tell

    def leaky(table: Table, to: Any, told_kind: str, **facts: Any) -> None:
        honest(table, EVERYONE if told_kind == kind else to, told_kind, **facts)

    monkeypatch.setattr(Table, "tell", leaky)
    preset, what = LEAKS[kind]
    game, _ = make_game(f"werewolf/{preset}", {"elicit_beliefs": True})
    caught = 0
    for seed in range(30):
        seat = f"player_{seed % game.seat_count()}"
        for first, second in game.twins(seed, seat):
            views = [[[e.kind, e.facts] for e in match.view(seat).events] for match in (first, second)]
            caught += canonical(views[0]) != canonical(views[1])

    assert caught, what


# --- records ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_a_record_gives_the_match_again(preset: str) -> None:
    match = random_match(arena.match(f"werewolf/{preset}", seed=9), 9)
    again = arena.match(record=record(match))

    assert again.payoffs == match.payoffs
    assert record(again)["record_hash"] == record(match)["record_hash"]


def test_paired_matches_share_the_deal_and_not_the_rest() -> None:
    first = arena.match("werewolf/arena8", seed=1, deal_seed=7)
    second = arena.match("werewolf/arena8", seed=2, deal_seed=7)

    assert first.roles == second.roles
    assert first.names == second.names
    assert first.roles != arena.match("werewolf/arena8", seed=1, deal_seed=8).roles


def test_phases_are_named_by_night_and_day() -> None:
    match = start("wolf seer villager villager", rounds=0, vote_tie="none", win="parity")
    phases = []
    for _ in range(3):
        until(match, "vote")
        phases.append(match.game.phase_name(len(match.turns), match.events))
        step(match)
        phases.append(match.game.phase_name(len(match.turns), match.events))

    assert phases == ["D1", "N1", "D2", "N2", "D3", "N3"]
    assert match.game.phase_name(0, match.events[:3]) == "N0"


def test_a_transcript_tells_every_wolf_s_pick_and_whisper() -> None:
    """The first wolf's own were missing: its template tells it nothing of what it did itself."""
    match = start("wolf wolf seer villager villager villager villager", wolf_chat=1, **QUIET)
    while "whisper" in names(match).values():
        (wolf,) = match.pending()
        match.submit(wolf, f"I am {wolf}.")
    step(match, p0="player_4")
    step(match, p1="player_5")
    lines = list(transcript(match))

    for wolf, victim in (("player_0", "player_4"), ("player_1", "player_5")):
        assert f"[player_0, player_1] {wolf} picks {victim} as the victim of night 0." in lines
        assert f"[player_0, player_1] {wolf} says in private:" in lines
        assert f"[player_0, player_1] | I am {wolf}." in lines
        assert f"{wolf} picks {victim} as the victim of night 0." in list(transcript(match, view="player_0"))
    assert not any("picks" in line for line in transcript(match, view="player_2"))


def test_a_transcript_calls_seats_by_the_names_that_the_table_reads() -> None:
    deal = "wolf wolf seer villager villager villager villager"
    match = start(deal, win="parity", names="first_names", summaries=True, **QUIET)
    step(match, p0="player_4")
    step(match, p1="player_4")
    called = match.names
    lines = list(transcript(match))
    until(match, "summary")
    step(match, p0="Vote for the seer.")
    later = list(transcript(match))

    both = f"[{called['player_0']}, {called['player_1']}]"
    assert f"{both} {called['player_0']} picks {called['player_4']} as the victim of night 0." in lines
    assert not any("player_" in line for line in lines)
    assert f"[{called['player_0']}] | Vote for the seer." in later
    assert f"[{called['player_1']}] You wrote no summary of day 1." in later
