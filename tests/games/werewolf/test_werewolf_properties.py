"""Invariants over generated configurations, checked against a second, simpler book-keeping of the log."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import arena
from arena.core import ConfigError, Match, Turn, stream
from arena.games.werewolf.config import WerewolfConfig

WOLVES = ("wolf", "mafia")
SEERS, GUARDS = ("seer", "detective"), ("guard", "doctor")


def roles() -> SearchStrategy[dict[str, int]]:
    few = {"possessed": 1, "seer": 2, "medium": 1, "witch": 2, "guard": 1, "doctor": 1, "hunter": 2, "detective": 1}
    others = st.fixed_dictionaries({}, optional={role: st.integers(0, n) for role, n in few.items()})
    return st.builds(
        lambda wolves, mafia, villagers, more: {"wolf": wolves, "mafia": mafia, "villager": villagers, **more},
        st.integers(0, 3),
        st.integers(0, 1),
        st.integers(0, 4),
        others,
    )


def choices(*names: str) -> dict[str, SearchStrategy[Any]]:
    flags = [f["name"] for f in WerewolfConfig.describe() if f["type"] == "true or false" and f["name"] not in names]
    return {name: st.booleans() for name in flags}


CONFIGS = st.fixed_dictionaries(
    {"roles": roles()},
    optional={
        **choices("compat_no_kill"),
        "names": st.sampled_from(["numbers", "first_names"]),
        "wolf_decision": st.sampled_from(["sequential", "single_random", "revote"]),
        "wolf_order": st.sampled_from(["index", "random"]),
        "wolf_tie": st.sampled_from(["last", "random", "none"]),
        "wolf_chat": st.integers(0, 2),
        "seer_info": st.sampled_from(["alignment", "role"]),
        "guard_heal_clash": st.sampled_from(["dies", "saved"]),
        "witch_self_heal": st.sampled_from(["never", "first_night", "always"]),
        "speech": st.sampled_from(["rotate", "shuffle", "bidding", "talk"]),
        "rounds": st.integers(0, 2),
        "turns": st.integers(0, 3),
        "talk_limit": st.integers(0, 3),
        "talk_turns": st.integers(0, 4),
        "max_skip": st.integers(0, 2),
        "vote_mode": st.sampled_from(["simultaneous", "secret", "sequential"]),
        "threshold": st.sampled_from(["plurality", "majority"]),
        "vote_tie": st.sampled_from(["none", "pk", "revote", "random"]),
        "reveal_role": st.sampled_from(["never", "exile", "death"]),
        "win": st.sampled_from(["parity", "side_kill", "all_dead"]),
        "max_days": st.integers(1, 6),
    },
)


def played(config: dict[str, Any], seed: int, lost: int = 0) -> Match:
    """A random match of this configuration; every `lost`-th answer is the fallback."""
    try:
        WerewolfConfig.make(config)
    except ConfigError:
        assume(False)
    match, rng = arena.match("werewolf/makto9g", seed=seed, **config), stream("properties", seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            if lost and len(match.turns) % lost == 0:
                match.submit_fallback(seat)
            else:
                match.submit(seat, ask.sample(rng))
    return match


class Books:
    """The log read once more: phases with who lived in them and which turns were taken there."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self.alive = list(match.seats)
        self.phases: list[tuple[str, int, list[str], list[Turn]]] = []
        night, turns = 0, list(match.turns)
        name, living = "night", list(self.alive)
        for position, event in enumerate(match.events):
            mine = [turn for turn in turns if turn.events <= position]
            turns = turns[len(mine) :]
            if self.phases and self.phases[-1][:2] == (name, night):
                self.phases[-1][3].extend(mine)
            else:
                self.phases.append((name, night, living, mine))
            facts = event.facts
            if event.kind == "night_resolved":
                self.alive = [s for s in self.alive if s not in facts["dead"]]
            elif event.kind == "dawn":
                name, living = "day", list(self.alive)
            elif event.kind == "exiled":
                self.alive = [s for s in self.alive if s != facts["seat"]]
                name, night, living = "night", night + 1, list(self.alive)
            elif event.kind == "shot":
                self.alive = [s for s in self.alive if s != facts["target"]]
                living[:] = self.alive  # the shot falls before the phase's first stage

    def holders(self, seats: list[str], *names: str) -> list[str]:
        return [seat for seat in seats if self.match.roles[seat] in names]


def asked(turns: list[Turn], name: str) -> Counter[str]:
    return Counter(turn.seat for turn in turns if turn.ask.name == name)


@given(CONFIGS, st.integers(0, 10**6))
@settings(max_examples=150)
def test_matches_end_pay_all_and_their_winner_follows_from_who_is_alive(config: dict[str, Any], seed: int) -> None:
    match = played(config, seed)
    books, roles_of = Books(match), match.roles
    over = match.events[-1].facts
    wolves = books.holders(books.alive, *WOLVES)
    others = [s for s in books.alive if s not in wolves]
    plain = books.holders(books.alive, "villager")
    gods = [s for s in others if s not in plain and roles_of[s] != "possessed"]
    rule = match.game.config.win
    won = {"parity": len(wolves) >= len(others), "all_dead": not others, "side_kill": not plain or not gods}[rule]

    assert over["winner"] == ("village" if not wolves else "wolves" if won else "draw")
    assert over["roles"] == roles_of
    assert len([e for e in match.events if e.kind == "exiled"]) <= match.game.config.max_days
    side = match.sides
    expected = {s: 0.5 if over["winner"] == "draw" else float(side[s] == over["winner"]) for s in match.seats}
    assert match.payoffs == expected


@given(CONFIGS, st.integers(0, 10**6))
@settings(max_examples=150)
def test_every_living_actor_with_an_action_is_asked_once_a_stage(config: dict[str, Any], seed: int) -> None:
    match = played(config, seed)
    books, cfg = Books(match), match.game.config
    checked: dict[str, set[str]] = {s: set() for s in match.seats}
    for name, night, living, turns in books.phases:
        if name == "day":
            ballots = asked(turns, "vote")
            assert set(ballots) <= set(living)
            assert set(asked(turns, "vote_pk")) <= set(ballots)
            assert max(ballots.values(), default=0) <= (2 if cfg.vote_tie == "revote" else 1)
            continue
        kills = night > 0 or cfg.first_night_kill
        wolves, picks = books.holders(living, *WOLVES), asked(turns, "wolf_kill")
        if match.done and not any(e.kind == "night_resolved" and e.facts["night"] == night for e in match.events):
            continue  # the match ended with the day before
        prey = living if cfg.wolf_self_kill else [s for s in living if s not in wolves]
        if not kills or not wolves or not prey:
            assert not picks
        elif cfg.wolf_decision == "single_random":
            assert picks.total() == 1
        else:
            assert set(picks) == set(wolves)
            assert set(picks.values()) <= ({1} if cfg.wolf_decision == "sequential" else {1, 2})
        checks = asked(turns, "check")
        for seer in books.holders(living, *SEERS):
            open_seats = set(living) - {seer} - checked[seer]
            assert checks[seer] == (1 if open_seats and (night or cfg.first_night_seer) else 0)
            checked[seer] |= {turn.answer for turn in turns if turn.seat == seer and turn.ask.name == "check"}
        guards = asked(turns, "guard")
        assert set(guards) <= set(books.holders(living, *GUARDS))
        assert all(n == 1 for n in guards.values())
        assert all(n == 1 for n in asked(turns, "witch").values())


@given(CONFIGS, st.integers(0, 10**6))
@settings(max_examples=100)
def test_powers_keep_their_limits(config: dict[str, Any], seed: int) -> None:
    match = played(config, seed)
    cfg, used, last = match.game.config, Counter[tuple[str, str]](), dict[str, tuple[int, str | None]]()
    for event in match.events:
        facts = event.facts
        if event.kind == "witched" and facts["act"] != "pass":
            used[event.audience[0], facts["act"]] += 1
        elif event.kind == "guarded":
            guard = event.audience[0]
            night, before = last.get(guard, (-9, None))
            if not cfg.guard_repeat and night == facts["night"] - 1 and before is not None:
                assert facts["target"] != before
            assert facts["target"] != guard or cfg.guard_self
            last[guard] = (facts["night"], facts["target"])
    assert set(used.values()) <= {1}
    for event in match.events:
        if event.kind == "shot":
            assert match.roles[event.facts["hunter"]] == "hunter"
    resolved = [e.facts for e in match.events if e.kind == "night_resolved"]
    assert [f["night"] for f in resolved] == list(range(len(resolved)))
    for f in resolved:
        poison = f["poison"] if isinstance(f["poison"], list) else [f["poison"]]
        assert set(f["dead"]) <= {f["target"], *poison}


@given(CONFIGS, st.integers(0, 10**6))
@settings(max_examples=80)
def test_every_view_knows_who_is_alive_and_private_facts_stay_private(config: dict[str, Any], seed: int) -> None:
    match = played(config, seed)
    alive = Books(match).alive
    wolves = [s for s in match.seats if match.roles[s] in WOLVES]
    for seat in match.seats:
        gone = set()
        for event in match.view(seat).events:
            facts = event.facts
            gone |= set(facts["dead"]) if event.kind == "dawn" else set()
            gone |= {facts["seat"]} if event.kind == "exiled" else set()
            gone |= {facts["target"]} if event.kind == "shot" else set()
            assert event.kind not in ("night_resolved", "bids", "probed", "believed")
            if event.kind in ("wolf_pick", "wolf_decision", "whispered"):
                assert seat in wolves
        assert [s for s in match.seats if s not in gone] == alive


@given(CONFIGS, st.integers(0, 10**6))
@settings(max_examples=60)
def test_a_table_that_loses_answers_still_ends_and_replays(config: dict[str, Any], seed: int) -> None:
    from arena.core import record

    match = played(config, seed, lost=3)

    assert match.done
    assert arena.match(record=record(match)).payoffs == match.payoffs


@given(CONFIGS, st.integers(0, 10**6))
@settings(max_examples=40)
def test_figures_are_finite_and_their_names_do_not_depend_on_the_course(config: dict[str, Any], seed: int) -> None:
    first, second = played(config, seed), played(config, seed + 1)
    found = first.metrics()

    assert all(value is None or abs(value) < 1e9 for value in found.values())
    by_seat = {name for name in found if "player_" in name}
    assert set(found) - by_seat == set(second.metrics()) - {n for n in second.metrics() if "player_" in n}
