"""Plans as they were when this file was written: seeds and keys of matches must not move, or old runs lose their names.

A change here changes every run's identity: it needs a new version, not a new golden.
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from arena.run.plan import make_plan
from arena.run.runfile import settings_of

AGENTS = ["bot/kuhn-nash", "bot/kuhn-loose", "bot/kuhn-tight"]
Row = tuple[int, str, int, int, int, str]

GOLDEN: dict[str, list[Row]] = {
    "paired": [
        (1, "532a99b5791f2806a2e0", 8616540898014733297, 7283100953602880848, 1, "nash/loose"),
        (2, "7c3ad545533fd7475884", 8616540898014733297, 6386066198917723055, 1, "loose/nash"),
        (3, "7c2e8f7e1fda82e09f37", 5656486207039455003, 8095025843497150808, 2, "nash/tight"),
        (4, "9659f5f177127c9e3b48", 5656486207039455003, 7010923649725321619, 2, "tight/nash"),
    ],
    "round-robin": [
        (1, "38e8ce35d3ea788704be", 8616540898014733297, 7283100953602880848, 1, "loose/tight"),
        (2, "01f2e6a8b3dbd8340710", 8616540898014733297, 6386066198917723055, 1, "tight/loose"),
        (3, "69ad9fe5f2a2f184bc7c", 5656486207039455003, 8095025843497150808, 2, "nash/loose"),
        (4, "832c826b2729c0aa2900", 5656486207039455003, 7010923649725321619, 2, "loose/nash"),
    ],
    "random": [
        (1, "2f46dfc54d9a8ef44e27", 8616540898014733297, 7283100953602880848, 1, "tight/nash"),
        (2, "9ecbb1cf1adad7e8092c", 5656486207039455003, 8095025843497150808, 2, "tight/nash"),
        (3, "a4b7086c08d85da45210", 6737579726794477490, 6600722414005469978, 3, "loose/tight"),
        (4, "3f0f0f666dba9c77b6f0", 8949717469673202402, 7932162664369101288, 4, "loose/tight"),
    ],
}


def _rows(kind: str, matches: int = 4) -> list[Row]:
    file = {"game": "kuhn", "agents": AGENTS, "seed": 7, "matches": matches, "schedule": {"kind": kind}}
    found: list[Row] = []
    for p in make_plan(settings_of(file), [(None, name) for name in AGENTS]):
        who = "/".join(agent.removeprefix("bot/kuhn-") for agent in p.seating.values())
        found.append((p.number, p.key, p.deal_seed, p.seed, p.block, who))
    return found


@pytest.mark.parametrize("kind", GOLDEN)
def test_a_plan_is_the_one_that_it_was(kind: str) -> None:
    assert _rows(kind) == GOLDEN[kind]


@pytest.mark.parametrize("kind", GOLDEN)
def test_a_longer_run_extends_a_shorter_one(kind: str) -> None:
    assert _rows(kind, matches=12)[:4] == GOLDEN[kind]


def test_the_key_of_a_match_is_the_documented_hash() -> None:
    """Of canonical JSON of game, config, both seeds and seating, its first twenty digits."""
    from arena.run.keys import config_hash
    from arena.run.settings import Policy

    number, key, deal_seed, seed, _, _ = GOLDEN["paired"][0]
    config = config_hash({"deal": None}, Policy().as_json())
    text = (
        f'{{"config_sha256":"{config}","deal_seed":{deal_seed},"game":"kuhn-v1",'
        f'"seating":{{"player_0":"bot/kuhn-nash","player_1":"bot/kuhn-loose"}},"seed":{seed}}}'
    )

    assert number == 1
    assert sha256(text.encode()).hexdigest()[:20] == key
