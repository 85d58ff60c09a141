"""What a training run is told to do: resolved once, checked before anything starts, frozen in RUN/config.toml.

Every field of `Params` is a `--param key=value`. What is not set is filled in by algorithm here (`filled`), so the
frozen file is complete and a run never depends on a default of a later release. A key that a file of an earlier release
lacks is read as it was meant then (`_OF_OLD`).
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from arena.core.canonical import digest
from arena.core.config import Config, option
from arena.core.errors import UnknownName, UsageError

Algorithm = Literal["sft", "kto", "dpo", "grpo"]
Reference = Literal["base", "previous", "initial"]
ALGORITHMS: tuple[str, ...] = get_args(Algorithm)
REFERENCES: tuple[str, ...] = get_args(Reference)
POPULATIONS = ("self", "latest", "fsp", "pfsp", "psro", "fxp", "game")


class Params(Config):
    """Fields of `--param`, with their meaning."""

    # the adapter and the optimiser
    lora_r: int = option(8, "rank of the LoRA adapter", low=1, high=1024)
    lora_alpha: int = option(16, "scale of the LoRA adapter", low=1, high=4096)
    batch: int = option(8, "rows in one forward pass; grpo: rollouts", low=1, high=4096)
    accumulation: int = option(1, "forward passes in one optimiser step", low=1, high=4096)
    lr_schedule: Literal["constant", "linear", "cosine"] = option("constant", "how the learning rate goes")
    warmup_steps: int = option(
        0, "steps before the learning rate is whole; it rises evenly to it, and no step has none", low=0
    )
    max_grad_norm: float = option(1.0, "gradients are scaled down to this norm", low=0)
    beta: float | None = option(None, "strength of the reference; default 0.1, grpo 0 (no reference)", low=0)
    loss: str | None = option(None, "the trainer's loss type; several for dpo with +, as sigmoid+sft")
    label_smoothing: float | None = option(
        None, "loss robust, exo_pair, aot: share of pairs taken for wrong; default 0.1, 0.001, 0", low=0, high=0.49
    )
    save_steps: int = option(25, "steps between checkpoints", low=1)
    keep_checkpoints: bool = option(False, "keep iter_k/train/ after the policy is registered")
    report_to: tuple[str, ...] = option((), "further writers of the curves: tensorboard, wandb, trackio")
    dtype: Literal["auto", "fp32", "bf16"] = option("auto", "weights of the base; auto = bf16 on CUDA, else fp32")
    gradient_checkpointing: bool = option(False, "less memory, slower steps")

    # rows
    prompts: Literal["accepted", "as_sent"] = option("accepted", "as_sent: with re-asks and raw replies (ablation)")
    illegal_share: float = option(0.2, "most illegal rows among the undesirable ones", low=0, high=1)
    label: tuple[str, ...] = option((), "options of a game's own recipe, as trajectory=true")
    delta: float = option(0.0, "outcome: how far from the mean a payoff must be", low=0)
    max_length: int | None = option(None, "tokens of a row; default: what the longest row needs, at most the context")
    overflow: Literal["fail", "drop", "shorten"] = option("fail", "rows over max_length (fail: above 1 %)")
    init: Literal["champion", "last", "base"] | None = option(
        None, "where an iteration's weights start; default champion, psro base"
    )
    update: Literal["both", "alternate"] = option("both", "several roles: all of them in an iteration, or in turn")

    # forks (dpo)
    fork_states: int = option(4, "decision points of a match that are branched", low=1)
    fork_k: int = option(4, "candidate answers at each", low=2, high=64)
    fork_rollouts: int = option(8, "continuations of each candidate", low=1)
    fork_margin: float = option(0.05, "least difference of a pair, as a share of the payoff range", low=0, high=1)
    rollout_agent: str | None = option(
        None, "who plays the continuations in the models' seats; default: they themselves"
    )
    nash: Literal["none", "extragradient"] = option(
        "none", "extragradient: train a half-way policy, let it collect, train again from the champion"
    )

    # grpo
    rows: Literal["episode", "turn"] = option("episode", "a seat's whole match, or one answer at a recorded decision")
    num_generations: int = option(8, "rollouts of one slot", low=2)
    num_iterations: int = option(1, "updates on one set of rollouts", low=1)
    scale_rewards: Literal["group", "none"] = option("group", "divide advantages by the group's spread")
    illegal_penalty: float = option(0.1, "taken off the reward for each illegal answer", low=0)
    rae_decay: float = option(0.95, "how much of a baseline stays at each update", low=0, high=1)
    rae_start: Literal["collect", "zero"] = option("collect", "baselines start at the collect stage's means, or at 0")
    turn: Literal["mixed", "return"] = option("mixed", "recipe turn: outcome and turn terms, or returns")
    turn_weight: float = option(1.0, "recipe turn: weight of the turn term", low=0)
    tompo_alpha: float = option(0.5, "recipe tompo: weight of the welfare term", low=0, high=1)
    importance: Literal["token", "sequence"] | None = option(
        None, "importance ratios of tokens, or of whole rows (GSPO); default token, luspo sequence"
    )
    trust_region: float = option(
        0.0, "mask a rollout if a token's log-ratio exceeds this (0.7 is usual); 0 = off", low=0
    )
    prune: float = option(0.0, "drop tokens below this share of the most likely one (0.005 is usual); 0 = off", low=0)
    entropy_coef: float = option(0.0, "bonus for entropy", low=0)
    adaptive_entropy: bool = option(False, "adapt the bonus to a target of 0.2")
    top_entropy: float = option(1.0, "train on this share of tokens, those with most entropy", low=0, high=1)
    entropy_smoothing: float = option(0.0, "penalty on entropy that leaves its running mean by a fifth", low=0)
    adora: bool = option(False, "weigh slots whose mean reward rises by 1.25, falls by 0.75")
    filter_quantile: float = option(0.0, "skip groups whose reward spread is below this quantile", low=0, high=1)

    # opponents, evaluation, gate
    pool: tuple[str, ...] = option((), "further opponents in the pool")
    pfsp: Literal["hard", "even"] = option("hard", "weights of pfsp: (1-p)^2 or p(1-p)")
    meta: Literal["auto", "nash", "alpharank", "uniform"] = option(
        "auto",
        "psro: how the pool is weighed; auto: nash if two sides share a fixed sum, else alpharank; roles uniform",
    )
    anchors: tuple[str, ...] = option((), "fixed opponents of evaluation; default: those of --opponents, else bots")
    transfer: str | None = option(
        None, "a preset of the game that is only evaluated on, as nyc/midtown; never gated by"
    )
    gate_margin: float = option(0.0, "a candidate's lower bound must exceed this")
    final_matches: int | None = option(None, "deals of the final report; default as --eval-matches", low=0)


_BETA = {"sft": 0.0, "kto": 0.1, "dpo": 0.1, "grpo": 0.0}
_LOSS = {"sft": "nll", "kto": "kto", "dpo": "sigmoid", "grpo": "dapo"}
LOSSES = {
    "sft": ("nll",),
    "kto": ("kto", "apo_zero_unpaired"),
    "dpo": (
        "sigmoid", "ipo", "hinge", "robust", "sppo_hard", "apo_zero", "apo_down", "nca_pair", "exo_pair", "bco_pair",
        "aot", "sigmoid_norm", "sft",
    ),
    "grpo": ("dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo", "luspo", "vespo"),
}  # fmt: skip
SMOOTHED = {"robust": 0.1, "exo_pair": 1e-3, "aot": 0.0}  # the losses that read label_smoothing, with its default
_OF_OLD = {"label_smoothing": 0.0}  # what a release without this field trained with
_LR = {"sft": 2e-4, "kto": 5e-5, "dpo": 5e-5, "grpo": 5e-5}
WRITERS = ("tensorboard", "wandb", "trackio")
GRPO_STEPS = 50
TURN_RECIPES = ("group", "spo")
_PLACES = ("league_folder", "home", "device", "budget")  # what a run may be given anew: none of it is measured


@dataclass(frozen=True)
class TrainSettings:
    """A whole training run, resolved. `league_folder` and `home` are absolute: a run is resumed by its folder alone."""

    algorithm: str
    game: str
    model: str
    seed: int
    league: str
    league_folder: str
    recipe: str
    lr: float
    set: Mapping[str, Any] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    opponents: str = "self"
    iterations: int = 1
    matches: int = 256
    eval_matches: int = 200
    steps: int | None = None
    reference: str = "previous"
    gate: str = "ci"
    budget: float | None = None
    device: str = "auto"
    home: str = ""  # where relative names (models, league files) were meant from
    params: Params = field(default_factory=lambda: Params.make({}))

    def as_json(self) -> dict[str, Any]:
        """Every field; what is None is left out, since TOML has no word for it."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "params"}
        values |= {"set": dict(self.set), "roles": list(self.roles)}
        values["params"] = {k: v for k, v in self.params.as_json().items() if v is not None}
        return {key: value for key, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrainSettings:
        values = dict(data)
        values["roles"] = tuple(values.get("roles", ()))
        return filled(cls(**values | {"params": Params.make(_OF_OLD | values.get("params", {}))}))

    def sha256(self) -> str:
        """What makes this run this run; where the league lies and which device computes does not."""
        return digest({k: v for k, v in self.as_json().items() if k not in _PLACES})

    @property
    def beta(self) -> float:
        return _BETA[self.algorithm] if self.params.beta is None else self.params.beta

    @property
    def losses(self) -> tuple[str, ...]:
        """The trainer's loss types. Where none is named, `spiral` means dr_grpo, GSPO's importance ratios grpo, and
        `nash` ipo."""
        default = _LOSS[self.algorithm]
        if self.algorithm == "grpo":
            default = (
                "dr_grpo" if self.recipe == "spiral" else "grpo" if self.params.importance == "sequence" else default
            )
        elif self.params.nash != "none":
            default = "ipo"
        return tuple((self.params.loss or default).split("+"))

    @property
    def init(self) -> str:
        """Where an iteration's weights start: a best response of psro is trained from the base."""
        return self.params.init or ("base" if self.opponents == "psro" else "champion")

    @property
    def fixed_opponents(self) -> tuple[str, ...]:
        """Names given as opponents; empty where a population is."""
        from arena.models.names import parse_list

        if self.opponents in POPULATIONS or self.opponents.startswith("league:"):
            return ()
        return tuple(f"{s}={n}" if s else n for s, n in parse_list(self.opponents))

    @property
    def is_self_play(self) -> bool:
        """Whether rollouts are of the live policy in all seats."""
        return self.opponents == "self"

    def roles_of(self, k: int) -> tuple[str, ...]:
        """The roles that iteration k updates; one without a name where every seat is trained."""
        roles = self.roles or ("",)
        return (roles[(k - 1) % len(roles)],) if self.params.update == "alternate" else roles

    def policy(self, role: str, k: int) -> str:
        """The league's name of a role's policy after iteration k."""
        middle = f"-{role}" if role and len(self.roles) > 1 else ""
        return f"{self.league}{middle}-k{k}"


def filled(settings: TrainSettings) -> TrainSettings:
    """The settings with every field written out whose default depends on others."""
    s, p = settings, settings.params
    importance = "sequence" if s.losses[0] == "luspo" else "token"
    values: dict[str, Any] = {
        "beta": s.beta,
        "loss": "+".join(s.losses),
        "label_smoothing": max(SMOOTHED.get(loss, 0.0) for loss in s.losses),
        "importance": importance,
        "init": s.init,
    }
    return replace(s, params=replace(p, **{k: v for k, v in values.items() if getattr(p, k) is None}))


def check(settings: TrainSettings) -> None:
    """Everything that can be known to be wrong before any work. Names and recipes are checked by the caller."""
    s, p = settings, settings.params
    if s.algorithm not in ALGORITHMS:
        raise UnknownName("algorithm", s.algorithm, ALGORITHMS, hint=f"algorithms: {', '.join(ALGORITHMS)}")
    if s.reference not in REFERENCES:
        raise UsageError(f"--reference is one of {', '.join(REFERENCES)}, not {s.reference!r}")
    if s.gate not in ("ci", "none"):
        raise UsageError(f"--gate is ci or none, not {s.gate!r}")
    if not (s.lr > 0 and math.isfinite(s.lr)):
        raise UsageError(f"--lr must be a number above 0, not {s.lr:g}: nothing would be learned")
    if s.device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"--device is auto, cpu or cuda, not {s.device!r}")
    if p.nash != "none" and s.algorithm != "dpo":
        raise UsageError(f"--param nash={p.nash} is for dpo, not for {s.algorithm}")
    if "/" not in s.opponents and ":" not in s.opponents and s.opponents not in POPULATIONS:
        raise UnknownName("population of opponents", s.opponents, POPULATIONS, hint="or names, as bot/random")
    for word in p.report_to:
        if word not in WRITERS:
            raise UnknownName("writer of curves", word, WRITERS)
    for word in s.losses:
        if word not in LOSSES[s.algorithm]:
            known = f"it has {', '.join(LOSSES[s.algorithm])}"
            raise UnknownName(f"loss of {s.algorithm}", word, LOSSES[s.algorithm], hint=known)
    if s.algorithm != "dpo" and len(s.losses) > 1:
        raise UsageError(f"{s.algorithm} takes one loss, not {'+'.join(s.losses)}")
    if "exo_pair" in s.losses and p.label_smoothing == 0:
        raise UsageError("--param label_smoothing must be above 0 for the loss exo_pair")
    if s.algorithm == "kto" and p.batch < 2:
        raise UsageError("kto needs a batch of at least 2: it measures its KL term on mismatched rows of a batch")
    if s.algorithm == "grpo":
        _check_grpo(s)
    elif p.rows == "turn":
        raise UsageError("--param rows=turn is for grpo; every row of the others is one answer")
    if s.league.startswith(".") or "/" in s.league or not s.league:
        raise UsageError(f"--league is a plain name, not {s.league!r}")


def _check_grpo(s: TrainSettings) -> None:
    p = s.params
    if (p.batch * p.accumulation) % p.num_generations:
        raise UsageError(
            f"num_generations ({p.num_generations}) must divide batch x accumulation ({p.batch * p.accumulation})",
            hint=f"--param batch={p.num_generations * max(1, round(p.batch / p.num_generations))}",
        )
    if p.rows == "turn" and s.recipe not in TURN_RECIPES:
        raise UsageError(
            f"--param rows=turn compares answers to one ask; its recipes are {', '.join(TURN_RECIPES)}, not {s.recipe}"
        )
    if s.recipe == "spo" and p.rows != "turn":
        raise UsageError("the recipe spo ranks answers to one ask", hint="--param rows=turn")
    if s.recipe == "group" and s.is_self_play and p.rows == "episode":
        raise UsageError(
            "the recipe group compares attempts in one seat against frozen opponents; in self-play seats are mixed",
            hint="--recipe rae, or --opponents NAME",
        )


def default_lr(algorithm: str) -> float:
    return _LR.get(algorithm, 5e-5)


def default_batch(algorithm: str) -> int:
    return 16 if algorithm == "grpo" else 8


def parse_params(pairs: Sequence[str], algorithm: str, given: Mapping[str, Any] | None = None) -> Params:
    """`key=value` pairs over a file's table; values as JSON where they are JSON, else text; lists by commas."""
    values: dict[str, Any] = {"batch": default_batch(algorithm), **(given or {})}
    for pair in pairs:
        key, mark, text = pair.partition("=")
        if not mark:
            raise UsageError(f"--param {pair!r}: write key=value")
        if key in ("pool", "anchors", "label", "report_to"):
            values[key] = [part for part in text.split(",") if part]
            continue
        values[key] = _value(text)
    known = [f.name for f in fields(Params)]
    for key in values:
        if key not in known:
            flag = f"--{key.replace('_', '-')} is a flag of its own" if key in known_keys() else ""
            raise UnknownName("training param", key, known, hint=flag or "docs/cli.md lists them")
    return Params.make(values)


def label_options(params: Params) -> dict[str, Any]:
    """`label` as keywords of a recipe."""
    pairs = [pair.partition("=") for pair in params.label]
    if wrong := [key for key, mark, _ in pairs if not mark]:
        raise UsageError(f"--param label={wrong[0]}: write label=key=value")
    return {key: _value(text) for key, _, text in pairs}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# --- the file -------------------------------------------------------------------------------------------------------


def to_toml(settings: TrainSettings) -> str:
    """The frozen file: plain keys first, then the tables."""
    values = settings.as_json()
    tables = {key: values.pop(key) for key in ("set", "params")}
    lines = [f"{key} = {toml_value(value)}" for key, value in values.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {toml_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def from_toml(path: Path) -> TrainSettings:
    return TrainSettings.from_json(read_file(path))


def file_sha256(path: Path) -> str:
    """The hash of the settings that a file holds, as `sha256` of those that it was written from: a field that a later
    release adds changes nothing."""
    return digest({key: value for key, value in read_file(path).items() if key not in _PLACES})


def read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error


def known_keys() -> tuple[str, ...]:
    """What a --config file may hold."""
    return tuple(f.name for f in fields(TrainSettings) if f.name not in ("league_folder", "home"))


def toml_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def differing(old: TrainSettings, new: TrainSettings) -> list[str]:
    """The fields in which two runs differ, once both are filled in."""
    old, new = filled(old), filled(new)
    a, b = old.as_json(), new.as_json()
    keys = [k for k in dict.fromkeys([*a, *b]) if k not in (*_PLACES, "params")]
    found = [k for k in keys if a.get(k) != b.get(k)]
    unread = () if "psro" in (old.opponents, new.opponents) else ("meta",)  # its default was another one once
    params = [k for k in asdict(new.params) if k not in unread]
    return found + [k for k in params if getattr(old.params, k) != getattr(new.params, k)]
