"""GRPO through TRL 1.16: `rollout_func` plays matches, the advantages are ours, the loss is TRL's.

`rollout_func` gets prompts only, already repeated `num_generations` times in sequence, and returns one row for each. A
subclass replaces `advantages` after TRL has scored a batch (TRL shuffles only afterwards), and the log-probabilities
where an answer was constrained: there the training distribution must be masked to the ids that sampling allowed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import trl

from arena.training import advantages as adv
from arena.training.health import is_repetitive
from arena.training.job import StageJob
from arena.training.rollout import Rollout, RolloutEngine, void_share
from arena.training.rows import read_rows

STATE = "arena_state.json"
_PREFIX = "slot:"
_SMOOTHED = 0.2  # entropy may leave its running mean by this share
_DECAY = 0.9  # of the running mean


def grpo_trainer(
    job: StageJob, model: Any, peft_config: Any, tokenizer: Any, args: Any, callbacks: list[Any]
) -> trl.GRPOTrainer:
    """The trainer with its rollout engine."""
    from datasets import Dataset

    slots = read_rows(job.path / "dataset.jsonl")
    trainer = MatchTrainer(
        model=model,
        reward_funcs=[reward],
        args=args,
        train_dataset=Dataset.from_list([{"prompt": f"{_PREFIX}{slot['id']}"} for slot in slots]),
        processing_class=tokenizer,
        peft_config=peft_config,
        callbacks=callbacks,
        rollout_func=_rollouts,
    )
    p = job.options
    trainer.add_callback(_still(trainer))
    trainer.job = job
    trainer.baselines = dict(job.rollout["baselines"])
    trainer.visits = {}
    trainer.engine = RolloutEngine(
        job.rollout,
        slots,
        trainer.accelerator.unwrap_model(trainer.model),
        Path(job.base),
        "cpu" if args.use_cpu else "cuda",
        seed=job.seed,
        generations=p.num_generations,
        illegal_penalty=p.illegal_penalty,
        prune=p.prune,
        wants_turns=job.rollout["recipe"] == "turn",
    )
    return trainer


def _still(trainer: MatchTrainer) -> Any:
    """A step without any signal moves nothing. Adam would go on by its momentum: seen to carry a policy from reward 1
    to one half within a step."""
    from transformers import TrainerCallback

    class Still(TrainerCallback):  # type: ignore[misc]  # transformers is not typed here
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if not trainer.has_signal:
                for weight in trainer.model.parameters():
                    weight.grad = None

    return Still()


def reward(prompts: Sequence[str], reward: Sequence[float | None], **_: Any) -> list[float | None]:
    """What the rollout engine made of each match; None = void, or a seat that was never asked."""
    return list(reward)


def _rollouts(prompts: Sequence[str], trainer: MatchTrainer) -> dict[str, list[Any]]:
    """Play the slots with the model as it is now: in eval mode, and back as it was."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    was_training = model.training
    model.eval()
    try:
        rows = trainer.engine.play([p.removeprefix(_PREFIX) for p in prompts], trainer.state.global_step)
    finally:
        model.train(was_training)
    trainer.rows = rows
    return {
        "prompt_ids": [row.prompt_ids for row in rows],
        "completion_ids": [row.completion_ids for row in rows],
        "logprobs": [row.logprobs for row in rows],
        "env_mask": [row.mask for row in rows],
        "payoff": [row.payoff for row in rows],
        "reward": [row.reward for row in rows],
        "role": [row.role for row in rows],
        "turn_spans": [[list(span[:2]) for span in row.spans] for row in rows],
        "turn_rewards": [row.turn_rewards for row in rows],
        "status": [row.status for row in rows],
    }


class MatchTrainer(trl.GRPOTrainer):  # type: ignore[misc]  # trl is not typed here
    """TRL's trainer with our advantages, supports and record."""

    job: StageJob
    engine: RolloutEngine
    rows: list[Rollout]
    baselines: dict[str, float]
    visits: dict[str, list[float]]
    has_signal: bool = True
    _in_force: list[int] | None = None
    _entropy: torch.Tensor | None = None
    _mean_entropy: float | None = None

    # --- advantages ---------------------------------------------------------------------------------------------------

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        out: dict[str, Any] = super()._generate_and_score_completions(inputs)
        width = out["completion_ids"].size(1)
        values = self._advantages(width)
        out["advantages"] = torch.tensor(values, dtype=torch.float32, device=out["advantages"].device)
        out["row"] = torch.arange(len(self.rows))
        p = self.job.options
        others = self.beta or p.entropy_coef or p.adaptive_entropy or p.entropy_smoothing  # these pull without rewards
        self.has_signal = bool(others) or bool(out["advantages"].abs().sum() > 0)
        self._log_rollouts()
        return out

    def _advantages(self, width: int) -> list[Any]:
        """(B,), or (B, width) where single turns have their own."""
        p, recipe, rows = self.job.options, self.job.rollout["recipe"], self.rows
        rewards, groups = [row.reward for row in rows], [row.group for row in rows]
        weights = self._weights(rewards, groups)
        if recipe == "turn":
            return _by_token(rows, self._turns(rewards, groups), weights, width)
        if recipe in ("rae", "spiral"):
            found, self.baselines = adv.rae(rewards, [row.role for row in rows], self.baselines, p.rae_decay)
        elif recipe == "tompo":
            kinds = [f"{row.role}/{row.spans[-1][2] if row.spans else ''}" for row in rows]
            found = adv.tompo(rewards, [row.welfare for row in rows], groups, kinds, p.tompo_alpha)
        else:
            rewards = adv.win_share(rewards, groups) if recipe == "spo" else rewards
            found = adv.group(rewards, groups, [row.seat for row in rows], p.scale_rewards)
        return [a * w for a, w in zip(found, weights, strict=True)]

    def _turns(self, rewards: adv.Rewards, groups: Sequence[int]) -> list[list[float]]:
        """For each row, an advantage for each of its spans."""
        p, rows = self.job.options, self.rows
        terms = [
            adv.TurnTerm(i, span[2], value)
            for i, row in enumerate(rows)
            for span, value in zip(row.spans, row.turn_rewards, strict=True)
        ]
        if p.turn == "return":
            roles = [row.role for row in rows]
            flat, self.baselines = adv.turn_return(rewards, roles, terms, self.baselines, p.rae_decay)
        else:
            outcome = adv.group(rewards, groups, [row.seat for row in rows], p.scale_rewards)
            flat = adv.turn_mixed(outcome, groups, terms, p.turn_weight)
        found: list[list[float]] = [[] for _ in rows]
        for term, value in zip(terms, flat, strict=True):
            found[term.row].append(value)
        return found

    def _weights(self, rewards: adv.Rewards, groups: Sequence[int]) -> list[float]:
        """ADORA-like weights of slots, and 0 for groups that say little."""
        p = self.job.options
        weights = [1.0] * len(self.rows)
        if p.adora:
            by_slot: dict[str, list[float]] = {}
            for row in self.rows:
                if row.reward is not None:
                    by_slot.setdefault(row.slot, []).append(row.reward)
            for slot, values in by_slot.items():
                self.visits[slot] = [*self.visits.get(slot, [])[-1:], sum(values) / len(values)]
            weights = [adv.rising(self.visits.get(row.slot, [])) for row in self.rows]
        quiet = adv.quiet_groups(rewards, groups, p.filter_quantile)
        return [0.0 if row.group in quiet else w for row, w in zip(self.rows, weights, strict=True)]

    # --- log-probabilities --------------------------------------------------------------------------------------------

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: int, batch_size: int | None = None,
        compute_entropy: bool = False, compute_aux_loss: bool = False, **rest: Any,
    ) -> tuple[Any, Any, Any]:  # fmt: skip
        """TRL's own, unless a token was drawn under a mask: then the logits are masked in the same way."""
        rows = self._in_force if self._in_force is not None else list(range(input_ids.size(0)))
        prune = self.job.options.prune
        if not prune and not any(a is not None for i in rows for a in self.rows[i].allowed):
            found: tuple[Any, Any, Any] = super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, batch_size=batch_size,
                compute_entropy=compute_entropy, compute_aux_loss=compute_aux_loss, **rest,
            )  # fmt: skip
            self._entropy = found[1]
            return found
        size = batch_size or input_ids.size(0)
        logps, entropies = [], []
        for start in range(0, input_ids.size(0), size):
            ids, seen = input_ids[start : start + size], attention_mask[start : start + size]
            chunk = [self.rows[i] for i in rows[start : start + size]]
            at, own = own_places(chunk, ids.device)
            before = at + ids.size(1) - logits_to_keep - 1
            with self.accelerator.autocast():
                logits = model(input_ids=ids, attention_mask=seen, logits_to_keep=before).logits.float()
            targets = ids[:, before + 1]
            support = _support(logits, targets, chunk, at.tolist(), own, prune)
            masked = torch.log_softmax(logits.masked_fill(~support, -torch.inf), -1)
            nothing = masked.new_zeros(ids.size(0), logits_to_keep)  # the loss counts a row's own tokens alone
            drawn = masked.gather(-1, targets[..., None])[..., 0]
            logps.append(nothing.index_copy(1, at, drawn.masked_fill(~own, 0.0)))
            if compute_entropy:
                finite = masked.masked_fill(~support, 0.0)
                spread = -(finite.exp() * finite * support).sum(-1)
                entropies.append(nothing.index_copy(1, at, spread.masked_fill(~own, 0.0)))
            if prune and own.any():
                gone = (logits.softmax(-1) * ~support).sum(-1)
                self._metrics["train"]["pruned_mass"].append((gone * own).sum().item() / own.sum().item())
        self._entropy = torch.cat(entropies) if compute_entropy else None
        return torch.cat(logps), self._entropy, None

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        self._in_force = [int(i) for i in inputs["row"]]
        try:
            loss = super()._compute_loss(model, inputs)
        finally:
            self._in_force = None
        if self.job.options.entropy_smoothing:
            loss = loss + self._smoothing(inputs)
        return loss

    def _smoothing(self, inputs: Mapping[str, Any]) -> Any:
        """kappa max(0, |H - mean H| - 0.2 mean H), the mean running over steps (ours)."""
        mask = inputs["completion_mask"] * inputs["tool_mask"]
        assert self._entropy is not None
        entropy = (self._entropy * mask).sum() / mask.sum().clamp(min=1.0)
        now = float(entropy.detach())
        mean = now if self._mean_entropy is None else self._mean_entropy
        self._mean_entropy = _DECAY * mean + (1 - _DECAY) * now
        excess = torch.clamp((entropy - mean).abs() - _SMOOTHED * mean, min=0.0)
        return self.job.options.entropy_smoothing * excess / self.current_gradient_accumulation_steps

    def get_off_policy_mask(
        self, advantages: Any, per_token_logps: Any, sampling_per_token_logps: Any, mask: Any,
        off_policy_threshold: float,
    ) -> Any:  # fmt: skip
        """Trust region masking in the place of TRL's (static) one, and the share of rollouts that it keeps."""
        kept = within_region(per_token_logps.detach(), sampling_per_token_logps, mask, off_policy_threshold)
        self._metrics["train"]["kept_share"].append(kept.mean().item())
        return kept

    # --- numbers and state --------------------------------------------------------------------------------------------

    def _log_rollouts(self) -> None:
        own = self._metrics["train"]
        rows = self.rows
        answers = sum(len(row.spans) for row in rows)
        own["illegal_share"].append(sum(row.illegal for row in rows) / max(answers, 1))
        own["void_share"].append(void_share(rows))
        long = [
            r for row in rows for s in row.spans if (r := is_repetitive(row.completion_ids[s[0] : s[1]])) is not None
        ]
        own["repetitive_share"].append(sum(long) / len(long) if long else 0.0)
        for role in sorted({row.role for row in rows}):
            paid = [row.payoff for row in rows if row.role == role and row.payoff is not None]
            if paid:
                own[f"payoff/{role}"].append(sum(paid) / len(paid))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Our state goes first, so that a checkpoint that TRL has finished is whole."""
        self.engine.flush()
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        folder.mkdir(parents=True, exist_ok=True)
        state = {"baselines": self.baselines, "visits": self.visits, "mean_entropy": self._mean_entropy}
        (folder / STATE).write_text(json.dumps(state, sort_keys=True))
        super()._save_checkpoint(model, trial)

    def _load_optimizer_and_scheduler(self, checkpoint: Any) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None and (Path(checkpoint) / STATE).is_file():
            state = json.loads((Path(checkpoint) / STATE).read_text())
            self.baselines, self.visits = state["baselines"], state["visits"]
            self._mean_entropy = state["mean_entropy"]


def within_region(logps: Any, sampled: Any, mask: Any, threshold: float) -> Any:
    """(B, 1): 1 for a rollout of which no own token left the trust region, by its log-ratio."""
    ratio = torch.nan_to_num(sampled - logps, nan=torch.inf).abs()
    return (ratio.masked_fill(mask == 0, 0.0).amax(-1, keepdim=True) <= threshold).float()


def _by_token(
    rows: Sequence[Rollout], of_turns: Sequence[Sequence[float]], weights: Sequence[float], width: int
) -> list[list[float]]:
    """Each turn's advantage on its own tokens, 0 elsewhere."""
    found = []
    for row, values, weight in zip(rows, of_turns, weights, strict=True):
        line = [0.0] * width
        for (start, end, _), value in zip(row.spans, values, strict=True):
            line[start:end] = [value * weight] * (end - start)
        found.append(line)
    return found


def own_places(rows: Sequence[Rollout], device: Any) -> tuple[Any, Any]:
    """The places in the completions at which some row has a token of its own; and, of each row, which of them are."""
    at = sorted({t for row in rows for t, own in enumerate(row.mask) if own})
    own = [[t < len(row.mask) and bool(row.mask[t]) for t in at] for row in rows]
    return torch.tensor(at, dtype=torch.long).to(device), torch.tensor(own, dtype=torch.bool).to(device)


def _support(logits: Any, targets: Any, rows: Sequence[Rollout], at: Sequence[int], own: Any, prune: float) -> Any:
    """Which ids each of the places could have had: those its mask allowed, less the pruned; the drawn id always."""
    support = torch.ones_like(logits, dtype=torch.bool)
    for i, row in enumerate(rows):
        for n, t in enumerate(at):
            allowed = row.allowed[t] if t < len(row.allowed) else None
            if allowed is not None:
                support[i, n] = False
                support[i, n, list(allowed)] = True
    if prune:
        with torch.no_grad():
            likely = logits.masked_fill(~support, -torch.inf).softmax(-1)
            bound = prune * likely.amax(-1, keepdim=True)
            support = support & (~own[..., None] | (likely >= bound))
    return support.scatter(-1, targets[..., None], True)
