"""The six stages of an iteration, each a function from files and the record to files. Order and skipping: loop.py.

Every stage may be run again after a kill at any moment: matches are kept by the store, files appear whole, the train
stage goes on from its last checkpoint.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from arena.core.seeds import derive
from arena.run.progress import Steps
from arena.training import collect, forks, health, league, population, slots, standings
from arena.training.behaviour import behaviour
from arena.training.card import card
from arena.training.evaluate import Comparison, Results, compare
from arena.training.gate import verdict
from arena.training.job import StageJob
from arena.training.jsonfile import read_json, write_json
from arena.training.manifest import versions
from arena.training.metrics import read_metrics, rows_to_come
from arena.training.play import play
from arena.training.setup import Run, met, rest
from arena.training.stage import run_stage

Champions = Mapping[str, str]  # role -> league/NAME


def collect_stage(run: Run, k: int, players: Champions) -> None:
    """Matches of the policies that hold the trained roles, and what their recipe needs besides."""
    tag, forked = run.tags(k)
    if count := collect.count(run.settings):
        play(run.table, collect.plan(run, k, players, standings.pools(run, k, players), count, tag))
    if run.settings.recipe in forks.NEEDED_BY:
        forks.play_forks(run, {role: players[role] for role in run.roles_of(k)}, tag, forked)


# --- train ----------------------------------------------------------------------------------------------------------


def train_stage(run: Run, k: int, role: str, champions: Champions, last: str) -> None:
    """One child process; adapter/ and metrics.jsonl. Both passes of an extragradient iteration start alike."""
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
    if run.watch is not None:
        run.watch(Steps(job.steps_on(facts["train_rows"]), rows_to_come(folder / "metrics.jsonl")))
    run_stage(folder)


def _start_of(run: Run, role: str, champion: str, last: str, k: int) -> str | None:
    """The adapter folder that an iteration starts from."""
    how = run.settings.init
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
    opponents = met(run, role, champion)
    others = {r: name for r, name in champions.items() if r and r != role}
    whole = Comparison(run.evaluation(k, role), role, policies, opponents, s.eval_matches, others, rest(run, role))
    results = compare(run.table, whole)
    seed = derive(s.seed, f"bootstrap/{k}")
    found = _evaluation(run, results, candidate, champion, base, opponents, run.evaluation(k, role), seed)
    if s.params.transfer is not None:
        on_transfer = replace(whole, tag=run.transfer(k, role), policies=(candidate, base))
        found["transfer"] = _transfer(run, on_transfer, seed)
    if (folder / "validation.json").is_file():
        found["validation"] = read_json(folder / "validation.json")
    write_json(folder / "eval.json", found)


def _transfer(run: Run, comparison: Comparison, seed: int) -> dict[str, Any]:
    """Candidate and base on a preset that nothing was trained on."""
    candidate, base = comparison.policies
    game = str(run.settings.params.transfer)
    results = compare(replace(run.table, game=game, set={}), comparison)
    return {
        "game": game,
        "over_base": results.difference(candidate, base, seed).as_json(),
        "over_base_clean": results.difference(candidate, base, seed, clean=True).as_json(),
        "payoff": results.mean(candidate, seed).as_json(),
        "lost": {"candidate": results.lost_rate(candidate), "base": results.lost_rate(base)},
    }


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


def gate_stage(run: Run, k: int, role: str, champions: Champions) -> None:
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
    )
    write_json(folder / "gate.json", decided.as_json() | {"champion": champions[role]})


def keep_stage(run: Run, k: int, role: str, champions: Champions, lacks: str) -> None:
    """The gate of a role that had nothing to learn from: its policy stays what it was."""
    reason = f"nothing to learn from: {lacks}"
    kept = {"promoted": False, "reasons": [reason], "kept": True, "champion": champions[role]}
    write_json(run.iteration(k, role) / "gate.json", kept)


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
        "set": dict(s.set) or None,
        "role": role or None,
        "k": k,
        "run": run_id,
    }
    adapter: Path | None = Path(run.start.warm) if k == 0 and run.start.warm else None
    dataset = found = None
    if k > 0:
        dataset, decided = read_json(folder / "dataset.json"), read_json(folder / "gate.json")
        kept = decided.get("kept")
        found = None if kept else read_json(folder / "eval.json")
        held = _adapter(run, decided["champion"]) if kept else str(folder / "adapter")
        adapter = Path(held) if held else None
        facts |= {
            "algorithm": s.algorithm,
            "recipe": s.recipe,
            "reference": s.reference,
            "opponents": s.opponents,
            "parents": list(parents),
            "promoted": decided["promoted"],
            "kept": decided["reasons"][0] if kept else None,
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
        for part in ("", "half"):
            shutil.rmtree(replace(run, part=part).iteration(k, role) / "train", ignore_errors=True)
    return f"league/{name}"


def _licence(folder: Path) -> str | None:
    """What the base says of its licence."""
    for name in ("LICENSE", "LICENSE.txt", "LICENCE"):
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8", "replace").strip().partition("\n")[0][:80]
    return "Apache-2.0" if folder.name.startswith("smollm2-135m") else None


def stage_warnings(run: Run, k: int, role: str) -> list[str]:
    folder = run.iteration(k, role)
    gate = read_json(folder / "gate.json")
    if gate.get("kept"):
        return [f"{role or 'the policy'} was kept as it was: {gate['reasons'][0]}"]
    return health.warnings(
        run.settings.algorithm, read_metrics(folder / "metrics.jsonl"), read_json(folder / "dataset.json")
    )


def _means(groups: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: sum(values) / len(values) for name, values in sorted(groups.items())}
