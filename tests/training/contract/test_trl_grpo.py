"""What we rely on in TRL's GRPO: the contract of `rollout_func`, our advantages, masks, exact log-probabilities."""

from __future__ import annotations

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

from arena.registry import make_game  # noqa: E402
from arena.training.adapters import policies  # noqa: E402
from arena.training.adapters import trl_1_16 as adapter  # noqa: E402
from arena.training.adapters.trl_1_16_grpo import MatchTrainer  # noqa: E402
from arena.training.job import StageJob  # noqa: E402
from arena.training.rollout import Rollout, void_share  # noqa: E402
from arena.training.rows import write_rows  # noqa: E402
from arena.training.settings import Params  # noqa: E402
from tests.training.tiny_models import learnable  # noqa: E402


def slots(seating: dict[str, str], seats: list[str], count: int = 4, self_play: bool = False) -> list[dict[str, Any]]:
    game, _ = make_game("matrix/rps", {"rounds": 2})
    return [
        {
            "id": f"1-{i}",
            "deal": i,
            "deal_seed": 100 + i,
            "seed": 200 + i,
            "config": game.config.as_json(),
            "seating": seating,
            "seats": seats,
            "self_play": self_play,
        }
        for i in range(count)
    ]


def trainer(folder: Path, base: Path, made: list[dict[str, Any]], recipe: str = "group", **params: Any) -> MatchTrainer:
    options = Params.make({"batch": 4, "num_generations": 4, "save_steps": 100, **params})
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "dataset.jsonl", made)
    rollout = {
        "run": str(folder),
        "game": "matrix/rps",
        "set": {"rounds": 2},
        "tag": "rollout/1",
        "series": 1,
        "recipe": recipe,
        "bounds": [-2.0, 2.0],
        "baselines": {},
        "model": f"hf/{base}?choice=grammar",
        "opponents": sorted({name for slot in made for name in slot["seating"].values() if name != "live"}),
        "context": 8192,
        "choice": "grammar",
        "budget": None,
    }
    job = StageJob(
        algorithm="grpo",
        folder=str(folder),
        base=str(base),
        base_name="tiny",
        init=None,
        initial=None,
        reference="previous",
        losses=("dapo",),
        beta=0.0,
        lr=1e-2,
        steps=2,
        seed=5,
        device="cpu",
        k=1,
        params=options.as_json(),
        rollout=rollout,
    )
    model, tokenizer = policies.load_base(job.base, "cpu", options)
    found: MatchTrainer = adapter._trainer(job, model, tokenizer, "cpu", [])
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable(tmp_path_factory.mktemp("models") / "tiny")


FIXED = {"player_0": "live", "player_1": "bot/random"}


def test_prompts_arrive_repeated_in_sequence_and_come_back_as_one_row_each(tmp_path: Path, base: Path) -> None:
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]), batch=8)
    seen: list[list[str]] = []
    play = made.rollout_func

    def watch(prompts: list[str], own: Any) -> Any:
        seen.append(list(prompts))
        return play(prompts, own)

    made.rollout_func = watch
    made.train()

    assert all(len(prompts) == 8 for prompts in seen)
    assert all(p[:4] == [p[0]] * 4 and p[4:] == [p[4]] * 4 and p[0] != p[4] for p in seen)


def test_a_rows_tokens_are_those_of_its_match(tmp_path: Path, base: Path) -> None:
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]))
    rows = made.engine.play(["1-0"] * 4, 0)

    for row in rows:
        own = [i for i, m in zip(row.completion_ids, row.mask, strict=True) if m]
        assert len(row.spans) == 2
        assert row.mask[-1] == 1
        assert row.completion_ids[-1] == made.engine._engine.ends[0]
        assert len(own) == sum(end - start for start, end, _ in row.spans)
        assert 0 in row.mask  # the engine's words between the two rounds
        assert row.reward is not None
        assert 0 <= row.reward <= 1


def padded(rows: list[Rollout]) -> tuple[Any, Any, int]:
    """Ids, what is seen of them, and the width of the completions: prompts padded on the left, as TRL has them."""
    width = max(len(row.completion_ids) for row in rows)
    left = max(len(row.prompt_ids) for row in rows)
    ids = torch.zeros(len(rows), left + width, dtype=torch.long)
    seen = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        whole = [*row.prompt_ids, *row.completion_ids]
        start = left - len(row.prompt_ids)
        ids[i, start : start + len(whole)] = torch.tensor(whole)
        seen[i, start : start + len(whole)] = 1
    return ids, seen, width


def check_on_policy(made: MatchTrainer, rows: list[Rollout]) -> None:
    """A forward pass under the supports gives what the sampler recorded, and nothing where the engine speaks."""
    made.rows = rows
    with torch.no_grad():
        ids, seen, width = padded(rows)
        logps, _, _ = made._get_per_token_logps_and_entropies(made.model, ids, seen, width, compute_entropy=True)
    for i, row in enumerate(rows):
        for t, (mask, logprob) in enumerate(zip(row.mask, row.logprobs, strict=True)):
            assert float(logps[i, t]) == (pytest.approx(logprob, abs=2e-4) if mask else 0.0)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_rows_log_probabilities_do_not_depend_on_the_rows_beside_it(tmp_path: Path, base: Path, size: int) -> None:
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]), prune=0.005)
    made.model.eval()
    rows = made.engine.play(["1-0"] * 4, 0)
    rows[0].mask = [0] * len(rows[0].mask)  # never asked
    rows[1].mask[rows[1].mask.index(1)] = 0  # another's place is not its own
    made.rows = rows
    ids, seen, width = padded(rows)
    order = [2, 0, 3, 1]

    def scored(places: list[int], size: int | None = None) -> Any:
        made._in_force = places
        with torch.no_grad():
            found = made._get_per_token_logps_and_entropies(
                made.model, ids[places], seen[places], width, batch_size=size, compute_entropy=True
            )
        return torch.stack(found[:2])

    together, shuffled = scored([0, 1, 2, 3]), scored(order, size)

    torch.testing.assert_close(shuffled, together[:, order], atol=1e-5, rtol=1e-4)
    own = torch.tensor([row.mask + [0] * (width - len(row.mask)) for row in rows], dtype=torch.bool)
    assert not together[:, ~own].any()
    assert (together[0][own] < 0).any()


def test_log_probabilities_are_those_that_were_sampled(tmp_path: Path, base: Path) -> None:
    """The policy is exactly on-policy, also after a step: nothing that other weights read is used again."""
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]))
    made.model.eval()
    check_on_policy(made, made.engine.play(["1-0"] * 4, 0))
    with torch.no_grad():
        for name, weight in made.model.named_parameters():
            if "lora_B.default" in name:
                weight.add_(0.05 * torch.randn_like(weight))
    check_on_policy(made, made.engine.play(["1-0"] * 4, 1))


def test_the_same_step_gives_the_same_rollouts_and_another_step_others(tmp_path: Path, base: Path) -> None:
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]))
    made.model.eval()
    first, again, later = (made.engine.play(["1-0"] * 4, step) for step in (0, 0, 1))

    assert [row.completion_ids for row in first] == [row.completion_ids for row in again]
    assert [row.completion_ids for row in first] != [row.completion_ids for row in later]


def test_in_self_play_a_match_fills_a_row_for_each_seat(tmp_path: Path, base: Path) -> None:
    both = {"player_0": "live", "player_1": "live"}
    made = trainer(tmp_path, base, slots(both, ["player_0", "player_1"], self_play=True), recipe="rae")
    rows = made.engine.play(["1-0"] * 4, 0)

    assert [row.seat for row in rows] == ["player_0", "player_1"] * 2
    assert rows[0].payoff == -(rows[1].payoff or 0)
    assert rows[2].payoff == -(rows[3].payoff or 0)


def test_rows_over_the_completion_length_are_not_cut(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "MOST_COMPLETION", 2)
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]))
    widths: set[int] = set()
    loss = made._compute_loss

    def watch(model: Any, inputs: dict[str, Any]) -> Any:
        widths.add(int(inputs["completion_mask"].sum(1).max()))
        return loss(model, inputs)

    made._compute_loss = watch  # type: ignore[method-assign]  # to look on
    made.train()

    assert made.args.max_completion_length == 2
    assert min(widths) > 2


def test_a_void_match_has_no_reward_and_its_opponent_fault_is_no_move(tmp_path: Path, base: Path) -> None:
    broken = {"player_0": "live", "player_1": "mock/legal?context=1"}
    made = trainer(tmp_path, base, slots(broken, ["player_0"]))
    rows = made.engine.play(["1-0"] * 4, 0)

    assert [(row.status, row.reward, row.payoff) for row in rows] == [("void", None, None)] * 4
    assert void_share(rows) == 1.0


def test_a_step_moves_the_policy_and_our_advantages_are_the_ones_used(tmp_path: Path, base: Path) -> None:
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]), batch=8)
    seen: list[Any] = []
    loss = made._compute_loss

    def watch(model: Any, inputs: dict[str, Any]) -> Any:
        seen.append([inputs["advantages"].clone(), [int(i) for i in inputs["row"]], list(made.rows)])
        return loss(model, inputs)

    made._compute_loss = watch  # type: ignore[method-assign]  # to look on
    made.train()

    from arena.training import advantages as adv

    for values, order, rows in seen:
        wanted = adv.group([r.reward for r in rows], [r.group for r in rows], [r.seat for r in rows])
        assert values.tolist() == pytest.approx([wanted[i] for i in order], abs=1e-5)
    assert policies.greatest_b(made.model) > 0
    assert sum(entry.get("grad_norm", 0) for entry in made.state.log_history) > 0


@pytest.mark.parametrize(
    ("recipe", "params"),
    [
        ("turn", {}),
        ("turn", {"turn": "return"}),
        ("tompo", {}),
        ("group", {"prune": 0.05}),
        ("group", {"trust_region": 0.7}),
        ("group", {"importance": "sequence"}),
        ("group", {"entropy_smoothing": 0.1, "entropy_coef": 0.01}),
        ("group", {"adora": True, "filter_quantile": 0.5}),
    ],
)
def test_every_option_trains_a_step(tmp_path: Path, base: Path, recipe: str, params: dict[str, Any]) -> None:
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]), recipe=recipe, **params)
    made.train()

    losses = [entry["loss"] for entry in made.state.log_history if "loss" in entry]
    assert len(losses) == 2
    assert all(loss == loss for loss in losses)


def test_frozen_policies_of_the_same_base_share_the_model_and_stay_frozen(tmp_path: Path, base: Path) -> None:
    from tests.models.local_models import make_adapter

    folder = make_adapter(tmp_path / "opponent", base, 3)
    name = f"hf/{base}+{folder}?choice=grammar"
    made = trainer(tmp_path / "run", base, slots({"player_0": "live", "player_1": name}, ["player_0"]))
    before = {n: w.clone() for n, w in made.model.named_parameters() if ".opp_" in n}
    made.train()

    opponents = {n: w for n, w in made.model.named_parameters() if ".opp_" in n}
    assert opponents
    assert not any(w.requires_grad for w in opponents.values())
    assert all(torch.equal(w, opponents[n]) for n, w in before.items())
    assert all(w.requires_grad for n, w in made.model.named_parameters() if ".default." in n)
    assert policies.greatest_b(made.model) > 0


def test_what_the_trust_region_keeps_is_logged(tmp_path: Path, base: Path) -> None:
    """With two updates on one set of rollouts the second finds a policy that has moved by more than this region."""
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]), trust_region=0.005, num_iterations=2)
    made.train()
    kept = [entry["kept_share"] for entry in made.state.log_history if "kept_share" in entry]

    assert kept[0] == 1.0
    assert kept[1] < 1.0


def test_a_seat_that_was_never_asked_is_one_end_token_that_counts_nowhere(tmp_path: Path, base: Path) -> None:
    made = trainer(tmp_path, base, slots(FIXED, ["player_1"]))  # a bot sits there: the policy is never asked
    rows = made.engine.play(["1-0"] * 4, 0)
    end = made.engine._engine.ends[0]
    made.train()

    assert [(r.completion_ids, r.mask, r.reward, r.spans) for r in rows] == [([end], [0], None, [])] * 4
    assert all(row.payoff is not None for row in rows)
    assert [entry["grad_norm"] for entry in made.state.log_history if "grad_norm" in entry] == [0.0, 0.0]


def test_rollouts_are_played_in_eval_mode_and_training_goes_on_in_train_mode(tmp_path: Path, base: Path) -> None:
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]))
    seen: set[tuple[str, bool]] = set()
    play, loss = made.engine.play, made._compute_loss

    def watched_play(ids: Any, step: int) -> list[Rollout]:
        seen.add(("play", made.model.training))
        return play(ids, step)

    def watched_loss(model: Any, inputs: dict[str, Any]) -> Any:
        seen.add(("loss", made.model.training))
        return loss(model, inputs)

    made.engine.play, made._compute_loss = watched_play, watched_loss  # type: ignore[method-assign]  # to look on
    made.train()

    assert seen == {("play", False), ("loss", True)}


def test_entropy_that_leaves_its_running_mean_is_paid_for(tmp_path: Path, base: Path) -> None:
    """Mean 1 after the first step: 1.5 is 0.3 beyond the fifth that is free; then the mean is 0.9 x 1 + 0.1 x 1.5."""
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]), entropy_smoothing=2.0)
    made.current_gradient_accumulation_steps = 1
    inputs = {"completion_mask": torch.tensor([[1, 1, 1]]), "tool_mask": torch.tensor([[1, 0, 1]])}
    paid = []
    for values in (
        [0.5, 9.0, 1.5],
        [1.5, 9.0, 1.5],
        [1.0, 9.0, 1.0],
    ):  # the engine's token in the middle does not count
        made._entropy = torch.tensor([values])
        paid.append(float(made._smoothing(inputs)))

    assert paid == pytest.approx([0.0, 2 * 0.3, 0.0])
    assert made._mean_entropy == pytest.approx(0.9 * 1.05 + 0.1)


def test_a_step_without_any_signal_moves_nothing(tmp_path: Path, base: Path) -> None:
    """Adam's momentum alone would: the first step has a gradient, the second none."""
    made = trainer(tmp_path, base, slots(FIXED, ["player_0"]), batch=8)
    play = made.engine.play
    weights: list[dict[str, torch.Tensor]] = []

    def alike(ids: Any, step: int) -> list[Rollout]:
        weights.append({n: w.detach().clone() for n, w in made.model.named_parameters() if "lora_" in n})
        rows = play(ids, step)
        for row in rows if step else ():
            row.reward = 0.5
        return rows

    made.engine.play = alike  # type: ignore[method-assign]  # to make every reward alike
    made.train()
    after = {n: w for n, w in made.model.named_parameters() if "lora_" in n}

    assert any(not torch.equal(weights[0][n], weights[1][n]) for n in after)
    assert all(torch.equal(weights[1][n], after[n]) for n in after)
