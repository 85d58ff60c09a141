"""What a run would take, before it is started: matches, calls, tokens, dollars, time, and what stands in its way.

Asks and prompt lengths come from simulated matches with random legal answers, rendered as they would be; reply lengths
are not known, so they give the range. Nothing is written and no socket is opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from arena.models import clients
from arena.models.ledger import price_of
from arena.models.limiter import DEFAULT_CAP
from arena.models.names import AgentSpec
from arena.models.types import Usage
from arena.play import new_match
from arena.prompt import messages, wire
from arena.registry import load_game
from arena.run.context import token_cap
from arena.run.plan import Planned, make_plan, plan_hash
from arena.run.settings import Settings

_SIMULATED = 20
_CHARS_A_TOKEN = 4.0
_SLACK = 0.15  # of the character rule
_REASKS = (0.0, 0.1)  # the share of asks that are asked again, at p10 and p90
_LATENCY_S = (0.5, 4.0)  # a reply, where nothing is known of the model


@dataclass(frozen=True)
class _Seat:
    """What one seat of one simulated match was asked: prompt tokens, and shortest and longest replies in tokens."""

    asks: int
    prompt: float
    short: float
    long: float


def estimate(settings: Settings, specs: Sequence[AgentSpec]) -> dict[str, Any]:
    """The whole estimate as one document; `problems` would stop the run."""
    whole = make_plan(settings, [(spec.selector, spec.agent.canonical) for spec in specs])
    plan = [planned for planned in whole if settings.has_block(planned.block)]
    agents = {spec.agent.canonical: spec.agent for spec in specs}
    per_match = _per_match(plan)
    rng = Random(settings.seed)
    low = high = calls_low = calls_high = tokens_in = tokens_out_low = tokens_out_high = 0.0
    unpriced: set[str] = set()
    seats: dict[str, int] = defaultdict(int)
    for planned in plan:
        samples = per_match[planned.where, planned.config_sha256]
        for number, (_, name) in enumerate(planned.seating.items()):
            seats[name] += 1
            model = agents[name].model
            if model is None:
                continue
            sample = rng.choice(samples)[number]
            calls_low, calls_high = calls_low + sample.asks, calls_high + sample.asks * (1 + _REASKS[1])
            tokens_in += sample.prompt
            tokens_out_low, tokens_out_high = tokens_out_low + sample.short, tokens_out_high + sample.long
            price = price_of(model, settings.models.get(model.bare))
            if price is None:
                unpriced.add(name)
                continue
            most = round(sample.prompt * (1 + _SLACK) * (1 + _REASKS[1]))
            low += price.units(Usage(prompt=round(sample.prompt * (1 - _SLACK)), completion=round(sample.short))) / 1e12
            high += price.units(Usage(prompt=most, completion=round(sample.long))) / 1e12
    problems = [fault for agent in agents.values() if agent.model for fault in clients.missing(agent.model)]
    budget = settings.limits.budget_usd
    if budget is not None and unpriced and not settings.limits.allow_unpriced:
        problems.append(f"a budget needs prices: {', '.join(sorted(unpriced))} has none (?price_in=&price_out=)")
    at_once = settings.limits.concurrency or DEFAULT_CAP
    depth = max((max(s.asks for s in sample) for samples in per_match.values() for sample in samples), default=0)
    wall = [
        max(depth * latency, calls * latency / at_once) if calls else 0.0
        for calls, latency in ((calls_low, _LATENCY_S[0]), (calls_high, _LATENCY_S[1]))
    ]
    return {
        "matches": len(plan),
        "blocks": len({p.block for p in plan}),
        "agents": {name: {"seats": seats[name], "kind": agents[name].kind} for name in agents},
        "calls": {"p10": round(calls_low), "p50": round((calls_low + calls_high) / 2), "p90": round(calls_high)},
        "tokens_in": {
            "p10": round(tokens_in * (1 - _SLACK)),
            "p90": round(tokens_in * (1 + _SLACK) * (1 + _REASKS[1])),
        },
        "tokens_out": {"p10": round(tokens_out_low), "p90": round(tokens_out_high)},
        "cost_usd": None if unpriced else {"p10": round(low, 4), "p90": round(high, 4)},
        "unpriced": sorted(unpriced),
        "wall_s": {"p10": round(wall[0]), "p90": round(wall[1])},
        "config_sha256": settings.sha256(),
        "plan_hash": plan_hash(whole),
        "problems": problems,
    }


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The estimate for people."""
    yield f"{found['matches']} matches in {found['blocks']} blocks"
    for name, facts in found["agents"].items():
        yield f"  {name}: {facts['seats']} seats"
    yield f"calls        {found['calls']['p10']} to {found['calls']['p90']}"
    yield f"tokens in    {found['tokens_in']['p10']} to {found['tokens_in']['p90']}"
    yield f"tokens out   {found['tokens_out']['p10']} to {found['tokens_out']['p90']}"
    cost = found["cost_usd"]
    yield (
        f"cost         ${cost['p10']} to ${cost['p90']}"
        if cost
        else f"cost         unpriced: {', '.join(found['unpriced'])}"
    )
    yield f"time         {found['wall_s']['p10']} to {found['wall_s']['p90']} s, at 0.5 to 4 s a reply"
    yield f"config {found['config_sha256'][:12]}, plan {found['plan_hash'][:12]}"
    for problem in found["problems"]:
        yield f"problem: {problem}"


def _per_match(plan: Sequence[Planned]) -> dict[tuple[str, str], list[list[_Seat]]]:
    """Simulated matches by game and config: what each seat is asked."""
    found: dict[tuple[str, str], list[list[_Seat]]] = {}
    for planned in plan:
        key = (planned.where, planned.config_sha256)
        if key not in found:
            found[key] = [_simulated(planned, seed) for seed in range(_SIMULATED)]
    return found


def _simulated(planned: Planned, seed: int) -> list[_Seat]:
    cls = load_game(planned.where)
    match = new_match(cls(cls.config_type.make(planned.config)), seed, preset=planned.preset)
    rng = Random(seed)
    sums = {seat: [0.0, 0.0, 0.0, 0.0] for seat in match.seats}
    while not match.done:
        for seat, ask in match.pending().items():
            answer = ask.sample(rng)
            total = sums[seat]
            total[0] += 1
            total[1] += sum(len(m["content"]) for m in messages(match.view(seat))) / _CHARS_A_TOKEN
            total[2] += max(1.0, len(wire(ask, answer, match.names)) / _CHARS_A_TOKEN)
            total[3] += max(total[2] / max(total[0], 1), token_cap(ask, thinks=False))
            match.submit(seat, answer)
    return [_Seat(int(asks), prompt, short, long) for asks, prompt, short, long in sums.values()]
