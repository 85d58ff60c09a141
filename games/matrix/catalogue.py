"""The catalogue: every named stage game. Actions and seats stand in the order of the printed tables.

`safe` actions are those that guarantee most whatever the others do; where none is better than the rest (matching,
zero-sum guessing) a missing answer is drawn instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

from arena.core import ConfigError, Rng
from arena.games.matrix.rules import Action, Amount, Profile, StageGame, exact

Entries = Mapping[Profile, tuple[Amount, ...]]

CELLS = 4  # of the grid
MOVING = ("grid", "online")  # a round's game depends on the rounds before it, or on chance
_MAX_NUMBERS = 10**6  # of a tensor: n times the number of profiles
_MAX_PLAYERS = 20
_MOST = 10**15  # a payoff's size, so that sums of rounds stay finite numbers
_WRITTEN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15}|/[1-9][0-9]{0,14})?\Z")  # a decimal or a fraction


class Parameters(NamedTuple):
    """The fields of a configuration that shape its stage game; None = the scenario's own default."""

    n: int | None = None
    k: int | None = None
    values: tuple[float, ...] | None = None
    partial: bool = False
    payoffs: Any = None
    labels: Any = None


def stage_game(scenario: str, given: Parameters) -> StageGame:
    """The stage game of that name. Where payoffs are drawn at the start of a match they are 0 here."""
    if scenario not in CATALOGUE:
        raise ConfigError(f"there is no scenario {scenario!r}; there are {', '.join(CATALOGUE)}")
    if given.payoffs is not None and scenario != "custom":
        raise ConfigError(f"payoffs are given for scenario custom only, not for {scenario}")
    game = CATALOGUE[scenario](given)
    if given.n not in (None, game.n):
        raise ConfigError(f"n is {given.n}, but {scenario} is a game of {game.n}")
    sizes = {len(own) for own in game.actions}
    if given.k is not None and sizes != {given.k}:
        raise ConfigError(f"k is {given.k}, but {scenario} has {', '.join(map(str, sorted(sizes)))} actions")
    return game


# --- tables ---------------------------------------------------------------------------------------------------------


def _table(name: str, actions: Sequence[Sequence[str]], entries: Entries, **more: Any) -> StageGame:
    """A game from its payoff table. C and D of dilemma strategies are the first and the second action unless said."""
    labels = tuple(tuple(own) for own in actions)
    usual: dict[str, Any] = {
        "safe": (None,) * len(labels),
        "friendly": tuple(own[0] for own in labels),
        "selfish": tuple(own[min(1, len(own) - 1)] for own in labels),
    }
    return StageGame(name=name, actions=labels, pay=entries.__getitem__, **{**usual, **more})


def _symmetric(name: str, labels: Sequence[str], own: Sequence[Sequence[int]], safe: str | None = None) -> StageGame:
    """Two alike players; `own[a][b]` is the payoff of the one who plays a against b."""
    each = range(len(labels))
    entries: Entries = {(labels[a], labels[b]): (own[a][b], own[b][a]) for a, b in product(each, each)}
    return _table(name, (labels, labels), entries, safe=(safe, safe), dilemma=name in _DILEMMAS)


def _two(name: str, rows: Sequence[str], columns: Sequence[str], cells: Any, **more: Any) -> StageGame:
    entries: Entries = {(r, c): cells[i][j] for (i, r), (j, c) in product(enumerate(rows), enumerate(columns))}
    return _table(name, (rows, columns), entries, **more)


_DILEMMAS = ("ipd", "ipd_mcg", "conflict", "stag", "chicken")


def _trust(given: Parameters) -> StageGame:
    """The investor keeps, (sends half,) or sends; the trustee returns or keeps."""
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    levels = {
        "keep": [(0, 0), (0, 0)],
        "send half": [(half, half), (-quarter, 3 * quarter)],
        "send": [(1, 1), (-1, 2)],
    }
    if not given.partial:
        del levels["send half"]
    return _two(
        "trust",
        tuple(levels),
        ("return", "keep"),
        list(levels.values()),
        roles=("investor", "trustee"),
        safe=("keep", "keep"),
        friendly=("send", "return"),
        selfish=("keep", "keep"),
        dilemma=True,
    )


def _coordination(given: Parameters) -> StageGame:
    """All choose the same action j: a_j each (1 unless `values` says otherwise); else nothing."""
    n, k = given.n or 2, given.k or (len(given.values) if given.values else 2)
    worth = [exact(v) for v in given.values] if given.values else [1] * k
    if len(worth) != k or min(worth) <= 0:
        raise ConfigError(f"values must hold k = {k} positive numbers, not {list(given.values or ())}")
    labels = _letters(k)
    _check_size(n, [k] * n)
    value = dict(zip(labels, worth, strict=True))
    entries: Entries = {p: (value[p[0]] if len(set(p)) == 1 else 0,) * n for p in product(labels, repeat=n)}
    return _table("coordination", (labels,) * n, entries)


# --- tensors --------------------------------------------------------------------------------------------------------

_SAMPLE_TENSOR = [[[2, 2], [0, 1]], [[1, 0], [1, 1]]]  # a small stag hunt, so that `matrix/custom` can be played


def _custom(given: Parameters) -> StageGame:
    tensor = _SAMPLE_TENSOR if given.payoffs is None else given.payoffs
    sizes: list[int] = []
    level = tensor
    while isinstance(level, list | tuple) and level and isinstance(level[0], list | tuple):
        sizes.append(len(level))
        level = level[0]
    _check_size(len(sizes), sizes)
    labels = _custom_labels(given.labels, sizes)
    entries: dict[Profile, tuple[Amount, ...]] = {}
    _read(tensor, sizes, labels, (), entries)
    game = _table("custom", labels, entries)
    return replace(game, roles=("row", "column")) if game.n == 2 and not game.is_symmetric else game


def _read(level: Any, sizes: list[int], labels: Any, at: Profile, into: dict[Profile, tuple[Amount, ...]]) -> None:
    """Take in payoffs[a0][a1]… = [u0, u1, …] below the profile `at`."""
    where = "".join(f"[{labels[i].index(a)}]" for i, a in enumerate(at))
    width = sizes[len(at)] if len(at) < len(sizes) else len(sizes)
    if not isinstance(level, list | tuple) or len(level) != width or not sizes:
        raise ConfigError(f"payoffs{where} must be a list of {width or 'at least 1'}: payoffs[a0][a1]… = [u0, u1, …]")
    if len(at) < len(sizes):
        for label, inner in zip(labels[len(at)], level, strict=True):
            _read(inner, sizes, labels, (*at, label), into)
        return
    for number in level:
        written = isinstance(number, str) and _WRITTEN.match(number)
        if not written and (type(number) not in (int, float) or not abs(number) <= _MOST):
            raise ConfigError(f'payoffs{where} must hold finite numbers (or text like "2/3"), not {number!r}')
    into[at] = tuple(exact(number) for number in level)


def _custom_labels(given: Any, sizes: list[int]) -> tuple[tuple[str, ...], ...]:
    """The actions' names: one list for everybody, or one for each player."""
    if given is None:
        return tuple(_letters(size) for size in sizes)
    if not isinstance(given, list | tuple) or not given:
        raise ConfigError(f"labels must be a list of words, or one list for each player, not {given!r}")
    lists = given if isinstance(given[0], list | tuple) else [given] * len(sizes)
    if [len(own) for own in lists] != sizes:
        raise ConfigError(f"labels must name {sizes} actions, player by player, not {[len(own) for own in lists]}")
    for own in lists:
        plain_words = all(isinstance(w, str) and w.strip() == w != "" and w.isprintable() and len(w) <= 40 for w in own)
        if not plain_words or len({str(w).casefold() for w in own}) != len(own) or any("|" in w for w in own):
            raise ConfigError(f"labels must be different words of 1 to 40 printable characters, not {list(own)}")
    return tuple(tuple(own) for own in lists)


def _random(given: Parameters) -> StageGame:
    """Payoffs are drawn for each match; here they are 0."""
    n, k = given.n or 2, given.k or 3
    _check_size(n, [k] * n)
    labels = (_letters(k),) * n
    return _table("matrix_random", labels, dict.fromkeys(product(*labels), (0,) * n), bounds=(-10, 10))


def random_game(blank: StageGame, rng: Rng) -> StageGame:
    """`matrix_random` with its payoffs: integers from -10 to 10, independent and uniform."""
    return _table(
        blank.name,
        [[str(label) for label in own] for own in blank.actions],
        {profile: tuple(rng.randint(-10, 10) for _ in blank.actions) for profile in blank.profiles()},
        bounds=blank.bounds,
    )


def game_from_rows(like: StageGame, rows: Sequence[Mapping[str, Any]]) -> StageGame:
    """The game that a payoff table as JSON says."""
    entries = {tuple(r["actions"].values()): tuple(map(exact, r["payoffs"].values())) for r in rows}
    return _table(like.name, [[str(label) for label in own] for own in like.actions], entries, bounds=like.bounds)


# --- formulas -------------------------------------------------------------------------------------------------------


def _cournot(given: Parameters) -> StageGame:
    """Quantities 0..60, price max(0, 100 - Q), unit cost 10. Without a market (price 0) all that was made is lost."""
    n = given.n or 2

    def pay(made: Profile) -> tuple[Amount, ...]:
        margin = max(0, 100 - sum(map(int, made))) - 10
        return tuple(margin * int(q) for q in made)

    return _numbers(
        "cournot",
        n,
        range(61),
        pay,
        safe=0,
        friendly=45 // n,
        selfish=round(90 / (n + 1)),
        bounds=(-600, 2025),
        declared_best_sum=2025,
    )


def _bertrand(given: Parameters) -> StageGame:
    """Prices 0..100, cost 10, demand 100 - p at the lowest price, which ties share."""
    n = given.n or 2

    def pay(prices: Profile) -> tuple[Amount, ...]:
        low = min(map(int, prices))
        share = Fraction((low - 10) * (100 - low), prices.count(low))
        amount = share.numerator if share.denominator == 1 else share
        return tuple(amount if price == low else 0 for price in prices)

    return _numbers(
        "bertrand", n, range(101), pay, safe=10, friendly=55, selfish=11, bounds=(-1000, 2025), declared_best_sum=2025
    )


def _public_goods(given: Parameters) -> StageGame:
    """Endowment 20; what is contributed is multiplied by 1.6 and shared equally."""
    n = given.n or 4
    rate = Fraction(8, 5) / n

    def pay(given_in: Profile) -> tuple[Amount, ...]:  # in parts of 5 n, so that one Fraction a player is made
        give = [int(g) for g in given_in]
        shared = 8 * sum(give)
        return tuple(Fraction((20 - g) * 5 * n + shared, 5 * n) for g in give)

    return _numbers(
        "public_goods",
        n,
        range(21),
        pay,
        safe=0,
        friendly=20,
        selfish=0,
        bounds=(20 * rate, 20 + 20 * rate * (n - 1)),
        declared_best_sum=32 * n,
    )


def _trust_amount(given: Parameters) -> StageGame:
    """The investor sends x of 10, the trustee gets 3x and returns y of it. The trustee acts second, knowing x."""

    def pay(moved: Profile) -> tuple[Amount, ...]:
        sent, returned = map(int, moved)
        return 10 - sent + returned, 3 * sent - returned

    return StageGame(
        name="trust_amount",
        actions=(range(11), range(31)),
        pay=pay,
        safe=(0, 0),
        friendly=(10, 15),
        selfish=(0, 0),
        roles=("investor", "trustee"),
        bounds=(0, 30),
        declared_best_sum=30,
    )


def _numbers(
    name: str, n: int, actions: range, pay: Any, *, safe: int, friendly: int, selfish: int, **more: Any
) -> StageGame:
    if not 2 <= n <= _MAX_PLAYERS:
        raise ConfigError(f"{name} needs 2 to {_MAX_PLAYERS} players, not n = {n}")
    return StageGame(
        name=name,
        actions=(actions,) * n,
        pay=pay,
        safe=(safe,) * n,
        friendly=(friendly,) * n,
        selfish=(selfish,) * n,
        dilemma=True,
        **more,
    )


# --- games that move on from round to round -------------------------------------------------------------------------


def grid_game(first: int, second: int) -> StageGame:
    """The grid with the seats at these cells of a line of four: a step left or right for both, walls stop.

    After the step, r_0 = pos_0 - 2 (3 - pos_1) and r_1 = (3 - pos_1) - 2 pos_0: each likes to have gone far, and loses
    double for what the other has gone. Staying home is friendly.
    """
    far = CELLS - 1

    def pay(steps: Profile) -> tuple[Amount, ...]:
        here, there = moved(first, steps[0]), far - moved(second, steps[1])
        return here - 2 * there, there - 2 * here

    ways = ("left", "right")
    return StageGame(
        name="grid",
        actions=(ways, ways),
        pay=pay,
        safe=("right", "left"),
        friendly=("left", "right"),
        selfish=("right", "left"),
        dilemma=True,
        bounds=(-2 * far, far),
        declared_best_sum=0,
    )


def moved(cell: int, step: Action) -> int:
    return max(0, cell - 1) if step == "left" else min(CELLS - 1, cell + 1)


def loss_game(losses: Sequence[Amount]) -> StageGame:
    """One player, one loss for each action; the payoff is the loss, negative."""
    labels = _letters(len(losses))
    entries: Entries = {(label,): (-loss,) for label, loss in zip(labels, losses, strict=True)}
    return _table("online", (labels,), entries, bounds=(-1, 0))


CATALOGUE: dict[str, Callable[[Parameters], StageGame]] = {
    "ipd": lambda _: _symmetric("ipd", ("cooperate", "defect"), [[3, 0], [5, 1]], safe="defect"),
    "ipd_mcg": lambda _: _symmetric("ipd_mcg", ("cooperate", "defect"), [[-1, -3], [0, -2]], safe="defect"),
    "conflict": lambda _: _symmetric("conflict", ("0", "1"), [[0, -1], [2, 0]], safe="1"),
    "rps": lambda _: _symmetric("rps", ("rock", "paper", "scissors"), [[0, -1, 1], [1, 0, -1], [-1, 1, 0]]),
    "pennies": lambda _: _two(
        "pennies",
        ("heads", "tails"),
        ("heads", "tails"),
        [[(1, -1), (-1, 1)], [(-1, 1), (1, -1)]],
        roles=("row", "column"),
    ),
    "stag": lambda _: _symmetric("stag", ("stag", "hare"), [[4, 0], [3, 3]], safe="hare"),
    "chicken": lambda _: _symmetric("chicken", ("swerve", "straight"), [[3, 1], [4, 0]], safe="swerve"),
    "bos": lambda _: _two(
        "bos",
        ("opera", "football"),
        ("opera", "football"),
        [[(3, 2), (0, 0)], [(0, 0), (2, 3)]],
        roles=("row", "column"),
    ),
    "coordination": _coordination,
    "high_low": lambda _: _symmetric("high_low", ("high", "low"), [[2, 0], [0, 1]]),
    "trust": _trust,
    "trust_amount": _trust_amount,
    "cournot": _cournot,
    "bertrand": _bertrand,
    "public_goods": _public_goods,
    "matrix_random": _random,
    "custom": _custom,
    "online": lambda given: loss_game([0] * (given.k or 3)),
    "grid": lambda _: grid_game(0, CELLS - 1),
}


def _letters(k: int) -> tuple[str, ...]:
    return tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:k]) if k <= 26 else tuple(str(i + 1) for i in range(k))


def _check_size(n: int, sizes: Sequence[int]) -> None:
    if n > _MAX_PLAYERS:
        raise ConfigError(f"a game has at most {_MAX_PLAYERS} players, not {n}")
    numbers = n
    for size in sizes:
        numbers *= size
    if numbers > _MAX_NUMBERS:
        raise ConfigError(f"n times the number of profiles is {numbers}; at most {_MAX_NUMBERS} are allowed")
