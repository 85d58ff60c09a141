"""Games of one simultaneous choice: their payoff table from the engine, and how exploitable a policy's answers are.

Exact for the frequencies with which a policy answered; the frequencies themselves are a sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from arena.core.asks import Choice
from arena.core.game import Game
from arena.core.match import Match
from arena.training.record import read_played
from arena.training.setup import Run

MOST_OPTIONS = 20
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


def exploitabilities(run: Run, names: Sequence[str], tag: str) -> list[dict[str, Any]] | None:
    """Of each policy, by what it answered in the matches of a tag; None where the game has no table."""
    table = table_of(run.game)
    if table is None:
        return None
    said: dict[tuple[str, str], Counter[Any]] = {}
    for played in read_played(run.folder, tags=[tag]):
        for turn in played.match.turns:
            said.setdefault((played.agents[turn.seat], turn.seat), Counter())[turn.answer] += 1
    found = []
    for name in names:
        counts = [said.get((name, seat), Counter()) for seat in table.seats]
        if all(counts):
            first, second = ({answer: n / own.total() for answer, n in own.items()} for own in counts)
            n = sum(own.total() for own in counts)
            found.append({"policy": name, "exploitability": exploitability(table, first, second), "answers": n})
    return found
