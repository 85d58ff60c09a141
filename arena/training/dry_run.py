"""What a training run would take, before anything starts: matches, asks, tokens, steps, memory, dollars.

Asks and tokens come from 20 simulated matches with random legal answers, rendered and counted with the model's own
tokenizer. An estimate: real answers, forks that end early and skipped duplicates move it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, inf
from pathlib import Path
from typing import Any

from arena.models.ledger import price_of
from arena.models.names import resolve
from arena.models.types import Usage
from arena.registry import make_game
from arena.training import collect, forks
from arena.training.evaluate import seatings
from arena.training.final import has_average
from arena.training.manifest import NAME as MANIFEST
from arena.training.population import LEARNER
from arena.training.reading import amounts, is_model, opponents, read
from arena.training.rows import VALID_PERCENT
from arena.training.settings import GRPO_STEPS, TrainSettings, filled
from arena.training.setup import Run, check_names, check_new, check_sizes, met, set_up

ANSWER = 16  # tokens of a row behind its prompt


def estimate(settings: TrainSettings, folder: Path | None = None) -> dict[str, Any]:
    """Everything as numbers; faults of the settings are raised as they would be at the start in that folder."""
    settings = filled(settings)
    check_new(settings)
    run = set_up(Path("dry-run"), settings)
    s, p = settings, settings.params
    if folder is None or not (folder / MANIFEST).is_file():  # what is begun owns its names
        check_names(run)
    check_sizes(run)
    found = read(run)
    asks, row = found.asks, max(one.longest for one in found.played) + ANSWER
    passes, collected = 2 if p.nash == "extragradient" else 1, collect.count(s)
    is_forked = s.recipe in forks.NEEDED_BY
    most = p.fork_states if is_forked else inf
    updated = [s.roles_of(k) for k in range(1, s.iterations + 1)]
    decisions = [collected * found.own_asks(roles, most) for roles in updated]  # of each iteration
    updates = sum(map(len, updated))
    rows = (1 - VALID_PERCENT / 100) * sum(decisions) / updates
    rows *= p.fork_k if is_forked and s.algorithm == "kto" else 1
    steps = s.steps or (GRPO_STEPS if s.algorithm == "grpo" else max(1, ceil(rows / (p.batch * p.accumulation))))
    rollouts = -(-steps // p.num_iterations) * p.batch * p.accumulation if s.algorithm == "grpo" else 0
    if s.is_self_play and p.rows == "episode":  # one match gives a row for each trained seat
        rollouts = round(rollouts / found.seats)
    candidates = round(passes * sum(decisions)) * p.fork_k if is_forked else 0
    matches = _matches(run, collected * passes, candidates, rollouts, [role for roles in updated for role in roles])
    reads = amounts(run, found, matches, candidates, _crossed(run))
    tokens = found.tokens * sum(amount for name, amount in reads.items() if is_model(run, name))
    return {
        "stages": ["collect", "label", "train", "evaluate", "gate", "register"],
        "iterations": s.iterations,
        "matches": matches | {"all": sum(matches.values())},
        "asks_a_match": round(asks, 1),
        "prompt_tokens_a_match": round(found.tokens),
        "prompt_tokens": round(tokens),
        "longest_row": row,
        "max_length": p.max_length or min(row, run.start.context),
        "context": run.start.context,
        "rows": round(rows) if s.algorithm != "grpo" else None,
        "rows_of": "turn" if not is_forked else "candidate answer" if s.algorithm == "kto" else "forked decision",
        "steps": steps * passes * updates,
        "memory_gb": _memory(run, row, asks),
        "held": f"batch {p.batch}, dtype {p.dtype}",
        "plan": f"{s.algorithm} with {s.recipe} on {s.game}, {' and '.join(s.roles) or 'every seat'}; lr {s.lr:g}, "
        f"reference {s.reference}, opponents {s.opponents}, gate {s.gate}, seed {s.seed}",
        "anchors": list(dict.fromkeys(name for role in run.roles for name in met(run, role, "its champion"))),
        "cost": cost(run, reads, found.tokens, asks),
    }


def _matches(run: Run, collected: int, candidates: int, rollouts: int, updated: Sequence[str]) -> dict[str, int]:
    """How many of each kind. `updated`: the roles that are trained, once for each time. Candidate and base are measured
    each time; a champion beside them is at first the base itself."""
    s, p, ways = run.settings, run.settings.params, seatings(run.game, run.roles[0])
    return {
        "collect": collected * s.iterations,
        "forks": candidates * (1 + p.fork_rollouts),
        "rollouts": rollouts * len(updated),
        "evaluate": s.eval_matches * ways * (3 * len(updated) - len(set(updated))),
        "transfer": s.eval_matches * _transfer_ways(run) * 2 * len(updated),
        "meta": _meta(run) * ways,
        "final": _final_deals(run) * (len(updated) + len(run.roles)) * ways + _crossed(run),
    }


def _meta(run: Run) -> int:
    """Deals of psro's payoff matrix, at its largest."""
    s = run.settings
    pool = s.iterations + len(s.params.pool)
    is_uniform = s.params.meta == "uniform" or (s.params.meta == "auto" and s.roles)
    return s.eval_matches * pool**2 if s.opponents == "psro" and not is_uniform and pool > 1 else 0


def _transfer_ways(run: Run) -> int:
    preset = run.settings.params.transfer
    return 0 if preset is None else seatings(make_game(preset, {})[0], run.roles[0])


def _final_deals(run: Run) -> int:
    s = run.settings
    return s.eval_matches if s.params.final_matches is None else s.params.final_matches


def _crossed(run: Run) -> int:
    """The cross table of the champions, at its largest."""
    s = run.settings
    return _final_deals(run) * (s.iterations + 1) ** 2 * has_average(s) * seatings(run.game, run.roles[0])


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield found["plan"]
    times = "1 iteration" if found["iterations"] == 1 else f"{found['iterations']} iterations"
    yield f"{times} of {', '.join(found['stages'])}"
    words = {
        "collect": "collected",
        "forks": "forks at most",
        "evaluate": "evaluated",
        "meta": "for psro's matrix",
        "final": "at the end",
    }
    counts = [f"{count} {words.get(name, name)}" for name, count in found["matches"].items() if count and name != "all"]
    yield f"matches: {', '.join(counts)}; {found['matches']['all']} in all at most"
    read = found["prompt_tokens"]
    tokens = f"prompt tokens that models read: about {f'{read / 1e6:.3g} million' if read > 1e6 else read}"
    yield f"asks a match: {found['asks_a_match']}, of all seats; {tokens}"
    yield f"longest row: {found['longest_row']} tokens, max_length {found['max_length']}, context {found['context']}"
    if found["longest_row"] > found["max_length"]:
        yield "rows may pass max_length: --param overflow=drop leaves them out, overflow=shorten cuts their past"
    if found["rows"] is not None:
        yield f"rows to train on: about {found['rows']} for each policy, if every {found['rows_of']} gives one"
    yield f"steps: {found['steps']}; memory: about {found['memory_gb']} GB ({found['held']}); cost: {found['cost']}"
    yield f"evaluation against: {', '.join(found['anchors'])}"


def cost(run: Run, reads: Mapping[str, float], prompt: float, asks: float) -> str:
    """What others than the run's policies are billed for, by what they read; a reply is counted as a row's answer, so
    talk and thinking cost more. Opponents that no simulated match drew are named, not counted."""
    total, unpriced, uncounted = 0.0, list[str](), list[str]()
    drawn = [] if run.settings.fixed_opponents else [entry.name for role in run.roles for entry in opponents(run, role)]
    for name in dict.fromkeys([*reads, *drawn]):
        if name == LEARNER or name.startswith("league/"):
            continue
        (spec,) = resolve([name], type(run.game), ready=False)
        model = spec.agent.model
        price = price_of(model) if model is not None else None
        if model is None or (price is None and model.provider == "mock"):
            continue
        if price is None:
            unpriced.append(spec.agent.canonical)
        elif name not in reads:
            uncounted.append(spec.agent.canonical)
        else:
            usage = Usage(prompt=round(prompt * reads[name]), completion=round(asks * reads[name] * ANSWER))
            total += price.units(usage) / 1e12
    parts = [f"about ${total:.2f}"] if total else [] if unpriced or uncounted else ["$0"]
    parts += [f"what {', '.join(unpriced)} costs (no price known)"] if unpriced else []
    text = " and ".join(parts)
    left = f"not counted: {', '.join(uncounted)}, seldom drawn" if uncounted else ""
    return "; ".join(filter(None, (text, left)))


def _memory(run: Run, row: int, asks: float) -> float:
    """Libraries, weights twice over, and what a batch keeps for the way back; of grpo with constrained answers also the
    logits of the tokens that were drawn. Rough: so many bytes a token, layer and unit of width as were measured for
    SmolLM2-135M in bf16 and fp32 (`python benchmarks/training_step.py`), and a tenth more."""
    import json

    weights = sum(path.stat().st_size for path in run.start.folder.glob("*.safetensors"))
    config = json.loads((run.start.folder / "config.json").read_text("utf-8"))
    hidden, layers = config.get("hidden_size", 1024), config.get("num_hidden_layers", 24)
    s = run.settings
    rows = s.params.batch * (2 if s.algorithm == "dpo" else 1)  # both answers of a pair in one batch
    is_half = s.params.dtype == "bf16" or (s.params.dtype == "auto" and s.device == "cuda")
    kept = rows * row * hidden * layers * (100 if is_half else 130)
    if s.algorithm == "grpo":
        kept += rows * round(asks / max(run.game.seat_count(), 1) + 1) * ANSWER * config.get("vocab_size", 50_000) * 20
    return float(round((0.6e9 + 2 * weights + kept) / 1e9, 1))
