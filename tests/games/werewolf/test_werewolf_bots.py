"""Scripted players: what they say and hear, what they do with it, and that they are worth their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from arena.core import Match, View, stream
from arena.games.werewolf.bots import BOTS
from arena.games.werewolf.bots.notes import notes
from arena.games.werewolf.bots.posterior import believe, worlds
from arena.games.werewolf.bots.words import Meaning, Report, heard, text_of
from arena.games.werewolf.presets import PRESETS
from arena.registry import game_bots, load_game, make_game
from tests.games.werewolf.scripted import names, start, step, until

NAMES = {f"player_{i}": f"player_{i}" for i in range(9)}
SEAT_OF = {name.lower(): seat for seat, name in NAMES.items()}
PEACE: dict[str, Any] = {"first_night_kill": False, "first_night_seer": False, "win": "parity"}


def bot_match(preset: str, seed: int, wolves: str, village: str, **config: Any) -> Match:
    game, _ = make_game(f"werewolf/{preset}", config)
    match = Match(game, seed)
    streams = {seat: stream(seed, "bots", seat) for seat in match.seats}
    who = {seat: BOTS[wolves if match.sides[seat] == "wolves" else village] for seat in match.seats}
    while not match.done:
        for seat, ask in list(match.pending().items()):
            match.submit(seat, who[seat](match.view(seat), ask, streams[seat]))
    return match


def answer(bot: str, match: Match, seat: str, seed: int = 0, **options: Any) -> Any:
    decide: Callable[..., Any] = BOTS[bot]
    return match.check(seat, decide(match.view(seat), match.pending()[seat], stream(seed, seat), **options))


def say(match: Match, seat: str, **speech: Any) -> None:
    """Play on until `seat` speaks, and let it say this."""
    while list(match.pending()) != [seat]:
        step(match)
    match.submit(seat, {"text": "", **speech})


# --- words ------------------------------------------------------------------------------------------------------


def test_what_a_bot_says_is_heard_as_it_was_meant() -> None:
    meaning = Meaning("seer", (Report(0, "player_3", "wolf"), Report(1, "player_4", "good")), "player_3")
    text = text_of(meaning, NAMES, 600)

    assert text == "I am the seer. Night 0: player_3 is wolf. Night 1: player_4 is good. Vote for player_3."
    assert heard(text, SEAT_OF, {"seer": 1}) == meaning


def test_a_short_cap_drops_the_oldest_reports() -> None:
    meaning = Meaning("seer", tuple(Report(n, "player_3", "good") for n in range(9)), None)
    text = text_of(meaning, NAMES, 100)

    assert len(text) <= 100
    assert "Night 8" in text
    assert "Night 0" not in text


def test_other_players_words_are_heard_only_where_they_say_so() -> None:
    text = "Trust me, I am a villager! Night 12: Nobody is wolf. Should we vote for player_99 or vote for PLAYER_2?"

    assert heard(text, SEAT_OF, {"villager": 1}) == Meaning("villager", (), "player_2")


def test_bots_hear_the_form_where_it_is_shown() -> None:
    match = start("wolf seer villager villager villager", show_intent=True, **PEACE)
    (speaker,) = match.pending()
    match.submit(speaker, {"text": "Hm.", "claim": "seer", "vote_call": "player_3"})
    (listener,) = match.pending()

    assert notes(match.view(listener)).claims == {speaker: "seer"}
    assert notes(match.view(listener)).calls == {speaker: "player_3"}


# --- every bot --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_every_bot_plays_every_preset_with_legal_answers(preset: str) -> None:
    small = int(preset.removeprefix("mafia")) < 10 if preset.startswith("mafia") else "1" not in preset
    for wolves, village in (("sample", "bayes"), ("greedy", "quiet")) if small else (("greedy", "sample"),):
        assert bot_match(preset, 4, wolves, village).done


def test_bots_keep_nothing_between_turns() -> None:
    match = bot_match("makto9g", 3, "sample", "bayes")
    seat = next(s for s in match.seats if match.roles[s] == "villager")
    warm, cold = notes(match.view(seat)), notes(View(match, seat))

    assert warm.claims == cold.claims
    assert warm.evidence == cold.evidence
    assert believe(warm).wolf(warm) == pytest.approx(believe(cold).wolf(cold))  # type: ignore[union-attr]


def test_the_registry_finds_the_bots_by_their_names() -> None:
    found = game_bots(load_game("werewolf"))

    assert set(found) == {"quiet", "sample", "bayes", "greedy"}
    assert all(bot.__doc__ for bot in found.values())


# --- quiet and sample -------------------------------------------------------------------------------------------


def test_a_quiet_wolf_names_no_wolf_and_says_nothing() -> None:
    match = start("wolf wolf seer villager villager", **PEACE)
    assert answer("quiet", match, next(iter(match.pending()))) == {
        "text": "",
        **dict.fromkeys(("claim", "reports", "suspicion", "vote_call")),
    }
    until(match, "vote")
    for seed in range(20):
        assert answer("quiet", match, "player_0", seed) in ("player_2", "player_3", "player_4")
        assert answer("quiet", match, "player_3", seed) not in ("player_3", "abstain")


def test_a_sample_seer_claims_at_once_with_a_wolf_found_and_calls_for_it() -> None:
    match = start("wolf seer villager villager villager", first_night_kill=False, win="parity")
    step(match, p1="player_0")
    while list(match.pending()) != ["player_1"]:
        step(match)
    speech = answer("sample", match, "player_1")

    assert speech["claim"] == "seer"
    assert speech["reports"] == [{"night": 0, "target": "player_0", "result": "wolf"}]
    assert speech["vote_call"] == "player_0"
    assert speech["text"] == "I am the seer. Night 0: player_0 is wolf. Vote for player_0."


def test_a_sample_villager_votes_for_a_seer_that_reported_it() -> None:
    match = start("wolf seer villager villager villager", **PEACE)
    say(match, "player_0", text="I am the seer. Night 0: player_3 is wolf. Vote for player_3.")
    until(match, "vote")

    assert answer("sample", match, "player_3") == "player_0"
    assert answer("sample", match, "player_2") == "player_3"  # it follows the only call


def test_a_sample_wolf_with_a_rival_claims_and_never_reports_a_fellow() -> None:
    fakes = 0
    for seed in range(40):
        match = start("wolf wolf seer villager villager villager villager", seed=seed, **PEACE)
        (first,) = match.pending()
        match.submit(first, {"text": "I am the seer."})
        (seat,) = match.pending()
        if seat not in ("player_0", "player_1"):
            continue
        speech = answer("sample", match, seat, seed)
        fakes += speech["claim"] == "seer"
        wolves = [r["target"] for r in speech["reports"] or [] if r["result"] == "wolf"]
        assert not set(wolves) & {"player_0", "player_1"}

    assert fakes


def test_a_sample_witch_heals_in_night_0() -> None:
    match = start("wolf seer witch villager villager villager")
    step(match, p0="player_3")
    until(match, "witch")

    assert answer("sample", match, "player_2")["act"] == "heal"


# --- bayes ------------------------------------------------------------------------------------------------------


def test_the_worlds_are_counted_as_published() -> None:
    assert len(worlds(9, 3, 1, 0).wolf) == 504
    assert len(worlds(13, 3, 1, 1).wolf) == 25_740
    assert len(worlds(15, 3, 1, 1).wolf) == 60_060


def test_without_evidence_every_other_seat_is_a_wolf_with_the_same_chance() -> None:
    match = start("wolf wolf seer villager villager villager villager", **PEACE)
    n = notes(match.view("player_6"))
    belief = believe(n)

    assert belief is not None
    assert belief.wolf(n) == pytest.approx({"player_6": 0, **{f"player_{i}": 1 / 3 for i in range(6)}})
    assert belief.seer()["player_0"] == pytest.approx(1 / 6)


def test_own_results_are_certain_and_a_seer_claim_is_believed_by_its_factor() -> None:
    match = start("wolf seer villager villager villager", first_night_kill=False, win="parity")
    step(match, p1="player_2")
    seer = notes(match.view("player_1"))
    say(match, "player_1", text="I am the seer.")
    villager = notes(match.view("player_4"))
    # worlds of player_4: wolf and seer among four; player_1 seer in 3 of 12, wolf in 3, other in 6
    seers, wolves, others = 3 * 0.5, 3 * 0.15, 6 * 0.01
    total = seers + wolves + others

    assert believe(seer).wolf(seer)["player_2"] == 0  # type: ignore[union-attr]
    assert believe(seer).wolf(seer)["player_0"] == pytest.approx(1 / 3)  # type: ignore[union-attr]
    assert believe(villager).seer()["player_1"] == pytest.approx(seers / total)  # type: ignore[union-attr]
    assert believe(villager).wolf(villager)["player_1"] == pytest.approx(wolves / total)  # type: ignore[union-attr]


def test_a_ballot_tells_a_human_from_a_wolf_by_its_weights() -> None:
    match = start("wolf villager villager villager", rounds=0, threshold="majority", vote_tie="none", **PEACE)
    step(match, p1="player_2")
    n = notes(match.view("player_3"))
    # player_1 votes for player_2. If player_1 is the wolf: 3 of 9; if player_2 is: 2 of 4; if player_0 is: 1 of 4.
    weights = {"player_1": 1 / 3, "player_2": 1 / 2, "player_0": 1 / 4}
    total = sum(weights.values())
    chance = believe(n).wolf(n)  # type: ignore[union-attr]

    assert chance == pytest.approx({seat: w / total for seat, w in weights.items()} | {"player_3": 0})


def test_a_seat_killed_in_the_night_is_no_wolf_unless_a_witch_may_have_done_it() -> None:
    plain = start("wolf seer villager villager villager villager", win="parity")
    step(plain, p0="player_3")
    step(plain)
    witched = start("wolf seer witch villager villager villager", win="parity")
    step(witched, p0="player_3")
    until(witched, "witch")
    step(witched)
    chances = []
    for match in (plain, witched):
        n = notes(match.view("player_5"))
        chances.append(believe(n).wolf(n)["player_3"])  # type: ignore[union-attr]

    assert chances[0] == 0
    assert 0 <= chances[1] < 0.05


def test_too_many_worlds_fall_back_to_the_sample_player() -> None:
    deal = "wolf " * 6 + "seer possessed " + "villager " * 12
    match = start(deal.strip(), **PEACE)
    n = notes(match.view("player_19"))

    assert believe(n) is None
    until(match, "vote")
    assert answer("bayes", match, "player_19") in match.pending()["player_19"].options  # type: ignore[operator]


# --- greedy -----------------------------------------------------------------------------------------------------


def test_a_greedy_wolf_kills_a_claimed_seer_first() -> None:
    match = start("wolf seer villager villager villager villager", **PEACE, vote_tie="none")
    say(match, "player_3", text="I am the seer.")
    until(match, "wolf_kill")

    assert {answer("greedy", match, "player_0", seed) for seed in range(10)} == {"player_3"}


@pytest.mark.parametrize(("calls", "lost"), [(2, False), (3, True)])
def test_a_greedy_wolf_drops_a_partner_only_with_bus_and_only_when_it_is_lost(calls: int, lost: bool) -> None:
    match = start("wolf wolf seer villager villager villager villager", **PEACE)
    spoken = 0
    while "speech" in names(match).values():
        (seat,) = match.pending()
        accuses = seat not in ("player_0", "player_1") and spoken < calls
        spoken += accuses
        match.submit(seat, {"text": "Vote for player_1." if accuses else ""})

    assert answer("greedy", match, "player_0") != "player_1"
    assert (answer("greedy", match, "player_0", bus=1) == "player_1") == lost


def test_a_greedy_wolf_votes_with_the_majority_of_an_open_vote() -> None:
    ballots: dict[str, str | None] = {}
    for seed in range(50):
        match = start("wolf seer villager villager villager", seed=seed, **PEACE, vote_mode="sequential", rounds=0)
        while list(match.pending()) != ["player_0"]:
            (seat,) = match.pending()
            match.submit(seat, "player_3" if seat != "player_3" else "player_2")
        ballots = notes(match.view("player_0")).round
        if len(ballots) == 4:  # the wolf votes last
            break

    assert list(ballots.values()).count("player_3") == 3
    assert answer("greedy", match, "player_0") == "player_3"


# --- the gate, in small -----------------------------------------------------------------------------------------


def gate(preset: str, deals: int) -> list[int]:
    """Village wins of quiet, sample and bayes against the same sample wolves on the same deals."""
    return [
        sum(bot_match(preset, seed, "sample", arm).outcome["winner_team"] == "village" for seed in range(deals))
        for arm in ("quiet", "sample", "bayes")
    ]


@pytest.mark.parametrize("preset", ["makto7w", "mafia6", "duel5"])
def test_the_more_a_village_knows_the_more_it_wins(preset: str) -> None:
    quiet, sample, bayes = gate(preset, 250)

    assert quiet < sample < bayes


@pytest.mark.long
@pytest.mark.parametrize("preset", ["makto9g", "makto9h", "makto7g", "makto7w", "arena8", "mini5", "duel5", "mafia6"])
def test_the_gate_holds_over_two_thousand_paired_deals(preset: str) -> None:
    quiet, sample, bayes = gate(preset, 2000)
    margin = 2000 * 0.01

    assert sample - quiet > margin
    assert bayes - sample > margin


@pytest.mark.long
@pytest.mark.parametrize(
    ("preset", "win", "published"),
    [
        ("makto9g", "side_kill", 0.970),
        ("makto9g", "parity", 0.962),
        ("makto9h", "side_kill", 0.953),
        ("makto9h", "parity", 0.946),
        ("makto7g", "side_kill", 0.942),
        ("makto7g", "parity", 0.929),
    ],
)
def test_random_play_is_near_the_rough_anchors_of_another_engine(preset: str, win: str, published: float) -> None:
    matches = 2000
    wolves = sum(
        bot_match(preset, seed, "quiet", "quiet", win=win).outcome["winner_team"] == "wolves" for seed in range(matches)
    )

    assert wolves / matches == pytest.approx(published, abs=0.02)
