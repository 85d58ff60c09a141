"""Oracle data and simulated match tables for the tests of ratings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

DATA = Path(__file__).parents[1] / "data" / "ratings"
Oracle = Callable[[str], Any]
Tables = Callable[..., pd.DataFrame]

TURNS = {"legal": 9, "repaired": 0, "illegal": 0, "refused": 0, "truncated": 0, "timeout": 0}
WOLF_ROLES = ("wolf", "wolf", "seer", "villager", "villager")


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    def load(name: str) -> Any:
        return json.loads((DATA / f"{name}.json").read_text())

    return load


def logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


@pytest.fixture(scope="session")
def duels() -> Tables:
    """Matches of two seats, in paired deals: the second match of a deal with the seats swapped."""

    def make(
        n_agents: int = 4,
        n_deals: int = 40,
        *,
        seed: int = 0,
        seat_bias: float = 0.0,
        ties: float = 0.1,
        game: str = "duel-v1",
        prefix: str = "m",
        theta: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        strength = np.linspace(-0.8, 0.8, n_agents) if theta is None else np.asarray(theta)
        rows: list[dict[str, Any]] = []
        for deal in range(n_deals):
            a, b = rng.choice(n_agents, 2, replace=False)
            for first, second in ((a, b), (b, a)):
                u = rng.random()
                win = logistic(strength[first] - strength[second] + seat_bias) * (1 - ties)
                ranks = (1, 2) if u < win else (1, 1) if u < win + ties else (2, 1)
                for seat, (agent, rank) in enumerate(zip((first, second), ranks, strict=True)):
                    payoff = 0.0 if ranks == (1, 1) else 1.0 if rank == 1 else -1.0
                    rows.append(_row(prefix, len(rows) // 2, deal, game, seat, f"agent-{agent}", payoff, rank))
        return pd.DataFrame(rows)

    return make


def _row(prefix: str, match: int, deal: int, game: str, seat: int, agent: str, payoff: float, rank: int) -> Any:
    return {
        "match_id": f"{prefix}{match:05d}",
        "deal_id": f"{prefix}d{deal:05d}",
        "order": match,
        "game": game,
        "preset": "default",
        "config_sha256": "ab" * 32,
        "seat": f"player_{seat}",
        "role": "",
        "team": "",
        "agent": agent,
        "model": f"openai/{agent}",
        "revision": "2026-01-01",
        "payoff": payoff,
        "rank": rank,
        "status": "done",
        **TURNS,
        "tokens_in": 100,
        "tokens_out": 20,
        "cost_usd": 0.002,
        "seconds": 1.5,
        "started_at": f"2026-05-01T10:{match % 60:02d}:00Z",
    }


@pytest.fixture(scope="session")
def villages() -> Tables:
    """Two wolves against three of the village, each side one agent, in paired deals with the sides swapped."""

    def make(n_agents: int = 5, n_deals: int = 60, *, seed: int = 0, side_bias: float = 0.5) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        theta = np.linspace(-0.8, 0.8, n_agents)
        rows: list[dict[str, Any]] = []
        match = 0
        for deal in range(n_deals):
            a, b = rng.choice(n_agents, 2, replace=False)
            roles = [WOLF_ROLES[i] for i in rng.permutation(5)]
            for wolves, village in ((a, b), (b, a)):
                wolves_win = rng.random() < logistic(theta[wolves] - theta[village] + side_bias)
                for seat, role in enumerate(roles):
                    is_wolf = role == "wolf"
                    won = wolves_win == is_wolf
                    agent = f"agent-{wolves if is_wolf else village}"
                    row = _row("w", match, deal, "werewolf-v1", seat, agent, float(won), 1 if won else 2)
                    row |= {"preset": "five", "role": role, "team": "wolves" if is_wolf else "village"}
                    row["illegal"] = int(rng.random() < 0.03)
                    row["vote_accuracy"] = float(rng.random())
                    rows.append(row)
                match += 1
        return pd.DataFrame(rows)

    return make


@pytest.fixture(scope="session")
def pairs() -> Tables:
    """A pair table of fresh matches between random agents."""

    def make(n_agents: int = 6, n: int = 1000, *, seed: int = 0, spread: float = 1.0) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        theta = rng.normal(0, spread, n_agents)
        a = rng.integers(0, n_agents, n)
        b = (a + rng.integers(1, n_agents, n)) % n_agents
        score = (rng.random(n) < 1 / (1 + np.exp(theta[b] - theta[a]))).astype(float)
        frame = pd.DataFrame({"a": a, "b": b, "score": score})
        frame.attrs["theta"] = (theta - theta.mean()).tolist()
        return frame

    return make
