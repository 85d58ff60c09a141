"""The six stages of an iteration, each a function from files and the record to files. Order and skipping: loop.py.

Every stage may be run again after a kill at any moment: matches are kept by the store, files appear whole, the train
stage goes on from its last checkpoint.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.core.seeds import derive
from arena.training import collect, forks, health, league, population, slots
from arena.training.behaviour import behaviour
from arena.training.card import card
from arena.training.evaluate import Comparison, Results, compare
from arena.training.gate import verdict
from arena.training.job import StageJob
from arena.training.jsonfile import read_json, write_json
from arena.training.manifest import versions
from arena.training.metrics import read_metrics
from arena.training.play import play
from arena.training.recipes import find_recipe
from arena.training.record import Played, Refused, read_played
from arena.training.rows import Labelled, Trainee, check_trainable, summary, write_rows
from arena.training.settings import label_options
from arena.training.setup import Run, anchors
from arena.training.stage import Unhealthy, run_stage
from arena.training.tokens import check_tokens
from arena.training.weights import class_weights, down_sampled, in_blocks

WARM_MATCHES = 32  # of grpo's collect stage: they warm the baselines

Champions = Mapping[str, str]  # role -> league/NAME


def collect_stage(run: Run, k: int, champions: Champions) -> None:
    s = run.settings
    count = s.matches
    if s.algorithm == "grpo":
        count = 0 if s.recipe == "group" else min(WARM_MATCHES, s.matches)
    if count:
        play(run.table, collect.plan(run, k, champions, pools(run, k, champions), count, f"collect/{k}"))
    if s.recipe in forks.NEEDED_BY:
        forks.play_forks(run, k, champions)


def pools(run: Run, k: int, champions: Champions) -> dict[str, Sequence[population.Opponent]]:
    """Side or role -> who may be met there."""
    found: dict[str, Sequence[population.Opponent]] = {}
    for role in run.roles:
        found[role] = population.opponents(
            run.settings,
            type(run.game),
            role,
            k,
            champions[role],
            scores=collect.scores(run, role, k) if run.settings.opponents == "pfsp" else None,
            meta=meta_strategy(run, role, k) if run.settings.opponents == "psro" else None,
        )
    return found


def meta_strategy(run: Run, role: str, k: int) -> dict[str, float]:
    """psro: the Nash mixture (or the uniform one) of the pool, from a payoff matrix of paired matches."""
    names = population.past(run.settings, role, k)
    if len(names) == 1 or run.settings.params.meta == "uniform" or role:
        return {name: 1 / len(names) for name in names}
    from arena.leaderboards.nash import maxent

    deals = run.settings.eval_matches
    results = {other: compare(run.table, Comparison("psro", role, tuple(names), (other,), deals)) for other in names}
    payoff = [[results[b].mean(a, 0).diff for b in names] for a in names]
    skew = [[(payoff[i][j] - payoff[j][i]) / 2 for j in range(len(names))] for i in range(len(names))]
    return dict(zip(names, map(float, maxent(skew).nash), strict=True))


# --- label ----------------------------------------------------------------------------------------------------------


def label_stage(run: Run, k: int, role: str, champions: Champions) -> dict[str, Any]:
    """dataset.jsonl and dataset.json of one role; for grpo the slots."""
    folder = run.iteration(k, role)
    folder.mkdir(parents=True, exist_ok=True)
    if run.settings.algorithm == "grpo":
        facts = slots.write_slots(run, k, role, champions, pools(run, k, champions))
    else:
        facts = _label(run, k, role, champions[role], folder)
    write_json(folder / "dataset.json", facts)
    return facts


def _label(run: Run, k: int, role: str, agent: str, folder: Path) -> dict[str, Any]:
    from transformers import AutoTokenizer

    s, p = run.settings, run.settings.params
    refused = Refused()
    tags = [f"collect/{k}", f"forks/{k}"]
    played = list(read_played(run.folder, tags=tags, refused=refused))
    seed = derive(s.seed, f"label/{k}")
    options = label_options(p) | {
        "trainee": Trainee(agents=(agent,), roles=(role,) if role else ()),
        "algorithm": s.algorithm,
        "seed": seed,
        "delta": p.delta,
        "illegal_share": p.illegal_share,
        "prompts": p.prompts,
        "margin": p.fork_margin,
        "bounds": run.bounds(),
        "k": k,
    }
    try:
        made = find_recipe(s.recipe, s.algorithm, type(run.game)).label(played, options)
        check_trainable(made, s.algorithm, s.recipe)
    except UsageError as error:
        if k > 1 and _reward(run, played, agent) >= health.CONVERGED:
            raise health.Converged(f"every match of collect/{k} is paid alike, at the top") from error
        raise
    tokens = check_tokens(
        made.rows,
        AutoTokenizer.from_pretrained(run.start.folder, trust_remote_code=False),
        context=run.start.context,
        max_length=p.max_length,
        overflow=p.overflow,
        name=run.start.name,
    )
    kept = Labelled(tokens.rows, made.drops + tokens.dropped)
    facts = summary(kept) | {"tokens": tokens.as_json(), "refused": refused.as_json()}
    train = [row for row in kept.rows if row["split"] == "train"]
    valid = [row for row in kept.rows if row["split"] == "valid"]
    check_trainable(Labelled(train, kept.drops), s.algorithm, s.recipe)
    if s.algorithm == "kto":
        train = down_sampled(train, seed)
        good = sum(row["label"] for row in train)
        facts["weights"] = class_weights(good, len(train) - good)._asdict()
        train, facts["blocks_not_distinct"] = in_blocks(train, p.batch, seed)
        facts["train_desirable"], facts["train_undesirable"] = good, len(train) - good
    facts["train_rows"] = len(train)
    facts["sha256"] = write_rows(folder / "dataset.jsonl", [*train, *valid])
    return facts


def _reward(run: Run, played: Sequence[Played], agent: str) -> float:
    """The scaled mean payoff of an agent in these matches; -1 where payoffs have no bounds."""
    bounds = run.bounds()
    paid = [m.payoffs[s] for m in played if m.fork is None for s, name in m.agents.items() if name == agent]
    if bounds is None or not paid:
        return -1.0
    return (sum(paid) / len(paid) - bounds[0]) / ((bounds[1] - bounds[0]) or 1.0)


# --- train ----------------------------------------------------------------------------------------------------------


def train_stage(run: Run, k: int, role: str, champions: Champions, last: str) -> None:
    """One child process; adapter/ and metrics.jsonl."""
    s, folder = run.settings, run.iteration(k, role)
    facts = read_json(folder / "dataset.json")
    job = StageJob(
        algorithm=s.algorithm,
        folder=str(folder),
        base=str(run.start.folder),
        base_name=run.start.base,
        init=_start_of(run, role, champions[role], last, k),
        initial=_adapter(run, f"league/{s.policy(role, 0)}"),
        reference=s.reference,
        losses=s.losses,
        beta=s.beta,
        lr=s.lr,
        steps=s.steps,
        seed=derive(s.seed, f"train/{k}", role),
        device=s.device,
        k=k,
        params=s.params.as_json(),
        max_length=facts.get("tokens", {}).get("max_length"),
        weights=tuple(facts["weights"].values()) if "weights" in facts else (1.0, 1.0),
        rollout=slots.told(run, k, role, champions, facts) if s.algorithm == "grpo" else {},
    )
    job.write()
    run_stage(folder)


def _start_of(run: Run, role: str, champion: str, last: str, k: int) -> str | None:
    """The adapter folder that an iteration starts from."""
    how = run.settings.params.init
    if how == "base" or population.is_counter(run.settings, k):
        return _adapter(run, f"league/{run.settings.policy(role, 0)}")
    return _adapter(run, last if how == "last" else champion)


def _adapter(run: Run, name: str) -> str | None:
    folder = run.league / name.removeprefix("league/")
    return str(folder) if (folder / league.ADAPTER_FILES[0]).is_file() else None


# --- evaluate, gate, register ---------------------------------------------------------------------------------------


def evaluate_stage(run: Run, k: int, role: str, champions: Champions) -> None:
    """eval.json: candidate, champion and base in the same seats, on the same deals."""
    s, folder = run.settings, run.iteration(k, role)
    candidate, champion = run.name_of_adapter(folder / "adapter"), champions[role]
    base = f"league/{s.policy(role, 0)}"
    policies = tuple(dict.fromkeys([candidate, champion, base]))
    opponents = tuple(dict.fromkeys([*anchors(run, base), *([champion] if not s.fixed_opponents else [])]))
    others = {r: name for r, name in champions.items() if r and r != role}
    results = compare(run.table, Comparison(run.evaluation(k, role), role, policies, opponents, s.eval_matches, others))
    seed = derive(s.seed, f"bootstrap/{k}")
    write_json(
        folder / "eval.json",
        _evaluation(run, results, candidate, champion, base, opponents, run.evaluation(k, role), seed),
    )


def _evaluation(
    run: Run, results: Results, candidate: str, champion: str, base: str, opponents: Sequence[str], tag: str, seed: int
) -> dict[str, Any]:
    from arena.training.play import tag_hash

    names = {"candidate": candidate, "champion": champion, "base": base}
    found: dict[str, Any] = {
        "policies": names,
        "opponents": list(opponents),
        "over_champion": results.difference(candidate, champion, seed).as_json(),
        "over_champion_clean": results.difference(candidate, champion, seed, clean=True).as_json(),
        "over_base": results.difference(candidate, base, seed).as_json(),
        "over_base_clean": results.difference(candidate, base, seed, clean=True).as_json(),
        "payoff": {word: results.mean(name, seed).as_json() for word, name in names.items()},
        "lost": {word: results.lost_rate(name) for word, name in names.items()},
        "by_seat": _means(results.by_seat.get(candidate, {})),
        "by_opponent": _means(results.by_opponent.get(candidate, {})),
        "behaviour": {word: behaviour(run.folder, tag, name) for word, name in names.items()},
        "matches_sha256": tag_hash(run.folder, tag),
    }
    if (bounds := run.bounds()) is not None:
        low, high = bounds
        found["reward"] = {w: (results.mean(n, seed).diff - low) / ((high - low) or 1) for w, n in names.items()}
    return found


def gate_stage(run: Run, k: int, role: str, champions: Champions, unhealthy: str | None = None) -> None:
    from arena.training.bootstrap import Estimate

    folder = run.iteration(k, role)
    found = read_json(folder / "eval.json")

    def read(word: str) -> Estimate:
        e = found[word]
        low, high = (float("nan") if v is None else v for v in e["ci"])
        return Estimate(e["diff"], low, high, low, high, e["n"])

    decided = verdict(
        run.settings.gate,
        read("over_champion"),
        read("over_champion_clean"),
        (found["lost"]["candidate"], found["lost"]["champion"]),
        margin=run.settings.params.gate_margin,
        unhealthy=unhealthy,
    )
    write_json(folder / "gate.json", decided.as_json() | {"champion": champions[role]})


def register_stage(run: Run, k: int, role: str, run_id: str, parents: Sequence[str]) -> str:
    """league/NAME of iteration k, promoted or not; k = 0 is the untrained start."""
    s = run.settings
    name, folder = s.policy(role, k), run.iteration(k, role)
    facts: dict[str, Any] = {
        "base": run.start.base,
        "base_sha256": run.start.sha256,
        "methods": list(run.start.methods) or None,
        "game": run.game.full_name,
        "preset": run.preset,
        "role": role or None,
        "k": k,
        "run": run_id,
    }
    adapter: Path | None = Path(run.start.warm) if k == 0 and run.start.warm else None
    dataset = found = None
    if k > 0:
        adapter = folder / "adapter"
        dataset, found = read_json(folder / "dataset.json"), read_json(folder / "eval.json")
        decided = read_json(folder / "gate.json")
        facts |= {
            "algorithm": s.algorithm,
            "recipe": s.recipe,
            "reference": s.reference,
            "opponents": s.opponents,
            "parents": list(parents),
            "promoted": decided["promoted"],
            "data_sha256": dataset.get("sha256"),
        }
    about = {**facts, "speech": run.game.speech, "licence": _licence(run.start.folder), "versions": versions()}
    about |= {"hardware": f"{platform.machine()} ({s.device})"}
    options = s.params.as_json() | {
        "lr": s.lr,
        "steps": s.steps,
        "seed": s.seed,
        "losses": "+".join(s.losses),
        "beta": s.beta,
    }
    text = card(name, about | {"options": options}, dataset, found)
    league.register(run.league, name, {key: v for key, v in facts.items() if v is not None}, text, adapter)
    if k > 0 and not s.params.keep_checkpoints:
        shutil.rmtree(folder / "train", ignore_errors=True)
    return f"league/{name}"


def _licence(folder: Path) -> str | None:
    """What the base says of its licence."""
    for name in ("LICENSE", "LICENSE.txt", "LICENCE"):
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8", "replace").strip().partition("\n")[0][:80]
    return "Apache-2.0" if folder.name.startswith("smollm2-135m") else None


def stage_warnings(run: Run, k: int, role: str) -> list[str]:
    folder = run.iteration(k, role)
    return health.warnings(
        run.settings.algorithm, read_metrics(folder / "metrics.jsonl"), read_json(folder / "dataset.json")
    )


def _means(groups: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: sum(values) / len(values) for name, values in sorted(groups.items())}


__all__ = [
    "Unhealthy",
    "collect_stage",
    "evaluate_stage",
    "gate_stage",
    "label_stage",
    "register_stage",
    "stage_warnings",
    "train_stage",
]
