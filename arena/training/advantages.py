"""Advantages: from the payoffs of a set of rollouts to the weight of each, as pure functions of numbers.

    group    attempts of one seat on one deal against frozen opponents, against their own mean
    rae      a role's running mean as baseline, used before it is updated (SPIRAL, prime-rl)
    turn     outcome and turn terms, or returns from each turn on (Zeng et al., MT-GRPO; returns are ours)
    spo      as group, of each attempt's share of wins over the others (SPO)
    tompo    match welfare and own payoff, each against its group (ToMPO; the published formulas are unknown; ours)

A reward of None (a void match, a seat that was never asked) has advantage 0 and is in no mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

from arena.core.errors import UsageError

EPS = 1e-4

Rewards = Sequence[float | None]


def _groups(groups: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row, group in enumerate(groups):
        found.setdefault(group, []).append(row)
    return found


def spread(values: Sequence[float]) -> float:
    """Standard deviation with n-1, as TRL has it; 0 for a single value."""
    if len(values) < 2:
        return 0.0
    mean = fmean(values)
    return float((sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5)


def group(
    rewards: Rewards, groups: Sequence[int], seats: Sequence[str], scale: Literal["group", "none"] = "group"
) -> list[float]:
    """(r - mean of its group) / (spread + 1e-4). Attempts must be exchangeable: one seat in a group."""
    found = [0.0] * len(rewards)
    for rows in _groups(groups).values():
        if len({seats[row] for row in rows}) > 1:
            raise UsageError(
                f"a group mixes the seats {', '.join(sorted({seats[r] for r in rows}))}; their payoffs are no attempts "
                "at one thing",
                hint="--recipe rae compares each seat with its own past",
            )
        known = {row: value for row in rows if (value := rewards[row]) is not None}
        if not known:
            continue
        mean = fmean(known.values())
        scaled = spread(list(known.values())) + EPS if scale == "group" else 1.0
        for row, value in known.items():
            found[row] = (value - mean) / scaled
    return found


def win_share(rewards: Rewards, groups: Sequence[int]) -> list[float | None]:
    """How many of the others of its group an attempt beats, a tie counting one half; None where it is alone."""
    found: list[float | None] = [None] * len(rewards)
    for rows in _groups(groups).values():
        known = {row: value for row in rows if (value := rewards[row]) is not None}
        for row, own in known.items():
            wins = [1.0 if own > other else 0.5 if own == other else 0.0 for i, other in known.items() if i != row]
            found[row] = fmean(wins) if wins else None
    return found


def rae(
    rewards: Rewards, roles: Sequence[str], baselines: Mapping[str, float], decay: float = 0.95
) -> tuple[list[float], dict[str, float]]:
    """r - b[role] in the order of the rows, then b <- decay b + (1 - decay) r; the advantages and the new baselines."""
    now = dict(baselines)
    found = []
    for value, role in zip(rewards, roles, strict=True):
        if value is None:
            found.append(0.0)
            continue
        baseline = now.get(role, 0.0)
        found.append(value - baseline)
        now[role] = decay * baseline + (1 - decay) * value
    return found, now


class TurnTerm(NamedTuple):
    """One own answer: the row it is in, the kind of its ask, what it was paid at once."""

    row: int
    kind: str
    reward: float


def turn_mixed(
    outcome: Sequence[float], groups: Sequence[int], turns: Sequence[TurnTerm], weight: float
) -> list[float]:
    """For each turn: its row's outcome advantage plus `weight` times the turn reward against its group's turns of the
    same kind; a row's last turn has the outcome term alone."""
    terms = [0.0] * len(turns)
    kinds: dict[tuple[int, str], list[int]] = {}
    for i, turn in enumerate(turns):
        kinds.setdefault((groups[turn.row], turn.kind), []).append(i)
    for members in kinds.values():
        values = [turns[i].reward for i in members]
        mean, scaled = fmean(values), spread(values) + EPS
        for i in members:
            terms[i] = (turns[i].reward - mean) / scaled
    last = {turn.row: i for i, turn in enumerate(turns)}
    return [outcome[turn.row] + (0.0 if last[turn.row] == i else weight * terms[i]) for i, turn in enumerate(turns)]


def turn_return(
    rewards: Rewards,
    roles: Sequence[str],
    turns: Sequence[TurnTerm],
    baselines: Mapping[str, float],
    decay: float = 0.95,
) -> tuple[list[float], dict[str, float]]:
    """What came from each turn on (turn rewards after it and the row's own reward) less the running mean of its role
    and ask kind; gamma is 1."""
    now = dict(baselines)
    found = []
    for i, turn in enumerate(turns):
        own = rewards[turn.row]
        if own is None:
            found.append(0.0)
            continue
        later = sum(t.reward for t in turns[i:] if t.row == turn.row)
        name = f"{roles[turn.row]}/{turn.kind}"
        baseline = now.get(name, now.get(roles[turn.row], 0.0))
        found.append(own + later - baseline)
        now[name] = decay * baseline + (1 - decay) * (own + later)
    return found, now


def tompo(
    rewards: Rewards,
    welfare: Rewards,
    groups: Sequence[int],
    kinds: Sequence[str],
    alpha: float = 0.5,
) -> list[float]:
    """alpha times welfare and 1 - alpha times the own reward, each in units of its spread: welfare over the group,
    rewards over the group's rows of one kind (role and decision)."""
    found = [0.0] * len(rewards)
    whole = _standardised(welfare, [str(g) for g in groups])
    own = _standardised(rewards, [f"{g} {kind}" for g, kind in zip(groups, kinds, strict=True)])
    for row, reward in enumerate(rewards):
        if reward is not None:
            found[row] = alpha * whole[row] + (1 - alpha) * own[row]
    return found


def _standardised(values: Rewards, names: Sequence[str]) -> list[float]:
    found = [0.0] * len(values)
    for name in dict.fromkeys(names):
        known = {i: v for i, v in enumerate(values) if names[i] == name and v is not None}
        if known:
            mean, scaled = fmean(known.values()), spread(list(known.values())) + EPS
            for i, value in known.items():
                found[i] = (value - mean) / scaled
    return found


# --- weights on top -------------------------------------------------------------------------------------------------


def rising(history: Sequence[float]) -> float:
    """ADORA-like (the published formula is unknown; ours): 1.25 for a slot whose mean reward rose over its last two
    visits, 0.75 where it fell, 1 before the second visit."""
    if len(history) < 2 or history[-1] == history[-2]:
        return 1.0
    return 1.25 if history[-1] > history[-2] else 0.75


def quiet_groups(rewards: Rewards, groups: Sequence[int], quantile: float) -> set[int]:
    """The groups whose spread of rewards is below that quantile of all groups' spreads."""
    spreads = {
        name: spread([v for row in rows if (v := rewards[row]) is not None]) for name, rows in _groups(groups).items()
    }
    ordered = sorted(spreads.values())
    if not ordered or quantile <= 0:
        return set()
    bound = ordered[min(int(quantile * len(ordered)), len(ordered) - 1)]
    return {name for name, value in spreads.items() if value < bound}
