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
from arena.registry import require_trust, trust
from arena.training import final, league, report, stages
from arena.training.dataset import label_stage, said
from arena.training.health import Converged
from arena.training.jsonfile import read_json
from arena.training.manifest import NAME as MANIFEST
from arena.training.manifest import Manifest
from arena.training.play import Watch, tag_hash
from arena.training.settings import TrainSettings, differing, file_sha256, filled, from_toml, to_toml
from arena.training.setup import Run, check_names, check_new, check_sizes, set_up
from arena.training.stage import Unhealthy

CONFIG = "config.toml"
NOTHING = "in a new run (another --out and --league) collect more matches, meet other opponents or take another recipe"
Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainResult:
    """How a training run stands when it ends."""

    run: str
    iterations: tuple[dict[str, Any], ...]
    champion: str | dict[str, str]
    message: str
    findings: tuple[str, ...] = ()  # of the final deals, a line for each trained policy

    def as_json(self) -> dict[str, Any]:
        return {"run": self.run, "iterations": list(self.iterations), "champion": self.champion}


def is_training_run(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() and (folder / CONFIG).is_file()


def start(settings: TrainSettings, folder: Path, *, watch: Watch | None = None, say: Say | None = None) -> TrainResult:
    """Train into a folder. The folder of the same run is gone on with, another run's is refused."""
    os.environ["ARENA_LEAGUE"] = settings.league_folder
    settings = filled(settings)
    if is_training_run(folder):
        if others := differing(from_toml(folder / CONFIG), settings):
            raise UsageError(
                f"{folder} holds another run: {', '.join(others)} differ",
                hint=f"choose another --out, or go on with that one: arena resume {folder}",
            )
        return resume(folder, watch=watch, say=say)
    unbegun = {CONFIG, f".{MANIFEST}.part"}  # what a start leaves that was killed before its manifest stood
    if folder.exists() and any(path.name not in unbegun for path in folder.iterdir()):
        raise UsageError(f"{folder} is not empty and holds no training run", hint="choose another --out")
    trust(settings.game)
    check_new(settings)
    run = set_up(folder, settings, watch=watch, say=say)
    check_names(run)
    check_sizes(run)
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
    if file_sha256(folder / CONFIG) != manifest.data.get("config_sha256"):
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


def _word(run: Run, stage: str, role: str = "") -> str:
    """What the manifest calls a stage."""
    return f"{run.part} {stage}".strip() + (f":{role}" if role else "")


class _Loop:
    def __init__(self, run: Run, manifest: Manifest) -> None:
        self.run, self.manifest = run, manifest
        self.worked = False
        self.last = 0  # the last iteration that was finished: fewer than asked for where training has converged
        self._config = str(manifest.data["config_sha256"])

    def go(self) -> TrainResult:
        for role in self.run.roles:
            self._enter(0, role, {})
        for k in range(1, self.run.settings.iterations + 1):
            try:
                self._iteration(k)
            except Converged as error:
                self.run.say(f"converged: {error.message}")
                break
            self.last = k
        self._end()
        return self._result()

    # --- one iteration ----------------------------------------------------------------------------------------------

    def _iteration(self, k: int) -> None:
        """One pass to a candidate for each role, then each candidate's trial. An extragradient iteration makes two
        passes: the half-way policies of the first collect for the second, and both train from the champions."""
        run = self.run
        champions = {role: run.champion(role, k) for role in run.roles}
        given = {"pool": digest(self._policies(k))}
        players: dict[str, str] = champions
        if run.settings.params.nash == "extragradient":
            half = replace(run, part="half")
            for role, lacks in self._pass(half, k, champions, champions, given).items():
                if not lacks:
                    adapter = half.iteration(k, role) / "adapter"
                    players = players | {role: half.name_of_adapter(adapter)}
                    given |= self._files(adapter)("adapter_model.safetensors")
        for role, lacks in self._pass(run, k, players, champions, given).items():
            self._trial(k, role, champions, given, lacks)

    def _pass(
        self, run: Run, k: int, players: Mapping[str, str], champions: Mapping[str, str], given: Mapping[str, str]
    ) -> dict[str, str]:
        """Collect, label and train: for each role of the iteration why nothing could be learned, or nothing."""
        tags, lacks = run.tags(k), {}
        collect = partial(self._played, tags, stages.collect_stage, run, k, players)
        self._stage(k, _word(run, "collect"), given, collect, self._tagged(tags))
        players = {role: run.as_recorded(name) for role, name in players.items()}  # a folder that was moved since
        seen = {"matches": tag_hash(run.folder, *tags), "pool": given["pool"]}
        for role in run.roles_of(k):
            work = partial(self._label, run, k, role, players)
            self._stage(k, _word(run, "label", role), seen, work)
            lacks[role] = str(read_json(run.iteration(k, role) / "dataset.json").get("lacks") or "")
        self._stop_if_idle(run, k)
        for role in (role for role, why in lacks.items() if not why):
            files = self._files(run.iteration(k, role))
            work = partial(self._train, run, k, role, champions)
            self._stage(k, _word(run, "train", role), {**files("dataset.jsonl", "dataset.json"), **given}, work)
        return lacks

    def _stop_if_idle(self, run: Run, k: int) -> None:
        """End the run where no role has anything to learn from; a role alone waits for the others. Where
        nothing was ever trained that is an error, else the end of what this recipe can teach."""
        facts = []
        for role in run.roles:
            labelled = [j for j in range(1, k + 1) if role in run.roles_of(j)]
            if not labelled:
                return
            facts.append(read_json(run.iteration(labelled[-1], role) / "dataset.json"))
        if not all(found.get("lacks") for found in facts):
            return
        if all(found.get("at_top") for found in facts):
            raise Converged(f"every match of {run.tags(k)[0]} is paid alike, at the top")
        why = "; ".join(dict.fromkeys(found["lacks"] for found in facts))
        if any(not read_json(path).get("lacks") for path in self._datasets(k)):
            raise Converged(f"iteration {k} has nothing to learn from: {why}")
        raise UsageError(why, hint=NOTHING)

    def _datasets(self, before: int) -> list[Path]:
        """The facts about the rows of the iterations before."""
        run = self.run
        every = [run.iteration(j, role) / "dataset.json" for j in range(1, before) for role in run.roles_of(j)]
        return [path for path in every if path.is_file()]

    def _label(self, run: Run, k: int, role: str, players: Mapping[str, str]) -> dict[str, str]:
        facts = label_stage(run, k, role, players)
        self.run.say(f"  {said(facts)}")
        return self._files(run.iteration(k, role))("dataset.jsonl", "dataset.json")

    def _train(self, run: Run, k: int, role: str, champions: Mapping[str, str]) -> dict[str, str]:
        stages.train_stage(run, k, role, champions, self._last(role, k))
        names = ["adapter/adapter_model.safetensors", "adapter/adapter_config.json", "metrics.jsonl"]
        names += ["validation.json"] if (run.iteration(k, role) / "validation.json").is_file() else []
        return self._files(run.iteration(k, role))(*names)

    def _trial(self, k: int, role: str, champions: Mapping[str, str], given: Mapping[str, str], lacks: str) -> None:
        """Evaluate, gate, register; a role that had nothing to learn from is registered as it was."""
        run = self.run
        files, tags = self._files(run.iteration(k, role)), (run.evaluation(k, role), run.transfer(k, role))

        def evaluate() -> dict[str, str]:
            stages.evaluate_stage(run, k, role, champions)
            return files("eval.json") | self._tagged(tags)

        def gate() -> dict[str, str]:
            if lacks:
                stages.keep_stage(run, k, role, champions, lacks)
            else:
                stages.gate_stage(run, k, role, champions)
            return files("gate.json")

        if not lacks:
            inputs = {**files("adapter/adapter_model.safetensors"), **given}
            self._stage(k, _word(run, "evaluate", role), inputs, evaluate, self._tagged(tags))
        self._stage(k, _word(run, "gate", role), files("dataset.json" if lacks else "eval.json"), gate)
        self._enter(k, role, files("gate.json", "eval.json"))

    def _enter(self, k: int, role: str, inputs: Mapping[str, str]) -> None:
        """Into the league."""
        name = f"league/{self.run.settings.policy(role, k)}"
        now = {f"policy {name}": self._policy_hash(name)}
        self._stage(k, _word(self.run, "register", role), inputs, partial(self._register, k, role), now)

    def _register(self, k: int, role: str) -> dict[str, str]:
        parents = [] if k == 0 else [self.run.champion(role, k)]
        name = stages.register_stage(self.run, k, role, self.manifest.run_id, parents)
        return {f"policy {name}": self._policy_hash(name)}

    def _played(self, tags: tuple[str, ...], stage: Callable[..., None], *args: Any) -> dict[str, str]:
        stage(*args)
        return self._tagged(tags)

    def _tagged(self, tags: tuple[str, ...]) -> dict[str, str]:
        """The hashes of what was played under some tags: outputs that are no files."""
        return {f"matches {tag}": tag_hash(self.run.folder, tag) for tag in tags}

    def _stage(
        self,
        k: int,
        word: str,
        inputs: Mapping[str, str],
        work: Callable[[], dict[str, str]],
        now: Mapping[str, str] | None = None,
    ) -> None:
        """Run a stage unless it is done on these inputs. `now`: the hashes of its outputs that are no files."""
        whole = {"config": self._config, **inputs}
        if self.manifest.is_done(k, word, whole, now or {}):
            return
        self.worked = True
        self.run.say(f"iteration {k}: {word}")
        self.manifest.running(k, word, whole)
        try:
            outputs = work()
        except Unhealthy as error:
            self.manifest.failed(k, word, error.message)
            raise
        self.manifest.done(k, word, outputs)

    # --- policies ---------------------------------------------------------------------------------------------------

    def _last(self, role: str, k: int) -> str:
        """The last policy that was trained; what an iteration kept as it was is a copy of a champion."""
        kept = self.run.kept(role, k)
        last = max((j for j in range(1, k) if role in self.run.roles_of(j) and j not in kept), default=0)
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

    def _end(self) -> None:
        """The report, on deals that nothing was chosen by."""
        work = partial(final.report_stage, self.run, self.manifest.run_id, self.last)
        inputs = {"pool": digest(self._policies(self.last + 1))}
        self._stage(self.run.settings.iterations, "final", inputs, work, self._tagged(("final",)))

    def _result(self) -> TrainResult:
        whole = read_json(self.run.folder / "report.json")
        promoted = [row for row in whole["iterations"] if row["promoted"]]
        kept = [row for row in whole["iterations"] if row.get("kept")]  # of a run of an earlier release: none
        message = "complete: " if self.worked else "complete already: "
        message += f"{len(promoted)} of {len(whole['iterations'])} policies promoted"
        if kept:
            message += f", {len(kept)} kept as they were for want of rows (see report.md)"
        if not promoted:
            message += "; the untrained start is still the champion"
        found = report.findings(whole)
        return TrainResult(str(self.run.folder), tuple(whole["iterations"]), whole["champion"], message, found)
