"""A training run before anything happens: its settings joined with what they name, every fault found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from arena.core.bots import is_control
from arena.core.errors import ArenaError, UsageError
from arena.core.game import Game
from arena.core.match import Match
from arena.models.adapters import check_adapter
from arena.models.grammar import escape
from arena.models.hf_client import find_model
from arena.models.names import find_bot, parse_name
from arena.registry import game_bots, make_game
from arena.store.reader import Reader
from arena.training import population
from arena.training.adapters.policies import device_of
from arena.training.evaluate import OTHERS, trained_seats, words
from arena.training.jsonfile import read_json
from arena.training.league import Start, check_free, find_start
from arena.training.play import Table, Watch, resolved
from arena.training.prompt_sizes import check_context
from arena.training.recipes import check_labels, check_recipe
from arena.training.settings import POPULATIONS, SMOOTHED, WRITERS, TrainSettings, check, filled, label_options

INSTALL = "pip install 'parley-arena[train]'"
_DEALS = 8  # of a transfer preset, looked at for the roles in them
_MOST_BOTS = 4  # of a game's own among the default anchors


@dataclass
class Run:
    """The parts of a run that every stage needs. `watch` and `say` are for whoever looks on."""

    folder: Path
    settings: TrainSettings
    start: Start
    game: Game
    preset: str
    watch: Watch | None = None
    say: Any = field(default=lambda text: None)
    part: str = ""  # `half`: the first pass of an extragradient iteration

    @property
    def table(self) -> Table:
        s = self.settings
        return Table(self.folder, s.game, dict(s.set), s.seed, s.budget, self.watch)

    @property
    def league(self) -> Path:
        return Path(self.settings.league_folder)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that are trained; one without a name where every seat is."""
        return self.settings.roles or ("",)

    def roles_of(self, k: int) -> tuple[str, ...]:
        return self.settings.roles_of(k)

    def iteration(self, k: int, role: str = "") -> Path:
        """Where a role's files of an iteration are."""
        folder = self.folder / f"iter_{k:04d}" / self.part
        return folder / role if role and len(self.roles) > 1 else folder

    def tags(self, k: int) -> tuple[str, str]:
        """The tags of an iteration's collected matches and of their forks. What the champion plays is `collect/K`; what
        the half-way policy of an extragradient iteration plays is `half/K`."""
        is_second = self.settings.params.nash == "extragradient" and not self.part
        return (f"half/{k}", f"half-forks/{k}") if is_second else (f"collect/{k}", f"forks/{k}")

    def champion(self, role: str, k: int) -> str:
        """The last promoted policy of a role before iteration k."""
        best = 0
        for j in range(1, k):
            gate = replace(self, part="").iteration(j, role) / "gate.json"
            if role in self.roles_of(j) and gate.is_file() and read_json(gate)["promoted"]:
                best = j
        return f"league/{self.settings.policy(role, best)}"

    def kept(self, role: str, k: int) -> frozenset[int]:
        """The iterations before k that left a role's policy as it was."""
        gates = {j: replace(self, part="").iteration(j, role) / "gate.json" for j in range(1, k)}
        own = {j: gate for j, gate in gates.items() if role in self.roles_of(j) and gate.is_file()}
        return frozenset(j for j, gate in own.items() if read_json(gate).get("kept"))

    def evaluation(self, k: int, role: str) -> str:
        """The tag of a role's evaluation: its own, so that what one role plays changes no other's hashes."""
        return f"eval/{k}/{role}" if role and len(self.roles) > 1 else f"eval/{k}"

    def transfer(self, k: int, role: str) -> str:
        """The tag of a role's evaluation on a preset that nothing is trained on."""
        return self.evaluation(k, role).replace("eval/", "transfer/", 1)

    def relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def name_of_adapter(self, adapter: Path) -> str:
        """The name by which a policy plays before it is in the league."""
        target, mark, options = self.start.base.partition("?")
        methods = "".join(f"{method}:" for method in self.start.methods)
        text = f"{methods}{target}+{escape(str(adapter.resolve()))}{mark}{options}"
        return parse_name(text, type(self.game)).canonical

    def as_recorded(self, player: str) -> str:
        """The name under which the record holds an adapter of this run: it has the folder's place of then in it."""
        game = type(self.game)
        if (place := _adapter_of(player, game)) is None:
            return player
        with Reader(self.folder) as reader:
            known = [agent["name"] for agent in reader.agents().values() if agent["kind"] == "model"]
        if player in known:
            return player
        tail = place.relative_to(self.folder.resolve()).as_posix()
        there = [n for n in known if (p := _adapter_of(n, game)) is not None and p.as_posix().endswith(f"/{tail}")]
        return there[-1] if there else player

    def bounds(self) -> tuple[float, float] | None:
        found = self.game.payoff_bounds()
        return (float(found[0]), float(found[1])) if found is not None else None


def _adapter_of(name: str, game: type[Game]) -> Path | None:
    """Where the adapter of an agent is, if it is one of a base and no policy of the league."""
    model = None if name.startswith("league/") else parse_name(name, game).model
    return Path(model.adapter) if model is not None and model.adapter is not None else None


def set_up(folder: Path, settings: TrainSettings, *, watch: Watch | None = None, say: Any = None) -> Run:
    """The run, or a UsageError: nothing is written and no model is loaded here."""
    need_packages()
    settings = filled(settings)
    check(settings)
    game, preset = make_game(settings.game, settings.set)
    check_recipe(settings.recipe, settings.algorithm, type(game))
    check_labels(settings.recipe, settings.algorithm, type(game), label_options(settings.params))
    start = find_start(settings.model, type(game))
    _check_options(settings, start)
    if settings.device == "cuda":
        device_of(settings.device)
    run = Run(folder, settings, start, game, preset, watch, say or (lambda text: None))
    _check_roles(run)
    _check_opponents(run)
    _check_rollouts(run)
    _check_transfer(run)
    return run


def check_sizes(run: Run) -> None:
    """Stop where prompts do not fit, those of the preset that is only evaluated on included: nothing is trained there,
    so the context alone is its limit."""
    p = run.settings.params
    check_context(run.game, run.start, p.max_length)
    if p.transfer is not None:
        check_context(make_game(p.transfer, {})[0], run.start, None, name=p.transfer)


def check_names(run: Run) -> None:
    """Stop if a name that a new run will register is taken."""
    s = run.settings
    check_free(run.league, [s.policy(role, k) for role in run.roles for k in range(s.iterations + 1)], "")


def check_new(settings: TrainSettings) -> None:
    """What no new run may ask for, though runs of earlier releases that did are gone on with."""
    s, p = settings, settings.params
    if missing := [name for name in p.report_to if name in WRITERS and find_spec(name) is None]:
        raise UsageError(f"--param report_to needs {', '.join(missing)}", hint=f"pip install {' '.join(missing)}")
    if s.opponents == "psro" and s.roles and p.meta not in ("auto", "uniform"):
        raise UsageError(
            f"psro weighs policies by {p.meta} where one policy holds every seat, not with --role",
            hint="--param meta=uniform",
        )
    readers = [loss for loss in s.losses if loss in SMOOTHED]
    if s.algorithm == "dpo" and p.label_smoothing and not readers:
        raise UsageError(
            f"--param label_smoothing is read by the losses {', '.join(SMOOTHED)}, not by {'+'.join(s.losses)}"
        )
    if len(readers) > 1:
        raise UsageError(f"the losses {' and '.join(readers)} would share one label_smoothing; take one of them")


def need_packages() -> None:
    """Every package that training needs, said at once with the command that installs it."""
    missing = [name for name in ("torch", "transformers", "trl", "peft", "datasets") if find_spec(name) is None]
    if missing:
        raise UsageError(f"training needs {', '.join(missing)}", hint=INSTALL)


def _check_options(settings: TrainSettings, start: Start) -> None:
    if settings.algorithm != "grpo":
        return
    if start.options.get("temperature") not in (None, 1.0):
        raise UsageError("grpo samples at temperature 1; leave temperature out of the model's name")
    for key in ("top_p", "top_k", "min_p"):
        if start.options.get(key) is not None:
            raise UsageError(f"grpo samples from the whole distribution; leave {key} out of the model's name")
    if start.options.get("choice") == "score":
        raise UsageError("grpo needs log-probabilities of single tokens; choice=score draws whole options")
    if start.memory != "full":
        raise UsageError(
            f"grpo trains on a seat's whole match, which memory={start.memory} cuts",
            hint="leave memory out of the model's name",
        )
    if start.methods:
        raise UsageError("grpo trains on a seat's whole match, which needs a model without a method around it")


def _check_roles(run: Run) -> None:
    for role in run.settings.roles:
        _check_word(run, role)
    if len(set(run.settings.roles)) < len(run.settings.roles):
        raise UsageError(f"--role names a role twice: {', '.join(run.settings.roles)}")


def _check_transfer(run: Run) -> None:
    """Another preset of the game, in whose every deal somebody plays each trained role."""
    if (other := run.settings.params.transfer) is None:
        return
    game, _ = make_game(other, {})
    if game.name != run.game.name:
        raise UsageError(f"--param transfer names another preset of {run.game.name}, not {other}")
    for role in run.settings.roles:
        if not all(trained_seats(Match(game, deal), game, role, 0) for deal in range(_DEALS)):
            raise UsageError(f"--param transfer: {other} has deals without {role!r}, which --role trains")


def _check_rollouts(run: Run) -> None:
    """Of whole matches: in self-play each fills one row for each trained seat; rewards are scaled by known bounds."""
    s = run.settings
    if s.algorithm != "grpo" or s.params.rows == "turn":
        return
    if s.recipe == "group" and run.bounds() is None:
        raise UsageError(
            f"{run.game.name} declares no payoff bounds, and the recipe group collects no match to take them from",
            hint="--recipe rae or turn, or --param rows=turn, plays a collect stage",
        )
    if not s.is_self_play:
        return
    if len(s.roles) > 1:
        raise UsageError(
            "grpo in self-play trains one shared policy", hint="leave --role out, or name one role at a time"
        )
    seats = len(trained_seats(Match(run.game, 0), run.game, s.roles[0], 0)) if s.roles else run.game.seat_count()
    if s.params.num_generations % seats:
        raise UsageError(
            f"num_generations ({s.params.num_generations}) must be a multiple of the {seats} trained seats",
            hint=f"--param num_generations={seats * 4}",
        )


def _check_word(run: Run, word: str) -> None:
    """Stop on what is no role, side or seat of the game."""
    match = Match(run.game, 0)
    known = list(dict.fromkeys(word for seat in match.seats for word in words(match, seat)))
    if word not in known:
        raise UsageError(f"{run.game.name} has no role, side or seat {word!r}; it has {', '.join(known)}")


def _check_opponents(run: Run) -> None:
    """Names that do not resolve are faults now, not in iteration 3."""
    s = run.settings
    anchored = [_with_word(text) for text in s.params.anchors]
    names = [*s.params.pool, *(name for _, name in anchored)]
    sides = [word for word, _ in anchored]
    if s.params.rollout_agent is not None:
        names.append(s.params.rollout_agent)
    if s.opponents not in POPULATIONS:
        entries = population.opponents(s, type(run.game), "", 1, "")
        names += [entry.name for entry in entries]
        sides += [entry.side for entry in entries]
    elif s.opponents == "game":
        names += [entry.name for entry in population.from_mix(type(run.game))]
    for word in filter(None, sides):
        _check_word(run, word)
    specs = resolved([name for name in names if name != population.LEARNER], type(run.game))
    for model in (spec.agent.model for spec in specs):
        if model is not None and model.provider == "hf" and model.adapter is not None:
            folder, _ = find_model(model.model, model.options)
            check_adapter(Path(model.adapter).expanduser(), {model.model, str(folder), str(folder.resolve())})


def anchors(run: Run, role: str) -> tuple[str, ...]:
    """The fixed opponents of evaluation: those named, else those of training, else for a role the other sides' bots of
    the game's mix or the file, else the game's scripted bots (controls and bots that cannot play this preset left out)
    and the untrained start."""
    s = run.settings
    if s.params.anchors or s.fixed_opponents:
        return tuple(_recorded(text, run) for text in s.params.anchors or s.fixed_opponents)
    if not role:
        return ("bot/random", *_bots(run.game), f"league/{s.policy('', 0)}")
    has_names = s.opponents == "game" or s.opponents.startswith("league:")
    entries = population.opponents(s, type(run.game), role, 1, population.LEARNER) if has_names else []
    others = [e for e in entries if e.name != population.LEARNER and e.side != role]
    named = tuple(dict.fromkeys(f"{e.side}={e.name}" if e.side else e.name for e in others))
    return named or ("bot/random", *_bots(run.game))


def met(run: Run, role: str, own: str) -> tuple[str, ...]:
    """Whom a role's policies meet in evaluation: where opponents are not fixed, `own` head to head and the anchors. A
    role cannot meet its own policy: it meets those of the other roles, or where only it is trained the untrained
    start."""
    if run.settings.fixed_opponents:
        return anchors(run, role)
    head = own if not role else OTHERS if len(run.roles) > 1 else f"league/{run.settings.policy(role, 0)}"
    return tuple(dict.fromkeys([head, *anchors(run, role)]))


def rest(run: Run, role: str) -> str:
    """Who holds what nobody is named for where a role is evaluated: the untrained start."""
    return f"league/{run.settings.policy(role, 0)}" if role else ""


def _with_word(text: str) -> tuple[str, str]:
    """NAME or WORD=NAME, taken apart; an equals sign of the name's own options is none."""
    word, mark, name = text.partition("=")
    return (word, name) if mark and "/" not in word else ("", text)


def _recorded(text: str, run: Run) -> str:
    """The same, with the name as the record writes it."""
    word, name = _with_word(text)
    return f"{word}={name}" if (name := population.recorded(name, type(run.game))) and word else name


def _bots(game: Game) -> Sequence[str]:
    found: list[str] = []
    for name in sorted(game_bots(type(game))):
        if len(found) < _MOST_BOTS and _can_play(game, name):
            found.append(f"bot/{game.name}-{name}")
    return found


def _can_play(game: Game, name: str) -> bool:
    from arena.core.bots import options_of
    from arena.run.match_task import play_bots
    from arena.run.players import BotPlayer

    _, bot = find_bot(name, type(game))
    if is_control(bot):
        return False
    player = BotPlayer(name, bot, {key: default for key, (_, default) in options_of(bot).items()})
    match = Match(game, 1)
    try:
        play_bots(match, dict.fromkeys(match.seats, player), "probe")
    except (ArenaError, LookupError, TypeError, ValueError, StopIteration):
        return False  # a bot of another preset
    return True
