"""Rating methods by name. Being in the table below, or an entry point of the group `arena.ratings`, is being one.

A method is an object with `name` and `rate(table, *, seed, bootstrap, **options) -> Rated(table, meta)`; the table has
the column `agent` and the method's own. A built-in method is a module of this package, imported when it is asked for.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol

from arena.core.errors import UnknownName

if TYPE_CHECKING:
    from pandas import DataFrame

    from arena.leaderboards.rated import Rated

# name: module, what it says. `all` runs those of RANKING that apply; `plain` counts and has its columns on every board.
BUILT_IN = {
    "bt": ("bt", "Bradley-Terry and team logit, with roles, offsets and clustered intervals"),
    "elo": ("elo", "sequential Elo, for display: no interval"),
    "pl": ("pl", "Plackett-Luce for matches of many, ties included"),
    "alpharank": ("alpharank", "alpha-Rank mass at infinite alpha, with uncertainty"),
    "nash": ("nash", "maximum-entropy Nash averaging and the cyclic share"),
    "composite": ("composite", "one Bradley-Terry over several games, each counting the same"),
    "plain": ("plain", "win rates, payoffs, failures and costs, counted"),
}
RANKING = ("bt", "elo", "pl", "alpharank", "nash", "composite")


class Method(Protocol):
    """What every rating method is, whoever wrote it."""

    name: str

    def rate(self, table: DataFrame, *, seed: int, bootstrap: int, **options: Any) -> Rated: ...


class UnknownMethod(UnknownName, ValueError):
    """No rating method of that name."""

    kind = "unknown_rating"


def names() -> list[str]:
    """Every method, the built-in ones first."""
    return [*BUILT_IN, *sorted(third_party().keys() - BUILT_IN.keys())]


def describe() -> dict[str, str]:
    """What each built-in method is, in one line; of the others the place where they come from."""
    own = {name: text for name, (_, text) in BUILT_IN.items()}
    return own | {name: point.value for name, point in third_party().items() if name not in own}


def find(name: str) -> Any:
    """The method called `name`: a module or an object with `name` and `rate`."""
    if name in BUILT_IN:
        return import_module(f"arena.leaderboards.{BUILT_IN[name][0]}")
    if name in third_party():
        return third_party()[name].load()
    raise UnknownMethod("rating method", name, names(), hint="`arena ratings` lists the methods")


@cache
def third_party() -> dict[str, EntryPoint]:
    """The methods that installed packages add."""
    return {point.name: point for point in entry_points(group="arena.ratings")}
