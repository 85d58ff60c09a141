"""Figures of a match from its record alone. Which ones there are depends on the configuration, not on the play."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, product

from arena.core import Match
from arena.games.matrix.config import MatrixConfig
from arena.games.matrix.played import Round, rounds_of
from arena.games.matrix.regret import external_regret, falls, growth, running_regret, swap_regret, trend_p_value
from arena.games.matrix.rules import Action

Figures = dict[str, float | None]

# How often a named strategy cooperates after (own, other) = CC, CD, DC, DD.
NAMED = {
    "always_cooperate": (1, 1, 1, 1),
    "always_defect": (0, 0, 0, 0),
    "tit_for_tat": (1, 0, 1, 0),
    "win_stay_lose_shift": (1, 0, 0, 1),
    "grim_trigger": (1, 0, 0, 0),
}
_FEW = 20_000  # profiles of a product of empirical mixes


def metrics(match: Match) -> Figures:
    config: MatrixConfig = match.game.config
    rounds, seats = rounds_of(match), config.seat_tuple
    figures: Figures = {}
    if len(seats) > 1:
        figures |= _welfare(config, rounds)
    if config.scenario not in ("grid", "trust_amount"):  # there an action changes what can be done later
        figures |= _regrets(seats, rounds)
        if len(seats) > 1:
            figures |= _gaps(config, seats, rounds, figures)
    if config.stage.dilemma:
        figures |= _cooperation(config, seats, rounds)
    if config.talk != "none":
        figures |= _talk(match, seats, rounds)
    if config.commitment:
        figures |= _commitment(match, rounds)
    if config.simulate != "none":
        figures["look_rate"] = _share(r.facts["simulated"] for r in rounds if "simulated" in r.facts)
    if config.governor:
        opened = [event.facts["open"] for event in match.events if event.kind == "visibility"]
        figures["open_nodes"] = sum(opened) * len(seats) / len(opened) if opened else None
    return figures


def _share(hits: Iterable[bool]) -> float | None:
    every = list(hits)
    return sum(every) / len(every) if every else None


# --- all games ------------------------------------------------------------------------------------------------------


def _welfare(config: MatrixConfig, rounds: list[Round]) -> Figures:
    """`welfare`: mean sum of payoffs a round; `welfare_ratio`: of the greatest sum; `coordination_rate`: all alike."""
    mean = math.fsum(math.fsum(r.payoffs) for r in rounds) / len(rounds) if rounds else None
    best = [r.game.best_sum for r in rounds]
    known = [float(b) for b in best if b is not None]
    top = math.fsum(known) / len(known) if known and len(known) == len(best) else 0.0
    figures: Figures = {"welfare": mean, "welfare_ratio": mean / top if mean is not None and top > 0 else None}
    if len(set(config.stage.actions)) == 1:
        figures["coordination_rate"] = _share(len(set(r.profile)) == 1 for r in rounds)
    return figures


def _regrets(seats: Sequence[str], rounds: list[Round]) -> Figures:
    """Regrets, the trend test and the growth of regret, player by player."""
    figures: Figures = {}
    for player, seat in enumerate(seats):
        mixes, pays = [r.mixes[player] for r in rounds], [r.pays(player) for r in rounds]
        regrets = running_regret(mixes, pays)
        external = external_regret(mixes, pays) if rounds else None
        slope = growth(regrets)
        figures[f"external_regret_{seat}"] = external
        figures[f"average_regret_{seat}"] = None if external is None else external / len(rounds)
        figures[f"swap_regret_{seat}"] = swap_regret(mixes, pays) if rounds else None
        trend = trend_p_value(len(rounds) - 1, falls(regrets)) if len(rounds) > 1 else None
        figures[f"regret_trend_p_{seat}"] = trend
        figures[f"regret_exponent_{seat}"] = slope.exponent if slope else None
        figures[f"regret_exponent_p_{seat}"] = slope.p_value if slope else None
    return figures


def _gaps(config: MatrixConfig, seats: Sequence[str], rounds: list[Round], figures: Figures) -> Figures:
    """How far play is from a coarse correlated, a correlated and a Nash equilibrium; exploitability if zero-sum."""
    gaps: Figures = dict.fromkeys(("cce_gap", "ce_gap", "nash_gap"))
    if config.stage.is_zero_sum:
        gaps["exploitability"] = None
    if not rounds:
        return gaps
    for name, regret in (("cce_gap", "external_regret"), ("ce_gap", "swap_regret")):
        worst = max(value for seat in seats if (value := figures[f"{regret}_{seat}"]) is not None)
        gaps[name] = worst / len(rounds)
    replies = _best_replies(rounds) if len({id(r.game) for r in rounds}) == 1 else None
    if replies:
        gaps["nash_gap"] = max(best - own for best, own in replies)
        if "exploitability" in gaps:
            gaps["exploitability"] = math.fsum(best for best, _ in replies) / 2
    return gaps


def _best_replies(rounds: list[Round]) -> list[tuple[float, float]] | None:
    """For each player the best reply to the others' empirical mixes, and what its own mix gets against them."""
    game = rounds[0].game
    mixes: list[dict[Action, float]] = []
    for player, actions in enumerate(game.actions):
        weights = [math.fsum(column) / len(rounds) for column in zip(*(r.mixes[player] for r in rounds), strict=True)]
        mixes.append({actions[i]: w for i, w in enumerate(weights) if w})
    if math.prod(map(len, mixes)) * max(map(len, game.actions)) > _FEW:
        return None
    found = []
    for player in range(game.n):
        others: list[dict[Action, float]] = [
            mix if i != player else {game.actions[i][0]: 1.0} for i, mix in enumerate(mixes)
        ]
        worth = [0.0] * len(game.actions[player])
        for profile in product(*others):
            chance = math.prod(mix[action] for mix, action in zip(others, profile, strict=True))
            worth = [w + chance * float(u) for w, u in zip(worth, game.replies(player, profile), strict=True)]
        by_action = dict(zip(game.actions[player], worth, strict=True))
        found.append((max(worth), math.fsum(w * by_action[action] for action, w in mixes[player].items())))
    return found


# --- dilemmas -------------------------------------------------------------------------------------------------------


def _cooperation(config: MatrixConfig, seats: Sequence[str], rounds: list[Round]) -> Figures:
    """Cooperation, and between two players how each answers what both did in the round before."""
    friendly = [[r.game.is_friendly(i, action) for i, action in enumerate(r.profile)] for r in rounds]
    figures: Figures = {
        "cooperation_rate": _share(c for row in friendly for c in row),
        "mutual_cooperation": _share(all(row) for row in friendly),
    }
    for player, seat in enumerate(seats):
        figures[f"cooperation_rate_{seat}"] = _share(row[player] for row in friendly)
        if len(seats) == 2:
            steps = [((a[player], a[1 - player]), b[player]) for a, b in pairwise(friendly)]
            figures |= {f"{name}_{seat}": value for name, value in _answers(steps).items()}
    return figures


def _answers(steps: list[tuple[tuple[bool, bool], bool]]) -> Figures:
    """From ((own last, other last), own now): the transition frequencies and how far they are from named strategies."""
    states = {"cc": (True, True), "cd": (True, False), "dc": (False, True), "dd": (False, False)}
    after = {name: _share(now for state, now in steps if state == which) for name, which in states.items()}
    figures: Figures = {
        "retaliation_rate": _share(not now for (_, other), now in steps if not other),
        "forgiveness": after["cd"],
    }
    figures |= {f"cooperation_after_{name}": value for name, value in after.items()}
    for name, strategy in NAMED.items():
        misses = [abs(value - c) for value, c in zip(after.values(), strategy, strict=True) if value is not None]
        figures[f"distance_{name}"] = math.fsum(misses) / len(misses) if misses else None
    return figures


# --- stages ---------------------------------------------------------------------------------------------------------


def _talk(match: Match, seats: Sequence[str], rounds: list[Round]) -> Figures:
    """`talk_honesty`: stated actions that were executed; `promise_break`: promised ones that were not."""
    said = [event.facts for event in match.events if event.kind == "talk"]
    spoken = [facts for facts in said if facts["round"] <= len(rounds)]

    def kept(intent: str, wanted: Callable[[str], bool]) -> float | None:
        stated = [f for f in spoken if f[intent] is not None and wanted(f["seat"])]
        return _share(f[intent] == rounds[f["round"] - 1].facts["actions"][f["seat"]] for f in stated)

    figures: Figures = {}
    for suffix, who in [("", None), *((f"_{seat}", seat) for seat in seats)]:
        honest = kept("claim_action", lambda seat, who=who: who in (None, seat))  # type: ignore[misc]
        promise = kept("promise_action", lambda seat, who=who: who in (None, seat))  # type: ignore[misc]
        figures[f"talk_honesty{suffix}"] = honest
        figures[f"promise_break{suffix}"] = None if promise is None else 1 - promise
    return figures


def _commitment(match: Match, rounds: list[Round]) -> Figures:
    """`commit_rate`: rounds executed under commitment of all; `agreement_rate`: proposals that all committed to."""
    n = len(match.game.config.seat_tuple)
    answers = [event.facts["answers"] for event in match.events if event.kind == "commitments"]
    return {
        "commit_rate": _share(len(r.facts["committed"]) == n for r in rounds),
        "agreement_rate": _share(all(a == "yes" for a in given.values()) for given in answers),
    }
