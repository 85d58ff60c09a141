"""The design of a fit with teams or offsets: which parameters make up a strength, and comparisons of such strengths.

z of a team is the mean over its seats of th[agent] + d[agent, role] + the offsets of its levels. Parameters lie in this
order: th of every agent, d role by role, offsets block by block (one block for each offset column in each setup).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pandas import DataFrame
from scipy.sparse import csr_array

from arena.core.errors import UsageError
from arena.leaderboards.arrays import Floats, Ints, Sparse
from arena.leaderboards.fitting.clusters import by_label
from arena.leaderboards.fitting.comparisons import (
    Comparisons,
    cluster_codes,
    make_cells,
    make_edges,
    pair_columns,
    pair_tallies,
)
from arena.leaderboards.fitting.teams import Teams, tallies, team_pairs, team_results, teams
from arena.leaderboards.matches import SETUP, has_roles, setup_names, side_labels

Roles = Literal["none", "bias", "conditional"]
EQUAL = 1e-9  # seats' shares in a team are sums of fractions


@dataclass(frozen=True)
class Parameters:
    """Names and places of the parameters; `role_share[r]` is f_r, the part of role r in an agent's overall strength."""

    agents: list[Hashable]
    roles: list[str] = field(default_factory=list)
    role_share: Floats = field(default_factory=lambda: np.zeros(0))
    offsets: list[str] = field(default_factory=list)
    blocks: list[Ints] = field(default_factory=list)

    @property
    def first_offset(self) -> int:
        return len(self.agents) * (1 + len(self.roles))

    @property
    def n(self) -> int:
        return self.first_offset + len(self.offsets)

    def overall(self) -> Floats:
        """The map from parameters to the overall strength of each agent, mean zero over agents."""
        unit = np.eye(len(self.agents))
        none = np.zeros((len(unit), len(self.offsets)))
        full = np.hstack([unit, *(share * unit for share in self.role_share), none])
        return np.asarray(full - full.mean(axis=0))

    def in_role(self, role: str) -> Floats:
        """The map to each agent's strength in a role, on the scale of `overall`."""
        n = len(self.agents)
        full = np.zeros((n, self.n))
        full[:, :n] = np.eye(n)
        start = n * (1 + self.roles.index(role))
        full[:, start : start + n] += np.eye(n)
        full[:, : self.first_offset] -= np.repeat([1.0, *self.role_share], n) / n
        return full


class Sides(NamedTuple):
    """Both sides of all comparisons: a row for each seat, its agent and its team; the teams compared and their score.

    `cluster` numbers the cluster of each comparison."""

    seats: DataFrame
    agents: list[Hashable]
    agent: Ints
    teams: Teams
    first: Ints
    second: Ints
    score: Floats
    weight: Floats
    cluster: Ints
    tallies: DataFrame


def sides_of_matches(done: DataFrame) -> Sides:
    """The sides of a checked table of finished matches."""
    found = teams(done)
    agents = sorted(done["agent"].unique())
    agent = pd.Categorical(done["agent"], categories=agents).codes.astype(np.intp)
    first, second, score, weight = team_pairs(found)
    cluster = pd.factorize(done["deal_id"].to_numpy()[found.seat[first]])[0]
    counts = tallies(team_results(done, found)).reindex(agents)
    return Sides(done, list(agents), agent, found, first, second, score, weight, cluster, counts)


def sides_of_pairs(table: DataFrame) -> Sides:
    """A pair table as two seats a row: `a_<col>` and `b_<col>` become the column `<col>`."""
    agents, a, b, score, weight = pair_columns(table)
    n = len(table)
    own = sorted({c[2:] for c in table.columns if c.startswith(("a_", "b_"))})
    columns = {c: _both(table, c) for c in own if f"a_{c}" in table and f"b_{c}" in table}
    seats = DataFrame(columns, index=np.arange(2 * n))
    for column in SETUP:
        seats[column] = np.repeat(table[column].astype(str).to_numpy(), 2) if column in table else ""
    for column in ("role", "team"):
        seats[column] = seats[column].fillna("").astype(str) if column in seats else ""
    seats["match_id"] = np.repeat(np.arange(n), 2)
    both = np.arange(2 * n)
    found = Teams(both, both // 2, np.ones(2 * n, np.intp), np.ones(2 * n, np.intp), both, np.full(n, 2))
    labels = cluster_codes(table)
    counts = pair_tallies(make_cells(a, b, score, weight, len(agents))[0], len(agents))
    cluster = np.arange(n) if labels is None else labels
    weights = np.ones(n) if weight is None else weight
    agent = np.column_stack([a, b]).ravel()
    return Sides(seats, agents, agent, found, both[::2], both[1::2], score, weights, cluster, counts)


def _both(table: DataFrame, column: str) -> Any:
    return np.column_stack([table[f"a_{column}"].to_numpy(object), table[f"b_{column}"].to_numpy(object)]).ravel()


def compare(sides: Sides, roles: Roles, columns: Sequence[str]) -> tuple[Comparisons, Parameters, Sparse]:
    """Comparisons with equal ones as one cell, the parameters, and the design with one row a cell."""
    named, by_team = parameters(sides, roles, columns)
    found = sides.teams
    types, example = types_of(sides, named, columns)
    by_type = by_team[example]
    n_types, n = len(example), len(sides.agents)
    both, at = np.unique(types[sides.first] * n_types + types[sides.second], return_inverse=True)
    difference = by_type[both // n_types] - by_type[both % n_types]
    same_agents = (abs(difference[:, :n]).sum(axis=1) < EQUAL)[at.ravel()]
    says = (abs(difference).sum(axis=1) >= EQUAL)[at.ravel()]
    if not says.any():
        raise UsageError("there is nothing to rate: no match compares two teams that differ")
    first, second = types[sides.first[says]], types[sides.second[says]]
    cells, row_cell = make_cells(first, second, sides.score[says], sides.weight[says], n_types)
    members = members_of(sides, example)
    n_cells = len(cells.score)
    edges = make_edges(np.arange(n_cells), cells.score, members[:, cells.first], members[:, cells.second], n_cells, n)
    compared = Comparisons(
        agents=sides.agents,
        cells=cells,
        clusters=by_label(pd.factorize(sides.cluster[says])[0], row_cell, n_cells),
        edges=edges,
        tallies=sides.tallies,
        n_matches=len(found.match_size),
        n_self=int(same_agents.sum()),
        one_on_one=bool(found.size.max() == 1 and found.match_size.max() <= 2),
    )
    return compared, named, csr_array(by_type[cells.first] - by_type[cells.second])


def parameters(sides: Sides, roles: Roles, columns: Sequence[str]) -> tuple[Parameters, Sparse]:
    """The parameters of a table, and the design with one row a team."""
    found, seats = sides.teams, sides.seats
    names = sorted(seats["role"].unique()) if roles == "conditional" and has_roles(seats) else []
    keys, blocks, of_rows = _offsets(seats, columns)
    n = len(sides.agents)
    start = n * (1 + len(names))
    share = 1.0 / found.size[found.seat_team]
    places = [sides.agent, *(start + rows for rows in of_rows)]
    role_share = np.zeros(len(names))
    if names:
        role = pd.Categorical(seats["role"], categories=names).codes.astype(np.intp)
        places.append(n * (1 + role) + sides.agent)
        in_match = share / found.match_size[found.match[found.seat_team]]
        role_share = np.bincount(role, in_match, minlength=len(names)) / len(found.match_size)
    at = (np.tile(found.seat_team, len(places)), np.concatenate(places))
    design = csr_array((np.tile(share, len(places)), at), shape=(len(found.match), start + len(keys)))
    design.sum_duplicates()
    return Parameters(sides.agents, names, role_share, keys, [start + block for block in blocks]), design


def _offsets(seats: DataFrame, columns: Sequence[str]) -> tuple[list[str], list[Ints], list[Ints]]:
    """Keys of all offsets, the blocks as positions among them, and for each column the offset of each seat."""
    setup = setup_names(seats)
    several = setup.nunique() > 1
    keys: list[str] = []
    blocks: list[Ints] = []
    of_rows: list[Ints] = []
    for column in columns:
        name, levels = _levels(seats, column)
        labels = setup + f":{name}=" + levels if several else f"{name}=" + levels
        distinct = sorted(labels.unique())
        of_rows.append(pd.Categorical(labels, categories=distinct).codes.astype(np.intp) + len(keys))
        by_setup = pd.Series(of_rows[-1]).groupby(setup.to_numpy()).unique()
        blocks += [np.sort(np.asarray(places, dtype=np.intp)) for places in by_setup]
        keys += distinct
    return keys, blocks, of_rows


def _levels(seats: DataFrame, column: str) -> tuple[str, pd.Series]:
    """The name and the levels of an offset column, of which `side` is derived."""
    if column == "side":
        levels = side_labels(seats)
        if (levels == "").any():
            raise UsageError("roles: a pair table needs a_seat and b_seat, or a_role and b_role, for a side offset")
        return column, levels
    if column not in seats:
        raise UsageError(f"covariates: the table has no column {column!r} (in a pair table: a_{column} and b_{column})")
    if seats[column].isna().any():
        raise UsageError(f"{column}: a covariate must have a value in every row")
    return column, seats[column].astype(str)


def _codes(labels: pd.Series) -> Ints:
    return np.asarray(pd.factorize(labels, sort=True)[0], dtype=np.intp)


def types_of(sides: Sides, named: Parameters, columns: Sequence[str]) -> tuple[Ints, Ints]:
    """Teams of equal strength whatever the parameters have equal types; and one team of each type."""
    levels = [sides.agent] + ([_codes(sides.seats["role"])] if named.roles else [])
    if columns:
        levels += [_codes(setup_names(sides.seats)), *(_codes(_levels(sides.seats, c)[1]) for c in columns)]
    return _team_types(sides.teams, levels)


def members_of(sides: Sides, example: Ints) -> Ints:
    """Row k: the k-th agent of each type, -1 where its teams are smaller."""
    return team_table(sides.teams, sides.agent)[example].T


def _team_types(found: Teams, columns: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Equal numbers for teams whose seats agree in `columns`, in the order of their content; and one team of each."""
    seat = DataFrame({str(i): column for i, column in enumerate(columns)})
    kind = np.asarray(seat.groupby(list(seat.columns), sort=True).ngroup(), dtype=np.intp)
    _, example, types = np.unique(team_table(found, kind), axis=0, return_index=True, return_inverse=True)
    return types.ravel(), example


def team_table(found: Teams, values: Ints) -> Ints:
    """Team by place: the values of its seats in ascending order, -1 behind the last."""
    order = np.lexsort((values, found.seat_team))
    start = np.cumsum(found.size) - found.size
    table = np.full((len(found.match), int(found.size.max())), -1)
    table[found.seat_team[order], np.arange(len(order)) - start[found.seat_team[order]]] = values[order]
    return table
