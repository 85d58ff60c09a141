"""From a pair table or a match table to comparisons: agents, cells, clusters, tallies and the table of who beat whom.

A `type` is what one side of a comparison is: an agent, or a team with its agents, roles and offset levels. Equal
comparisons are one cell, so that the cost of a fit does not grow with the number of matches.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from arena.core.errors import UsageError
from arena.leaderboards.arrays import Floats, Ints
from arena.leaderboards.fitting.clusters import Clusters, by_label, by_row
from arena.leaderboards.fitting.existence import Edges
from arena.leaderboards.fitting.likelihoods import Cells
from arena.leaderboards.matches import need_two


@dataclass(frozen=True)
class Comparisons:
    """`one_on_one`: single agents against each other, two to a match. `n_self`: mirror matches, which say nothing."""

    agents: list[Hashable]
    cells: Cells
    clusters: Clusters
    edges: Edges
    tallies: DataFrame  # by agent code: n_matches, n_wins, n_ties, n_losses
    n_matches: int
    n_self: int
    one_on_one: bool


def is_pair_table(table: DataFrame) -> bool:
    """A pair table has a, b and score; a match table never has all three."""
    return {"a", "b", "score"} <= set(table.columns)


def pair_columns(table: DataFrame) -> tuple[list[Hashable], Ints, Ints, Floats, Floats | None]:
    """Agents and the checked columns of a pair table: agent codes of a and b, score, weight (None: all 1)."""
    if not len(table):
        raise UsageError("the pair table is empty")
    agents, a, b = _codes(table["a"], table["b"])
    score = _numbers(table, "score")
    if not (score.min() >= 0 and score.max() <= 1):
        _refuse(table, "score", ~((score >= 0) & (score <= 1)), "lies outside [0, 1]")
    weight = None
    if "weight" in table:
        weight = _numbers(table, "weight")
        _refuse(table, "weight", ~((weight > 0) & (weight < np.inf)), "is not a finite number above 0")
    _refuse(table, "b", a == b, "compares an agent with itself")
    need_two(agents)
    return agents, a, b, score, weight


def _numbers(table: DataFrame, column: str) -> Floats:
    try:
        return table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{column}: a value is not a number") from error


def _refuse(table: DataFrame, column: str, bad: Any, problem: str) -> None:
    if bad.any():
        raise UsageError(f"{column}: row {table.index[int(np.flatnonzero(bad)[0])]} {problem}")


def _codes(a: pd.Series, b: pd.Series) -> tuple[list[Hashable], Ints, Ints]:
    """Sorted agent labels, and a code for each entry. Small integers are counted, everything else is hashed."""
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":
        x, y = a.to_numpy(), b.to_numpy()
        low, high = int(min(x.min(), y.min())), int(max(x.max(), y.max()))
        if high - low < 100_000:
            x, y = x - low, y - low
            seen = (np.bincount(x, minlength=high - low + 1) + np.bincount(y, minlength=high - low + 1)) > 0
            present = np.flatnonzero(seen)
            if len(present) <= high - low:
                position = np.cumsum(seen) - 1
                x, y = position[x], position[y]
            return [int(label) + low for label in present], x.astype(np.intp, copy=False), y.astype(np.intp, copy=False)
    parts = []
    for column, series in (("a", a), ("b", b)):
        # Arrow hashes its own text quickest; other text is quicker as objects than by way of pandas' strings.
        by_arrow = getattr(series.dtype, "storage", "") == "pyarrow"
        text = pd.api.types.is_string_dtype(series.dtype)
        values: Any = series.to_numpy(object) if text and not by_arrow else series
        codes, labels = pd.factorize(values)
        if (codes < 0).any():
            raise UsageError(f"{column}: row {int(np.flatnonzero(codes < 0)[0])} names no agent")
        parts.append((codes, list(labels)))
    names = sorted(dict.fromkeys(label for _, labels in parts for label in labels), key=sort_key)
    place = {name: i for i, name in enumerate(names)}
    first, second = (np.array([place[label] for label in labels], dtype=np.intp)[codes] for codes, labels in parts)
    return names, first, second


def sort_key(label: Any) -> tuple[int, Any, str]:
    """Numbers by value, then everything else by its text: an order for any mixture of labels."""
    if isinstance(label, int | float | np.number):
        return 0, label, ""
    return 1, 0, str(label)


def make_cells(first: Ints, second: Ints, score: Floats, weight: Floats | None, n: int) -> tuple[Cells, Ints]:
    """Distinct comparisons in canonical order (first ≤ second), and the cell of each row."""
    swap = first > second
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    score = np.where(swap, 1 - score, score)
    weight = np.ones(len(score)) if weight is None else weight
    scores, s = np.unique(score, return_inverse=True)
    weights, w = np.unique(weight, return_inverse=True)
    key = ((first * n + second) * len(scores) + s) * len(weights) + w
    found, row, count = np.unique(key, return_inverse=True, return_counts=True)
    pair, rest = np.divmod(found, len(scores) * len(weights))
    by_score, by_weight = np.divmod(rest, len(weights))
    cells = Cells(pair // n, pair % n, scores[by_score], weights[by_weight], count.astype(np.float64))
    return cells, row.ravel()


def _count_cells(a: Ints, b: Ints, score: Floats, n: int) -> tuple[Cells, Ints, Ints] | None:
    """The same for wins, ties and losses of weight 1 between few agents, counted without sorting; the rows' keys and
    the cell of each key. None where that does not apply."""
    outcome = (score * 2).astype(np.intp)
    if n * n * 3 > 4_000_000 + 4 * len(score) or not np.array_equal(outcome, score * 2):
        return None
    key = (a * n + b) * 3 + outcome
    count = np.bincount(key, minlength=n * n * 3).reshape(n, n, 3)
    count = np.triu((count + count.transpose(1, 0, 2)[:, :, ::-1]).transpose(2, 0, 1), 1).transpose(1, 2, 0)
    found = np.flatnonzero(count)
    first, second, double = np.unravel_index(found, count.shape)
    cells = Cells(first, second, double / 2, np.ones(len(found)), count.ravel()[found].astype(np.float64))
    cell = np.cumsum(count.ravel() > 0) - 1
    mirrored = cell.reshape(n, n, 3).transpose(1, 0, 2)[:, :, ::-1]
    upper = np.triu(np.ones((n, n), dtype=bool), 1)[:, :, None]
    return cells, key, np.where(upper, cell.reshape(n, n, 3), mirrored).ravel()


def cluster_codes(table: DataFrame) -> Ints | None:
    """deal_id if there, else match_id, else None: each row by itself. A missing deal is a cluster of its own match."""
    for column in ("deal_id", "match_id"):
        if column in table and table[column].notna().any():
            codes, labels = pd.factorize(table[column])
            if (codes < 0).any():
                other = table["match_id"] if "match_id" in table else np.arange(len(table))
                codes = np.where(codes < 0, len(labels) + pd.factorize(other)[0], codes)
            return pd.factorize(codes)[0]
    return None


def from_pairs(table: DataFrame) -> Comparisons:
    """The comparisons of a pair table, between single agents."""
    agents, a, b, score, weight = pair_columns(table)
    n = len(agents)
    labels = cluster_codes(table)
    counted = _count_cells(a, b, score, n) if weight is None else None
    if counted is None:
        cells, row_cell = make_cells(a, b, score, weight, n)
        clusters = by_row(cells.times) if labels is None else by_label(labels, row_cell, len(cells.score))
    else:
        cells, key, cell = counted
        clusters = by_row(cells.times) if labels is None else by_label(labels, cell[key], len(cells.score))
    edges = make_edges(np.arange(len(cells.score)), cells.score, [cells.first], [cells.second], len(cells.score), n)
    return Comparisons(agents, cells, clusters, edges, pair_tallies(cells, n), len(table), 0, True)


def make_edges(
    cell: Ints, score: Floats, first: Iterable[Ints], second: Iterable[Ints], n_cells: int, n_agents: int
) -> Edges:
    """i -> j for every agent i of a side that beat or tied a side with j. Comparison c belongs to cell `cell[c]`;
    `first[k]` is agent k of its first side, -1 where the side is smaller."""
    cells, winners, losers = [], [], []
    for f in first:
        for s in second:
            there = (f >= 0) & (s >= 0)
            for ahead, i, j in ((there & (score > 0), f, s), (there & (score < 1), s, f)):
                cells.append(cell[ahead])
                winners.append(i[ahead])
                losers.append(j[ahead])
    return Edges(np.concatenate(cells), np.concatenate(winners), np.concatenate(losers), n_cells, n_agents)


def pair_tallies(cells: Cells, n: int) -> DataFrame:
    """n_matches, n_wins, n_ties, n_losses by agent code: score 1, one half, other."""

    def total(first: Any, second: Any) -> Ints:
        counts = np.bincount(cells.first, cells.times * first, minlength=n)
        return (counts + np.bincount(cells.second, cells.times * second, minlength=n)).astype(np.intp)

    won, lost, tied = cells.score == 1, cells.score == 0, cells.score == 0.5
    columns = {"n_matches": total(1, 1), "n_wins": total(won, lost), "n_ties": total(tied, tied)}
    return DataFrame({**columns, "n_losses": total(~won & ~tied, ~lost & ~tied)})
