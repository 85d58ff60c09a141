"""The scripted players: their rules, how strong they are, and that they touch nothing but their own stream."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from fractions import Fraction as F
from math import isclose, sqrt
from typing import Any

import numpy as np
import pytest

import arena
from arena.core import Match, stream
from arena.core.bots import Bot
from arena.games.avalon.bots import BOTS
from arena.games.avalon.bots.bayes import merlin_chances
from arena.games.avalon.bots.naive import consistent, evil_fails, preferred, shares
from arena.games.avalon.bots.notes import Notes, Played, Voted, notes
from arena.games.avalon.bots.posterior import belief, fails_chance
from arena.games.avalon.bots.sets import members, set_of, sets
from arena.games.avalon.game import Avalon

PRESETS = sorted(Avalon.presets)
FIVE = ["merlin", "servant", "servant", "assassin", "minion"]
SEVEN = ["merlin", "servant", "servant", "servant", "assassin", "minion", "minion"]
NAIVE, BAYES = BOTS["naive"], BOTS["bayes"]


def match_of(preset: str = "mute5", deal: list[str] | None = FIVE, seed: int = 3, **config: Any) -> Match:
    return arena.match(f"avalon/{preset}", seed=seed, **{"deal": deal, "first_leader": 0, **config})


def course(match: Match, *rounds: dict[str, Any]) -> Match:
    """Play proposals as given: `team` (seat numbers), `no` (seats that reject), `fail` (seats that play fail)."""
    for step in rounds:
        for seat, ask in list(match.pending().items()):
            assert ask.name == "propose"
            match.submit(seat, [f"player_{i}" for i in step["team"]])
        for i, seat in enumerate(match.seats):
            match.submit(seat, "reject" if i in step.get("no", ()) else "approve")
        for seat, ask in list(match.pending().items()):
            if ask.name == "quest":
                match.submit(seat, "fail" if int(seat[-1]) in step.get("fail", ()) else "success")
    return match


def play(match: Match, bots: dict[str, Bot] | Bot, seed: int = 0) -> Match:
    """Each seat, or each side, by its bot."""
    rng = stream("bots", seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            bot = bots[match.sides[seat]] if isinstance(bots, dict) else bots
            match.submit(seat, bot(match.view(seat), ask, rng))
    return match


def votes_of(match: Match, bot: Bot, team: list[int], seats: range | list[int]) -> list[str]:
    """How these seats vote by the bot once the leader has proposed the team."""
    for seat in list(match.pending()):
        match.submit(seat, [f"player_{i}" for i in team])
    rng = stream(1)
    return [bot(match.view(f"player_{i}"), match.pending()[f"player_{i}"], rng) for i in seats]


def good_won(match: Match) -> bool:
    return bool(match.outcome["winner_team"] == "good")


# --- the naive servant ----------------------------------------------------------------------------------------------


def teams(*named: tuple[int, ...]) -> set[int]:
    return {set_of(team) for team in named}


def test_at_first_a_naive_servant_prefers_the_teams_with_itself() -> None:
    """Of 6 worlds a pair with itself is good in 3, another pair in 1."""
    left = consistent(5, 2, 0, [])

    assert set(preferred(5, 2, left, 2, 0)) == teams((0, 1), (0, 2), (0, 3), (0, 4))
    assert shares(5, 2, left) == (0, 0.5, 0.5, 0.5, 0.5)


def test_fails_remove_the_worlds_with_too_little_evil_on_the_team() -> None:
    """One fail of {1, 2}: 5 of the 6 worlds are left; with 1 or 2 on the team it is good in fewer than with 3 or 4."""
    left = consistent(5, 2, 0, [(set_of([1, 2]), 1)])

    assert shares(5, 2, left) == (0, 0.6, 0.6, 0.4, 0.4)
    assert set(preferred(5, 2, left, 2, 0)) == teams((0, 3), (0, 4))
    assert set(preferred(5, 2, left, 3, 0)) == teams((0, 3, 4), (0, 1, 3), (0, 1, 4), (0, 2, 3), (0, 2, 4))


def test_of_equally_good_teams_those_inside_or_around_the_largest_success_are_preferred() -> None:
    left = consistent(5, 2, 0, [])

    assert set(preferred(5, 2, left, 2, set_of([0, 1, 2]))) == teams((0, 1), (0, 2))
    assert set(preferred(5, 2, left, 3, set_of([0, 3]))) == teams((0, 1, 3), (0, 2, 3), (0, 3, 4))
    assert len(preferred(5, 2, left, 2, set_of([1, 2]))) == 4  # neither: all of them


def test_an_impossible_record_makes_all_worlds_possible_again_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="arena.games.avalon.bots.naive")

    assert consistent(5, 2, 0, [(set_of([0, 1]), 2)]) == consistent(5, 2, 0, [])
    assert "no world explains 2 fails; all are possible again" in caplog.text


def test_in_play_no_servant_ever_runs_out_of_worlds(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="arena.games.avalon.bots.naive")
    for seed in range(60):
        play(arena.match(f"avalon/{PRESETS[seed % len(PRESETS)]}", seed=seed, talk_rounds=0), NAIVE, seed)

    assert not caplog.records


def test_naive_good_votes_by_sight_or_by_preference() -> None:
    """The team {0, 1}: Merlin sees no evil on it, servant 1 is on it, servant 2 is not."""
    assert votes_of(match_of(), NAIVE, [0, 1], range(3)) == ["approve", "approve", "reject"]
    assert votes_of(match_of(), NAIVE, [1, 3], range(3)) == ["reject", "approve", "reject"]


def test_naive_percival_plays_as_a_servant() -> None:
    deal = ["merlin", "percival", "servant", "assassin", "morgana"]
    for team in ([0, 1], [1, 4], [0, 4]):
        as_percival = votes_of(match_of("full5", deal, talk_rounds=0), NAIVE, team, [1])
        as_servant = votes_of(match_of("mute5", FIVE), NAIVE, team, [1])

        assert as_percival == as_servant


def test_naive_merlin_proposes_itself_and_unseen_seats() -> None:
    for seed in range(20):
        match = match_of(seed=seed)
        team = NAIVE(match.view("player_0"), match.pending()["player_0"], stream(seed))

        assert team in (["player_0", "player_1"], ["player_0", "player_2"])


# --- naive evil -----------------------------------------------------------------------------------------------------


def notes_of(role: str, evil: int, on_team: int, needed: int) -> Notes:
    """Evil seat 0 of `evil` known evil seats, with `on_team` of them on the team."""
    n = Notes(tuple(map(str, range(7))), evil, (3,) * 5, (needed,) * 5, False, frozenset(), 0)
    n.role, n.label, n.seen = role, "evil", set_of(range(1, evil))
    n.team = set_of(range(on_team)) | set_of([5, 6])
    return n


@pytest.mark.parametrize(
    ("role", "evil", "on_team", "needed", "fails"),
    [
        ("minion", 2, 1, 1, True),  # exactly enough
        ("minion", 3, 2, 2, True),
        ("minion", 2, 2, 1, False),  # more than enough: the assassin does it
        ("minion", 3, 2, 1, True),
        ("minion", 3, 3, 2, True),
        ("minion", 3, 1, 2, False),  # too few
        ("morgana", 2, 2, 1, False),
        ("assassin", 2, 2, 1, True),
        ("assassin", 3, 1, 2, False),
        ("assassin", 3, 3, 2, True),
    ],
)
def test_when_naive_evil_plays_fail(role: str, evil: int, on_team: int, needed: int, fails: bool) -> None:
    assert evil_fails(notes_of(role, evil, on_team, needed)) is fails


def test_naive_evil_approves_teams_with_enough_evil() -> None:
    assert votes_of(match_of(), NAIVE, [0, 1], [3, 4]) == ["reject", "reject"]
    assert votes_of(match_of(), NAIVE, [0, 4], [3, 4]) == ["approve", "approve"]


def test_naive_evil_proposes_itself_and_just_enough_evil() -> None:
    for seed in range(30):
        match = match_of("p7", SEVEN, seed, first_leader=6, talk_rounds=0)
        course(match, {"team": (0, 1)}, {"team": (0, 1, 4), "fail": (4,)}, {"team": (0, 1, 2)})
        for _ in range(3):  # the leaders 2, 3, 4 come to quest 4, which needs two fails
            leader = next(iter(match.pending()))
            if leader == "player_4":
                break
            course(match, {"team": (0, 1, 2, 3), "no": range(7)})
        team = NAIVE(match.view("player_4"), match.pending()["player_4"], stream(seed))

        assert len(team) == 4
        assert "player_4" in team
        assert len({"player_5", "player_6"} & set(team)) == 1


def test_a_naive_oberon_counts_itself_only() -> None:
    deal = ["merlin", "percival", "servant", "servant", "assassin", "morgana", "oberon"]
    match = match_of("full7", deal, talk_rounds=0)

    assert votes_of(match, NAIVE, [4, 5], [6, 5]) == ["reject", "approve"]


def test_the_naive_assassin_names_any_good_seat() -> None:
    clean = {"team": (0, 1, 2)}
    match = course(match_of(), {"team": (0, 1)}, clean, {"team": (0, 1)})
    named = {NAIVE(match.view("player_3"), match.pending()["player_3"], stream(s)) for s in range(40)}

    assert named == {"player_0", "player_1", "player_2"}


# --- speech ---------------------------------------------------------------------------------------------------------


def test_a_servant_states_its_suspicions_above_one_half() -> None:
    match = match_of("bench5")
    assert NAIVE(match.view("player_1"), match.pending()["player_0"], stream(1))["text"] == "I suspect nobody yet."
    play(match, NAIVE, 5)
    said = [t.answer for t in match.turns if t.ask.name == "speech" and t.seat == "player_1"][-1]
    suspects = [s for s, p in said["suspicion"].items() if p > 50]

    assert said["claim"] == "good"
    assert said["text"] == f"I suspect {' and '.join(suspects)}."


def test_merlin_speaks_like_a_servant_and_evil_tells_a_story() -> None:
    match = match_of("bench5")
    ask = match.pending()["player_0"]

    assert set(NAIVE(match.view("player_0"), ask, stream(1))["suspicion"].values()) == {50}
    stories = set()
    while (seat := next(iter(match.pending()))) != "player_3":
        match.submit(seat, {"text": ""})
    for seed in range(40):
        story = NAIVE(match.view("player_3"), match.pending()["player_3"], stream(seed))
        stories.add(story["text"])
        assert story["claim"] == "good"
    assert stories == {"I suspect nobody yet.", *(f"I suspect player_{i}." for i in range(3))}


def test_bots_keep_to_a_short_speech() -> None:
    for bot in BOTS.values():
        match = play(arena.match("avalon/p10", seed=2, max_chars=10), bot)
        assert max(len(t.answer["text"]) for t in match.turns if t.ask.name == "speech") == 10


# --- the Bayes player -----------------------------------------------------------------------------------------------


def test_chances_of_fail_cards() -> None:
    assert [fails_chance(0, 1, f) for f in range(2)] == [1, 0]
    assert [fails_chance(1, 1, f) for f in range(3)] == pytest.approx([0.1, 0.9, 0])
    assert [fails_chance(2, 1, f) for f in range(3)] == pytest.approx([0.01, 0.18, 0.81])
    assert [fails_chance(1, 2, f) for f in range(2)] == [0.5, 0.5]
    assert [fails_chance(3, 2, f) for f in range(4)] == pytest.approx([0.001, 0.027, 0.243, 0.729])


def test_a_posterior_worked_by_hand() -> None:
    """Servant 1; player_0 leads and proposes {0, 1}; seats 2 and 3 reject; no fail.

    Six worlds of weight 1. Lead: worlds with 0 evil x .9. P({0, 1} good) is then 3 / (3 + 3 x .9) = 10/19 = p.
    Ballot ratios (evil over good): approving .8/p if 0 is evil, else .3/p; rejecting .2/(1-p), else .7/(1-p).
    Quest: evil 0 on the team hides its fail with .1, else 1.
    """
    match = course(match_of(), {"team": (0, 1), "no": (2, 3)})
    p = F(10, 19)
    yes = {True: F(4, 5) / p, False: F(3, 10) / p}
    no = {True: F(1, 5) / (1 - p), False: F(7, 10) / (1 - p)}
    weights = {
        (0, 2): F(9, 10) * yes[True] * no[True] * F(1, 10),
        (0, 3): F(9, 10) * yes[True] * no[True] * F(1, 10),
        (0, 4): F(9, 10) * yes[True] * yes[True] * F(1, 10),
        (2, 3): no[False] * no[False],
        (2, 4): no[False] * yes[False],
        (3, 4): no[False] * yes[False],
    }
    total = sum(weights.values())
    wanted = [float(sum(w for world, w in weights.items() if seat in world) / total) for seat in range(5)]

    assert belief(notes(match.view("player_1"))).is_evil() == pytest.approx(wanted)


def test_sight_and_the_lady_leave_only_worlds_that_agree() -> None:
    deal = ["merlin", "percival", "servant", "servant", "assassin", "morgana", "oberon"]
    match = match_of("full7", deal, talk_rounds=0, lady=True)
    merlin, percival = (belief(notes(match.view(f"player_{i}"))).is_evil() for i in (0, 1))

    assert merlin == [0, 0, 0, 0, 1, 1, 1]
    assert percival == pytest.approx([0.5, 0, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert belief(notes(match.view("player_0")), open_eyed=False).is_evil() == pytest.approx([0] + [0.5] * 6)
    course(match, {"team": (0, 1)}, {"team": (0, 1, 2)})
    match.submit("player_6", "player_2")  # Oberon holds the Lady first
    assert belief(notes(match.view("player_6"))).is_evil()[2] == 0


def test_bayes_merlin_votes_for_clean_teams_but_for_its_disguise() -> None:
    """Merlin looks through closed eyes three times in ten; then it would approve a pair of others no better than the
    leader's best."""
    votes = []
    for seed in range(400):
        match = match_of(first_leader=3)
        match.submit("player_3", ["player_1", "player_3"])
        votes.append(BAYES(match.view("player_0"), match.pending()["player_0"], stream(seed)))

    assert abs(votes.count("approve") - 120) < 4 * sqrt(400 * 0.3 * 0.7)


def test_bayes_good_never_rejects_a_last_chance() -> None:
    match = match_of("p5", talk_rounds=0)
    course(match, *[{"team": (0, 1), "no": range(5)}] * 4)

    assert votes_of(match, BAYES, [3, 4], range(3)) == ["approve"] * 3


def test_the_bayes_assassin_reads_the_ballots() -> None:
    """Good seat 1 votes with the truth throughout, 0 (Merlin) and 2 do not."""
    rounds = [
        {"team": (3, 1), "no": (1, 2), "fail": ()},
        {"team": (0, 1, 2), "no": (0, 2, 3, 4)},
        {"team": (0, 1, 2), "no": (2,)},
        {"team": (0, 1), "no": (0,)},
    ]
    match = course(match_of(), *rounds)
    chances = merlin_chances(notes(match.view("player_3")))
    # agreeing ballots: 0 none, 1 all four, 2 one; each agreement is worth 3/2, each difference 1/4
    odds = [F(3, 2) * F(1, 4) ** 3, F(3, 2) ** 4, F(3, 2) * F(1, 4) ** 3]

    assert chances == pytest.approx([*(float(o / sum(odds)) for o in odds), 0, 0])
    assert BAYES(match.view("player_3"), match.pending()["player_3"], stream(1)) == "player_1"


def test_assassin_random_differs_from_bayes_in_the_strike_only() -> None:
    named = set()
    for seed in range(60):
        a, b = (arena.match("avalon/mute5", seed=seed) for _ in range(2))
        rng = stream(seed)
        while not a.done and "assassinate" not in {ask.name for ask in a.pending().values()}:
            for seat, ask in list(a.pending().items()):
                state = rng.getstate()
                answer = BAYES(a.view(seat), ask, rng)
                rng.setstate(state)
                assert BOTS["assassin-random"](b.view(seat), ask, rng) == answer
                a.submit(seat, answer)
                b.submit(seat, answer)
        if not a.done:
            (seat, ask) = next(iter(a.pending().items()))
            named |= {
                (bot(a.view(seat), ask, stream(i)), name)
                for i in range(20)
                for name, bot in BOTS.items()
                if name != "naive"
            }
    assert len({target for target, name in named if name == "assassin-random"}) == 5


# --- strength -------------------------------------------------------------------------------------------------------

# good wins, three successes, proposals a match of the published engine's baselines (400 matches each)
ANCHORS = {
    5: (0.340, 0.56, 7.5, 0.06),
    6: (0.453, 0.58, 12.5, 0.06),
    7: (0.035, 0.037, 5.1, 0.03),
    8: (0.022, 0.025, 5.6, 0.03),
    9: (0.035, 0.043, 6.5, 0.03),
}


@pytest.mark.parametrize("players", ANCHORS)
def test_naive_against_naive_plays_like_the_published_baselines(players: int) -> None:
    wins, successes, proposals, margin = ANCHORS[players]
    config = {"fifth_reject": "auto_pass", "talk_rounds": 0}
    matches = [play(arena.match(f"avalon/p{players}", seed=s, **config), NAIVE, s) for s in range(1000)]  # type: ignore[arg-type]
    reached = [m.turns[-1].ask.name == "assassinate" for m in matches]
    made = sum(sum(e.kind == "proposed" for e in m.events) for m in matches)

    assert abs(sum(map(good_won, matches)) / 1000 - wins) < margin
    assert abs(sum(reached) / 1000 - successes) < margin
    assert abs(made / 1000 / proposals - 1) < 0.1


def gain(players: int, deals: int) -> tuple[float, float]:
    """How much oftener good wins as Bayes than as naive on the same deals against naive evil; the 95 % half-width."""
    differences = []
    for seed in range(deals):
        won = []
        for bot in (BAYES, NAIVE):
            match = arena.match(f"avalon/p{players}", seed=seed, talk_rounds=0)
            won.append(good_won(play(match, {"good": bot, "evil": NAIVE}, seed)))
        differences.append(won[0] - won[1])
    mean = sum(differences) / deals
    return mean, 1.96 * sqrt(sum((d - mean) ** 2 for d in differences) / (deals - 1) / deals)


def check_gain(players: int, deals: int) -> None:
    mean, half = gain(players, deals)

    assert mean - half >= (0.10 if players >= 7 else -0.02)


@pytest.mark.parametrize("players", [5, 7, 9])
def test_bayes_beats_naive_as_good(players: int) -> None:
    check_gain(players, 150)


@pytest.mark.long
@pytest.mark.parametrize("players", [5, 6, 7, 8, 9, 10])
def test_bayes_beats_naive_as_good_on_1_000_paired_deals(players: int) -> None:
    check_gain(players, 1000)


# --- good behaviour -------------------------------------------------------------------------------------------------


def mixed(preset: str, seed: int) -> Match:
    """A match in which each seat is a bot drawn by the seed; every answer must be legal."""
    match, rng = arena.match(f"avalon/{preset}", seed=seed), stream("mixed", seed)
    names = [*BOTS, None]
    players: dict[str, Callable[..., Any] | None] = {}
    for seat in match.seats:
        name = rng.choice(names)
        players[seat] = BOTS[name] if name else None
    while not match.done:
        for seat, ask in list(match.pending().items()):
            bot = players[seat]
            match.submit(seat, bot(match.view(seat), ask, rng) if bot else ask.sample(rng))
    return match


@pytest.mark.parametrize("preset", PRESETS)
def test_all_bots_answer_legally_in_any_company(preset: str) -> None:
    for seed in range(15):
        assert mixed(preset, seed).payoffs


@pytest.mark.long
@pytest.mark.parametrize("preset", PRESETS)
def test_all_bots_answer_legally_in_10_000_matches(preset: str) -> None:
    for seed in range(10_000):
        assert mixed(preset, seed).payoffs


@pytest.mark.parametrize(
    "config", [{"lady": True}, {"evil_talk": True}, {"propose_first": True, "talk_every": "quest"}]
)
def test_bots_know_every_ask(config: dict[str, Any]) -> None:
    for bot in BOTS.values():
        for seed in range(4):
            match = play(arena.match("avalon/full8", seed=seed, elicit_beliefs="quest", **config), bot, seed)
            assert match.payoffs


def test_neither_the_game_nor_a_bot_touches_the_process_wide_random_state() -> None:
    random.seed(99)
    np.random.seed(99)  # the global state is what is watched
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    for seed in range(6):
        mixed("full10", seed)

    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index]


def test_bots_answer_the_same_from_a_replayed_view() -> None:
    match = play(arena.match("avalon/full7", seed=8), BAYES, 8)
    again = arena.match("avalon/full7", seed=8)
    for turn in match.turns:
        fresh = arena.match(record=arena.core.record(again)) if turn.turn % 40 == 0 else again
        for bot in BOTS.values():
            ask = again.pending()[turn.seat]
            answers = [bot(m.view(turn.seat), ask, stream(turn.turn)) for m in (again, fresh)]
            assert answers[0] == answers[1]
        again.submit(turn.seat, turn.answer)
    assert again.payoffs == match.payoffs


def test_sets_are_counted_as_bits() -> None:
    assert members(set_of([4, 1, 9])) == [1, 4, 9]
    assert len(sets(10, 4)) == 210
    assert len(sets(10, 5)) == 252
    assert isclose(sum(shares(10, 4, consistent(10, 4, 0, []))), 4)
    assert [type(e).__name__ for e in notes(course(match_of(), {"team": (0, 1)}).view("player_1")).evidence] == [
        *("Proposed", Voted.__name__, Played.__name__)
    ]


# --- speed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("preset", "bot", "most_ms"), [("p5", "naive", 3), ("p5", "bayes", 3), ("p10", "naive", 15)])
def test_fast_enough_for_thousands_of_matches(preset: str, bot: str, most_ms: float) -> None:
    """CPU time a match; the margin is for a busy machine."""
    play(arena.match(f"avalon/{preset}", seed=0), BOTS[bot])
    best = float("inf")
    for start in (0, 20, 40):
        began = time.process_time()
        for seed in range(start, start + 20):
            play(arena.match(f"avalon/{preset}", seed=seed), BOTS[bot], seed)
        best = min(best, (time.process_time() - began) / 20)

    assert best * 1000 < 2 * most_ms
