"""Which tokens and rollouts count in a step of grpo: worked by hand on plain tensors."""

from __future__ import annotations

import pytest

pytest.importorskip("trl")
pytestmark = [
    pytest.mark.models,
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of the trainer libraries, about each other
]

import torch  # noqa: E402

from arena.training.adapters.trl_1_16_grpo import _support, own_places, within_region  # noqa: E402
from arena.training.rollout import Rollout  # noqa: E402


def test_a_poisoned_token_masks_its_whole_row() -> None:
    theta = torch.zeros(4, 3)
    sampled = torch.zeros(4, 3)
    sampled[1, 2] = 5.0
    mask = torch.ones(4, 3)
    kept = within_region(theta, sampled, mask, 0.7)

    assert kept.tolist() == [[1.0], [0.0], [1.0], [1.0]]
    mask[1, 2] = 0  # an engine token does not count
    assert within_region(theta, sampled, mask, 0.7).tolist() == [[1.0]] * 4
    sampled[3, 0] = float("nan")
    assert within_region(theta, sampled, mask, 0.7).tolist() == [[1.0], [1.0], [1.0], [0.0]]


def test_supports_keep_what_was_allowed_less_the_pruned_and_the_drawn_token_always() -> None:
    logits = torch.tensor([[0.0, 0.0, -9.0, 5.0]]).expand(3, 2, 4)
    row = Rollout("s", 0, "player_0", "", [1], [9, 2], [0.0, 0.0], [0, 1], [None, (0, 1, 2)])
    free = Rollout("s", 0, "player_0", "", [1], [9, 2, 9, 2], [0.0] * 4, [0, 1, 0, 1], [None] * 4)
    engine = Rollout("s", 0, "player_0", "", [1], [9, 9], [0.0, 0.0], [0, 0], [None, None])
    rows = [row, free, engine]
    at, own = own_places(rows, "cpu")
    found = _support(logits, torch.tensor([[2, 2]] * 3), rows, at.tolist(), own, 0.05)

    assert at.tolist() == [1, 3]
    assert own.tolist() == [[True, False], [True, True], [False, False]]
    assert found[0].tolist() == [[True, True, True, False], [True] * 4]  # its own token; beyond its end
    assert found[1].tolist() == [[False, False, True, True]] * 2
    assert found[2].tolist() == [[True] * 4] * 2
