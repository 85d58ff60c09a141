"""Results by side and role, and of every agent on one side against every agent on the other.

Counted from the objects of a match file, standard library only; nothing here knows a game. What is counted is the mean
payoff of a side's seats, or a figure of the match: a name under `metrics`, or `a/b`, the quotient of two sums over all
matches of a cell (a mean of rates would weigh a match with one case like one with ten). Intervals are 95 %, clustered
by deal. Matches of different configurations are never in one cell.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from arena.core.errors import UsageError, nearest
from arena.leaderboards.plain import t_quantile

Match = Mapping[str, Any]
Pair = tuple[float, float]  # numerator and denominator of one match


class Mean(NamedTuple):
    """A mean or quotient with its interval; `matches` are those that had a value. None: not known."""

    value: float | None
    low: float | None
    high: float | None
    matches: int


class Result(NamedTuple):
    """What an agent earned on one side, or there in one role (`role` is empty for the whole side)."""

    setup: str
    agent: str
    side: str
    role: str
    payoff: Mean


Deals = dict[str, list[Pair]]  # deal -> the parts of its matches
Content = TypeVar("Content")


class Grid(NamedTuple, Generic[Content]):
    """Agents of one side (rows) against agents of the other (columns). A cell without matches is missing."""

    setup: str
    what: str
    sides: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[str, str], Content]


def by_role(matches: Iterable[Match]) -> list[Result]:
    """Every agent on every side and in every role that it held. Games without sides give nothing."""
    found: dict[tuple[str, str, str, str], dict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for setup, match in _sided(matches):
        held: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for seat, payoff in _paid(match):
            side, role = seat["team"], seat.get("role") or ""
            for name in {"", role if role != side else ""}:
                held[seat["agent"], side, name].append(payoff)
        for (agent, side, role), payoffs in held.items():
            found[setup, side, agent, role][_deal(match)].append((math.fsum(payoffs) / len(payoffs), 1.0))
    return [Result(s, agent, side, role, ratio(found[s, side, agent, role])) for s, side, agent, role in sorted(found)]


def grids(gathered: Iterable[Grid[Deals]]) -> list[Grid[Mean]]:
    """The cross tables of what was gathered."""
    return [Grid(*g[:5], {key: ratio(clusters) for key, clusters in g.cells.items()}) for g in gathered]


def gather(matches: Iterable[Match], figures: Sequence[str] = ()) -> list[Grid[Deals]]:
    """What is counted for the cross tables of two-sided games: each side's payoff (one of them where they always add up
    to the same), or the figures instead. Matches in which a side's seats hold several agents are left out: they belong
    to no cell."""
    by_setup: dict[str, list[tuple[Match, dict[str, str]]]] = defaultdict(list)
    for setup, match in _sided(matches):
        held: dict[str, set[str]] = defaultdict(set)
        for seat in match["seats"]:
            held[seat["team"]].add(seat["agent"])
        if len(held) == 2 and all(len(agents) == 1 for agents in held.values()):
            by_setup[setup].append((match, {side: agents.pop() for side, agents in held.items()}))
    return [one for setup, found in sorted(by_setup.items()) for one in _gathered(setup, found, figures)]


def _gathered(setup: str, matches: list[tuple[Match, dict[str, str]]], figures: Sequence[str]) -> Iterator[Grid[Deals]]:
    first, second = sorted({seat["team"] for seat in matches[0][0]["seats"]})
    sides: dict[str, list[Pair | None]] = {}
    if figures:
        sides = {name: [_figure(match, name) for match, _ in matches] for name in figures}
    else:
        paid = {side: [_side_payoff(match, side) for match, _ in matches] for side in (first, second)}
        sums = {round(a[0] + b[0], 9) for a, b in zip(paid[first], paid[second], strict=True)}
        sides = {f"mean payoff of {side}": list(paid[side]) for side in (first, second)[: 1 if len(sums) == 1 else 2]}
    rows, columns = (tuple(sorted({agents[side] for _, agents in matches})) for side in (first, second))
    for what, values in sides.items():
        cells: dict[tuple[str, str], dict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
        for (match, agents), value in zip(matches, values, strict=True):
            if value is not None:
                cells[agents[first], agents[second]][_deal(match)].append(value)
        yield Grid(setup, what, (first, second), rows, columns, dict(cells))


def ratio(clusters: Mapping[str, Sequence[Pair]]) -> Mean:
    """Sum of numerators / sum of denominators, with an interval by linearisation over clusters (Student's t). Clusters
    that are all alike show no spread, which is no interval of width 0: it is not known."""
    pairs = [pair for values in clusters.values() for pair in values]
    below = math.fsum(b for _, b in pairs)
    if not below:
        return Mean(None, None, None, len(pairs))
    value, g = math.fsum(a for a, _ in pairs) / below, len(clusters)
    squares = math.fsum(math.fsum(a - value * b for a, b in values) ** 2 for values in clusters.values())
    if g < 2 or squares < 1e-18 * below**2:
        return Mean(value, None, None, len(pairs))
    half = t_quantile(g - 1) * math.sqrt(g / (g - 1) * squares) / below
    return Mean(value, value - half, value + half, len(pairs))


# --- reading a match --------------------------------------------------------------------------------------------


def _sided(matches: Iterable[Match]) -> list[tuple[str, Match]]:
    """Finished matches of games with sides, each with the name of its set-up: game, preset, and a part of the
    configuration's hash where one preset was played in several."""
    done = [m for m in matches if m.get("status", "done") == "done" and all(seat.get("team") for seat in m["seats"])]
    configs: dict[str, set[str]] = defaultdict(set)
    for match in done:
        configs[_setup(match)].add(str(match.get("config_sha256")))
    return [
        (_setup(m) if len(configs[_setup(m)]) == 1 else f"{_setup(m)} #{str(m.get('config_sha256'))[:6]}", m)
        for m in done
    ]


def _setup(match: Match) -> str:
    return "/".join(str(match[key]) for key in ("game", "preset") if match.get(key))


def _deal(match: Match) -> str:
    return str(match.get("deal_id") or match["match_id"])


def _paid(match: Match) -> list[tuple[Mapping[str, Any], float]]:
    """The seats with their payoffs."""
    payoffs = (match.get("outcome") or {}).get("payoffs") or {}
    of = (
        payoffs
        if isinstance(payoffs, Mapping)
        else dict(zip((s["seat"] for s in match["seats"]), payoffs, strict=True))
    )
    return [(seat, float(of[seat["seat"]])) for seat in match["seats"]]


def _side_payoff(match: Match, side: str) -> Pair:
    paid = [payoff for seat, payoff in _paid(match) if seat["team"] == side]
    return math.fsum(paid) / len(paid), 1.0


def _figure(match: Match, name: str) -> Pair | None:
    """The value of a figure, or the two parts of a quotient; None where the match says nothing about it."""
    metrics = match.get("metrics") or {}
    parts = [name] if name in metrics else [part.strip() for part in name.split("/")]
    if len(parts) > 2 or any(part not in metrics for part in parts):
        unknown = next((part for part in parts if part not in metrics), name)
        near = ", ".join(nearest(unknown, metrics))
        if not metrics:
            raise UsageError(f"this match file holds no figures of {_setup(match)}", hint="arena export RUN --metrics")
        game = str(match["game"]).rpartition("-v")[0]
        raise UsageError(
            f"{_setup(match)} has no figure {unknown!r}." + (f" Nearest: {near}." if near else ""),
            hint=f"`arena games {game}` lists figures; those of single seats stand in no table",
        )
    values = [metrics[part] for part in parts]
    if any(value is None for value in values):
        return None
    return float(values[0]), float(values[1]) if len(values) == 2 else 1.0
