"""Whom a policy meets in evaluation, and who sits in the seats of nobody that is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.core import Match
from arena.registry import make_game
from arena.training.dry_run import estimate
from arena.training.evaluate import OTHERS, Comparison, seated
from arena.training.setup import met
from tests.training.runs import run

pytest.importorskip("trl")
pytestmark = pytest.mark.models


@pytest.fixture(autouse=True)
def league(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_LEAGUE", str(tmp_path / "league"))


def test_a_role_is_evaluated_against_the_other_roles_and_the_mix_that_it_was_trained_on(tmp_path: Path) -> None:
    both = run(tmp_path, "game", game="nyc/tiny", roles=("blue", "red"))
    reds = ("red=bot/nyc-greedy-red", "red=bot/nyc-bait-red", "red=bot/nyc-honest-red")
    alone = run(tmp_path, "self", game="nyc/tiny", roles=("blue",))
    whole = run(tmp_path, "self", game="kuhn")

    named = run(tmp_path, "bot/nyc-bayes", game="nyc/tiny", roles=("blue", "red"))
    chosen = run(tmp_path, "self", game="nyc/tiny", roles=("blue",), params={"anchors": ["red=bot/nyc-bait-red"]})
    file = tmp_path / "pool.toml"
    file.write_text('[[opponent]]\nname = "bot/nyc-greedy-red"\nside = "red"\n')
    listed = run(tmp_path, f"league:{file}", game="nyc/tiny", roles=("blue",))

    assert met(both, "blue", "league/x-blue-k1") == (OTHERS, *reds)
    assert met(both, "red", "league/x-red-k1")[:2] == (OTHERS, "bot/random")
    assert all(name.startswith("bot/nyc-") for name in met(both, "red", "league/x-red-k1")[2:])
    assert met(alone, "blue", "league/x-k1")[:2] == ("league/x-k0", "bot/random")
    assert met(whole, "", "league/x-k1")[0] == "league/x-k1"
    assert met(whole, "", "league/x-k1")[-1] == "league/x-k0"
    assert met(named, "blue", "league/x-blue-k1") == ("bot/nyc-bayes",)
    assert met(chosen, "blue", "league/x-k1") == ("league/x-k0", "red=bot/nyc-bait-red")
    assert met(listed, "blue", "league/x-k1") == ("league/x-k0", "red=bot/nyc-greedy-red")


def test_in_evaluation_the_other_side_is_its_own_champion_or_a_bot_bound_to_it() -> None:
    game, _ = make_game("nyc/tiny", {})
    others = {"red": "league/x-red-k1"}
    comparison = Comparison("eval/1", "blue", ("league/x-blue-k1",), ("red=bot/nyc-greedy-red", OTHERS), 2, others)

    def by_side(opponent: str) -> set[tuple[str, str]]:
        match = Match(game, 1)
        names = seated(game, comparison, "league/x-blue-k1", opponent, 0, [])(match)
        return {(match.sides[seat], name) for seat, name in names.items()}

    assert by_side("red=bot/nyc-greedy-red") == {("blue", "league/x-blue-k1"), ("red", "bot/nyc-greedy-red")}
    assert by_side(OTHERS) == {("blue", "league/x-blue-k1"), ("red", "league/x-red-k1")}


def test_in_evaluation_a_seat_of_no_trained_role_is_the_untrained_start_s() -> None:
    game, _ = make_game("werewolf/duel5", {})
    others = {"seer": "league/x-seer-k1"}
    comparison = Comparison("eval/1", "wolf", ("league/x-wolf-k1",), (OTHERS,), 1, others, "league/x-wolf-k0")
    match = Match(game, 1)

    names = seated(game, comparison, "league/x-wolf-k1", OTHERS, 0, [])(match)

    held = {"wolf": "league/x-wolf-k1", "seer": "league/x-seer-k1", "villager": "league/x-wolf-k0"}
    assert names == {seat: held[match.roles[seat]] for seat in match.seats}


def test_a_dry_run_bills_the_opponents_of_every_role(tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text('[[opponent]]\nname = "mock/legal?price_in=1000&price_out=1000"\nside = "blue"\n')
    one = run(tmp_path, f"league:{file}", game="nyc/tiny", roles=("blue", "red"), recipe="nyc-regret")

    assert estimate(one.settings)["cost"].startswith("about $")
