"""Names of agents: from text to who decides, with every option typed and one canonical spelling.

    parse_name("cot:openai/gpt-5-mini?temperature=0.7")  ->  AgentName(methods=(("cot", {}),), model=ModelName(…), …)

`parse(canonical) == canonical` for every name. A name that stands in a file (`@NAME`, `league/NAME`) is expanded layer
by layer: the file's own options go over those of the name it holds, those written by the user over the file's. Such a
name keeps its own word in tables (`league/x`, and `@x` if the file says what no name can: a persona, prompts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from arena.core.bots import Bot, options_of
from arena.core.canonical import digest
from arena.core.config import Frozen
from arena.core.errors import ArenaError, UnknownName, UsageError
from arena.core.game import Game
from arena.models import clients, files
from arena.models.grammar import LONGEST, Parts, Target, join, parse_list, split
from arena.models.options import AGENT, Component, Options, assign, defaults, missing, show, spelled
from arena.models.redact import looks_like_key, masked
from arena.registry import common_bots, game_bot_aliases, game_bots, game_names, load_game, methods

__all__ = ["AgentName", "AgentSpec", "ModelName", "find_bot", "parse_list", "parse_name", "resolve"]

_DEEPEST = 8  # files that name files
_NO_KEY = frozenset({"revision"})  # a commit's hash looks like a key


@dataclass(frozen=True)
class ModelName:
    """One model at one place. `options` holds every option of its client and the common set, defaults filled in."""

    provider: str
    model: str
    adapter: str | None = None
    url: str | None = None
    options: Mapping[str, Any] = Frozen()

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", Frozen(self.options))

    @cached_property
    def _hash(self) -> int:
        return hash((self.provider, self.model, self.adapter, self.url, self.options))

    def __hash__(self) -> int:  # every call looks its model up
        return self._hash

    @cached_property
    def client(self) -> str:
        """Which client serves it: openai, litellm, hf, gguf or mock."""
        return clients.client_of(self.provider, self.url, self.options.get("client"))

    @cached_property
    def canonical(self) -> str:
        usual = defaults(clients.client_options(self.client))
        given = [(key, show(value)) for key, value in self.options.items() if value != usual.get(key)]
        return join((), Target("model", self.model, self.provider, self.adapter, self.url), given)

    @property
    def bare(self) -> str:
        """The model without adapter, place and options, as `[models."openai/gpt-5-mini"]` of a run file names it."""
        return f"{self.provider}/{self.model}"

    def __str__(self) -> str:
        return self.canonical


@dataclass(frozen=True)
class AgentName:
    """Who decides for a seat. `methods` are (name, options), outermost first; `bot` is the canonical name behind
    `bot/`. `expanded` is the name without references to files, `source_hash` the hash of the files it came from."""

    canonical: str
    display: str
    kind: Literal["model", "bot", "human"]
    methods: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    bot: str = ""
    bot_options: Mapping[str, Any] = Frozen()
    model: ModelName | None = None
    memory: str = "full"
    persona: str = ""
    prompts: str | None = None
    expanded: str = ""
    source_hash: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What the record keeps of an agent, enough to make it again where its files are gone or changed."""
        kept = ("canonical", "display", "kind", "expanded", "persona", "prompts", "source_hash")
        return {key: getattr(self, key) for key in kept if getattr(self, key)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], game: type[Game] | None = None) -> AgentName:
        """The agent of a record, from its expanded name: no file is read."""
        kept = ("canonical", "display", "persona", "prompts", "source_hash")
        return replace(parse_name(data["expanded"], game), **{key: data[key] for key in kept if key in data})


class AgentSpec(NamedTuple):
    """An agent of a command line: which seat, role or side it is for, if that is said, and who it is."""

    selector: str | None
    agent: AgentName


def parse_name(text: str, game: type[Game] | None = None) -> AgentName:
    """The agent that one name means at a table of `game`; a UsageError holds all that is wrong with it."""
    agent, faults = _Reader(game).read(text)
    if agent is None:
        raise UsageError("; ".join(faults))
    return agent


def resolve(
    items: str | Iterable[str | tuple[str | None, str]], game: type[Game] | None = None, *, ready: bool = True
) -> list[AgentSpec]:
    """Every agent of a command, or one UsageError with all faults of all names.

    `ready` also asks whether each model could be reached from here: its package, key and files.
    """
    whole: list[tuple[str | None, str]] = []
    for item in [items] if isinstance(items, str) else items:
        whole += parse_list(item) if isinstance(item, str) else [item]
    reader, specs, faults = _Reader(game), [], []
    for selector, text in whole:
        agent, found = reader.read(text)
        if agent is not None:
            specs.append(AgentSpec(selector, agent))
            if ready and agent.model is not None:
                found = [f"{agent.display}: {fault}" for fault in clients.missing(agent.model)]
        faults += [fault for fault in found if fault not in faults]
    if faults:
        many = f"{len(faults)} faults in the agents:\n  " if len(faults) > 1 else ""
        is_name = any("there is no" in fault or "no kind of agent" in fault for fault in faults)
        hint = "`arena agents` lists bots, methods and clients" if is_name else None
        raise UsageError(many + "\n  ".join(faults), hint=hint)
    return specs


def find_bot(name: str, game: type[Game] | None = None) -> tuple[str, Bot]:
    """The canonical name and the function of a bot: the playing game's own first, then those of agents/; `GAME-NAME`
    names a game's bot where no game is given."""
    if game is not None and (own := _own_bot(name, game)):
        return own
    if name in common_bots():
        return name, common_bots()[name]
    for other in game_names():
        if name.startswith(f"{other}-") and (own := _own_bot(name, load_game(other))):
            if game is not None:
                raise UsageError(f"bot/{name} plays {other}, not {game.name}")
            return own
    known = [*common_bots(), *(game_bots(game) if game else ()), *(game_bot_aliases(game) if game else ())]
    hint = f"`arena games {game.name}` lists its bots" if game else "a game's bot is named bot/GAME-NAME"
    raise UnknownName("bot", name, known, hint=hint)


def _own_bot(name: str, game: type[Game]) -> tuple[str, Bot] | None:
    bots, aliases = game_bots(game), game_bot_aliases(game)
    for word in (name, name.removeprefix(f"{game.name}-")):
        full = aliases.get(word, word)
        if full in bots:
            return f"{game.name}-{full}", bots[full]
    return None


class _Layer(NamedTuple):
    """What one name wrote around its target: the user's own is the last layer, a file's inner name the first."""

    methods: tuple[str, ...]
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Expanded:
    """A name with its files read. The canonical name spells out the layers from `spelled_from` on, around `shown`."""

    target: Target
    layers: tuple[_Layer, ...]
    shown: Target
    spelled_from: int = 0
    persona: str = ""
    prompts: str | None = None
    hashes: tuple[str, ...] = ()


class _Reader:
    """Reads names at a table of one game."""

    def __init__(self, game: type[Game] | None) -> None:
        self.game = game

    def read(self, text: str) -> tuple[AgentName | None, list[str]]:
        """The agent, or why there is none."""
        try:
            parts = split(text)
            expanded = _expand(parts, (), 0)
            agent, faults = self._agent(parts, expanded)
        except ArenaError as error:
            return None, [f"{error.message} ({error.hint})" if error.hint else error.message]
        shown = masked(text)
        return (None, [f"{shown}: {fault}" for fault in faults]) if faults else (agent, [])

    def _agent(self, parts: Parts, whole: _Expanded) -> tuple[AgentName | None, list[str]]:
        target, layers = whole.target, whole.layers
        faults = _typed_keys(layers)
        components: list[Component] = []
        if target.kind == "bot":
            name, options = self._bot(target, faults)
            target, components = target._replace(name=name), [Component("bot", options)]
        elif target.kind == "model":
            components = _model(target, layers, faults)
        stack = tuple(method for layer in reversed(layers) for method in layer.methods)
        faults += _method_faults(stack, target)
        if target.kind != "model" and (whole.persona or whole.prompts):
            faults.append("a persona and prompts are for models")
        if faults:
            return None, faults
        given = _given(layers, components, whole.spelled_from, faults)
        faults += missing(given.components, given.values)
        return (None, faults) if faults else (_made(parts, replace(whole, target=target), stack, given), [])

    def _bot(self, target: Target, faults: list[str]) -> tuple[str, Options]:
        """A bot's canonical name and its options."""
        try:
            name, bot = find_bot(target.name, self.game)
        except ArenaError as error:
            faults.append(f"{error.message} ({error.hint})" if error.hint else error.message)
            return target.name, {}
        return name, options_of(bot)


class _Given(NamedTuple):
    """All components of a name, every option that was given, and those that the canonical name does not spell."""

    components: Sequence[Component]
    values: Mapping[tuple[str, str], Any]
    unspelled: Mapping[tuple[str, str], Any]

    def spell(self, methods: Sequence[str], target: Target, *, known: Mapping[tuple[str, str], Any]) -> str:
        """The name with the options that differ from their defaults, or from what is `known` without being said."""
        usual = {(c.name, key): value for c in self.components for key, (_, value) in c.options.items()} | dict(known)
        said = [(slot, value) for slot, value in self.values.items() if value != usual.get(slot)]
        return join(methods, target, [(spelled(self.components, *slot), show(value)) for slot, value in said])

    def whole(self) -> dict[str, Mapping[str, Any]]:
        """Every component's options, defaults filled in."""
        options = {c.name: defaults(c.options) for c in self.components}
        for (component, key), value in self.values.items():
            options[component][key] = value
        return {name: Frozen(values) for name, values in options.items()}


def _made(parts: Parts, whole: _Expanded, stack: Sequence[str], given: _Given) -> AgentName:
    target = whole.target
    outer = tuple(method for layer in reversed(whole.layers[whole.spelled_from :]) for method in layer.methods)
    shown = target if whole.shown.kind == "bot" else whole.shown
    canonical = given.spell(outer, shown, known=given.unspelled)
    if len(canonical) > LONGEST:
        raise UsageError(f"{canonical[:60]}… is longer than {LONGEST} characters")
    options = given.whole()
    agent = AgentName(
        canonical=canonical,
        display=join(parts.methods, parts.target, parts.options) if whole.hashes else canonical,
        kind="human" if target.kind == "human" else "bot" if target.kind == "bot" else "model",
        methods=tuple((name, options[name]) for name in stack),
        persona=whole.persona,
        prompts=whole.prompts,
        expanded=given.spell(stack, target, known={}),
        source_hash=digest(list(whole.hashes)) if whole.hashes else None,
    )
    if target.kind == "bot":
        return replace(agent, bot=target.name, bot_options=options["bot"])
    if target.kind == "model":
        model = ModelName(target.provider, target.name, target.adapter, target.url, options["model"])
        return replace(agent, model=model, memory=str(options["agent"]["memory"]))
    return agent


def _expand(parts: Parts, chain: tuple[str, ...], depth: int) -> _Expanded:
    """Read the files that a name stands for, down to a bot, a human or a model."""
    target, own = parts.target, _Layer(parts.methods, parts.options)
    if target.kind not in ("file", "league"):
        if target.provider in ("hf", "gguf"):
            target = _at_home(target)
        return _Expanded(target, (own,), target)
    word = join((), target, ())
    if word in chain:
        raise UsageError(f"{' -> '.join((*chain, word))}: these files name each other")
    if depth >= _DEEPEST:
        raise UsageError(f"{chain[0]} stands for files that name files more than {_DEEPEST} deep")
    said = files.read_policy(target.name) if target.kind == "league" else files.read_agent(target.name)
    inner = _expand(split(said.text), (*chain, word), depth + 1)
    layers = (*inner.layers, _Layer(said.methods, said.options))
    keeps_word = target.kind == "league" or bool(said.persona or said.prompts)
    return _Expanded(
        inner.target,
        (*layers, own),
        target if keeps_word else inner.shown,
        len(layers) if keeps_word else inner.spelled_from,
        said.persona or inner.persona,
        said.prompts or inner.prompts,
        (*inner.hashes, said.sha256),
    )


def _at_home(target: Target) -> Target:
    """`~` in a path is expanded; environment variables are not."""
    from pathlib import Path

    def whole(path: str) -> str:
        return str(Path(path).expanduser()) if path.startswith("~") else path

    return target._replace(name=whole(target.name), adapter=target.adapter and whole(target.adapter))


def _model(target: Target, layers: Sequence[_Layer], faults: list[str]) -> list[Component]:
    """The components of a model's name. Which client it has, and so which options, may itself be an option."""
    if unknown := clients.unknown_provider(target.provider):
        faults.append(unknown)
        return []
    wanted = [value for layer in layers for key, value in layer.options if key in ("client", "model.client")]
    if target.provider in clients.LOCAL:
        if target.url:
            faults.append(f"{target.provider} has no URL: `@URL` says where a server is that speaks HTTP")
        if wanted:
            faults.append(f"{target.provider} has one client; `client` chooses between those that speak HTTP")
    if faults or (wanted and wanted[-1] not in ("openai", "litellm")):
        wanted = []
    options = clients.client_options(clients.client_of(target.provider, target.url, wanted[-1] if wanted else None))
    return [Component("model", options), Component("agent", AGENT)]


def _method_faults(stack: Sequence[str], target: Target) -> list[str]:
    faults = [UnknownName("method", name, methods()).message for name in stack if name not in methods()]
    if stack and target.kind in ("human", "bot"):
        who = "a human" if target.kind == "human" else f"bot/{target.name}"
        faults.append(f"the method {stack[-1]} needs a model to work with, and {who} is none")
    return faults + [f"the method {name} stands twice" for name in dict.fromkeys(stack) if stack.count(name) > 1]


def _typed_keys(layers: Sequence[_Layer]) -> list[str]:
    return [
        f"the value of {key} looks like a key; put it into an environment variable and write key_env=NAME"
        for layer in layers
        for key, value in layer.options
        if key.rpartition(".")[2] not in _NO_KEY and looks_like_key(value)
    ]


def _given(layers: Sequence[_Layer], components: list[Component], spelled_from: int, faults: list[str]) -> _Given:
    """The options of all layers, inner ones first, so that outer ones win.

    A key of an inner layer is read among the components of that layer and those inside it, so that wrapping a file
    in one more method cannot make its options ambiguous.
    """
    values: dict[tuple[str, str], Any] = {}
    unspelled: dict[tuple[str, str], Any] = {}
    for number, layer in enumerate(layers):
        components = [*(Component(name, methods()[name].options) for name in layer.methods), *components]
        found, wrong = assign(components, layer.options)
        faults += wrong
        values |= found
        if number < spelled_from:
            unspelled |= found
    return _Given(components, values, unspelled)
