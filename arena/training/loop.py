"""The loop: collect, label, train, evaluate, gate, register, N times; then a report on fresh deals.

    start(settings, folder)      a new run, or the same one again
    resume(folder)               goes on from the folder alone

A stage runs iff its outputs are missing or were made from other inputs. What a stage read is known by hashes: the
frozen config, the record of its matches, the files before it, the policies that played.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from arena.core.canonical import digest
from arena.core.errors import UsageError
from arena.core.seeds import derive
from arena.registry import require_trust, trust
from arena.training import league, report, stages
from arena.training.evaluate import Comparison, Results, compare
from arena.training.health import Converged
from arena.training.jsonfile import read_json
from arena.training.manifest import NAME as MANIFEST
from arena.training.manifest import Manifest
from arena.training.metrics import read_metrics
from arena.training.play import Watch, tag_hash
from arena.training.prompt_sizes import check_context
from arena.training.settings import TrainSettings, differing, from_toml, to_toml
from arena.training.setup import Run, anchors, set_up
from arena.training.stage import Unhealthy

CONFIG = "config.toml"
Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainResult:
    """How a training run stands when it ends."""

    run: str
    iterations: tuple[dict[str, Any], ...]
    champion: str | dict[str, str]
    message: str

    def as_json(self) -> dict[str, Any]:
        return {"run": self.run, "iterations": list(self.iterations), "champion": self.champion}


def is_training_run(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() and (folder / CONFIG).is_file()


def start(settings: TrainSettings, folder: Path, *, watch: Watch | None = None, say: Say | None = None) -> TrainResult:
    """Train into a folder. The folder of the same run is gone on with, another run's is refused."""
    os.environ["ARENA_LEAGUE"] = settings.league_folder
    if is_training_run(folder):
        old = from_toml(folder / CONFIG)
        if old.sha256() != settings.sha256():
            raise UsageError(
                f"{folder} holds another run: {', '.join(differing(old, settings))} differ",
                hint=f"choose another --out, or go on with that one: arena resume {folder}",
            )
        return resume(folder, watch=watch, say=say)
    unbegun = {CONFIG, f".{MANIFEST}.part"}  # what a start leaves that was killed before its manifest stood
    if folder.exists() and any(path.name not in unbegun for path in folder.iterdir()):
        raise UsageError(f"{folder} is not empty and holds no training run", hint="choose another --out")
    trust(settings.game)
    run = set_up(folder, settings, watch=watch, say=say)
    names = [settings.policy(role, k) for role in run.roles for k in range(settings.iterations + 1)]
    league.check_free(run.league, names, "")
    check_context(run.game, run.start, settings.params.max_length)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(to_toml(settings), "utf-8")
    manifest = Manifest(folder)
    manifest.start(settings.sha256(), {"base_sha256": run.start.sha256})
    return _Loop(run, manifest).go()


def resume(
    folder: Path, *, budget: float | None = None, watch: Watch | None = None, say: Say | None = None
) -> TrainResult:
    """Go on with a training run. A complete one is left as it is; changed config or weights are refused."""
    if not is_training_run(folder):
        raise UsageError(f"{folder} holds no training run: there is no {MANIFEST}")
    shown, folder = str(folder), folder.resolve()
    settings, manifest = from_toml(folder / CONFIG), Manifest(folder)
    if settings.sha256() != manifest.data.get("config_sha256"):
        raise UsageError(
            f"{folder / CONFIG} was changed since the run began", hint="put it back; a run keeps its config"
        )
    if budget is not None:
        settings = replace(settings, budget=budget)
    os.environ["ARENA_LEAGUE"] = settings.league_folder
    home = settings.home if settings.home and Path(settings.home).is_dir() else "."
    with contextlib.chdir(home):
        require_trust(settings.game)
        run = set_up(folder, settings, watch=watch, say=say)
        if run.start.sha256 != manifest.data.get("base_sha256"):
            raise UsageError(
                f"the weights behind {settings.model} changed since the run began",
                hint=f"they had the hash {manifest.data.get('base_sha256')}",
            )
        return replace(_Loop(run, manifest).go(), run=shown)


class _Loop:
    def __init__(self, run: Run, manifest: Manifest) -> None:
        self.run, self.manifest = run, manifest
        self.worked = False
        self.last = 0  # the last iteration that was finished: fewer than asked for where training has converged
        self._config = run.settings.sha256()

    def go(self) -> TrainResult:
        for role in self.run.roles:
            self._stage(0, "register", role, {}, partial(self._register, 0, role))
        for k in range(1, self.run.settings.iterations + 1):
            try:
                self._iteration(k)
            except Converged as error:
                self.run.say(f"converged: {error.message}")
                break
            self.last = k
        self._stage(self.run.settings.iterations, "final", "", self._seen(), self._final)
        return self._result()

    # --- one iteration ----------------------------------------------------------------------------------------------

    def _iteration(self, k: int) -> None:
        run = self.run
        champions = {role: self.champion(role, k) for role in run.roles}
        pool = digest(self._policies(k))
        tags = (f"collect/{k}", f"forks/{k}")
        given = {"pool": pool}
        self._stage(k, "collect", "", given, lambda: self._played(tags, stages.collect_stage, run, k, champions))
        seen = {"matches": tag_hash(run.folder, *tags), "pool": pool}
        for role in run.roles_of(k):
            self._role(k, role, champions, given, seen)

    def _role(
        self, k: int, role: str, champions: Mapping[str, str], given: Mapping[str, str], seen: Mapping[str, str]
    ) -> None:
        """The stages of one role, each on the files of the one before."""
        run, last = self.run, self._last(role, k)
        files, tag = self._files(run.iteration(k, role)), run.evaluation(k, role)

        def label() -> dict[str, str]:
            stages.label_stage(run, k, role, champions)
            return files("dataset.jsonl", "dataset.json")

        def train() -> dict[str, str]:
            stages.train_stage(run, k, role, champions, last)
            return files("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "metrics.jsonl")

        def evaluate() -> dict[str, str]:
            stages.evaluate_stage(run, k, role, champions)
            return files("eval.json") | {f"matches {tag}": tag_hash(run.folder, tag)}

        def gate() -> dict[str, str]:
            stages.gate_stage(run, k, role, champions)
            return files("gate.json")

        self._stage(k, "label", role, seen, label)
        self._stage(k, "train", role, {**files("dataset.jsonl", "dataset.json"), **given}, train)
        self._stage(k, "evaluate", role, {**files("adapter/adapter_model.safetensors"), **given}, evaluate)
        self._stage(k, "gate", role, files("eval.json"), gate)
        self._stage(k, "register", role, files("gate.json", "eval.json"), partial(self._register, k, role))

    def _register(self, k: int, role: str) -> dict[str, str]:
        parents = [] if k == 0 else [self.champion(role, k)]
        name = stages.register_stage(self.run, k, role, self.manifest.run_id, parents)
        return {f"policy {name}": self._policy_hash(name)}

    def _played(self, tags: tuple[str, ...], stage: Callable[..., None], *args: Any) -> dict[str, str]:
        stage(*args)
        return {f"matches {tag}": tag_hash(self.run.folder, tag) for tag in tags}

    def _stage(
        self, k: int, stage: str, role: str, inputs: Mapping[str, str], work: Callable[[], dict[str, str]]
    ) -> None:
        """Run a stage unless it is done on these inputs."""
        word = f"{stage}:{role}" if role else stage
        whole = {"config": self._config, **inputs}
        if self.manifest.is_done(k, word, whole, self._now(k, stage, role)):
            return
        if (why := self.manifest.why_converged(k, word, whole)) is not None:
            raise Converged(why)
        self.worked = True
        self.run.say(f"iteration {k}: {word}")
        self.manifest.running(k, word, whole)
        try:
            outputs = work()
        except Converged as error:
            self.manifest.converged(k, word, error.message)
            raise
        except Unhealthy as error:
            self.manifest.failed(k, word, error.message)
            raise
        self.manifest.done(k, word, outputs)

    def _now(self, k: int, stage: str, role: str) -> dict[str, str]:
        """The hashes, now, of outputs that are no files of the run's folder."""
        folder = self.run.folder
        tags = {
            "collect": (f"collect/{k}", f"forks/{k}"),
            "evaluate": (self.run.evaluation(k, role),),
            "final": ("final",),
        }
        found = {f"matches {tag}": tag_hash(folder, tag) for tag in tags.get(stage, ())}
        if stage == "register":
            name = f"league/{self.run.settings.policy(role, k)}"
            found[f"policy {name}"] = self._policy_hash(name)
        return found

    # --- policies ---------------------------------------------------------------------------------------------------

    def champion(self, role: str, k: int) -> str:
        """The last promoted policy of a role before iteration k."""
        best = 0
        for j in range(1, k):
            gate = self.run.iteration(j, role) / "gate.json"
            if role in self.run.roles_of(j) and gate.is_file() and read_json(gate)["promoted"]:
                best = j
        return f"league/{self.run.settings.policy(role, best)}"

    def _last(self, role: str, k: int) -> str:
        last = max((j for j in range(1, k) if role in self.run.roles_of(j)), default=0)
        return f"league/{self.run.settings.policy(role, last)}"

    def _policies(self, k: int) -> dict[str, str]:
        """Every policy before iteration k, with its hash."""
        s = self.run.settings
        names = [f"league/{s.policy(role, j)}" for role in self.run.roles for j in range(k)]
        return {name: self._policy_hash(name) for name in names}

    def _policy_hash(self, name: str) -> str:
        folder = self.run.league / name.removeprefix("league/")
        if not folder.is_dir():
            return ""
        return digest({p.name: league.file_hash(p) for p in sorted(folder.iterdir()) if p.is_file()})

    def _files(self, folder: Path) -> Callable[..., dict[str, str]]:
        """Hashes of files of an iteration, by their place in the run."""

        def hashed(*names: str) -> dict[str, str]:
            paths = [folder / name for name in names]
            return {self.run.relative(p): league.file_hash(p) if p.is_file() else "" for p in paths}

        return hashed

    # --- the end ----------------------------------------------------------------------------------------------------

    def _seen(self) -> dict[str, str]:
        return {"pool": digest(self._policies(self.last + 1))}

    def _final(self) -> dict[str, str]:
        run, s = self.run, self.run.settings
        deals = s.eval_matches if s.params.final_matches is None else s.params.final_matches
        names = {
            role: [f"league/{s.policy(role, j)}" for j in range(self.last + 1) if j == 0 or role in run.roles_of(j)]
            for role in run.roles
        }
        last = {role: self.champion(role, self.last + 1) for role in run.roles}
        results: dict[str, Results] = {}
        for role in run.roles if deals else ():
            base = names[role][0]
            opponents = tuple(dict.fromkeys([*anchors(run, base), *([base] if not s.fixed_opponents else [])]))
            others = {r: name for r, name in last.items() if r and r != role}
            results[role] = compare(run.table, Comparison("final", role, tuple(names[role]), opponents, deals, others))
        whole = {
            "settings": s.as_json(),
            "converged_after": self.last if self.last < s.iterations else None,
            "run_id": self.manifest.run_id,
            "iterations": [dict(row) for row in self._rows()],
            "champion": last if len(last) > 1 else next(iter(last.values())),
            "final": report.measured(results, names, derive(s.seed, "bootstrap/final")),
            "final_sha256": tag_hash(run.folder, "final"),
            "warnings": [
                f"iteration {k}: {text}"
                for k in range(1, self.last + 1)
                for role in run.roles_of(k)
                for text in stages.stage_warnings(run, k, role)
            ],
        }
        report.write(run.folder, whole)
        outputs = self._files(run.folder)("report.json", "report.md")
        return outputs | {"matches final": tag_hash(run.folder, "final")}

    def _rows(self) -> list[dict[str, Any]]:
        found = []
        for k in range(1, self.last + 1):
            for role in self.run.roles_of(k):
                folder = self.run.iteration(k, role)
                facts, e = read_json(folder / "dataset.json"), read_json(folder / "eval.json")
                metrics = read_metrics(folder / "metrics.jsonl")
                found.append(
                    {
                        "k": k,
                        "role": role,
                        "rows": facts["rows"],
                        "steps": metrics[-1]["step"] if metrics else 0,
                        "adapter": self.run.relative(folder / "adapter"),
                        "league": f"league/{self.run.settings.policy(role, k)}",
                        "promoted": read_json(folder / "gate.json")["promoted"],
                        "eval": e["over_champion"],
                        "reward": e.get("reward"),
                    }
                )
        return found

    def _result(self) -> TrainResult:
        whole = read_json(self.run.folder / "report.json")
        promoted = [row for row in whole["iterations"] if row["promoted"]]
        message = "complete: " if self.worked else "complete already: "
        message += f"{len(promoted)} of {len(whole['iterations'])} policies promoted"
        if not promoted:
            message += "; the untrained start is still the champion"
        return TrainResult(str(self.run.folder), tuple(whole["iterations"]), whole["champion"], message)
