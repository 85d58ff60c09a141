"""What we rely on in TRL 1.16 and PEFT 0.21, one test a rule: a new release that breaks one fails here by name."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytestmark = [
    pytest.mark.models,
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of the trainer libraries, about each other
    pytest.mark.filterwarnings("ignore:You are using .rollout_func:UserWarning"),
]

import torch  # noqa: E402
import trl  # noqa: E402

from arena.models.tiny import tiny_random  # noqa: E402
from arena.training.adapters import policies  # noqa: E402
from arena.training.adapters import trl_1_16 as adapter  # noqa: E402
from arena.training.job import StageJob  # noqa: E402
from arena.training.jsonfile import read_json  # noqa: E402
from arena.training.settings import LOSSES, SMOOTHED, Params  # noqa: E402

PROMPT = [{"role": "system", "content": "You play."}, {"role": "user", "content": "Choose."}]


def kto_row(number: int, label: bool, words: int = 0) -> dict[str, Any]:
    prompt = [PROMPT[0], {"role": "user", "content": f"Choose {number}." + " word" * words}]
    said = [{"role": "assistant", "content": "rock" if label else "paper"}]
    return {"id": f"m{number}:0", "source": {"agent": "a", "data": "selfplay"}, "prompt": prompt} | {
        "completion": said,
        "label": label,
        "split": "train",
    }


def row(algorithm: str, number: int) -> dict[str, Any]:
    """Rock is right, paper is wrong, whatever the number."""
    made = kto_row(number, label=number % 2 == 0 or algorithm == "sft")
    if algorithm == "dpo":
        said = [[{"role": "assistant", "content": word}] for word in ("rock", "paper")]
        made |= {"chosen": said[0], "rejected": said[1]}
    return made


def job(folder: Path, algorithm: str = "kto", **changed: Any) -> StageJob:
    params = Params.make({"batch": 2, "save_steps": 100, **changed.pop("params", {})})
    facts: dict[str, Any] = {
        "algorithm": algorithm,
        "folder": str(folder),
        "base": str(tiny_random(0)),
        "base_name": "hf/tiny-random",
        "init": None,
        "initial": None,
        "reference": "previous",
        "losses": ("kto",) if algorithm == "kto" else ("sigmoid",),
        "beta": 0.1,
        "lr": 5e-3,
        "steps": 2,
        "seed": 3,
        "device": "cpu",
        "k": 1,
        "params": params.as_json(),
        "max_length": 512,
    }
    return StageJob(**facts | changed)


def trainer(one: StageJob, rows: list[dict[str, Any]]) -> Any:
    """A trainer as the adapter makes it, without its callbacks."""
    from arena.training.rows import write_rows

    write_rows(one.path / "dataset.jsonl", rows)
    base, tokenizer = policies.load_base(one.base, "cpu", one.options)
    made = adapter._trainer(one, base, tokenizer, "cpu", [])
    adapter._set_reference(made.model, one)
    return made


def trained_adapter(folder: Path) -> Path:
    """A policy after two real steps."""
    folder.mkdir(parents=True, exist_ok=True)
    made = trainer(job(folder), [kto_row(i, i % 2 == 0) for i in range(4)])
    made.train()
    policies.save_policy(made.accelerator.unwrap_model(made.model), folder / "adapter", str(tiny_random(0)))
    return folder / "adapter"


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_adapter(tmp_path_factory.mktemp("policy"))


def test_kto_silently_drops_rows_whose_prompt_fills_max_length(tmp_path: Path) -> None:
    rows = [kto_row(i, i % 2 == 0, words=60 if i % 2 == 0 else 0) for i in range(8)]
    made = trainer(job(tmp_path, max_length=60), rows)

    assert len(made.train_dataset) == 4
    assert not any(made.train_dataset["label"])  # every desirable row is gone: why rows are counted before


@pytest.mark.parametrize("algorithm", ["kto", "dpo", "sft"])
def test_an_epoch_has_the_steps_that_the_display_promises(tmp_path: Path, algorithm: str) -> None:
    losses = {"kto": ("kto",), "dpo": ("sigmoid",), "sft": ("nll",)}[algorithm]
    one = job(tmp_path, algorithm, losses=losses, steps=None, params={"accumulation": 3})
    made = trainer(one, [row(algorithm, i) for i in range(8)])
    made.train()

    assert made.state.global_step == made.state.max_steps == one.steps_on(8) == 2


def test_kto_pairs_its_kl_rows_by_place_within_a_block(tmp_path: Path) -> None:
    made = trainer(job(tmp_path), [kto_row(i, i % 2 == 0) for i in range(4)])

    assert made.args.train_sampling_strategy == "sequential"
    own = made.train_dataset["completion_ids"]
    assert made.train_dataset["KL_completion_ids"] == [own[1], own[0], own[3], own[2]]


def test_kto_refuses_a_batch_of_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be > 1"):
        trainer(job(tmp_path, params={"batch": 1}), [kto_row(i, i % 2 == 0) for i in range(4)])


def test_our_defaults_reach_the_trainer(tmp_path: Path) -> None:
    args = adapter.kto_arguments(job(tmp_path), "cpu")
    played = job(tmp_path, "grpo", losses=("dapo",), params={"batch": 8}, rollout={"context": 1024})
    grpo = adapter.grpo_arguments(played, "cpu")

    assert (args.bf16, args.use_cpu, args.gradient_checkpointing) == (False, True, False)
    assert (args.logging_steps, args.report_to, args.learning_rate, args.max_length) == (1, [], 5e-3, 512)
    assert grpo.max_completion_length == 1024
    assert (grpo.num_generations, grpo.temperature, grpo.top_k, grpo.top_p) == (8, 1.0, 0, 1.0)


def test_a_loaded_adapter_is_trainable_and_its_reference_is_its_frozen_copy(tmp_path: Path, policy: Path) -> None:
    made = trainer(job(tmp_path, init=str(policy)), [kto_row(i, i % 2 == 0) for i in range(4)])
    model = made.model

    trainable = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert trainable
    assert all(".default." in name for name in trainable)
    for name, weight in model.named_parameters():
        if ".ref." in name:
            assert torch.equal(weight, model.get_parameter(name.replace(".ref.", ".default.")))
    made.train()
    assert made.state.log_history[0]["rewards/margins"] == 0.0  # before any step policy and reference are one


def test_reference_base_is_the_model_without_adapters_and_starts_from_the_policy(tmp_path: Path, policy: Path) -> None:
    made = trainer(job(tmp_path, init=str(policy), reference="base"), [kto_row(i, i % 2 == 0) for i in range(4)])

    assert "ref" not in made.model.peft_config
    assert policies.greatest_b(made.model) > 0
    assert _logps(made) == pytest.approx(_independent(made, disabled=True), rel=1e-4)


def test_reference_previous_is_the_policy_itself(tmp_path: Path, policy: Path) -> None:
    made = trainer(job(tmp_path, init=str(policy)), [kto_row(i, i % 2 == 0) for i in range(4)])

    assert _logps(made) == pytest.approx(_independent(made, disabled=False), rel=1e-4)


def test_reference_initial_is_the_warm_start(tmp_path: Path, policy: Path) -> None:
    rows = [kto_row(i, i % 2 == 0) for i in range(4)]
    made = trainer(job(tmp_path, init=str(policy), reference="initial", initial=None), rows)

    assert _logps(made) == pytest.approx(_independent(made, disabled=True), rel=1e-4)
    assert policies.greatest_b(made.model) > 0


def _batch(made: Any) -> Any:
    return next(iter(made.get_train_dataloader()))


def _logps(made: Any) -> list[float]:
    """Reference log-probabilities of the first batch, as the trainer computes them."""
    found = made.compute_ref_log_probs(made.model, _batch(made))
    return [float(x) for x in found[0]]


def _independent(made: Any, *, disabled: bool) -> list[float]:
    """The same from plain logits."""
    batch, model = _batch(made), made.accelerator.unwrap_model(made.model)

    def logps() -> list[float]:
        with torch.no_grad():
            base = model.base_model.model
            logits = base(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        each = torch.log_softmax(logits[:, :-1].float(), -1).gather(-1, batch["input_ids"][:, 1:, None])[..., 0]
        return [float(x) for x in (each * batch["completion_mask"][:, 1:]).sum(-1)]

    if disabled:
        with model.disable_adapter():
            return logps()
    return logps()


def test_only_completions_reach_the_output_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl.trainer import utils

    made = trainer(job(tmp_path), [kto_row(i, i % 2 == 0, words=40) for i in range(4)])
    scored: list[int] = []
    scoring = utils._ChunkedLogProbFunction.apply

    def counted(hidden: Any, *rest: Any) -> Any:
        scored.append(len(hidden))
        return scoring(hidden, *rest)

    monkeypatch.setattr(utils._ChunkedLogProbFunction, "apply", counted)
    batch = _batch(made)
    made.compute_ref_log_probs(made.model, batch)

    assert int(batch["completion_mask"][:, 1:].sum()) in scored
    assert sum(scored) < batch["attention_mask"].sum() / 4


def test_lora_on_the_output_layer_is_refused(tmp_path: Path) -> None:
    from peft import LoraConfig

    base, tokenizer = policies.load_base(str(tiny_random(0)), "cpu", Params.make({}))
    config = LoraConfig(r=2, target_modules=["lm_head"])
    with warnings.catch_warnings(), pytest.raises(ValueError, match="lm_head"):
        warnings.simplefilter("ignore")
        trl.KTOTrainer(
            model=base,
            args=adapter.kto_arguments(job(tmp_path), "cpu"),
            train_dataset=adapter._dataset([kto_row(i, i % 2 == 0) for i in range(4)], "kto"),
            processing_class=tokenizer,
            peft_config=config,
        )


def test_a_fresh_adapters_b_is_zero_and_a_step_changes_it(tmp_path: Path) -> None:
    made = trainer(job(tmp_path), [kto_row(i, i % 2 == 0) for i in range(4)])
    before = policies.greatest_b(made.model)
    made.train()

    assert before == 0.0
    assert policies.greatest_b(made.model) > 0.0


def test_an_adapter_folder_as_model_fails(policy: Path) -> None:
    from transformers import AutoConfig

    with pytest.raises(Exception, match=r"config\.json|model_type"):
        AutoConfig.from_pretrained(policy)


def test_a_saved_policy_is_two_files_without_the_reference(tmp_path: Path, policy: Path) -> None:
    made = trainer(job(tmp_path, init=str(policy)), [kto_row(i, i % 2 == 0) for i in range(4)])
    policies.save_policy(made.model, tmp_path / "out", str(tiny_random(0)))

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_the_source_of_a_row_survives_into_the_dataset(tmp_path: Path) -> None:
    made = trainer(job(tmp_path), [kto_row(i, i % 2 == 0) for i in range(4)])

    assert made.train_dataset["source"][0] == {"agent": "a", "data": "selfplay"}


@pytest.mark.parametrize("losses", [*((loss,) for loss in LOSSES["dpo"]), ("sigmoid", "sft")])
def test_every_loss_of_dpo_takes_a_step(tmp_path: Path, losses: tuple[str, ...]) -> None:
    pair = {"chosen": [{"role": "assistant", "content": "rock"}]}
    pair |= {"rejected": [{"role": "assistant", "content": "paper"}]}
    kept = ("id", "source", "prompt", "split")
    rows = [{key: kto_row(i, True)[key] for key in kept} | pair for i in range(2)]
    params = {"label_smoothing": SMOOTHED.get(losses[0], 0.0)}
    made = trainer(job(tmp_path, "dpo", losses=losses, steps=1, params=params), rows)
    made.train()

    assert made.state.log_history[0]["loss"] > 0
    assert policies.greatest_b(made.model) > 0


def test_half_written_checkpoints_are_deleted_and_the_newest_whole_one_is_taken(tmp_path: Path) -> None:
    for step, whole in ((2, True), (10, True), (12, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if whole:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")

    assert adapter.last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-12").exists()


def test_the_stage_sets_its_environment_before_torch_is_imported() -> None:
    from arena.training.stage import ENVIRONMENT

    assert ENVIRONMENT["OMP_NUM_THREADS"] == "1"
    assert {"TOKENIZERS_PARALLELISM", "HF_HUB_OFFLINE", "TRL_EXPERIMENTAL_SILENCE"} <= ENVIRONMENT.keys()


@pytest.mark.parametrize(
    ("schedule", "warmup", "shares"),
    [
        ("constant", 0, [1, 1, 1, 1]),
        ("constant", 3, [1 / 4, 1 / 2, 3 / 4, 1]),  # transformers' constant rate would not rise
        ("constant", 9, [1 / 10, 2 / 10, 3 / 10, 4 / 10]),
        ("linear", 0, [1, 3 / 4, 1 / 2, 1 / 4]),
        ("linear", 1, [1 / 2, 1, 2 / 3, 1 / 3]),
        ("cosine", 0, [1, 0.853553, 1 / 2, 0.146447]),
    ],
)
def test_the_learning_rate_goes_its_way(tmp_path: Path, schedule: str, warmup: int, shares: list[float]) -> None:
    one = job(tmp_path, steps=4, lr=1e-3, params={"lr_schedule": schedule, "warmup_steps": warmup})
    made = trainer(one, [kto_row(i, i % 2 == 0) for i in range(8)])
    adapter.set_schedule(made, one.options)
    made.train()

    rates = [entry["learning_rate"] for entry in made.state.log_history if "loss" in entry]
    assert rates == pytest.approx([1e-3 * share for share in shares], rel=1e-5)


def test_the_stage_sees_one_device() -> None:
    from arena.training.stage import environment

    assert environment({})["CUDA_VISIBLE_DEVICES"] == "0"
    assert environment({"CUDA_VISIBLE_DEVICES": "2,3"})["CUDA_VISIBLE_DEVICES"] == "2"


@pytest.mark.parametrize(("algorithm", "untrained"), [("kto", 0.5), ("dpo", math.log(2)), ("sft", None)])
def test_held_out_rows_are_judged_by_the_trainer_and_train_nothing(
    tmp_path: Path, algorithm: str, untrained: float | None
) -> None:
    rows = [row(algorithm, i) | {"split": "valid" if i >= 8 else "train"} for i in range(12)]
    one = job(tmp_path, algorithm, steps=6, losses=("nll",) if algorithm == "sft" else job(tmp_path, algorithm).losses)
    made = trainer(one, rows)

    made.state.global_step = 6  # as if it had been trained without effect
    adapter.validate(made, one)
    before = read_json(tmp_path / "validation.json")
    made.state.global_step = 0
    made.train()
    weights = {name: w.detach().clone() for name, w in made.model.named_parameters()}
    adapter.validate(made, one)
    after = read_json(tmp_path / "validation.json")

    assert before["rows"] == after["rows"] == 4
    assert untrained is None or before["loss"] == pytest.approx(untrained, abs=1e-5)
    assert after["loss"] < before["loss"]
    assert all(torch.equal(weights[name], w) for name, w in made.model.named_parameters())
    if algorithm != "sft":
        assert before["rewards/margins"] == pytest.approx(0, abs=1e-5)
        assert after["rewards/margins"] == pytest.approx(after["rewards/chosen"] - after["rewards/rejected"])
        assert after["rewards/margins"] > 0


@pytest.mark.parametrize(("held_out", "steps", "judged"), [(1, 6, None), (6, 1, None), (6, 2, 2), (6, 6, 6)])
def test_no_more_is_held_out_than_half_of_what_was_taken(
    tmp_path: Path, held_out: int, steps: int, judged: int | None
) -> None:
    one = job(tmp_path)
    made = trainer(
        one, [kto_row(i, i % 2 == 0) | {"split": "train" if i < 4 else "valid"} for i in range(4 + held_out)]
    )
    (tmp_path / "validation.json").write_text("{}")
    made.state.global_step = steps

    adapter.validate(made, one)

    found = tmp_path / "validation.json"
    assert (read_json(found)["rows"] if found.exists() else None) == judged
