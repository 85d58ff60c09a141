"""Recipes of one game: the functions of that game's own recipes.py, found through the registry.

A game's recipes.py defines `RECIPES = {"name": function}`, or has one recipe that its docstring's first line names in
backticks and that is its function `rows`. Two input shapes are understood, told apart by the fields of the module's
own `Played`: (match, calls), and (id, match, turns). Rows come back in the game's words and get ours added. A recipe
that is left with one label alone raises the module's `OneLabel`, if it has one.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from arena.core.canonical import digest
from arena.core.errors import UsageError
from arena.core.game import Game
from arena.registry import game_package
from arena.training.record import Played, Sent
from arena.training.rows import Labelled, NothingToLearn, Trainee, hashed, source_of, split_of


class GameRecipe:
    """One game's recipe, as a recipe of ours."""

    ALGORITHMS: tuple[str, ...] = ("kto",)

    def __init__(self, name: str, module: Any, function: Callable[..., Any]) -> None:
        self.name, self._module, self._function = name, module, function

    @property
    def options(self) -> tuple[str, ...]:
        """What `--param label=key=value` may set."""
        return tuple(key for key in inspect.signature(self._function).parameters if key not in ("matches", "seed"))

    def check(self, options: Mapping[str, Any]) -> None:
        """Stop on values that the recipe does not take; it is tried on no match at all."""
        for key, value in options.items():
            default = inspect.signature(self._function).parameters[key].default
            if isinstance(default, bool) and not isinstance(value, bool):
                raise UsageError(f"--param label: {key} of {self.name} is true or false, not {value!r}")
        try:
            self._function([], **options)
        except TypeError as error:
            raise UsageError(f"--param label: {self.name} does not take {dict(options)}: {error}") from error

    def label(self, matches: Iterable[Played], options: Mapping[str, Any]) -> Labelled:
        """Prompts as sent and raw replies: these recipes are defined so. Options that the function knows are passed."""
        trainee: Trainee = options.get("trainee") or Trainee()
        known = inspect.signature(self._function).parameters
        passed = {key: value for key, value in options.items() if key in known and key != "matches"}
        played = [m for m in matches if m.fork is None]
        inputs = [self._played(m, trainee) for m in played]
        try:
            made = self._function(inputs, **passed)
        except getattr(self._module, "OneLabel", ()) as error:
            raise NothingToLearn(str(error)) from error
        own = made.rows if hasattr(made, "rows") else made
        found = Labelled()
        by_deal = _index(played, trainee)
        for row in own:
            m, sent = by_deal[_place(row)]
            found.rows.append(self._whole(row, m, sent))
        found.drop("no rule of the recipe fits", sum(len(trainee.turns(m)) for m in played) - len(found.rows))
        if found.drops["no rule of the recipe fits"] <= 0:
            del found.drops["no rule of the recipe fits"]
        return found

    def _played(self, m: Played, trainee: Trainee) -> Any:
        fields = _fields(self._module.Played)
        turns = trainee.turns(m)
        if "calls" in fields:
            call = self._module.Call
            return self._module.Played(
                m.match, [call(s.turn, s.as_sent, s.last_reply, s.status, "self") for s in turns]
            )
        sent = self._module.Sent
        return self._module.Played(
            m.key, m.match, {s.turn: sent(s.as_sent, s.last_reply, s.status, True) for s in turns}
        )

    def _whole(self, row: Mapping[str, Any], m: Played, sent: Sent) -> dict[str, Any]:
        ours = {
            "id": row.get("id") or f"{m.key}:{sent.turn}",
            "run": m.run,
            "match": m.key,
            "turn": sent.turn,
            "seat": sent.seat,
            "role": m.roles.get(sent.seat) or m.match.sides.get(sent.seat) or sent.seat,
            "ask": sent.ask,
            "weight": 1.0,
            "recipe": self.name,
            "reason": str(row.get("reason") or row.get("rule") or ""),
            "split": split_of(m.key),
            "source": source_of(m, sent.seat),
        }
        return hashed(dict(row) | ours)


def game_recipe_names(game: type[Game]) -> list[str]:
    return list(_recipes(game))


def game_recipe(name: str, game: type[Game]) -> GameRecipe | None:
    """The game's recipe of that name, if it has one."""
    found = _recipes(game).get(name)
    return GameRecipe(name, *found) if found else None


def game_mix(game: type[Game]) -> Any:
    """The mix of opponents that the game's recipes.py declares as MIX, or None."""
    return getattr(_module(game), "MIX", None)


def _recipes(game: type[Game]) -> dict[str, tuple[Any, Callable[..., Any]]]:
    module = _module(game)
    if module is None:
        return {}
    if hasattr(module, "RECIPES"):
        return {name: (module, function) for name, function in module.RECIPES.items()}
    named = re.search(r"`([a-z0-9-]+)`", (module.__doc__ or "").split("\n", 1)[0])
    return {named[1]: (module, module.rows)} if named and hasattr(module, "rows") else {}


def _module(game: type[Game]) -> Any:
    name = f"{game_package(game)}.recipes"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def _fields(cls: Any) -> tuple[str, ...]:
    return tuple(getattr(cls, "_fields", ()) or cls.__dataclass_fields__)


def _place(row: Mapping[str, Any]) -> tuple[Any, int]:
    return (row["match"] if "match" in row else ("deal", row["deal"], row["seat"], _first_words(row)), row["turn"])


def _index(played: Iterable[Played], trainee: Trainee) -> dict[tuple[Any, int], tuple[Played, Sent]]:
    """Every turn under the ways in which a game's row may say which one it is from."""
    found: dict[tuple[Any, int], tuple[Played, Sent]] = {}
    for m in played:
        for sent in trainee.turns(m):
            found[m.key, sent.turn] = (m, sent)
            said = {"prompt": sent.as_sent, "completion": [{"content": sent.last_reply}]}
            found[("deal", m.match.deal_seed, sent.seat, _first_words(said)), sent.turn] = (m, sent)
    return found


def _first_words(row: Mapping[str, Any]) -> str:
    """What tells apart two matches of one deal: what was said to the seat, and by it."""
    return digest([[dict(m) for m in row["prompt"]], row["completion"][0]["content"]])
