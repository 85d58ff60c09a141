"""Class weights, blocks, health rules, the gate, intervals: small rules with numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from arena.core import UsageError
from arena.training.bootstrap import Estimate, estimate, needed
from arena.training.gate import verdict
from arena.training.health import Watch, is_repetitive, warnings
from arena.training.population import Opponent, Score, draw, pfsp_weight
from arena.training.report import sentence
from arena.training.weights import class_weights, down_sampled, in_blocks


def test_the_larger_class_keeps_weight_one_and_rho_is_1_15() -> None:
    more_good, more_bad = class_weights(30, 10), class_weights(10, 30)

    assert tuple(more_good) == pytest.approx((1.0, 30 / 11.5))
    assert tuple(more_bad) == pytest.approx((3.45, 1.0))
    for weights, (good, bad) in ((more_good, (30, 10)), (more_bad, (10, 30))):
        assert weights.desirable * good / (weights.undesirable * bad) == pytest.approx(1.15)


def test_one_class_alone_has_no_weights() -> None:
    with pytest.raises(UsageError, match="both labels"):
        class_weights(5, 0)


def rows(good: int, bad: int, matches: int = 1000) -> list[dict[str, Any]]:
    labels = [True] * good + [False] * bad
    return [{"label": v, "match": f"m{i % matches}", "prompt": f"p{i}"} for i, v in enumerate(labels)]


def test_beyond_ten_to_one_the_larger_class_is_drawn_down() -> None:
    kept = down_sampled(rows(200, 4), seed=1)

    assert (sum(r["label"] for r in kept), len(kept)) == (40, 44)
    assert kept == down_sampled(rows(200, 4), seed=1)
    assert len(down_sampled(rows(40, 4), seed=1)) == 44


def test_blocks_hold_distinct_matches_and_a_last_single_row_is_cut() -> None:
    made, spoilt = in_blocks(rows(9, 8, matches=4), block=4, seed=3)

    assert len(made) == 16
    assert spoilt <= 1
    for at in range(0, 12, 4):
        assert len({row["match"] for row in made[at : at + 4]}) == 4


def test_blocks_that_cannot_be_distinct_are_counted() -> None:
    made, spoilt = in_blocks(rows(4, 4, matches=1), block=4, seed=0)

    assert (len(made), spoilt) == (8, 2)


def entry(step: int, **numbers: float) -> dict[str, Any]:
    return {"step": step, "loss": 0.5, "grad_norm": 1.0, **numbers}


def test_a_loss_that_is_no_number_stops() -> None:
    watch = Watch("kto")

    assert watch.see(entry(1)) == "go on"
    assert watch.see({"step": 2, "loss": "nan", "grad_norm": 1.0}) == "stop"
    assert "loss is nan" in (watch.reason or "")


def test_three_steps_without_a_gradient_stop_unless_the_reward_is_at_its_top() -> None:
    low, high = Watch("grpo"), Watch("grpo")

    assert [low.see(entry(i, grad_norm=0.0, reward=0.4)) for i in range(3)] == ["go on", "go on", "stop"]
    assert low.reason == "the gradient was 0 in 3 steps up to step 2"
    assert [high.see(entry(i, grad_norm=0.0, reward=0.99)) for i in range(3)] == ["go on", "go on", "converged"]
    assert high.reason is None


@pytest.mark.parametrize("spread", [{"frac_reward_zero_std": 1.0}, {"frac_reward_zero_std": 0.0, "reward_std": 6e-8}])
def test_ten_steps_of_groups_without_spread_stop_and_no_fewer_though_they_have_no_gradient(
    spread: dict[str, float],
) -> None:
    watch = Watch("grpo")
    alike = {"grad_norm": 0.0, "reward": 0.5, **spread}
    seen = [watch.see(entry(i, **alike)) for i in range(9)]
    seen.append(watch.see(entry(9, reward=0.5, frac_reward_zero_std=0.0)))
    seen += [watch.see(entry(i, **alike)) for i in range(10, 20)]

    assert seen == ["go on"] * 19 + ["stop"]
    assert watch.reason == "no group of rollouts differed in reward in 10 steps up to step 19, at a mean of 0.50"


def test_three_steps_whose_groups_differ_and_teach_nothing_stop() -> None:
    watch = Watch("grpo")
    differing = {"grad_norm": 0.0, "frac_reward_zero_std": 0.5, "reward": 0.5}

    assert [watch.see(entry(i, **differing)) for i in range(3)] == ["go on", "go on", "stop"]


def test_collapsed_entropy_with_falling_reward_stops_and_without_it_does_not() -> None:
    falling, rising = Watch("grpo"), Watch("grpo")

    assert [falling.see(entry(i, entropy=0.01, reward=0.9 - i / 20)) for i in range(10)][-1] == "stop"
    assert [rising.see(entry(i, entropy=0.01, reward=0.1 + i / 20)) for i in range(10)][-1] == "go on"


def test_void_and_repetitive_rollouts_stop() -> None:
    assert Watch("grpo").see(entry(1, void_share=0.2)) == "stop"
    assert Watch("grpo").see(entry(1, repetitive_share=0.6)) == "stop"


def test_a_long_answer_of_one_phrase_is_repetitive() -> None:
    assert is_repetitive([7] * 30) is True
    assert is_repetitive(list(range(30))) is False
    assert is_repetitive([7] * 10) is None


def test_kto_warns_of_what_stops_nothing() -> None:
    balance = {"desirable": 90, "undesirable": 10, "blocks_not_distinct": 2}
    found = warnings("kto", [{"kl": 0.0}], balance)

    assert len(found) == 3


# --- the gate -------------------------------------------------------------------------------------------------------


def paired(diff: float, low: float, high: float, n: int = 100) -> Estimate:
    return Estimate(diff, low, high, low, high, n)


def test_a_lower_bound_above_the_margin_promotes() -> None:
    good = paired(0.2, 0.05, 0.35)

    assert verdict("ci", good, good, (0.0, 0.0)).promoted
    assert not verdict("ci", good, good, (0.0, 0.0), margin=0.1).promoted


@pytest.mark.parametrize(
    ("difference", "clean", "lost", "word"),
    [
        (paired(0.2, -0.1, 0.5), paired(0.2, 0, 1), (0.0, 0.0), "lower bound"),
        (paired(0.2, 0.1, 0.3), paired(0.2, 0, 1), (0.08, 0.05), "legal answer rose"),
        (paired(0.2, 0.1, 0.3), paired(-0.1, -1, 0), (0.0, 0.0), "without any fallback"),
    ],
)
def test_each_rule_keeps_the_champion(
    difference: Estimate, clean: Estimate, lost: tuple[float, float], word: str
) -> None:
    decided = verdict("ci", difference, clean, lost)

    assert not decided.promoted
    assert word in decided.reasons[0]


def test_gate_none_promotes_always() -> None:
    assert verdict("none", paired(-1, -2, 0), paired(-1, -2, 0), (1.0, 0.0)).promoted


def test_the_interval_is_that_of_the_mean_of_deals() -> None:
    found = estimate([0.0, 1.0] * 50, seed=1)

    assert found.diff == 0.5
    assert found.low == pytest.approx(0.4, abs=0.02)
    assert found.high == pytest.approx(0.6, abs=0.02)
    assert found.t_low == pytest.approx(0.5 - 1.984 * math.sqrt(0.25252525 / 100), abs=1e-3)
    assert estimate([0.0, 1.0] * 50, seed=1) == found


def test_too_few_deals_leave_the_interval_open() -> None:
    assert estimate([1.0], seed=0).as_json()["ci"] == [None, None]
    assert estimate([], seed=0).n == 0


def test_how_many_deals_a_difference_needs() -> None:
    assert needed(sd=0.5, difference=0.1) == 196


def test_a_difference_is_an_improvement_only_if_its_interval_excludes_zero() -> None:
    assert sentence(paired(0.2, 0.1, 0.3)) == "improved"
    assert sentence(paired(-0.2, -0.3, -0.1)) == "worse"
    assert sentence(paired(0.2, -0.1, 0.3)) == "no detectable change (N 100)"


# --- opponents ------------------------------------------------------------------------------------------------------


def test_pfsp_prefers_those_the_learner_loses_to() -> None:
    lost, won = Score(0.0, 8.0), Score(8.0, 8.0)

    assert pfsp_weight(lost, "hard") == pytest.approx(0.81)
    assert pfsp_weight(won, "hard") == pytest.approx(0.01)
    assert pfsp_weight(None, "hard") == 0.25
    assert pfsp_weight(lost, "even") == pytest.approx(0.09)


def test_draws_follow_the_weights_and_the_sides() -> None:
    from arena.core import Rng

    entries = [Opponent("a", 3.0), Opponent("b", 1.0), Opponent("c", 1.0, side="red")]
    blue = [draw(entries, ["player_0", "blue"], Rng(i)).name for i in range(400)]
    red = {draw(entries, ["player_1", "red"], Rng(i)).name for i in range(100)}

    assert blue.count("a") / 400 == pytest.approx(0.75, abs=0.07)
    assert "c" not in blue
    assert red == {"a", "b", "c"}
