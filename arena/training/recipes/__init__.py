"""Label recipes: pure functions from played matches to labelled rows. Being in this folder is being registered.

A recipe module has `ALGORITHMS` (what it can feed) and `label(matches, options) -> Labelled`. Those of one game stand
in that game's recipes.py and are found through the registry; those named after an advantage (`group`, `rae`, …) are no
labels: they say how GRPO weighs its rollouts, and their rows are slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from arena.core.errors import UnknownName, UsageError
from arena.core.game import Game
from arena.training.recipes.from_game import GameRecipe, game_recipe, game_recipe_names
from arena.training.record import Played
from arena.training.rows import Labelled

ADVANTAGES = ("group", "rae", "spiral", "turn", "tompo", "spo")
DEFAULTS = {"kto": "outcome", "dpo": "fork-pairs", "sft": "winner-only"}
_NOT_RECIPES = ("__init__", "from_game")


def default_recipe(algorithm: str, opponents: str, rows: str = "episode") -> str:
    """What rows are made by where nobody says it."""
    return DEFAULTS.get(algorithm) or ("rae" if opponents == "self" and rows == "episode" else "group")


class Recipe(Protocol):
    ALGORITHMS: tuple[str, ...]

    def label(self, matches: Iterable[Played], options: Mapping[str, Any]) -> Labelled: ...


@cache
def common_recipes() -> dict[str, str]:
    """Name -> module, for the recipes that fit every game."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return {f.stem.replace("_", "-"): f.stem for f in files if f.stem not in _NOT_RECIPES}


def find_recipe(name: str, algorithm: str, game: type[Game]) -> Recipe:
    """The recipe of that name; a UsageError where it does not fit the algorithm or the game."""
    if algorithm == "grpo":
        raise UsageError(f"{name}: grpo plays its own rollouts; its recipes are {', '.join(ADVANTAGES)}")
    recipe: Any
    if name in common_recipes():
        recipe = import_module(f"arena.training.recipes.{common_recipes()[name]}")
    else:
        recipe = game_recipe(name, game)
    if recipe is None:
        known = [*common_recipes(), *game_recipe_names(game)]
        raise UnknownName(f"recipe for {game.name}", name, known, hint=f"recipes: {', '.join(known)}")
    if algorithm not in recipe.ALGORITHMS:
        raise UsageError(f"the recipe {name} gives rows for {' and '.join(recipe.ALGORITHMS)}, not for {algorithm}")
    found: Recipe = recipe
    return found


def check_recipe(name: str, algorithm: str, game: type[Game]) -> None:
    """Stop where a recipe cannot feed an algorithm in a game."""
    if algorithm == "grpo":
        if name not in ADVANTAGES:
            raise UnknownName("recipe for grpo", name, ADVANTAGES, hint=f"recipes: {', '.join(ADVANTAGES)}")
    elif name in ADVANTAGES:
        raise UsageError(f"the recipe {name} is for grpo, not for {algorithm}")
    else:
        find_recipe(name, algorithm, game)


def check_labels(name: str, algorithm: str, game: type[Game], options: Mapping[str, Any]) -> None:
    """Stop where a recipe does not know an option or its value, or where all its rows have one label, which kto cannot
    use."""
    recipe = find_recipe(name, algorithm, game) if algorithm != "grpo" else None
    known = getattr(recipe, "options", ())
    for option in options:
        if option not in known:
            raise UnknownName(
                f"option of the recipe {name}", option, known, hint=f"it has {', '.join(known) or 'none'}"
            )
    if isinstance(recipe, GameRecipe):
        recipe.check(options)
    if algorithm == "kto" and getattr(recipe, "HAS_ONE_LABEL", False):
        raise UsageError(
            f"the recipe {name} gives desirable rows only, and kto needs both labels",
            hint="arena train sft takes them; arena export --format kto writes them",
        )
