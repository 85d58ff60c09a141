"""Section 7: each scripted player by its rule, on hand-made situations and in whole matches."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import arena
from arena.core import Match, UsageError
from arena.core.seeds import stream
from arena.games.nyc.beliefs import beliefs
from arena.games.nyc.bots import BOTS, bayes, suspicion
from arena.games.nyc.ledger import read
from arena.games.nyc.scripted import scripted

PLANNERS = ("never", "shortest", "bayes", "bayes-open")


def corner(seed: int = 0, **config: Any) -> Match:
    """One Blue and one Red on midtown, meeting in every round."""
    values = {"n_blue": 1, "n_red": 1, "p_meet": 100, "red_rate": 100, "elicit_trust": False} | config
    return arena.match("nyc/midtown", seed=seed, **values)


def answer(match: Match, seat: str, bot: str | Any) -> Any:
    function = BOTS[bot] if isinstance(bot, str) else bot
    return function(match.view(seat), match.pending()[seat], stream(1, seat))


def seed_of(origin: str, destination: str, **config: Any) -> int:
    for seed in range(200):
        briefing = corner(seed, **config).view("player_0").last("briefing") or {}
        if (briefing["origin"], briefing["destination"]) == (origin, destination):
            return seed
    raise AssertionError((origin, destination))


CHELSEA_PLAZA = seed_of("Chelsea", "Plaza")


def test_a_blue_adviser_points_to_the_cheapest_street_and_tells_the_truth() -> None:
    match = corner(CHELSEA_PLAZA)
    told = answer(match, "player_1", "always")

    # from Chelsea: Herald Square total 19, Hudson Yards 16, Flatiron 20; the fastest way is by Herald Square
    assert (told["go"], told["boards"], told["fastest"]) == ("Hudson Yards", "clear", "no")


def test_the_greedy_red_leads_by_the_published_route_and_always_says_clear() -> None:
    match = scripted(corner(CHELSEA_PLAZA), "always", "greedy-red")
    places = read(match).places
    tips = [turn.answer for turn in match.turns if turn.ask.name == "advise"]

    assert [tip["go"] for tip in tips] == [places[i] for i in (1, 3, 10, 3, 10, 14)]
    assert {tip["boards"] for tip in tips} == {"clear"}
    assert [tip["fastest"] for tip in tips] == ["yes", "yes", "yes", "unknown", "yes", "yes"]


def test_the_bait_red_is_honest_once_to_everybody() -> None:
    match = scripted(corner(CHELSEA_PLAZA), "always", "bait-red")
    tips = [turn.answer for turn in match.turns if turn.ask.name == "advise"]

    assert (tips[0]["go"], tips[0]["fastest"]) == ("Hudson Yards", "no")
    assert tips[1]["go"] == "Times Square"  # 3 billboards from Hudson Yards, called clear
    assert tips[1]["boards"] == "clear"


def test_the_silent_red_names_no_street_and_the_honest_red_speaks_like_a_blue() -> None:
    match = corner(CHELSEA_PLAZA)

    assert answer(match, "player_1", "silent-red")["go"] == "none"
    assert answer(match, "player_1", "honest-red") == answer(match, "player_1", "always")


def test_shortest_never_and_always_differ_as_their_names_say() -> None:
    match = corner(CHELSEA_PLAZA, know=0)
    match.submit("player_1", {"go": "Flatiron", "text": "", "boards": "clear", "fastest": "yes"})

    assert answer(match, "player_0", "shortest") == "Herald Square"
    assert answer(match, "player_0", "never") == "Herald Square"  # knowing nothing, it plans by minutes
    assert answer(match, "player_0", "always") == "Flatiron"


def test_never_plans_around_the_billboards_that_it_knows() -> None:
    match = corner(CHELSEA_PLAZA, know=100)
    match.submit("player_1", {"go": "Flatiron", "text": "", "boards": "clear", "fastest": "yes"})

    assert answer(match, "player_0", "never") == "Hudson Yards"


def told_bayes(match: Match, go: str, boards: str, bot: str | Any = "bayes") -> Any:
    match.submit("player_1", {"go": go, "text": "", "boards": boards, "fastest": "unknown"})
    return answer(match, "player_0", bot)


@pytest.mark.parametrize(
    ("boards", "p_red"),
    [("clear", 29), ("heavy", 97), ("unknown", 50)],  # 0.41 : 1, 30 : 1, 1 : 1
)
def test_bayes_checks_a_claim_about_a_street_it_knows(boards: str, p_red: int) -> None:
    match = corner(CHELSEA_PLAZA, know=100, announced_red_rate=50, elicit_trust=True)

    assert told_bayes(match, "Hudson Yards", boards)["p_red"] == p_red


def test_bayes_follows_whom_it_trusts_and_bayes_open_also_strangers() -> None:
    for bot, boards, followed in (
        ("bayes", "unknown", False),
        ("bayes-open", "unknown", True),
        (partial(bayes, theta=0.51), "unknown", True),
        ("bayes", "clear", False),  # nothing known, nothing checked: still a stranger
    ):
        match = corner(CHELSEA_PLAZA, know=0, announced_red_rate=50)
        assert (told_bayes(match, "Hudson Yards", boards, bot) == "Hudson Yards") is followed


def test_bayes_does_not_follow_a_detour_of_more_than_tau_or_past_its_time() -> None:
    # Flatiron is 3 + 12 minutes away from the Plaza, the fastest way 13; with tau 1 that is too long
    assert told_bayes(corner(CHELSEA_PLAZA, know=0, announced_red_rate=10), "Flatiron", "unknown") == "Flatiron"
    close = corner(CHELSEA_PLAZA, know=0, announced_red_rate=10, tau=1)
    assert told_bayes(close, "Flatiron", "unknown") == "Herald Square"


def test_bayes_checks_a_claim_when_it_walks_the_street() -> None:
    match = corner(CHELSEA_PLAZA, know=0, announced_red_rate=50)
    name = match.events[0].facts["names"]["player_1"]
    match.submit("player_1", {"go": "Herald Square", "text": "", "boards": "heavy", "fastest": "unknown"})

    assert suspicion(match.view("player_0"), name) == 0.5
    match.submit("player_0", "Herald Square")  # it is clear: the claim was false

    assert suspicion(match.view("player_0"), name) == pytest.approx(30 / 31)
    match.submit("player_1", {"go": "Bryant Park", "text": "", "boards": "some", "fastest": "unknown"})
    match.submit("player_0", "Times Square")  # another street: nothing is learnt of the claim

    assert suspicion(match.view("player_0"), name) == pytest.approx(30 / 31)


def test_announced_certainty_still_leaves_room_for_doubt() -> None:
    match = corner(CHELSEA_PLAZA, know=0, announced_red_rate=100)

    assert suspicion(match.view("player_0"), "Nobody") == pytest.approx(0.99)


def test_a_blue_remembers_what_it_saw_while_advising() -> None:
    match = scripted(arena.match("nyc/small", seed=3), "always", "greedy-red")
    for seat in ("player_0", "player_1", "player_2"):
        now = beliefs(match.view(seat))
        for meeting in match.view(seat).of_kind("meeting"):
            for option in meeting.facts["options"]:
                assert now.known(meeting.facts["place"], option["place"]) == option["b"]


@pytest.mark.parametrize("bot", PLANNERS)
def test_planners_refuse_a_map_that_they_cannot_see(bot: str) -> None:
    match = arena.match("nyc/small", seed=1, map_knowledge="local", p_meet=0)

    with pytest.raises(UsageError, match="map_knowledge=local"):
        answer(match, "player_0", bot)


def test_greedy_reds_refuse_it_too() -> None:
    match = corner(CHELSEA_PLAZA, map_knowledge="local")

    with pytest.raises(UsageError, match="map_knowledge=local"):
        answer(match, "player_1", "greedy-red")


@pytest.mark.parametrize("blue", ["always", "walk"])
@pytest.mark.parametrize("red", ["honest-red", "silent-red"])
@pytest.mark.parametrize("own", ["full", "own"])
def test_the_simple_bots_play_under_local(blue: str, red: str, own: str) -> None:
    assert scripted(arena.match("nyc/small", seed=1, map_knowledge="local", adviser_knowledge=own), blue, red).done


@pytest.mark.parametrize("bot", sorted(BOTS))
@pytest.mark.parametrize("preset", ["nyc/tiny", "nyc/midtown"])
def test_every_bot_holds_a_seat_of_either_colour(bot: str, preset: str) -> None:
    for config in ({}, {"messages": 3}, {"map_knowledge": "full"}, {"adviser_knowledge": "own"}, {"max_chars": 5}):
        assert scripted(arena.match(preset, seed=2, **config), bot, bot).done


def test_bots_do_not_sound_like_their_colour() -> None:
    match = corner(CHELSEA_PLAZA)
    said = {bot: answer(match, "player_1", bot)["text"] for bot in ("always", "bayes", "walk", "honest-red")}

    assert len(set(said.values())) == 1 and all(said.values())


def test_an_oracle_finds_back_to_the_best_way() -> None:
    match = arena.match("nyc/midtown", seed=CHELSEA_PLAZA, n_blue=1, n_red=1, p_meet=0, elicit_trust=False)
    match.submit("player_0", "Flatiron")  # 3 minutes; then 7 8 6 5 14: 15 minutes and 1 billboard, a cost of 17
    scripted(match, "oracle")
    journey = read(match).journeys["player_0"]

    assert (journey.cost, journey.clock, journey.arrived) == (20, 18, True)
