"""`rows=turn`: copies of one recorded decision, each taken by the live policy and played on by a frozen snapshot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.commands import arena

pytest.importorskip("trl")
pytestmark = [
    pytest.mark.models,
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of the trainer libraries, about each other
    pytest.mark.filterwarnings("ignore:You are using .rollout_func:UserWarning"),
]


@pytest.fixture(scope="module")
def home(home: Path) -> Path:
    words = "train grpo --game matrix/ipd --set rounds=3 --model hf/models/tiny?choice=grammar --recipe spo"
    words += " --iterations 1 --matches 8 --eval-matches 2 --steps 2 --lr 0.001 --seed 2 --gate none --league turns"
    words += " --param rows=turn --param num_generations=4 --param batch=8 --out run --display quiet --json"
    done = arena(home, *words.split())
    assert done.code == 0, done.err
    return home


def slots(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "run/iter_0001/dataset.jsonl").read_text().splitlines()]


def test_a_slot_is_a_decision_of_a_recorded_match(home: Path) -> None:
    made = slots(home)

    assert len(made) == 8  # two matches of six decisions, four of each
    assert len({slot["trunk"] for slot in made}) == 2
    for slot in made:
        (seat,) = slot["seats"]
        assert slot["turns"][slot["at"]]["seat"] == seat
        assert slot["seating"][seat] == "live"
        assert set(slot["seating"].values()) == {"live", "league/turns-k0"}


def test_rollouts_are_the_record_up_to_the_decision_and_replay(home: Path) -> None:
    from arena.store.reader import Reader
    from arena.training.record import Refused, read_played

    refused, known = Refused(), {slot["trunk"]: slot for slot in slots(home)}
    trunks = {m.key: m for m in read_played(home / "run", tags=["collect/1"])}
    played = list(read_played(home / "run", tags=["rollout/1"], refused=refused))
    with Reader(home / "run") as reader:
        answered = {m.key: {(c["turn"], c["model_served"]) for c in reader.rows("calls", m.number)} for m in played}

    assert refused == Refused()
    assert len(played) == 16  # two steps of two slots of four copies
    for m in played:
        assert m.fork is not None
        at, trunk = m.fork["turn"], trunks[m.fork["parent"]]
        assert trunk.key in known
        assert [t.answer for t in m.match.turns[:at]] == [t.answer for t in trunk.match.turns[:at]]
        assert m.agents[m.match.turns[at].seat] == "live"
        later = {t.turn for t in m.match.turns if t.batch > m.match.turns[at].batch}
        assert answered[m.key] == {(at, "live")} | {(turn, "frozen") for turn in later}
    assert len({m.match.turns[m.fork["turn"]].answer for m in played if m.fork}) == 2  # not all copies decide alike


def test_a_row_is_the_one_answer(home: Path) -> None:
    metrics = [json.loads(line) for line in (home / "run/iter_0001/metrics.jsonl").read_text().splitlines()]

    assert [m["step"] for m in metrics] == [1, 2]
    assert all(m["completions/max_length"] < 12 for m in metrics)  # a word and its end, not a match of three rounds
    assert any(m["grad_norm"] > 0 for m in metrics)
