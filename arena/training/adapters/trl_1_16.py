"""TRL 1.16 and PEFT 0.21, called from outside: the only module, with its neighbour for GRPO, that knows a trainer.

What TRL sets by default and this overrides: bf16 and gradient checkpointing on, logging every 10 steps, a learning
rate of 1e-6, `max_length` 1024 (KTO silently drops every row whose prompt is that long). Tests guard each of these.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from math import cos, isfinite, pi
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.training.adapters.policies import (
    device_of,
    greatest_b,
    load_base,
    lora_config,
    put_weights,
    save_policy,
    with_adapter,
)
from arena.training.health import Unhealthy, Watch
from arena.training.job import StageJob
from arena.training.jsonfile import write_json
from arena.training.metrics import Recorder
from arena.training.rows import Row, read_rows
from arena.training.settings import Params

CHECKPOINTS = "train"
VALIDATED = 128  # held-out rows, at most
_CLOCK = ("runtime", "samples_per_second", "steps_per_second", "model_preparation_time", "epoch", "num_tokens")
MOST_COMPLETION = 4096  # what dr_grpo divides by; rows from a rollout function are never cut to it


def train(job: StageJob) -> None:
    """Train to the end, from the last whole checkpoint if there is one: FOLDER/adapter, then FOLDER/validation.json."""
    _check_versions()
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    device = device_of(job.device)
    base, tokenizer = load_base(job.base, device, job.options)
    checkpoint = last_checkpoint(job.path / CHECKPOINTS)
    recorder = Recorder(
        job.path / "metrics.jsonl", job.k, (checkpoint and int(checkpoint.name.rpartition("-")[2])) or 0
    )
    watch = Watch(job.algorithm)
    trainer = _trainer(job, base, tokenizer, device, [_callback(recorder, watch)])
    _set_reference(trainer.model, job)
    set_schedule(trainer, job.options)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if job.algorithm == "grpo":
        trainer.engine.flush()
    if watch.reason is not None:
        raise Unhealthy(watch.reason)
    model = trainer.accelerator.unwrap_model(trainer.model)
    if not greatest_b(model) > 0:
        raise Unhealthy("the adapter's weights never changed: no step had an effect")
    save_policy(model, job.path / "adapter", job.base)
    if job.algorithm != "grpo":
        validate(trainer, job)


def _trainer(job: StageJob, base: Any, tokenizer: Any, device: str, callbacks: list[Any]) -> Any:
    score_completions_only()
    model, peft_config = _policy(base, job)
    if job.algorithm == "grpo":
        from arena.training.adapters.trl_1_16_grpo import grpo_trainer

        args = grpo_arguments(job, device)
        return grpo_trainer(job, model, peft_config, tokenizer, args, callbacks)
    import trl

    rows = read_rows(job.path / "dataset.jsonl")
    makers = {"kto": (trl.KTOTrainer, kto_arguments), "dpo": (trl.DPOTrainer, dpo_arguments)}
    maker, arguments = makers.get(job.algorithm, (trl.SFTTrainer, sft_arguments))
    return maker(
        model=model,
        args=arguments(job, device),
        train_dataset=_dataset([row for row in rows if row["split"] == "train"], job.algorithm),
        processing_class=tokenizer,
        peft_config=peft_config,
        callbacks=callbacks,
    )


def set_schedule(trainer: Any, options: Params) -> None:
    """The learning rate's way in the place of transformers', whose constant one knows no rise and whose others begin at
    0, so that the only step of a short training does nothing."""
    from torch.optim.lr_scheduler import LambdaLR

    def create_scheduler(num_training_steps: int, optimizer: Any = None) -> Any:
        way = partial(rate, steps=num_training_steps, warmup=options.warmup_steps, schedule=options.lr_schedule)
        trainer.lr_scheduler = LambdaLR(optimizer or trainer.optimizer, way)
        return trainer.lr_scheduler

    trainer.create_scheduler = create_scheduler


def rate(step: int, *, steps: int, warmup: int, schedule: str) -> float:
    """The share of the learning rate that a step, counted from 0, is made with."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(steps - warmup, 1)
    return {"constant": 1.0, "linear": 1 - done, "cosine": (1 + cos(pi * done)) / 2}[schedule]


def score_completions_only() -> None:
    """Without Triton TRL puts every token of a prompt through the output layer, so that devices that compile see one
    shape. On a CPU that is a third of a step and of its memory (`python benchmarks/training_step.py`)."""
    from trl.trainer import utils

    utils._use_triton = lambda device: True  # asked there for this alone; its kernels ask elsewhere


def validate(trainer: Any, job: StageJob) -> None:
    """validation.json: the trainer's own figures on matches that it did not train on; no more rows than half of those
    that the steps took, so that it stays a small part of the work. KTO cannot pair a single row."""
    (job.path / "validation.json").unlink(missing_ok=True)
    taken = trainer.state.global_step * job.options.batch * job.options.accumulation
    rows = [row for row in read_rows(job.path / "dataset.jsonl") if row["split"] == "valid"]
    rows = rows[: min(VALIDATED, taken // 2)]
    if len(rows) < 2:
        return
    found = trainer.evaluate(eval_dataset=_dataset(rows, job.algorithm))
    named = {key.removeprefix("eval_"): value for key, value in found.items()}
    facts = {name: value for name, value in named.items() if name not in _CLOCK and isfinite(value)}
    if {"rewards/chosen", "rewards/rejected"} <= facts.keys():  # TRL's is of the batches that hold both labels
        facts["rewards/margins"] = facts["rewards/chosen"] - facts["rewards/rejected"]
    write_json(job.path / "validation.json", {"rows": len(rows)} | facts)


def _policy(base: Any, job: StageJob) -> tuple[Any, Any]:
    """The model for a trainer, and the config of a fresh adapter where one is to be made.

    A fresh adapter's reference is the base (adapters disabled); a loaded one's is the frozen copy `ref` that TRL makes.
    """
    needs_ref = job.algorithm in ("kto", "dpo") or (job.algorithm == "grpo" and job.beta > 0)
    if job.init is None or (job.reference == "base" and needs_ref):
        return base, lora_config(job.options)
    return with_adapter(base, job.init), None


def _set_reference(model: Any, job: StageJob) -> None:
    """After construction: the start's weights over a fresh adapter, the warm start's over `ref`."""
    if job.init is not None and "ref" not in model.peft_config and job.reference == "base":
        put_weights(model, job.init, "default")
    if job.reference == "initial" and "ref" in model.peft_config:
        if job.initial is not None:
            put_weights(model, job.initial, "ref")
        else:  # the warm start is the base itself: an adapter that changes nothing
            for name, weight in model.named_parameters():
                if "lora_B.ref" in name:
                    weight.data.zero_()


def common_arguments(job: StageJob, device: str) -> dict[str, Any]:
    """What every trainer gets."""
    p = job.options
    is_cpu = device == "cpu"
    return {
        "output_dir": str(job.path / CHECKPOINTS),
        "per_device_train_batch_size": p.batch,
        "per_device_eval_batch_size": p.batch,
        "gradient_accumulation_steps": p.accumulation,
        "learning_rate": job.lr,
        "max_grad_norm": p.max_grad_norm,
        "max_steps": job.steps if job.steps is not None else -1,
        "num_train_epochs": 1,
        "seed": job.seed % 2**31,
        "data_seed": job.seed % 2**31,
        "bf16": not is_cpu,
        "use_cpu": is_cpu,
        "gradient_checkpointing": p.gradient_checkpointing,
        "logging_steps": 1,
        "report_to": list(p.report_to),
        "disable_tqdm": True,
        "save_strategy": "steps",
        "save_steps": p.save_steps,
        "save_total_limit": 2,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": False,
    }


def kto_arguments(job: StageJob, device: str) -> Any:
    import trl

    return trl.KTOConfig(
        **common_arguments(job, device),
        beta=job.beta,
        loss_type=job.losses[0],
        max_length=job.max_length,
        desirable_weight=job.weights[0],
        undesirable_weight=job.weights[1],
        train_sampling_strategy="sequential",  # KL pairs are made by place within a block
    )


def dpo_arguments(job: StageJob, device: str) -> Any:
    import trl

    return trl.DPOConfig(
        **common_arguments(job, device),
        beta=job.beta,
        loss_type=list(job.losses),
        max_length=job.max_length,
        label_smoothing=job.options.label_smoothing or 0.0,
    )


def sft_arguments(job: StageJob, device: str) -> Any:
    import trl

    return trl.SFTConfig(
        **common_arguments(job, device), max_length=job.max_length, completion_only_loss=True, loss_type=job.losses[0]
    )


def grpo_arguments(job: StageJob, device: str) -> Any:
    import trl

    p = job.options
    common = common_arguments(job, device)
    return trl.GRPOConfig(
        **common | {"max_steps": job.steps_on(0)},
        beta=job.beta,
        loss_type=job.losses[0],
        num_generations=p.num_generations,
        num_iterations=p.num_iterations,
        max_completion_length=min(job.rollout["context"], MOST_COMPLETION),
        scale_rewards=p.scale_rewards,
        importance_sampling_level=p.importance or "token",
        entropy_coef=p.entropy_coef,
        use_adaptive_entropy=p.adaptive_entropy,
        top_entropy_quantile=p.top_entropy,
        off_policy_mask_threshold=p.trust_region or None,
        shuffle_dataset=True,
        disable_dropout=True,
    )


_COLUMNS = {
    "kto": ("prompt", "completion", "label"),
    "dpo": ("prompt", "chosen", "rejected"),
    "sft": ("prompt", "completion"),
}
_KEPT = ("id", "source")


def _dataset(rows: list[Row], algorithm: str) -> Any:
    """The rows with the columns that the trainer reads, and where each is from."""
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    if not rows:
        raise UsageError("no row is in the training split", hint="collect more matches")
    kept = (*_COLUMNS[algorithm], *_KEPT)
    return Dataset.from_list([{key: row[key] for key in kept if key in row} for row in rows])


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint. Half-written ones (no trainer state, which TRL writes last) are deleted."""
    import shutil

    best: Path | None = None
    for path in sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2])):
        if (path / "trainer_state.json").is_file():
            best = path
        else:
            shutil.rmtree(path)
    return best


def _callback(recorder: Recorder, watch: Watch) -> Any:
    """Feeds metrics.jsonl and the health rules from the trainer's own log history (printed logs hold strings)."""
    from transformers import TrainerCallback

    class Callback(TrainerCallback):  # type: ignore[misc]  # transformers is not typed here
        def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if not state.log_history or "loss" not in state.log_history[-1]:
                return
            entry = recorder.add(state.log_history[-1])
            verdict = watch.see(entry)
            if verdict != "go on":
                control.should_training_stop = True

    return Callback()


def _check_versions() -> None:
    found = version("trl")
    if not found.startswith("1.16."):
        raise UsageError(
            f"trl {found} is installed; this release drives trl 1.16", hint="pip install 'trl>=1.16,<1.17'"
        )
