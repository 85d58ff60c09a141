"""Strategies that learn or solve: each gives a weight for every action, which is stated where the game asks for
probabilities and drawn from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

from arena.core import Answer, Ask, Rng, View
from arena.games.matrix.memory import Choice, Memory, bot, remember
from arena.games.matrix.rules import Action, Amount
from arena.games.matrix.solve import Lead, forced_look, forced_pure_look, nash_mixes, security_mix


@bot
def hedge(memory: Memory, rng: Rng) -> Choice:
    """Exponential weights of what each action would have paid so far; no regret against anybody."""
    gains = memory.gains()
    rate = math.sqrt(8 * math.log(max(2, len(gains))) / horizon(memory)) / spread(memory)
    top = max(gains)
    return normal([math.exp(rate * float(gain - top)) for gain in gains])


@bot
def follow_the_leader(memory: Memory, rng: Rng) -> Choice:
    """The action that would have paid most so far; the first one of several."""
    gains = memory.gains()
    return memory.actions[gains.index(max(gains))]


@bot
def follow_the_perturbed_leader(memory: Memory, rng: Rng) -> Choice:
    """The leader after a random bonus on every action, uniform up to the spread of payoffs times the root of rounds."""
    width = spread(memory) * math.sqrt(horizon(memory))
    bonus = [float(gain) + width * rng.random() for gain in memory.gains()]
    return memory.actions[bonus.index(max(bonus))]


@bot
def fictitious_play(memory: Memory, rng: Rng) -> Choice:
    """The best reply to what the others have played so far, each taken on its own."""
    if len(memory.seats) < 3:
        gains = memory.gains()
        return memory.actions[gains.index(max(gains))]
    counts: list[dict[Action, int]] = [dict.fromkeys(actions, 0) for actions in memory.game.actions]
    for facts in memory.rounds:
        for i, seat in enumerate(memory.seats):
            if seat in facts["actions"]:
                counts[i][facts["actions"][seat]] += 1
    expected = [_expected(memory, counts, action) for action in memory.actions]
    return memory.actions[expected.index(max(expected))]


def _expected(memory: Memory, counts: list[dict[Action, int]], own: Action) -> float:
    """The payoff of `own` against the product of the others' empirical mixes (as counts; their scale is alike)."""
    mixes = [{own: 1} if i == memory.player else {a: c for a, c in m.items() if c} for i, m in enumerate(counts)]
    if any(not mix for mix in mixes):
        return 0.0
    profiles: list[tuple[tuple[Action, ...], int]] = [((), 1)]
    for mix in mixes:
        profiles = [((*profile, a), weight * c) for profile, weight in profiles for a, c in mix.items()]
    return float(sum(memory.game.pay(profile)[memory.player] * weight for profile, weight in profiles))


@bot
def exp3(memory: Memory, rng: Rng) -> Choice:
    """Exponential weights for bandits: learns from its own payoffs alone (Exp3)."""
    k = len(memory.actions)
    share = min(1.0, math.sqrt(k * math.log(max(2, k)) / ((math.e - 1) * horizon(memory))))
    read, logs = memory.kept.get("exp3") or (0, [0.0] * k)
    low, width = float(memory.game.low_high[0]), spread(memory)
    for facts in memory.rounds[read:]:
        played = memory.actions.index(facts["actions"][memory.seat])
        reward = (facts["payoffs"][memory.seat] - low) / width
        logs = [*logs]
        logs[played] += share / k * reward / _exp3_mix(logs, share)[played]
    memory.kept["exp3"] = len(memory.rounds), logs
    return _exp3_mix(logs, share)


def _exp3_mix(logs: Sequence[float], share: float) -> list[float]:
    top = max(logs)
    return [(1 - share) * w + share / len(logs) for w in normal([math.exp(x - top) for x in logs])]


@bot
def minimax(memory: Memory, rng: Rng) -> Choice:
    """The mix that guarantees most whatever the others do (in a zero-sum game, the optimal one)."""
    if "minimax" not in memory.kept or memory.config.scenario == "grid":
        game, me = memory.game, memory.player
        if game.size > 20_000:
            memory.kept["minimax"] = [1.0 if a == game.selfish[me] else 0.0 for a in memory.actions]
        else:
            table: dict[Action, list[Amount]] = {a: [] for a in memory.actions}
            for profile in game.profiles():
                table[profile[me]].append(game.pay(profile)[me])
            memory.kept["minimax"] = security_mix(list(table.values()))[0]
    mix: list[float] = memory.kept["minimax"]
    return mix


@bot
def nash(memory: Memory, rng: Rng, *, index: int = 0) -> Choice:
    """Its part of the index-th equilibrium (pure ones first); selfish where none is found."""
    if "nash" not in memory.kept or memory.config.scenario == "grid":
        memory.kept["nash"] = nash_mixes(memory.game)
    mixes = memory.kept["nash"]
    if not mixes:
        return memory.game.selfish[memory.player]
    return [float(weight) for weight in mixes[index % len(mixes)][memory.player]]


@bot
def _lead(memory: Memory, rng: Rng) -> Choice:
    game, me = memory.game, memory.player
    lead = _solution(memory)
    if lead is None or (me == memory.config.simulator and memory.peek is None):
        return game.selfish[me]
    if me != memory.config.simulator:
        return [float(lead.declared), float(1 - lead.declared)]
    actions = game.actions[1 - me]
    seen = memory.peek["p"] or [float(action == memory.peek["action"]) for action in actions]  # type: ignore[index]
    return _answer(memory, seen)


def leader(view: View, ask: Ask, rng: Rng) -> Answer:
    """Where strategies can be looked at: declares what is best seen, looks if that pays, answers what it sees."""
    if ask.name != "simulate":
        return _lead(view, ask, rng)
    memory = remember(view)
    lead, otherwise = _solution(memory), memory.game.pay(memory.game.selfish)[memory.player]
    return "yes" if lead is not None and lead.looker > otherwise else "no"


def _solution(memory: Memory) -> Lead | None:
    """What the looked-at player should declare if it is always looked at; None without two players and two actions."""
    config = memory.config
    if len(memory.seats) != 2 or len(memory.game.actions[1 - config.simulator]) != 2:
        return None
    solve = forced_look if config.simulate_shows == "mixed" else forced_pure_look
    return solve(memory.game, config.simulator, config.cost_of_look)


def _answer(memory: Memory, seen: Sequence[float]) -> Action:
    """The best answer to a mix of two actions; among equals, what the other likes best."""
    me = memory.player

    def worth(own: Action) -> tuple[float, float]:
        paid = [memory.game.pay((own, a) if me == 0 else (a, own)) for a in memory.game.actions[1 - me]]
        mine, theirs = (sum(w * float(amounts[i]) for w, amounts in zip(seen, paid, strict=True)) for i in (me, 1 - me))
        return round(mine, 9), theirs

    return max(memory.actions, key=worth)


def horizon(memory: Memory) -> int:
    """The number of rounds, or as many as are being played where it is not known."""
    return memory.config.rounds if memory.knows_horizon else memory.number


def spread(memory: Memory) -> float:
    low, high = memory.game.low_high
    return float(high - low) or 1.0


def normal(weights: Sequence[float]) -> list[float]:
    whole = math.fsum(weights)
    return [w / whole for w in weights]
