"""What a training run would take, before anything starts: matches, asks, tokens, steps, memory, dollars.

Asks and tokens come from 20 simulated matches with random legal answers, rendered and counted with the model's own
tokenizer. An estimate: real answers, forks that end early and skipped duplicates move it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arena.models.ledger import price_of
from arena.models.names import resolve
from arena.models.types import Usage
from arena.training import collect, forks
from arena.training.evaluate import seatings
from arena.training.prompt_sizes import simulated
from arena.training.settings import GRPO_STEPS, TrainSettings, filled
from arena.training.setup import Run, anchors, check_new, check_sizes, set_up

SIMULATED = 20
ANSWER = 16  # tokens of a row behind its prompt


def estimate(settings: TrainSettings) -> dict[str, Any]:
    """Everything as numbers; faults of the settings are raised as they would be at the start."""
    settings = filled(settings)
    check_new(settings)
    run = set_up(Path("dry-run"), settings)
    s, p = settings, settings.params
    check_sizes(run)
    asks, prompt, longest = simulated(run.game, run.start, SIMULATED)
    row = max(longest) + ANSWER
    own = asks / max(run.game.seat_count(), 1)
    ways = seatings(run.game, run.roles[0])
    passes = 2 if p.nash == "extragradient" else 1
    collected = collect.count(s) * passes
    policies = 3 if s.iterations > 1 else 2
    evaluated = s.eval_matches * ways * policies * len(run.roles)
    final = (s.eval_matches if p.final_matches is None else p.final_matches) * ways * (s.iterations + 1)
    branches = 0
    if s.recipe in forks.NEEDED_BY:
        states = collected * min(p.fork_states, max(1, round(own)))
        branches = states * p.fork_k * (1 + p.fork_rollouts)
    steps = s.steps or (
        GRPO_STEPS if s.algorithm == "grpo" else max(1, round(collected * own * ways / (p.batch * p.accumulation)))
    )
    rollouts = steps * p.batch * p.accumulation if s.algorithm == "grpo" else 0
    an_iteration = collected + branches + rollouts + evaluated
    matches = an_iteration * s.iterations + final
    return {
        "stages": ["collect", "label", "train", "evaluate", "gate", "register"],
        "iterations": s.iterations,
        "matches": {
            "collect": collected,
            "forks": branches,
            "rollouts": rollouts,
            "evaluate": evaluated,
            "final": final,
            "all": matches,
        },
        "asks_a_match": round(asks, 1),
        "prompt_tokens_a_match": round(prompt),
        "prompt_tokens": round(prompt * matches),
        "longest_row": row,
        "max_length": p.max_length or min(row, run.start.context),
        "context": run.start.context,
        "steps": steps * (passes if s.steps else 1) * s.iterations,
        "memory_gb": _memory(run, row),
        "anchors": list(anchors(run, f"league/{s.policy(run.roles[0], 0)}")),
        "cost": _cost(run, matches, prompt, asks),
    }


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield f"{found['iterations']} iterations of {', '.join(found['stages'])}"
    m = found["matches"]
    yield (
        f"matches: {m['collect']} collected, {m['forks']} forks, {m['rollouts']} rollouts, {m['evaluate']} evaluated "
        f"an iteration; {m['final']} at the end; {m['all']} in all"
    )
    yield f"asks a match: {found['asks_a_match']}; prompt tokens: {found['prompt_tokens']} in all"
    yield f"longest row: {found['longest_row']} tokens, max_length {found['max_length']}, context {found['context']}"
    if found["longest_row"] > found["max_length"]:
        yield "rows over max_length: --param overflow=drop or shorten, or max_length"
    yield f"steps: {found['steps']}; memory: about {found['memory_gb']} GB; cost: {found['cost']}"
    yield f"anchors of evaluation: {', '.join(found['anchors'])}"


def _cost(run: Run, matches: int, prompt: float, asks: float) -> str:
    """What fixed opponents are billed for, who hold all seats but the learner's in their share of the matches; a
    reply is counted as a row's answer, so talk and thinking cost more."""
    fixed = resolve(list(run.settings.fixed_opponents), type(run.game), ready=False)
    share = (1 - 1 / max(run.game.seat_count(), 1)) * matches / max(len(fixed), 1)
    usage = Usage(prompt=round(prompt * share), completion=round(asks * share * ANSWER))
    total, unpriced = 0.0, []
    for spec in fixed:
        model = spec.agent.model
        price = price_of(model) if model is not None else None
        if price is not None:
            total += price.units(usage) / 1e12
        elif model is not None and model.provider != "mock":
            unpriced.append(spec.agent.canonical)
    text = f"about ${total:.2f}" if total else "$0"
    return f"{text} and what {', '.join(unpriced)} costs (no price known)" if unpriced else text


def _memory(run: Run, row: int) -> float:
    """Weights twice (parent and child do not overlap, so once each), activations of a batch, logits (ours, rough)."""
    import json

    weights = sum(path.stat().st_size for path in run.start.folder.glob("*.safetensors"))
    config = json.loads((run.start.folder / "config.json").read_text("utf-8"))
    hidden, layers = config.get("hidden_size", 1024), config.get("num_hidden_layers", 24)
    vocabulary = config.get("vocab_size", 50_000)
    rows = run.settings.params.batch
    activations = rows * row * (hidden * layers * 34 + 2 * vocabulary) * 4
    return float(round((0.5e9 + 2 * weights + activations) / 1e9, 1))
