"""Bradley-Terry ratings, for single agents and for teams, with role strengths, offsets and ties.

P(team A ahead of team B) = s(z_A - z_B), z the mean over a team's seats of the agent's strength, its strength in the
role, and offsets of sides or seats. Standard errors are clustered by deal. Sources: Bradley and Terry 1952; Davidson
1970 for ties; Ford 1957 for existence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pandas import DataFrame
from scipy.sparse import csr_array

from arena.core.errors import UsageError
from arena.leaderboards import matches
from arena.leaderboards.arrays import Bools, Sparse
from arena.leaderboards.fitting.comparisons import Comparisons, from_pairs, is_pair_table
from arena.leaderboards.fitting.design import Parameters, Roles, Sides, compare, sides_of_matches, sides_of_pairs
from arena.leaderboards.fitting.fit import Fit, Solved, finish, solve
from arena.leaderboards.fitting.likelihoods import Davidson, PairLogit, TeamLogit
from arena.leaderboards.fitting.newton import Problem
from arena.leaderboards.rated import Rated, rated

__all__ = ["fit", "name", "rate"]

name = "bt"
Ties = Literal["half", "davidson"]


def fit(
    table: DataFrame,
    *,
    ties: Ties = "half",
    roles: Roles = "none",
    covariates: Sequence[str] = (),
    prior_sd: float | None = None,
    role_sd: float = 1.0,
) -> Fit:
    """The maximum-likelihood strengths of a match table or a pair table, with their covariance.

    `roles`: "bias" fits an offset of the side, "conditional" also a strength of each agent in each role. `covariates`:
    columns whose levels get offsets, such as "seat". `prior_sd`: a normal prior on strengths, in nats.
    """
    solved, compared, unplayed = _solved(table, ties, roles, covariates, prior_sd, role_sd)
    nu = None
    if isinstance(solved.problem, Davidson):
        nu = float(np.exp(solved.solution.params[-1]))
    elif ties == "davidson":
        nu = np.inf if compared.cells.score[0] == 0.5 else 0.0
    return finish(
        solved, compared.tallies, n_matches=compared.n_matches, n_self=compared.n_self, nu=nu, unplayed=unplayed
    )


def _solved(
    table: DataFrame, ties: str, roles: str, covariates: Sequence[str], prior_sd: float | None, role_sd: float
) -> tuple[Solved, Comparisons, dict[str, Bools]]:
    _check(ties, roles, prior_sd, role_sd)
    columns = [*(["side"] if roles != "none" else []), *covariates]
    compared, named, design, unplayed = _compared(table, roles, columns)
    cells = compared.cells
    problem: Problem
    if ties == "davidson" and _some_ties(compared):
        problem = Davidson(_plain_design(compared) if design is None else design, cells.score, cells.weight)
    elif design is None:
        problem = PairLogit(cells, len(compared.agents))
    else:
        problem = TeamLogit(design, cells.score, cells.weight)
    fixed = np.zeros(problem.n_params)
    fixed[len(named.agents) : named.first_offset] = role_sd**-2
    solved = solve(problem, named, compared.clusters, compared.edges, cells.times, fixed=fixed, prior_sd=prior_sd)
    return solved, compared, unplayed


def _check(ties: str, roles: str, prior_sd: float | None, role_sd: float) -> None:
    if ties not in ("half", "davidson"):
        raise UsageError(f"ties must be 'half' or 'davidson', not {ties!r}")
    if roles not in ("none", "bias", "conditional"):
        raise UsageError(f"roles must be 'none', 'bias' or 'conditional', not {roles!r}")
    for key, value in (("prior_sd", prior_sd), ("role_sd", role_sd)):
        if value is not None and not 0 < value < np.inf:
            raise UsageError(f"{key} must be a finite number above 0, not {value}")


def _compared(
    table: DataFrame, roles: Any, columns: list[str]
) -> tuple[Comparisons, Parameters, Sparse | None, dict[str, Bools]]:
    """Comparisons and design; the design is None where sides are single agents without offsets."""
    pair_table = is_pair_table(table)
    if pair_table and not columns:
        compared = from_pairs(table)
        return compared, Parameters(compared.agents), None, {}
    sides = sides_of_pairs(table) if pair_table else sides_of_matches(matches.played(table))
    compared, named, design = compare(sides, roles, columns)
    if not columns and int(sides.teams.size.max()) == 1:
        return compared, named, None, {}
    return compared, named, design, _unplayed(sides, named)


def _unplayed(sides: Sides, named: Parameters) -> dict[str, Bools]:
    roles = sides.seats["role"].to_numpy()
    n = len(named.agents)
    return {role: np.bincount(sides.agent[roles == role], minlength=n) == 0 for role in named.roles}


def _some_ties(compared: Comparisons) -> bool:
    """Whether nu lies between 0 (no ties: the plain model) and infinity (nothing but ties)."""
    score = compared.cells.score
    if not np.isin(score, (0.0, 0.5, 1.0)).all():
        raise UsageError("score: ties='davidson' needs scores of 0, 1/2 and 1")
    if not compared.one_on_one:
        raise UsageError("ties='davidson' compares two single agents at a time; this table has teams or larger matches")
    return bool((score == 0.5).any() and (score != 0.5).any())


def _plain_design(compared: Comparisons) -> Sparse:
    cells = compared.cells
    rows = np.arange(len(cells.score))
    at = (np.r_[rows, rows], np.r_[cells.first, cells.second])
    return csr_array((np.repeat([1.0, -1.0], len(rows)), at), shape=(len(rows), len(compared.agents)))


def conditional(done: DataFrame) -> Solved:
    """The role-conditional fit of a match table, for models of matches that were not played."""
    return _solved(done, "half", "conditional", (), None, 1.0)[0]


def rate(
    table: DataFrame,
    *,
    seed: int = 0,
    bootstrap: int = 1000,
    anchor: str | None = None,
    roles: Roles | None = None,
    **options: Any,
) -> Rated:
    """The board's rating. Where matches have roles, strengths are conditional on the role; elsewhere they are plain,
    and the offset of the seat is fitted beside them and told in the meta."""
    done = None if is_pair_table(table) else matches.played(table)
    if done is not None:
        table = done
    if roles is None:
        roles = "conditional" if done is not None and matches.has_roles(done) else "none"
    settings = {"ties": "half", "covariates": (), "prior_sd": None, "role_sd": 1.0, **options}
    solved, compared, unplayed = _solved(table, roles=roles, **settings)
    found = finish(solved, compared.tallies, n_matches=compared.n_matches, n_self=compared.n_self, unplayed=unplayed)
    result = rated(solved, found, method=name, seed=seed, bootstrap=bootstrap, anchor=anchor, done=done)
    meta = {**result.meta, "settings": {**settings, "roles": roles}}
    if roles == "none" and done is not None:
        meta |= _seats(done)
    return Rated(result.table, meta)


def _seats(done: DataFrame) -> dict[str, Any]:
    """Who sits first matters: the offsets of seats, fitted jointly with strengths; and those that cannot be told from
    the strength of who sat there, as agents did not change seats."""
    found = fit(done, roles="bias")
    confounded = found.details.get("undetermined", [])
    offsets = {
        key: {"value": value, "lo": value - 1.96 * found.bias_se[key], "hi": value + 1.96 * found.bias_se[key]}
        for key, value in found.biases.items()
        if key not in confounded
    }
    return {"offsets": offsets, **({"undetermined": confounded} if confounded else {})}
