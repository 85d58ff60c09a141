"""The report stage: every policy once more, on deals that no gate and no choice has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arena.core.seeds import derive
from arena.training import report, stages
from arena.training.evaluate import Comparison, Results, compare
from arena.training.jsonfile import read_json
from arena.training.league import file_hash
from arena.training.metrics import read_metrics
from arena.training.oneshot import exploitabilities
from arena.training.play import tag_hash
from arena.training.settings import TrainSettings
from arena.training.setup import Run, met, rest
from arena.training.standings import cross_play

NONE: dict[str, Any] = {"diff": None, "ci": [None, None], "t_ci": [None, None], "n": 0}


def report_stage(run: Run, run_id: str, last: int) -> dict[str, str]:
    """report.json and report.md after iteration `last`; the hashes of what was made."""
    s = run.settings
    deals = s.eval_matches if s.params.final_matches is None else s.params.final_matches
    rows = iterations(run, last)
    champions = {role: run.champion(role, last + 1) for role in run.roles}
    own = {role: [row["league"] for row in rows if row["role"] == role and not row["kept"]] for role in run.roles}
    names = {role: [f"league/{s.policy(role, 0)}", *own[role]] for role in run.roles}
    results: dict[str, Results] = {}
    for role in run.roles if deals else ():
        opponents = met(run, role, names[role][0])
        others = {r: name for r, name in champions.items() if r and r != role}
        comparison = Comparison("final", role, tuple(names[role]), opponents, deals, others, rest(run, role))
        results[role] = compare(run.table, comparison)
    warnings = [
        f"iteration {k}: {text}"
        for k in range(1, last + 1)
        for role in run.roles_of(k)
        for text in stages.stage_warnings(run, k, role)
    ]
    whole = {
        "settings": s.as_json(),
        "converged_after": last if last < s.iterations else None,
        "run_id": run_id,
        "iterations": rows,
        "champion": champions if len(champions) > 1 else next(iter(champions.values())),
        "final": report.measured(results, names, derive(s.seed, "bootstrap/final")),
        "average": average(run, iterates(run, last), deals) if deals and has_average(s) else None,
        "exploitability": exploitabilities(run, names[""], "final") if results and not s.roles else None,
        "final_sha256": tag_hash(run.folder, "final"),
        "warnings": warnings,
    }
    report.write(run.folder, whole)
    made = {name: file_hash(run.folder / name) for name in ("report.json", "report.md")}
    return made | {"matches final": tag_hash(run.folder, "final")}


def has_average(settings: TrainSettings) -> bool:
    """Whether the report speaks of the average iterate: where what is looked for is a mixture."""
    s = settings
    iterated = s.iterations > 1 and not {"ipo", "sppo_hard"}.isdisjoint(s.losses)
    return not s.roles and s.algorithm == "dpo" and (s.params.nash != "none" or iterated)


def iterates(run: Run, last: int) -> list[str]:
    """The policy after each gate, the untrained start first: a champion that was kept is there as often as it was. A
    candidate that was turned down is no iterate."""
    return [run.champion("", k + 1) for k in range(last + 1)]


def average(run: Run, found: Sequence[str], deals: int) -> dict[str, Any]:
    """The last iterate and the average one (the uniform mixture of all) against each policy: theory promises
    convergence for the average, and the last one is what is used."""
    names = list(dict.fromkeys(found))
    return averaged(found, names, cross_play(run, "final", names, deals)) | {"deals": deals}


def averaged(found: Sequence[str], names: Sequence[str], payoff: Sequence[Sequence[float]]) -> dict[str, Any]:
    """`payoff`: what each of the names is paid against each."""
    weights = [found.count(name) / len(found) for name in names]
    last = names.index(found[-1])
    mixture = [sum(w * x for w, x in zip(weights, column, strict=True)) for column in zip(*payoff, strict=True)]
    return {
        "policies": list(names),
        "weights": weights,
        "payoff": payoff,
        "last": payoff[last],
        "mixture": mixture,
        "last_against_mixture": sum(w * x for w, x in zip(weights, payoff[last], strict=True)),
        "mixture_against_last": mixture[last],
    }


def iterations(run: Run, last: int) -> list[dict[str, Any]]:
    """What each iteration made of each role."""
    found = []
    for k in range(1, last + 1):
        for role in run.roles_of(k):
            folder = run.iteration(k, role)
            facts, gate = read_json(folder / "dataset.json"), read_json(folder / "gate.json")
            kept = gate["reasons"][0] if gate.get("kept") else None
            e = {"over_champion": NONE} if kept else read_json(folder / "eval.json")
            metrics = [] if kept else read_metrics(folder / "metrics.jsonl")
            found.append(
                {
                    "k": k,
                    "role": role,
                    "rows": facts["rows"],
                    "steps": metrics[-1]["step"] if metrics else 0,
                    "adapter": None if kept else run.relative(folder / "adapter"),
                    "league": f"league/{run.settings.policy(role, k)}",
                    "promoted": gate["promoted"],
                    "kept": kept,
                    "eval": e["over_champion"],
                    "reward": e.get("reward"),
                }
            )
    return found
