"""The course of a match: rounds, clocks, tips and what is logged of them (section 2; 12.6, 12.7, 12.9)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import arena
from arena.core import Match, record, record_hash
from arena.core.seeds import stream
from arena.games.nyc.generator import midtown
from arena.games.nyc.ledger import read
from arena.games.nyc.scripted import scripted

PRESETS = ["nyc/small", "nyc/tiny", "nyc/midtown", "nyc/city", "nyc/city-talk"]


def drawn(match: Match, seed: int = 0, lost: float = 0.0) -> Match:
    """The match played by drawn answers, some turns lost."""
    rng = stream(seed, "drawn")
    while not match.done:
        for seat, ask in dict(match.pending()).items():
            if rng.random() < lost:
                match.submit_fallback(seat)
            else:
                match.submit(seat, ask.sample(rng))
    return match


def truths(match: Match, what: str) -> list[dict[str, Any]]:
    return [e.facts for e in match.events if e.kind == "truth" and e.facts["what"] == what]


def told(match: Match, seat: str, kind: str) -> list[dict[str, Any]]:
    return [e.facts for e in match.view(seat).events if e.kind == kind]


def blues(match: Match) -> list[str]:
    return [seat for seat in match.seats if match.roles[seat] == "blue"]


# --- seats, colours, first facts ------------------------------------------------------------------------------------


def test_the_first_seats_are_blue_and_the_others_red() -> None:
    match = arena.match("nyc/small", seed=3)

    assert match.roles == {s: "blue" if s < "player_3" else "red" for s in match.seats}
    assert match.sides == match.roles
    assert match.game.sides() == {"blue": 3, "red": 2}


def test_the_log_opens_with_the_whole_deal_in_the_published_form() -> None:
    match = arena.match("nyc/tiny", seed=3)
    first = match.events[0]
    deal = first.facts

    assert (first.kind, first.audience) == ("truth", "-")
    assert {"places", "streets", "trips", "colours", "names", "known"} <= deal.keys()
    assert set(deal["trips"]) == set(deal["known"]) == {"player_0", "player_1"}
    assert {"origin", "destination", "deadline", "cost", "minutes", "boards", "route"} == deal["trips"][
        "player_0"
    ].keys()
    assert all(len(s) == 4 and s[0] < s[1] for s in deal["streets"])
    assert deal["colours"] == {"player_0": "blue", "player_1": "blue", "player_2": "red"}


def test_everybody_learns_the_names_in_an_order_that_tells_nothing() -> None:
    match = arena.match("nyc/city", seed=3)
    players = told(match, "player_7", "players")[0]

    assert players["names"] == sorted(match.events[0].facts["names"].values())
    assert (players["n_blue"], players["n_red"], players["announced_red_rate"]) == (6, 4, 50)
    assert sum(players["shares"].values()) in (99, 100, 101)


def test_a_blue_is_briefed_on_its_trip_and_a_red_on_its_fellows() -> None:
    match = arena.match("nyc/small", seed=3)
    deal = match.events[0].facts
    blue, red = told(match, "player_0", "briefing"), told(match, "player_3", "briefing")

    assert len(blue) == len(red) == 1
    assert blue[0]["colour"] == "blue" and red[0]["colour"] == "red"
    assert blue[0]["name"] == deal["names"]["player_0"]
    assert blue[0]["destination"] == deal["places"][deal["trips"]["player_0"]["destination"]]
    assert blue[0]["deadline"] == deal["trips"]["player_0"]["deadline"]
    assert len(blue[0]["known"]) == len(deal["known"]["player_0"])
    assert red[0]["fellows"] == [deal["names"]["player_4"]]
    assert len(red[0]["known"]) == len(deal["streets"])


def test_the_world_is_told_without_billboards_and_not_at_all_under_local() -> None:
    match = arena.match("nyc/small", seed=3)
    world = told(match, "player_0", "world")[0]

    assert world["streets"] == [s[:3] for s in match.events[0].facts["streets"]]
    assert not told(arena.match("nyc/small", seed=3, map_knowledge="local"), "player_0", "world")


# --- rounds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_every_travelling_blue_is_asked_to_move_exactly_once_a_round(preset: str) -> None:
    for seed in range(4):
        match = drawn(arena.match(preset, seed=seed), seed, lost=0.1)
        for seat in blues(match):
            rounds = [place["round"] for place in told(match, seat, "place")]
            moves = [turn for turn in match.turns if turn.seat == seat and turn.ask.name == "move"]

            assert rounds == list(range(1, len(rounds) + 1))
            assert len(moves) == len(rounds) == len([t for t in truths(match, "move") if t["seat"] == seat])
            assert len(told(match, seat, "arrived")) + len(told(match, seat, "late")) == 1
            assert match.view(seat).of_kind("arrived", "late")[0] not in match.view(seat).of_kind("place")


@pytest.mark.parametrize("preset", PRESETS)
def test_an_adviser_serves_one_blue_a_round_and_nobody_advises_itself(preset: str) -> None:
    for seed in range(4):
        match = drawn(arena.match(preset, seed=seed), seed, lost=0.1)
        tips = [t for t in truths(match, "advise") if t["final"]]

        assert max(Counter((t["round"], t["seat"]) for t in tips).values()) == 1
        assert max(Counter((t["round"], t["blue"]) for t in tips).values()) == 1
        assert all(t["seat"] != t["blue"] for t in tips)
        for seat in match.seats:
            meetings = [m["round"] for m in told(match, seat, "meeting")]
            assert len(meetings) == len(set(meetings)) == len([t for t in tips if t["seat"] == seat])


@pytest.mark.parametrize("preset", PRESETS)
def test_moved_tip_and_outcome_agree_with_the_truth(preset: str) -> None:
    for seed in range(4):
        match = drawn(arena.match(preset, seed=seed), seed, lost=0.1)
        deal, ledger = match.events[0].facts, read(match)
        places, names = deal["places"], deal["names"]
        streets = {(u, v): (t, b) for u, v, t, b in deal["streets"]}
        for seat in blues(match):
            walked = [m for m in ledger.moves if m.seat == seat and m.to is not None]
            for moved, move in zip(told(match, seat, "moved"), walked, strict=True):
                u, v = sorted((move.place, move.to or 0))
                assert (moved["from"], moved["to"]) == (places[move.place], places[move.to or 0])
                assert (moved["minutes"], moved["billboards"]) == streets[u, v] == (move.minutes, move.boards)
            given = [m for m in ledger.moves if m.seat == seat and m.adviser]
            finals = [heard for heard in told(match, seat, "tip") if heard["final"]]
            for heard, move in zip(finals, given, strict=True):
                assert heard["adviser"] == names[move.adviser or ""]
                assert heard["go"] == ("none" if move.go is None else places[move.go])
                assert move.followed == (move.go is not None and move.go == move.to)
        for seat in match.seats:
            tips = [tip for tip in ledger.tips if tip.seat == seat and tip.final]
            for outcome, tip in zip(told(match, seat, "outcome_of_tip"), tips, strict=True):
                assert (outcome["round"], outcome["traveller"]) == (tip.round, names[tip.blue])
                assert outcome["followed"] == tip.followed
                assert (outcome["revenue"] is None) == (match.roles[seat] == "blue")


def test_revenue_follows_the_procedure_of_the_rules() -> None:
    for preset in PRESETS:
        for seed in range(6):
            match = scripted(arena.match(preset, seed=seed), "bayes-open", "greedy-red")
            ledger, window = read(match), match.game.config.window
            earned: Counter[str] = Counter()
            for seat in blues(match):
                credit: tuple[str, int] | None = None
                for move in (m for m in ledger.moves if m.seat == seat):
                    if move.adviser:  # a tip was shown
                        red = move.adviser_colour == "red" and move.followed
                        credit = (move.adviser, window) if red else None
                    if credit and move.to is not None:
                        earned[credit[0]] += move.boards
                        credit = (credit[0], credit[1] - 1) if credit[1] > 1 else None

            for seat in match.seats:
                assert ledger.revenue(seat) == earned[seat]
                assert sum(tip.revenue for tip in ledger.tips if tip.seat == seat) == earned[seat]
                if match.roles[seat] == "red":
                    hops = sum(len(j.trip.route) - 1 for j in ledger.journeys.values())
                    assert match.payoffs is not None and match.payoffs[seat] == earned[seat] / (5 * hops)


def test_a_blue_pays_its_share_of_the_team() -> None:
    match = scripted(arena.match("nyc/small", seed=7), "bayes", "greedy-red")
    own = [read(match).journeys[seat].own for seat in blues(match)]

    assert match.payoffs is not None
    for seat, one in zip(blues(match), own, strict=True):
        assert match.payoffs[seat] == pytest.approx(0.75 * one + 0.25 * sum(own) / 3, abs=1e-12)


# --- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_players_that_never_answer_end_every_trip_late_and_within_the_deadline_in_rounds(preset: str) -> None:
    for seed in range(3):
        match = arena.match(preset, seed=seed)
        while not match.done:
            for seat in dict(match.pending()):
                match.submit_fallback(seat)
        figures = match.metrics()
        longest = max(t["deadline"] for t in match.events[0].facts["trips"].values())

        assert figures["success"] == figures["own"] == figures["exposure"] == 0
        assert figures["lost_rate"] == 1
        assert max(t["round"] for t in truths(match, "move")) == longest // 3 + 1 <= longest
        assert match.payoffs == dict.fromkeys(match.seats, 0.0)
        assert match.outcome["end_reason"] == "some_late"


def test_a_lost_turn_costs_its_minutes_and_nothing_else() -> None:
    match = arena.match("nyc/small", seed=2, p_meet=0, lost_minutes=5)
    before = told(match, "player_0", "place")[0]
    for seat in blues(match):
        match.submit_fallback(seat)
    after = told(match, "player_0", "place")[1]

    assert told(match, "player_0", "lost_turn") == [{"round": 1, "minutes": 5, "clock": 5}]
    assert (after["place"], after["clock"], after["left"]) == (before["place"], 5, before["left"] - 5)
    assert not told(match, "player_0", "moved")


def test_who_reaches_the_destination_after_the_deadline_is_late() -> None:
    match = arena.match("nyc/midtown", seed=0, p_meet=0, n_blue=1, n_red=1, elicit_trust=False, slack_pct=100)
    route = match.events[0].facts["trips"]["player_0"]["route"]
    places = match.events[0].facts["places"]
    match.submit_fallback("player_0")  # three minutes stood still: the best route then ends too late
    for place in route[1:]:
        match.submit("player_0", places[place])

    assert match.done
    assert told(match, "player_0", "moved")[-1]["to"] == places[route[-1]]
    assert len(told(match, "player_0", "late")) == 1 and not told(match, "player_0", "arrived")
    assert match.metrics()["own"] == 0


def test_the_best_route_walked_at_once_is_in_time_to_the_minute() -> None:
    match = arena.match("nyc/midtown", seed=0, p_meet=0, n_blue=1, n_red=1, elicit_trust=False, slack_pct=100)
    deal = match.events[0].facts
    for place in deal["trips"]["player_0"]["route"][1:]:
        match.submit("player_0", deal["places"][place])

    assert told(match, "player_0", "arrived")[0]["clock"] == deal["trips"]["player_0"]["deadline"]
    assert match.payoffs == {"player_0": 1.0, "player_1": 0.0}
    assert match.outcome["end_reason"] == "all_arrived"


def test_a_blue_may_walk_back() -> None:
    match = arena.match("nyc/midtown", seed=0, p_meet=0, n_blue=1, n_red=1, elicit_trust=False)
    start = told(match, "player_0", "place")[0]["place"]
    first = told(match, "player_0", "place")[0]["options"][0]["place"]
    match.submit("player_0", first)
    match.submit("player_0", start)

    assert [m["to"] for m in told(match, "player_0", "moved")] == [first, start]


# --- knowledge ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", ["full", "own"])
def test_signs_show_billboards_that_were_known_walked_or_seen_while_advising_and_no_others(own: str) -> None:
    for seed in range(6):
        match = drawn(arena.match("nyc/small", seed=seed, adviser_knowledge=own), seed)
        streets = {}
        deal = match.events[0].facts
        for u, v, _, b in deal["streets"]:
            streets[frozenset((deal["places"][u], deal["places"][v]))] = b
        for seat in blues(match):
            known: set[frozenset[str]] = set()
            for event in match.view(seat).events:
                facts = event.facts
                if event.kind == "briefing":
                    known |= {frozenset(entry[:2]) for entry in facts["known"]}
                elif event.kind == "moved":
                    known.add(frozenset((facts["from"], facts["to"])))
                elif event.kind == "meeting" and own == "full":
                    known |= {frozenset((facts["place"], o["place"])) for o in facts["options"]}
                elif event.kind in ("place", "meeting"):
                    for option in facts["options"]:
                        street = frozenset((facts["place"], option["place"]))
                        assert option["b"] == (streets[street] if street in known else None)


def test_an_adviser_sees_the_true_option_table_of_its_traveller() -> None:
    match = drawn(arena.match("nyc/midtown", seed=4), 4)
    city = midtown(2)
    for seat in match.seats:
        for meeting in told(match, seat, "meeting"):
            exits = city.to(city.names.index(meeting["destination"])).exits(city.names.index(meeting["place"]))
            assert meeting["options"] == [
                {"place": city.names[e.head], "t": e.minutes, "b": e.boards, "minutes": e.arrival, "total": e.total}
                for e in exits
            ]


def test_own_knowledge_hides_totals_from_blue_advisers_alone() -> None:
    match = drawn(arena.match("nyc/small", seed=4, adviser_knowledge="own"), 4)
    totals = {
        colour: [
            option["total"]
            for seat in match.seats
            if match.roles[seat] == colour
            for meeting in told(match, seat, "meeting")
            for option in meeting["options"]
        ]
        for colour in ("blue", "red")
    }

    assert set(totals["blue"]) == {None} and totals["red"] and None not in totals["red"]


def test_local_signs_hide_the_minutes_to_the_destination() -> None:
    match = arena.match("nyc/small", seed=4, map_knowledge="local", p_meet=0)

    assert all(set(o) == {"place", "t", "b"} for o in told(match, "player_0", "place")[0]["options"])


# --- conversations, the mute control, paired deals ------------------------------------------------------------------


def test_with_three_messages_the_final_tip_replaces_the_first() -> None:
    match = drawn(arena.match("nyc/city-talk", seed=5), 5)
    for seat in match.seats:
        kinds = [t.ask.name for t in match.turns if t.seat == seat]
        assert kinds.count("question") == kinds.count("answer_back")
    tips = truths(match, "advise")
    drafts, finals = [t for t in tips if not t["final"]], [t for t in tips if t["final"]]

    assert len(drafts) == len(finals) > 5
    assert all(t["followed"] is None and t["revenue"] == 0 for t in drafts)
    assert [(t["round"], t["seat"], t["blue"]) for t in drafts] == [(t["round"], t["seat"], t["blue"]) for t in finals]
    questions = [t.answer for t in match.turns if t.ask.name == "question"]
    heard = [e.facts["text"] for e in match.events if e.kind == "question"]
    assert sorted(questions) == sorted(heard)


def test_a_muted_blue_hears_nothing_and_its_adviser_learns_the_outcome_as_usual() -> None:
    for preset in ("nyc/small", "nyc/midtown", "nyc/city-talk"):
        match = scripted(arena.match(preset, seed=6, mute=True), "always", "greedy-red")

        assert not any(told(match, seat, "tip") for seat in match.seats)
        finals = [t for t in truths(match, "advise") if t["final"]]
        assert sum(len(told(match, seat, "outcome_of_tip")) for seat in match.seats) == len(finals) > 0
        assert all("p_red" not in (t.answer or {}) for t in match.turns if isinstance(t.answer, dict))
        assert match.metrics()["harmful_shown"]


def test_no_red_is_one_switch_for_the_same_control() -> None:
    """red_rate keeps what is announced; the match is the one of red_rate=0 with that announcement."""
    one = drawn(arena.match("nyc/small", seed=6, no_red=True), 6)
    other = drawn(arena.match("nyc/small", seed=6, red_rate=0, announced_red_rate=50), 6)

    assert one.rules["announced_red_rate"] == 50
    assert {t["colour"] for t in truths(one, "advise")} == {"blue"}
    assert [(e.kind, e.facts) for e in one.events] == [(e.kind, e.facts) for e in other.events]


def test_paired_matches_share_map_trips_knowledge_names_and_the_first_meetings() -> None:
    for seed in range(5):
        one = scripted(arena.match("nyc/small", seed=seed), "oracle", "greedy-red")
        other = scripted(arena.match("nyc/small", seed=seed), "walk", "silent-red")
        swapped = scripted(arena.match("nyc/small", seed=seed + 1000, deal_seed=seed), "walk", "silent-red")

        assert one.events[0].facts == other.events[0].facts == swapped.events[0].facts
        first = [[(t["seat"], t["blue"]) for t in truths(match, "advise") if t["round"] == 1] for match in (one, other)]
        assert first[0] == first[1]


def test_answers_in_any_order_give_the_same_record() -> None:
    hashes = set()
    for reverse in (False, True):
        match = arena.match("nyc/city-talk", seed=9)
        while not match.done:
            open_ = list(match.pending().items())
            for seat, ask in reversed(open_) if reverse else open_:
                match.submit(seat, ask.sample(stream(9, seat, len(match.view(seat).exchanges))))
        hashes.add(record_hash(match))

    assert len(hashes) == 1


def test_a_record_replays_with_its_lost_turns() -> None:
    for preset in PRESETS:
        match = drawn(arena.match(preset, seed=11), 11, lost=0.2)
        again = arena.match(record=record(match))

        assert again.payoffs == match.payoffs and again.metrics() == match.metrics()


def test_the_phase_of_a_turn_is_its_round() -> None:
    match = drawn(arena.match("nyc/small", seed=1), 1)
    rounds = {}
    for turn in match.turns:
        rounds[turn.turn] = match.game.phase_name(turn.turn, match.events[: turn.events])

    assert rounds[0] == "R1"
    assert rounds[len(match.turns) - 1] == f"R{max(t['round'] for t in truths(match, 'move'))}"
