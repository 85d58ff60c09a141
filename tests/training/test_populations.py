"""Collect plans: who is seated where, by population, on paired deals; and the game's mix."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from arena.core import UsageError
from arena.store.reader import Reader
from arena.training import collect, final, forks, population, standings
from arena.training.jsonfile import write_json
from arena.training.play import play
from arena.training.record import read_played
from arena.training.setup import Run, anchors
from tests.training.runs import run

pytest.importorskip("trl")
pytestmark = pytest.mark.models


@pytest.fixture(autouse=True)
def league(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_LEAGUE", str(tmp_path / "league"))


def plan(one: Run, k: int, count: int, **parts: Any) -> list[Any]:
    champions = {role: f"league/{one.settings.policy(role, 0)}" for role in one.roles}
    pools = {
        role: population.opponents(one.settings, type(one.game), role, k, champions[role], **parts)
        for role in one.roles
    }
    return collect.plan(one, k, champions, pools, count, f"collect/{k}")


def test_against_a_fixed_opponent_seats_rotate_on_one_deal(tmp_path: Path) -> None:
    made = plan(run(tmp_path, "bot/always?answer=rock"), 1, 6)

    assert [p.seating["player_0"] == "league/x-k0" for p in made] == [True, False] * 3
    assert [p.deal_seed for p in made[::2]] == [p.deal_seed for p in made[1::2]]
    assert len({p.deal_seed for p in made}) == 3
    assert len({p.key for p in made}) == 6


def test_in_self_play_every_seat_is_the_policy(tmp_path: Path) -> None:
    made = plan(run(tmp_path, "self"), 1, 4)

    assert all(set(p.seating.values()) == {"league/x-k0"} for p in made)
    assert len({p.deal_seed for p in made}) == 4


def test_fictitious_self_play_meets_every_past_policy(tmp_path: Path) -> None:
    made = plan(run(tmp_path, "fsp", iterations=4), 4, 200)
    met = Counter(name for p in made for name in p.seating.values() if name != "league/x-k0")

    assert set(met) == {"league/x-k1", "league/x-k2", "league/x-k3"}


def test_the_pool_takes_further_names(tmp_path: Path) -> None:
    made = plan(run(tmp_path, "fsp", params={"pool": ["bot/random"]}), 1, 40)

    assert "bot/random" in {name for p in made for name in p.seating.values()}


def test_a_meta_strategy_weighs_the_pool(tmp_path: Path) -> None:
    meta = {"league/x-k0": 0.0, "league/x-k1": 1.0}
    made = plan(run(tmp_path, "psro", iterations=3), 2, 30, meta=meta)

    assert {name for p in made for name in p.seating.values()} == {"league/x-k0", "league/x-k1"}
    assert all(sorted(p.seating.values()) == ["league/x-k0", "league/x-k1"] for p in made)


@pytest.mark.parametrize(
    ("opponents", "roles", "count"),
    [("bot/random", ("player_0", "player_1"), 6), ("bot/random", ("player_0",), 3), ("self", (), 3)],
)
def test_every_role_gets_matches_for_its_slots_of_single_turns(
    tmp_path: Path, opponents: str, roles: tuple[str, ...], count: int
) -> None:
    """12 slots of 4 decisions; who is trained in two roles sits in one of them a match."""
    params = {"rows": "turn", "fork_states": 4}
    one = run(tmp_path, opponents, algorithm="grpo", recipe="group", roles=roles, matches=12, params=params)

    assert collect.count(one.settings) == count


def test_slots_that_were_not_found_are_said() -> None:
    from arena.training.dataset import said
    from arena.training.health import warnings

    facts = {"rows": 5, "train_rows": 5, "wanted": 8}

    assert "8 were asked for" in said(facts)
    assert warnings("grpo", [], facts) == ["5 slots were found of the 8 that were asked for"]
    assert "asked for" not in said(facts | {"rows": 8})
    assert warnings("grpo", [], facts | {"rows": 8}) == []


def test_an_iteration_without_the_learner_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.training import slots

    monkeypatch.setattr(slots, "_bounds", lambda run, k: [0.0, 1.0])  # of the collect stage, which is not played here
    params = {"rae_start": "zero"}
    one = run(tmp_path, "game", "nyc/tiny", algorithm="grpo", recipe="rae", roles=("blue",), matches=4, params=params)
    monkeypatch.setattr(standings, "pools", lambda *_: {"blue": [population.Opponent("bot/random")]})
    facts = slots.write_slots(one, 1, "blue", {"blue": "league/x-k0"})

    assert facts["lacks"] == "no match seats the policy that is trained as blue"


def registered(one: Run, names: list[str]) -> None:
    """The untrained start under several names."""
    from arena.training.stages import register_stage

    register_stage(one, 0, "", "run", [])
    for name in names:
        shutil.copytree(one.league / "x-k0", one.league / name)


def test_scores_are_those_of_the_iterations_own_champion(tmp_path: Path) -> None:
    """k2 was not promoted: in collect/3 it is an opponent, though its name comes after the champion's."""
    one = run(tmp_path, "pfsp", iterations=4, set={"rounds": 1})
    one.folder.mkdir()
    registered(one, ["x-k1", "x-k2"])
    for k, promoted in ((1, True), (2, False)):
        write_json(one.iteration(k) / "gate.json", {"promoted": promoted})
    champion, other = "league/x-k1", "league/x-k2"
    pools = {"": [population.Opponent(other)]}
    play(one.table, collect.plan(one, 3, {"": champion}, pools, 6, "collect/3"))
    with Reader(one.folder) as reader:
        paid = [row["payoff"] for row in reader.seats() if row["agent"] == champion]
    found = standings.scores(one, "", 4)

    assert one.champion("", 3) == champion
    assert set(found) == {other}
    assert found[other].played == 6
    assert found[other].won == sum(1.0 if x > 0 else 0.5 if x == 0 else 0.0 for x in paid)


def test_iterates_are_the_champions_after_each_gate(tmp_path: Path) -> None:
    """k2 was turned down: k1 stands there once more."""
    one = run(tmp_path, "self", iterations=3)
    for k, promoted in ((1, True), (2, False), (3, True)):
        write_json(one.iteration(k) / "gate.json", {"promoted": promoted})

    assert final.iterates(one, 3) == ["league/x-k0", "league/x-k1", "league/x-k1", "league/x-k3"]


def test_the_average_iterate_weighs_a_champion_by_its_gates() -> None:
    found = final.averaged(["a", "b", "b", "c"], ["a", "b", "c"], [[0, -2, 4], [2, 0, -1], [-4, 1, 0]])

    assert found["weights"] == [0.25, 0.5, 0.25]
    assert found["mixture"] == [0.0, -0.25, 0.5]
    assert found["last"] == [-4, 1, 0]
    assert found["last_against_mixture"] == -0.5
    assert found["mixture_against_last"] == 0.5


@pytest.mark.parametrize(
    ("params", "iterations", "has"),
    [({"nash": "extragradient"}, 1, True), ({"loss": "ipo"}, 2, True), ({"loss": "ipo"}, 1, False), ({}, 2, False)],
)
def test_the_average_is_reported_where_a_mixture_is_looked_for(
    tmp_path: Path, params: dict[str, Any], iterations: int, has: bool
) -> None:
    one = run(tmp_path, "self", algorithm="dpo", recipe="fork-pairs", iterations=iterations, params=params)

    assert final.has_average(one.settings) == has


def test_rollouts_count_for_pfsp(tmp_path: Path) -> None:
    """The recipe group collects nothing; what the live policy won of the rollouts is read, here played by a bot."""
    one = run(tmp_path, "pfsp", algorithm="grpo", recipe="group", iterations=2, set={"rounds": 1})
    one.folder.mkdir()
    live, other = "bot/always?answer=paper", "bot/always?answer=rock"
    plan = [
        one.table.planned("rollout/1", i, 0, lambda m: dict(zip(m.seats, (live, other), strict=True))) for i in (0, 1)
    ]
    play(one.table, plan)
    with sqlite3.connect(one.folder / "run.sqlite") as db:
        db.execute("UPDATE agents SET name = 'live' WHERE name = ?", (live,))
    found = standings.scores(one, "", 2)

    assert {name: (score.won, score.played) for name, score in found.items()} == {other: (2.0, 2.0)}


@pytest.mark.parametrize(("game", "how"), [("matrix/rps", "nash"), ("matrix/ipd", "alpharank")])
def test_the_meta_strategy_of_the_pool_is_that_of_the_game(tmp_path: Path, game: str, how: str) -> None:
    """Of the pool's constant players rock has no place beside paper, nor who cooperates beside who defects."""
    bad, good = ("rock", "paper") if how == "nash" else ("cooperate", "defect")
    pool = [f"bot/always?answer={bad}", f"bot/always?answer={good}"]
    one = run(tmp_path, "psro", game, set={"rounds": 1}, eval_matches=2, params={"pool": pool})
    one.folder.mkdir()
    registered(one, [])
    weights = standings.meta_strategy(one, "", 1)

    assert standings._is_constant_sum(one, "psro") == (how == "nash")
    assert sum(weights.values()) == pytest.approx(1)
    assert weights[population.recorded(pool[0], type(one.game))] == pytest.approx(0, abs=1e-6)
    assert weights[population.recorded(pool[1], type(one.game))] > 0.3


def test_only_the_decision_of_a_candidates_match_is_a_models(tmp_path: Path) -> None:
    params = {"fork_k": 6, "fork_states": 1, "fork_rollouts": 2}
    one = run(tmp_path, "self", set={"rounds": 1}, algorithm="dpo", recipe="fork-pairs", params=params)
    one.folder.mkdir()
    play(one.table, [one.table.planned("collect/1", 0, 0, lambda m: dict.fromkeys(m.seats, "mock/legal"))])
    forks.play_forks(one, {"": "mock/legal"}, "collect/1", "forks/1")
    met: dict[bool, set[str]] = {True: set(), False: set()}
    for m in read_played(one.folder, tags=["forks/1"]):
        assert m.fork is not None
        seat = m.match.turns[m.fork["turn"]].seat
        assert m.agents[seat] == "mock/legal"
        met[m.fork["branch"] >= forks.CANDIDATES] |= {name for s, name in m.agents.items() if s != seat}

    assert met == {True: {"bot/random"}, False: {"mock/legal"}}


def test_labels_need_no_payoff_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only grpo draws opponents in the label stage; of kto nothing is played there."""
    from arena.training.dataset import label_stage

    one = run(tmp_path, "psro", set={"rounds": 1})
    one.folder.mkdir()
    registered(one, [])
    champions = {"": "league/x-k0"}
    play(one.table, collect.plan(one, 1, champions, {"": [population.Opponent("bot/random")]}, 2, "collect/1"))
    monkeypatch.delattr(standings, "meta_strategy")
    label_stage(one, 1, "", champions)
    with Reader(one.folder) as reader:
        assert {match["tag"] for match in reader.matches()} == {"collect/1"}


def test_a_best_response_starts_from_the_base_and_others_from_the_champion(tmp_path: Path) -> None:
    assert run(tmp_path, "psro").settings.init == "base"
    assert run(tmp_path, "fsp").settings.init == "champion"
    assert run(tmp_path, "psro", params={"init": "last"}).settings.init == "last"


def test_counters_meet_mains_and_mains_meet_both(tmp_path: Path) -> None:
    one = run(tmp_path, "fxp", iterations=5)
    counter = population.opponents(one.settings, type(one.game), "", 4, "league/x-k3")
    main = population.opponents(one.settings, type(one.game), "", 5, "league/x-k3")

    assert [entry.name for entry in counter] == ["league/x-k0", "league/x-k1", "league/x-k3"]
    assert sum(e.weight for e in main if e.name in ("league/x-k2", "league/x-k4")) == pytest.approx(0.5)
    assert population.is_counter(one.settings, 4)
    assert not population.is_counter(one.settings, 5)


def test_a_policy_that_was_kept_counts_once(tmp_path: Path) -> None:
    """Of k1 to k4 the second and the third were kept: copies, and no counters."""
    from arena.training.loop import _Loop
    from arena.training.manifest import Manifest

    for spec, names in (("fsp", ["k0", "k1", "k4"]), ("psro", ["k0", "k1", "k4"]), ("fxp", ["k0", "k1", "k4"])):
        one = run(tmp_path, spec, iterations=5, params={"init": "last"})
        for k, is_kept in ((1, False), (2, True), (3, True), (4, False)):
            write_json(one.iteration(k) / "gate.json", {"promoted": not is_kept, **({"kept": True} if is_kept else {})})
        met = population.opponents(one.settings, type(one.game), "", 5, "league/x-k4", kept=one.kept("", 5))

        assert [entry.name for entry in met] == [f"league/x-{name}" for name in names]
    counters = [entry.name for entry in met if entry.weight == 0.5]
    manifest = Manifest(tmp_path)
    manifest.data["config_sha256"] = ""

    assert counters == ["league/x-k4"]
    assert _Loop(one, manifest)._last("", 4) == "league/x-k1"
    assert _Loop(one, manifest)._last("", 5) == "league/x-k4"


def test_a_league_file_weighs_and_sides_its_entries(tmp_path: Path) -> None:
    file = tmp_path / "mix.toml"
    file.write_text(
        '[[opponent]]\nname = "bot/random"\nweight = 3.0\n\n[[opponent]]\nname = "bot/always"\nside = "player_1"\n'
    )
    entries = population.from_file(file)

    assert [(e.name, e.weight, e.side) for e in entries] == [("bot/random", 3.0, ""), ("bot/always", 1.0, "player_1")]
    assert {p.seating["player_0"] for p in plan(run(tmp_path, f"league:{file}"), 1, 40)} == {
        "league/x-k0",
        "bot/random",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"holds no \[\[opponent\]\]"),
        ("[[opponent]]\nweight = 1\n", "needs a name"),
        ('[[opponent]]\nname = "bot/random"\nwieght = 1\n', "wieght"),
        ('[[opponent]]\nname = "bot/random"\nweight = -1\n', "from 0 up"),
        ('rate = 1\n[[opponent]]\nname = "bot/random"\n', "unknown keys rate"),
    ],
)
def test_a_wrong_league_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mix.toml"
    file.write_text(text)

    with pytest.raises(UsageError, match=says):
        population.from_file(file)


def test_a_role_is_trained_on_whatever_seat_it_is_dealt_to(tmp_path: Path) -> None:
    one = run(tmp_path, "bot/random", game="werewolf", roles=("wolf",))
    made = plan(one, 1, 3)

    from arena.core import Match

    for planned in made:
        match = Match(one.game, planned.seed, planned.deal_seed)
        wolves = [s for s in match.seats if "wolf" in (match.roles.get(s), match.sides.get(s))]
        assert [s for s, name in planned.seating.items() if name == "league/x-k0"] == wolves


def test_two_roles_have_policies_of_their_own(tmp_path: Path) -> None:
    one = run(tmp_path, "self", game="nyc/tiny", roles=("blue", "red"))
    (planned,) = plan(one, 1, 1)

    assert set(planned.seating.values()) == {"league/x-blue-k0", "league/x-red-k0"}


def test_the_games_own_mix_is_three_fifths_learner_one_scripted_one_without_red(tmp_path: Path) -> None:
    one = run(tmp_path, "game", game="nyc/tiny", roles=("blue", "red"), recipe="nyc-regret")
    made = plan(one, 1, 400)
    seated = Counter(
        "no red" if p.config["red_rate"] == 0 else "scripted" if "bot/" in str(p.seating) else "both" for p in made
    )
    names = {name for p in made for name in p.seating.values()}

    assert len({p.deal_seed for p in made}) == 400
    assert abs(seated["both"] - 240) < 40
    assert abs(seated["scripted"] - 80) < 30
    assert abs(seated["no red"] - 80) < 30
    assert names == {
        "league/x-blue-k0",
        "league/x-red-k0",
        "bot/nyc-greedy-red",
        "bot/nyc-bait-red",
        "bot/nyc-honest-red",
    }


def test_a_bot_of_the_game_is_seated_under_the_name_that_the_record_has(tmp_path: Path) -> None:
    one = run(tmp_path, "bot/tit-for-tat", game="matrix/ipd", params={"pool": ["bot/grim"]})
    names = {name for p in plan(one, 1, 2) for name in p.seating.values()}

    assert names == {"league/x-k0", "bot/matrix-tit-for-tat"}
    assert anchors(one, "") == ("bot/matrix-tit-for-tat",)


def test_roles_may_be_updated_in_turn(tmp_path: Path) -> None:
    one = run(tmp_path, "self", game="nyc/tiny", roles=("blue", "red"), params={"update": "alternate"})

    assert [one.roles_of(k) for k in (1, 2, 3)] == [("blue",), ("red",), ("blue",)]


def test_collect_evaluation_and_final_deals_never_meet(tmp_path: Path) -> None:
    table = run(tmp_path, "self").table

    def deals(tag: str) -> set[int]:
        return {table.planned(tag, i, 0, lambda m: dict.fromkeys(m.seats, "bot/random")).deal_seed for i in range(50)}

    assert not deals("collect/1") & deals("eval/1")
    assert not deals("eval/1") & deals("final")
