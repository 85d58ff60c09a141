"""Games of one simultaneous choice: their payoff table from the engine, and how exploitable a policy's answers are.

It is computed from the frequencies with which a policy answered. These are a sample, and noise alone makes a best
reply look better than it is, so the figure is biased upwards: beside it stands what a uniformly random player would
score with as many answers. On one deal and seed a policy answers alike against every opponent; that is one answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from arena.core.asks import Choice
from arena.core.game import Game
from arena.core.match import Match
from arena.core.seeds import stream
from arena.training.record import read_played
from arena.training.setup import Run

MOST_OPTIONS = 20
DRAWS = 1000  # samples of the random player
Shares = Mapping[str, float]


class Table(NamedTuple):
    """Two seats, their options, and what both are paid for each pair of them."""

    seats: tuple[str, str]
    options: tuple[Sequence[str], Sequence[str]]
    paid: Mapping[tuple[str, str], tuple[float, float]]


def table_of(game: Game) -> Table | None:
    """The table, or None where the game is no single choice of two seats, or chance has a part in it."""
    found = None
    for seed in (1, 2):
        opened = Match(game, seed).pending()
        if len(opened) != 2 or game.seat_count() != 2 or not all(isinstance(ask, Choice) for ask in opened.values()):
            return None
        first, second = opened
        options = tuple(list(ask.options or ()) for ask in opened.values())
        if max(map(len, options)) > MOST_OPTIONS:
            return None
        paid = {}
        for a in options[0]:
            for b in options[1]:
                match = Match(game, seed)
                match.submit(first, a)
                match.submit(second, b)
                if match.payoffs is None:
                    return None
                paid[a, b] = (match.payoffs[first], match.payoffs[second])
        table = Table((first, second), (options[0], options[1]), paid)
        if found is not None and table != found:
            return None
        found = table
    return found


def exploitability(table: Table, first: Shares, second: Shares) -> float:
    """Half of what both seats together could gain by best replies against these frequencies."""
    values = ([0.0] * len(table.options[0]), [0.0] * len(table.options[1]))
    now = [0.0, 0.0]
    for i, a in enumerate(table.options[0]):
        for j, b in enumerate(table.options[1]):
            p, q = first.get(a, 0.0), second.get(b, 0.0)
            one, two = table.paid[a, b]
            values[0][i] += q * one
            values[1][j] += p * two
            now[0] += p * q * one
            now[1] += p * q * two
    return (max(values[0]) - now[0] + max(values[1]) - now[1]) / 2


def of_uniform(table: Table, answers: tuple[int, int], seed: int) -> float:
    """The mean exploitability of a uniformly random player, measured by as many answers in each seat."""
    rng = stream(seed, "exploitability")
    found = []
    for _ in range(DRAWS):
        said = [Counter(rng.choices(own, k=n)) for own, n in zip(table.options, answers, strict=True)]
        found.append(exploitability(table, _shares(said[0]), _shares(said[1])))
    return fmean(found)


def _shares(counts: Counter[str]) -> Shares:
    return {answer: n / counts.total() for answer, n in counts.items()}


def exploitabilities(run: Run, names: Sequence[str], tag: str) -> list[dict[str, Any]] | None:
    """Of each policy, by what it answered in the matches of a tag; None where the game has no table."""
    table = table_of(run.game)
    if table is None:
        return None
    said: dict[tuple[str, str], dict[tuple[int, int], str]] = {}
    for played in read_played(run.folder, tags=[tag]):
        for turn in played.match.turns:
            of_seat = said.setdefault((played.agents[turn.seat], turn.seat), {})
            of_seat.setdefault((played.match.deal_seed, played.match.seed), str(turn.answer))
    found, random = [], dict[tuple[int, int], float]()
    for name in names:
        first, second = (Counter(said.get((name, seat), {}).values()) for seat in table.seats)
        answers = first.total(), second.total()
        if all(answers):
            if answers not in random:
                random[answers] = of_uniform(table, answers, run.settings.seed)
            value = exploitability(table, _shares(first), _shares(second))
            row = {"policy": name, "exploitability": value, "answers": sum(answers), "uniform": random[answers]}
            found.append(row)
    return found
