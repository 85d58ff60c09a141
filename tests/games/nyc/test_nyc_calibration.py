"""Section 12.4: what the scripted players reach, against the table of the prototype that the rules were tuned on."""

from __future__ import annotations

from typing import Any

import pytest

import arena
from arena.games.nyc.metrics import Figures, pooled
from arena.games.nyc.scripted import scripted

NO_RED: dict[str, Any] = {"no_red": True}

# (Blue, Red or no-Red) -> mean own, susceptibility
OWN: dict[tuple[str, str], float] = {
    ("oracle", "greedy-red"): 1.000,
    ("always", "greedy-red"): 0.574,
    ("always", "bait-red"): 0.835,
    ("always", "honest-red"): 0.969,
    ("always", "no-Red"): 0.965,
    ("bayes-open", "greedy-red"): 0.819,
    ("bayes-open", "bait-red"): 0.920,
    ("bayes-open", "honest-red"): 0.958,
    ("bayes-open", "no-Red"): 0.956,
    ("bayes", "greedy-red"): 0.879,
    ("bayes", "bait-red"): 0.872,
    ("bayes", "honest-red"): 0.896,
    ("bayes", "no-Red"): 0.910,
    ("never", "greedy-red"): 0.872,
    ("never", "no-Red"): 0.885,
    ("shortest", "greedy-red"): 0.817,
    ("walk", "greedy-red"): 0.046,
}
S = {"always": 1.00, "bayes-open": 0.30, "bayes": 0.10, "never": 0.09, "shortest": 0.13, "walk": 0.27}
ORDER = [
    ("oracle", "greedy-red"),
    ("always", "honest-red"),
    ("bayes-open", "honest-red"),
    ("bayes", "honest-red"),
    ("never", "greedy-red"),
    ("shortest", "greedy-red"),
    ("always", "greedy-red"),
    ("walk", "greedy-red"),
]


def table(preset: str, deals: int, pairs: list[tuple[str, str]], **config: Any) -> dict[tuple[str, str], Figures]:
    found = {}
    for blue, red in pairs:
        values = NO_RED | config if red == "no-Red" else config
        bot = "greedy-red" if red == "no-Red" else red
        matches = (scripted(arena.match(preset, seed=5000 + deal, **values), blue, bot) for deal in range(deals))
        found[blue, red] = pooled(match.metrics() for match in matches)
    return found


def check(found: dict[tuple[str, str], Figures], own: float, susceptibility: float) -> None:
    for pair, wanted in OWN.items():
        assert found[pair]["own"] == pytest.approx(wanted, abs=own), pair
    for blue, wanted in S.items():
        assert found[blue, "greedy-red"]["susceptibility"] == pytest.approx(wanted, abs=susceptibility), blue
    means = [found[pair]["own"] or 0 for pair in ORDER]
    assert means == sorted(means, reverse=True), dict(zip(ORDER, means, strict=True))
    assert found["walk", "greedy-red"]["success"] == pytest.approx(0.068, abs=own)


def test_a_hundred_deals_come_near_the_table_and_in_its_order() -> None:
    check(table("nyc/small", 100, list(OWN)), own=0.06, susceptibility=0.09)


@pytest.mark.long
def test_six_hundred_deals_meet_the_table_within_three_points() -> None:
    check(table("nyc/small", 600, list(OWN)), own=0.03, susceptibility=0.04)


@pytest.mark.long
def test_the_trade_off_holds_on_smaller_and_larger_maps() -> None:
    tiny = table("nyc/tiny", 600, [("always", "greedy-red"), ("never", "greedy-red"), ("always", "no-Red")])
    city = table("nyc/city", 150, [("always", "greedy-red"), ("never", "greedy-red"), ("always", "no-Red")])

    assert [f["own"] for f in tiny.values()] == pytest.approx([0.744, 0.895, 0.980], abs=0.03)
    assert [f["own"] for f in city.values()] == pytest.approx([0.468, 0.861, 0.970], abs=0.03)
    assert city["always", "greedy-red"]["success"] == pytest.approx(0.80, abs=0.04)


@pytest.mark.long
def test_a_random_walker_is_as_susceptible_to_tips_that_it_never_hears() -> None:
    pairs = [(blue, "greedy-red") for blue in ("bayes", "never", "shortest", "walk")]
    muted = table("nyc/small", 300, pairs, mute=True)

    assert [f["susceptibility"] for f in muted.values()] == pytest.approx([0.09, 0.09, 0.13, 0.27], abs=0.04)
