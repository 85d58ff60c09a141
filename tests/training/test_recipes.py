"""Recipes: rows of hand-made records, and what no row may ever be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import UnknownName, UsageError
from arena.registry import load_game
from arena.training.recipes import check_recipe, fork_pairs, lspo_pairs, outcome, winner_only
from arena.training.recipes.from_game import GameRecipe
from arena.training.record import Played
from arena.training.rows import Labelled, NothingToLearn, Trainee, check_trainable, split_of, summary, write_rows
from tests.training.hand_made import rps

THROWS = ("rock", "paper", "scissors")


def labels(made: Labelled) -> list[tuple[str, int, Any]]:
    return [(row["match"], row["turn"], row.get("label")) for row in made.rows]


def test_a_seat_paid_above_the_mean_of_the_others_is_desirable() -> None:
    made = outcome.label([rps("m1", ("paper", "rock")), rps("m2", ("rock", "rock"))], {})

    # payoffs 1, -1, 0, 0: the others' means are -1/3, 1/3, 0, 0
    assert labels(made) == [("m1", 0, True), ("m1", 1, False)]
    assert made.drops == {"payoff equal to the mean of its role": 2}


def test_the_row_is_the_seats_own_prompt_and_answer() -> None:
    row = outcome.label([rps("m1", ("paper", "rock")), rps("m2", ("paper", "rock"))], {}).rows[0]

    assert [m["role"] for m in row["prompt"]] == ["system", "user"]
    assert row["completion"] == [{"role": "assistant", "content": "paper"}]
    assert row["source"] == {"agent": "hf/a", "weights": None, "data": "selfplay"}
    assert row["split"] == split_of("m1")


def test_the_mean_leaves_the_seat_itself_out() -> None:
    made = outcome.label([rps("m1", ("paper", "rock"), models=["player_0"])], {})

    assert made.rows == []
    assert made.drops == {"payoff equal to the mean of its role": 1}


def test_delta_widens_what_is_dropped() -> None:
    made = outcome.label([rps("m1", ("paper", "rock")), rps("m2", ("rock", "rock"))], {"delta": 1.4})

    assert made.rows == []


def test_a_fallback_is_only_ever_undesirable_and_its_row_holds_the_raw_reply() -> None:
    played = [
        rps("m1", ("paper", "rock"), statuses={0: "illegal"}),
        *(rps(f"m{i}", ("paper", "rock")) for i in range(2, 9)),
    ]
    made = outcome.label(played, {"illegal_share": 0.5})

    row = next(row for row in made.rows if row["match"] == "m1" and row["turn"] == 0)
    assert (row["label"], row["reason"]) == (False, "illegal")
    assert row["completion"][0]["content"] == "I will not say"


def test_illegal_rows_are_at_most_their_share_of_the_undesirable() -> None:
    played = [rps(f"m{i}", ("paper", "rock"), statuses={0: "illegal"}) for i in range(1, 9)]
    made = outcome.label(played, {"illegal_share": 0.2})

    bad = [row for row in made.rows if not row["label"]]
    assert len(bad) == 10
    assert sum(row["reason"] == "illegal" for row in bad) == 2
    assert made.drops["illegal rows over their share"] == 6


@pytest.mark.parametrize("status", ["refused", "truncated", "timeout"])
def test_refused_truncated_and_late_turns_give_no_rows(status: str) -> None:
    made = outcome.label([rps("m1", ("paper", "rock"), statuses={0: status}), rps("m2", ("rock", "paper"))], {})

    assert ("m1", 0) not in {(row["match"], row["turn"]) for row in made.rows}
    assert made.drops[status] == 1


def test_only_the_trainees_seats_give_rows() -> None:
    played = [rps("m1", ("paper", "rock")), rps("m2", ("rock", "paper"))]

    by_agent = outcome.label(played, {"trainee": Trainee(agents=("hf/b",))})
    by_seat = outcome.label(played, {"trainee": Trainee(roles=("player_0",))})

    assert {row["seat"] for row in by_agent.rows} == {"player_1"}
    assert {row["seat"] for row in by_seat.rows} == {"player_0"}


def test_a_bots_seat_gives_no_row() -> None:
    made = outcome.label([rps("m1", ("paper", "rock"), models=["player_0"]), rps("m2", ("rock", "paper"))], {})

    assert ("m1", 1) not in {(row["match"], row["turn"]) for row in made.rows}


def test_winner_only_keeps_the_one_best_paid_seat() -> None:
    draw, won = rps("m1", ("rock", "rock")), rps("m2", ("paper", "rock"))
    lost_turn = rps("m3", ("paper", "rock"), statuses={1: "illegal"})
    made = winner_only.label([draw, won, lost_turn], {"algorithm": "sft"})

    assert [(row["match"], row["seat"]) for row in made.rows] == [("m2", "player_0")]
    assert "label" not in made.rows[0]
    assert made.drops == {"no single winner": 2, "not the winner's": 1, "a fallback was played in the match": 2}


def forks(values: dict[str, list[float]], illegal: bool = False) -> list[Played]:
    """A trunk, and a continuation for each throw against what it must meet to be paid so."""
    meets = {("paper", 1): "rock", ("paper", 0): "paper", ("paper", -1): "scissors", ("rock", 1): "scissors"}
    meets |= {("rock", 0): "rock", ("rock", -1): "paper", ("scissors", -1): "rock", ("scissors", 1): "paper"}
    meets |= {("scissors", 0): "scissors"}
    made = [rps("trunk", ("rock", "paper"), models=["player_0"])]
    for throw, paid in values.items():
        for j, value in enumerate(paid):
            made.append(rps(f"{throw}{j}", (throw, meets[throw, int(value)]), models=["player_0"], fork=_fork(j)))
    if illegal:
        made.append(rps("bad", ("rock", "rock"), models=["player_0"], statuses={0: "illegal"}, fork=_fork(1000)))
    return made


def _fork(branch: int) -> dict[str, int | str]:
    return {"parent": "trunk", "turn": 0, "branch": branch}


def test_the_better_paid_candidate_is_chosen_and_weighed_by_its_lead() -> None:
    options = {"algorithm": "dpo", "bounds": (-1, 1)}
    made = fork_pairs.label(forks({"paper": [1, 1], "rock": [0, 0], "scissors": [-1, -1]}), options)

    pairs = [(r["chosen"][0]["content"], r["rejected"][0]["content"], r["weight"]) for r in made.rows]
    assert pairs == [("paper", "scissors", 1.0), ("paper", "rock", 0.5), ("rock", "scissors", 0.5)]


def test_rows_say_whose_continuations_they_rest_on() -> None:
    played = forks({"paper": [1, 1], "rock": [0, 0]})
    own = fork_pairs.label(played, {"algorithm": "dpo", "bounds": (-1, 1)}).rows
    lent = [replace(m, agents={**m.agents, "player_0": "bot/random"}) if m.fork else m for m in played]
    by_bot = fork_pairs.label(lent, {"algorithm": "dpo", "bounds": (-1, 1)}).rows

    assert "rollouts" not in own[0]["source"]
    assert by_bot[0]["source"]["rollouts"] == "bot/random"
    assert by_bot[0]["hash"] != own[0]["hash"]


def test_what_grpo_played_from_a_decision_is_no_continuation() -> None:
    played = [replace(m, tag="rollout/1") if m.fork else m for m in forks({"paper": [1, 1], "rock": [0, 0]})]

    with pytest.raises(UsageError, match="no forks"):
        fork_pairs.label(played, {"algorithm": "dpo", "bounds": (-1, 1)})


def test_a_difference_within_its_standard_error_makes_no_pair() -> None:
    options = {"algorithm": "dpo", "bounds": (-1, 1)}
    made = fork_pairs.label(forks({"paper": [1, -1, 1], "rock": [-1, 1, 0]}), options)

    # differences 2, -2, 1: mean 1/3, standard error 1.2
    assert made.rows == []
    assert made.drops == {"no difference large and clear enough": 1}


def test_an_illegal_candidate_is_what_the_best_one_is_preferred_to() -> None:
    options = {"algorithm": "dpo", "bounds": (-1, 1)}
    made = fork_pairs.label(forks({"paper": [1, 1], "rock": [1, 1]}, illegal=True), options)

    assert [(r["chosen"][0]["content"], r["rejected"][0]["content"], r["reason"]) for r in made.rows] == [
        ("paper", "I will not say", "illegal")
    ]


def test_candidates_are_labelled_against_the_mean_of_their_state_for_kto() -> None:
    options = {"algorithm": "kto", "bounds": (-1, 1)}
    made = fork_pairs.label(forks({"paper": [1, 1], "scissors": [-1, -1]}), options)

    assert [(r["completion"][0]["content"], r["label"]) for r in made.rows] == [("paper", True), ("scissors", False)]


def test_a_run_without_forks_says_how_to_get_them() -> None:
    with pytest.raises(UsageError, match="no forks") as error:
        fork_pairs.label([rps("m1", ("rock", "paper"))], {"algorithm": "dpo"})

    assert "arena train dpo" in (error.value.hint or "")


def test_one_label_alone_cannot_be_trained_on_and_the_message_says_what_was_taken_out() -> None:
    made = outcome.label([rps("m1", ("paper", "rock"), models=["player_0"])], {})

    with pytest.raises(UsageError, match="payoff equal to the mean of its role: 1"):
        check_trainable(made, "kto", "outcome")


def test_recipes_of_another_algorithm_or_game_are_refused() -> None:
    with pytest.raises(UsageError, match="gives rows for kto, not for dpo"):
        check_recipe("outcome", "dpo", load_game("kuhn"))
    with pytest.raises(UsageError, match="is for grpo"):
        check_recipe("rae", "kto", load_game("kuhn"))
    with pytest.raises(UnknownName, match="makto-step"):
        check_recipe("makto-step", "kto", load_game("kuhn"))
    check_recipe("makto-step", "kto", load_game("werewolf"))
    check_recipe("nyc-regret", "kto", load_game("nyc"))


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    played = [rps(f"m{i}", ("paper", "rock")) for i in range(1, 6)]
    sums = {write_rows(tmp_path / f"{i}.jsonl", outcome.label(played, {}).rows) for i in range(2)}

    assert len(sums) == 1
    lines = (tmp_path / "0.jsonl").read_text().splitlines()
    assert [json.loads(line)["turn"] for line in lines] == [0, 1] * 5


def test_counts_say_what_a_dataset_holds() -> None:
    facts = summary(outcome.label([rps("m1", ("paper", "rock")), rps("m2", ("rock", "rock"))], {}))

    assert (facts["rows"], facts["desirable"], facts["undesirable"]) == (2, 1, 1)
    assert facts["drops"] == {"payoff equal to the mean of its role": 2}


games = st.lists(st.tuples(st.sampled_from(THROWS), st.sampled_from(THROWS)), min_size=2, max_size=8)


@given(games)
def test_labels_do_not_depend_on_which_seat_is_which(throws: list[tuple[str, str]]) -> None:
    straight = outcome.label([rps(f"m{i}", pair) for i, pair in enumerate(throws)], {})
    swapped = outcome.label([rps(f"m{i}", pair[::-1]) for i, pair in enumerate(throws)], {})

    assert {(m, t, v) for m, t, v in labels(straight)} == {(m, 1 - t, v) for m, t, v in labels(swapped)}


@given(games)
def test_a_match_is_in_one_split_and_no_row_is_of_another_seat(throws: list[tuple[str, str]]) -> None:
    made = outcome.label([rps(f"m{i}", pair) for i, pair in enumerate(throws)], {})

    splits: dict[str, set[str]] = {}
    for row in made.rows:
        splits.setdefault(row["match"], set()).add(row["split"])
        assert row["completion"][0]["content"] == throws[int(row["match"][1:])][row["turn"]]
    assert all(len(found) == 1 for found in splits.values())


# --- lspo-pairs -----------------------------------------------------------------------------------------------------


def test_regret_matching_finds_the_better_strategy_of_a_cell() -> None:
    choices = [lspo_pairs.Choice(("", "act", 0), "good" if i % 2 else "bad", i, "player_0") for i in range(40)]
    solved = lspo_pairs.solve(choices, [{"player_0": float(i % 2)} for i in range(40)])

    assert solved["", "act", 0]["good"] > 0.95


def test_a_cell_with_few_visits_stays_undecided() -> None:
    choices = [lspo_pairs.Choice(("", "act", 0), "good" if i % 2 else "bad", i, "player_0") for i in range(8)]
    solved = lspo_pairs.solve(choices, [{"player_0": float(i % 2)} for i in range(8)])

    assert solved["", "act", 0] == {"good": pytest.approx(0.5), "bad": pytest.approx(0.5)}


def test_strategies_that_beat_each_other_in_a_circle_are_mixed() -> None:
    beats = {"rock": "scissors", "paper": "rock", "scissors": "paper"}
    choices: list[lspo_pairs.Choice] = []
    payoffs: list[dict[str, float]] = []
    for a in THROWS:
        for b in THROWS:
            for _ in range(10):
                choices.append(lspo_pairs.Choice(("row", "act", 0), a, len(payoffs), "player_0"))
                choices.append(lspo_pairs.Choice(("column", "act", 0), b, len(payoffs), "player_1"))
                paid = float(beats[a] == b) - float(beats[b] == a)
                payoffs.append({"player_0": paid, "player_1": -paid})
    solved = lspo_pairs.solve(choices, payoffs)

    assert all(value == pytest.approx(1 / 3, abs=0.05) for value in solved["row", "act", 0].values())


def test_speeches_of_one_kind_share_a_cluster() -> None:
    texts = [f"I am the seer and I checked player_{i}" for i in range(6)]
    texts += [f"we wait, nobody votes {i}" for i in range(6)]
    group = lspo_pairs._grouped(sorted(texts), 2, seed=1)

    assert group.nearest("I am the seer and I checked player_9") != group.nearest("we wait, nobody votes 9")
    assert len({group.nearest(text) for text in texts[:6]}) == 1


def test_a_pair_goes_from_the_least_to_the_most_preferred_strategy() -> None:
    played = forks({"paper": [1] * 12, "scissors": [-1] * 12})
    made = lspo_pairs.label(played, {"algorithm": "dpo"})

    assert [(r["chosen"][0]["content"], r["rejected"][0]["content"]) for r in made.rows] == [("paper", "scissors")]


# --- a game's own recipe ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["OneLabel", "UsageError"])
def test_a_games_recipe_left_with_one_label_is_no_wrong_usage(fault: str) -> None:
    """Only the first is taken for matches that nothing can be learned from."""
    from arena.games.nyc import recipes as module

    def broken(matches: object) -> None:
        raise getattr(module, fault)("as it is")

    with pytest.raises(UsageError, match="as it is") as error:
        GameRecipe("broken", module, broken).label([], {})
    assert isinstance(error.value, NothingToLearn) == (fault == "OneLabel")


def test_options_of_a_games_recipe_reach_it(tmp_path: Path) -> None:
    from arena.registry import find_game
    from arena.run.api import resolve_agents, start
    from arena.run.settings import GamePlan, Settings
    from arena.training.recipes import find_recipe
    from arena.training.record import read_played

    names = ("blue=mock/legal", "red=bot/nyc-greedy-red")
    game = load_game("nyc")
    settings = Settings((GamePlan("nyc/tiny", {}, 8),), names, 1)
    start(settings, resolve_agents(names, [find_game("nyc/tiny").where]), tmp_path / "run")
    played = list(read_played(tmp_path / "run"))
    recipe = find_recipe("nyc-regret", "kto", game)
    by_turn, by_trip = (recipe.label(played, {"seed": 1, "trajectory": whole}) for whole in (False, True))

    assert {row["reason"] for row in by_trip.rows} == {"trip"}
    assert "trip" not in {row["reason"] for row in by_turn.rows}
