"""The naive player: what it prefers, proposes, plays and says, by role."""

from __future__ import annotations

import logging

import pytest

import arena
from arena.core import Match, stream
from arena.core.bots import Bot
from arena.games.avalon.bots import BOTS
from arena.games.avalon.bots.naive import consistent, evil_fails, preferred, shares
from arena.games.avalon.bots.notes import Notes
from arena.games.avalon.bots.sets import set_of
from arena.games.avalon.game import Avalon
from tests.games.avalon.tables import FIVE, SEVEN, course, new, votes_of

PRESETS = sorted(Avalon.presets)
NAIVE = BOTS["naive"]


def play(match: Match, bots: dict[str, Bot] | Bot, seed: int = 0) -> Match:
    """Each seat, or each side, by its bot."""
    rng = stream("bots", seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            bot = bots[match.sides[seat]] if isinstance(bots, dict) else bots
            match.submit(seat, bot(match.view(seat), ask, rng))
    return match


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
    assert votes_of(new(), NAIVE, [0, 1], range(3)) == ["approve", "approve", "reject"]
    assert votes_of(new(), NAIVE, [1, 3], range(3)) == ["reject", "approve", "reject"]


def test_naive_percival_plays_as_a_servant() -> None:
    deal = ["merlin", "percival", "servant", "assassin", "morgana"]
    for team in ([0, 1], [1, 4], [0, 4]):
        as_percival = votes_of(new("full5", deal, talk_rounds=0), NAIVE, team, [1])
        as_servant = votes_of(new("mute5", FIVE), NAIVE, team, [1])

        assert as_percival == as_servant


def test_naive_merlin_proposes_itself_and_unseen_seats() -> None:
    for seed in range(20):
        match = new(seed=seed)
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
    assert votes_of(new(), NAIVE, [0, 1], [3, 4]) == ["reject", "reject"]
    assert votes_of(new(), NAIVE, [0, 4], [3, 4]) == ["approve", "approve"]


def test_naive_evil_proposes_itself_and_just_enough_evil() -> None:
    for seed in range(30):
        match = new("p7", SEVEN, seed, first_leader=6, talk_rounds=0)
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
    match = new("full7", deal, talk_rounds=0)

    assert votes_of(match, NAIVE, [4, 5], [6, 5]) == ["reject", "approve"]


def test_the_naive_assassin_names_any_good_seat() -> None:
    clean = {"team": (0, 1, 2)}
    match = course(new(), {"team": (0, 1)}, clean, {"team": (0, 1)})
    named = {NAIVE(match.view("player_3"), match.pending()["player_3"], stream(s)) for s in range(40)}

    assert named == {"player_0", "player_1", "player_2"}


# --- speech ---------------------------------------------------------------------------------------------------------


def test_a_servant_states_its_suspicions_above_one_half() -> None:
    match = new("bench5")
    assert NAIVE(match.view("player_1"), match.pending()["player_0"], stream(1))["text"] == "I suspect nobody yet."
    play(match, NAIVE, 5)
    said = [t.answer for t in match.turns if t.ask.name == "speech" and t.seat == "player_1"][-1]
    suspects = [s for s, p in said["suspicion"].items() if p > 50]

    assert said["claim"] == "good"
    assert said["text"] == f"I suspect {' and '.join(suspects)}."


def test_merlin_speaks_like_a_servant_and_evil_tells_a_story() -> None:
    match = new("bench5")
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
