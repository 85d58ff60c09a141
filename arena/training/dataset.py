"""The label stage: dataset.jsonl and dataset.json of one role, from the matches that its policy played.

Rows that nothing can be learned from (none, or one label alone) are no fault here: the file is empty and `lacks` in
dataset.json says why. Where several roles are trained, the others go on (loop.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.core.seeds import derive, stream
from arena.training import slots
from arena.training.health import CONVERGED
from arena.training.jsonfile import write_json
from arena.training.recipes import find_recipe
from arena.training.record import Played, Refused, read_played
from arena.training.rows import Labelled, NothingToLearn, Trainee, check_trainable, summary, write_rows
from arena.training.settings import label_options
from arena.training.setup import Run
from arena.training.tokens import check_tokens
from arena.training.weights import class_weights, down_sampled, in_blocks

Champions = Mapping[str, str]  # role -> the policy that collected


def label_stage(run: Run, k: int, role: str, players: Champions) -> dict[str, Any]:
    """The facts of dataset.json; for grpo the rows are slots."""
    folder = run.iteration(k, role)
    folder.mkdir(parents=True, exist_ok=True)
    if run.settings.algorithm == "grpo":
        facts = slots.write_slots(run, k, role, players)
    else:
        facts = _label(run, k, role, players[role], folder)
    write_json(folder / "dataset.json", facts)
    return facts


def _label(run: Run, k: int, role: str, agent: str, folder: Path) -> dict[str, Any]:
    s, p = run.settings, run.settings.params
    refused = Refused()
    played = list(read_played(run.folder, tags=run.tags(k), refused=refused))
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
    made = Labelled()
    try:
        made = find_recipe(s.recipe, s.algorithm, type(run.game)).label(played, options)
        check_trainable(made, s.algorithm, s.recipe)
    except NothingToLearn as error:
        at_top = k > 1 and _reward(run, played, agent) >= CONVERGED
        return _nothing(folder, made, refused, error.message, at_top=at_top)
    tokens = check_tokens(
        made.rows,
        _tokenizer(run),
        context=run.start.context,
        max_length=p.max_length,
        overflow=p.overflow,
        name=run.start.name,
    )
    kept = Labelled(tokens.rows, made.drops + tokens.dropped)
    train = [row for row in kept.rows if row["split"] == "train"]
    valid = [row for row in kept.rows if row["split"] == "valid"]
    stream(seed, "valid").shuffle(valid)
    try:
        check_trainable(Labelled(train, kept.drops), s.algorithm, s.recipe)
    except NothingToLearn as error:
        return _nothing(folder, kept, refused, f"{error.message} (matches of the training split)")
    facts = summary(kept) | {"tokens": tokens.as_json(), "refused": refused.as_json()}
    if s.algorithm == "kto":
        train = down_sampled(train, seed)
        good = sum(row["label"] for row in train)
        facts["weights"] = class_weights(good, len(train) - good)._asdict()
        train, facts["blocks_not_distinct"] = in_blocks(train, p.batch, seed)
        valid, _ = in_blocks(valid, p.batch, seed)
        facts["train_desirable"], facts["train_undesirable"] = good, len(train) - good
    facts["train_rows"], facts["valid_rows"] = len(train), len(valid)
    facts["sha256"] = write_rows(folder / "dataset.jsonl", [*train, *valid])
    return facts


def _tokenizer(run: Run) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(run.start.folder, trust_remote_code=False)


def _nothing(folder: Path, made: Labelled, refused: Refused, why: str, *, at_top: bool = False) -> dict[str, Any]:
    """No rows, and why. `at_top`: every match was paid alike, at the top, so there is nothing left to learn."""
    facts = summary(made) | {"refused": refused.as_json(), "lacks": why, "at_top": at_top, "train_rows": 0}
    return facts | {"sha256": write_rows(folder / "dataset.jsonl", [])}


def _reward(run: Run, played: Sequence[Played], agent: str) -> float:
    """The scaled mean payoff of an agent in these matches; -1 where payoffs have no bounds."""
    bounds = run.bounds()
    paid = [m.payoffs[s] for m in played if m.fork is None for s, name in m.agents.items() if name == agent]
    if bounds is None or not paid:
        return -1.0
    return (sum(paid) / len(paid) - bounds[0]) / ((bounds[1] - bounds[0]) or 1.0)


def said(facts: Mapping[str, Any]) -> str:
    """A dataset in a line."""
    if facts.get("lacks"):
        return f"nothing to learn from: {facts['lacks']}"
    text = f"{facts['rows']} {'rows' if 'valid_rows' in facts else 'slots'}, {facts['train_rows']} of them to train on"
    if "valid_rows" in facts:
        text += f", {facts['valid_rows']} held out"
    elif facts["train_rows"] < facts["rows"]:
        text += ", as many as the steps take"
    if facts["rows"] < facts.get("wanted", 0):
        text += f"; {facts['wanted']} were asked for, and more matches or fork_states give more"
    if (weights := facts.get("weights")) is not None:
        text += f"; {facts['train_desirable']} desirable (weight {weights['desirable']:.3g})"
        text += f", {facts['train_undesirable']} undesirable (weight {weights['undesirable']:.3g})"
    counts = ", ".join(f"{name} {count}" for name, count in facts.get("by_role_ask", {}).items())
    return f"{text}; of all rows: {counts}" if counts else text
