"""A fitted rating: strengths in nats and on the rating scale, with the covariance that clusters give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame

from arena.leaderboards.arrays import Bools, Floats, Ints
from arena.leaderboards.fitting import comparable, newton
from arena.leaderboards.fitting.clusters import Clusters, meat
from arena.leaderboards.fitting.comparisons import sort_key
from arena.leaderboards.fitting.design import Parameters
from arena.leaderboards.fitting.existence import Edges, is_strong, n_components
from arena.leaderboards.fitting.newton import Prior, Problem, Solution

CENTRE = 1500.0
SCALE = 400 / np.log(10)  # rating points a nat
FALLBACK_SD = 3.0  # nats, when no maximum exists
PIN = 1e-3  # precision at zero of offsets that no match determines: it moves nothing that is determined


@dataclass(frozen=True)
class Fit:
    """`table` by theta descending; `agents` and `cov` (of theta, mean zero in each group) in its order. `regularised`:
    there was no maximum, so a prior was put on; `reason` says why."""

    table: DataFrame
    agents: list[Any]
    cov: Floats
    biases: dict[str, float]
    bias_se: dict[str, float]
    nu: float | None
    regularised: bool
    reason: str
    n_components: int
    n_matches: int
    n_clusters: int
    iterations: int
    log_likelihood: float
    n_self: int = 0
    details: dict[str, Any] = field(default_factory=dict)


class Solved(NamedTuple):
    """A problem at its maximum, with all that refits and standard errors need."""

    problem: Problem
    named: Parameters
    clusters: Clusters
    edges: Edges
    counts: Floats
    prior: Prior
    solution: Solution
    reason: str
    groups: Ints  # of each agent; only within one are strengths compared
    loose: Bools  # offsets that the matches do not determine

    @property
    def covariance(self) -> Floats:
        return newton.sandwich(self.solution.curvature, meat(self.clusters, self.problem.scores(self.solution.params)))


def solve(
    problem: Problem,
    named: Parameters,
    clusters: Clusters,
    edges: Edges,
    counts: Floats,
    *,
    fixed: Floats,
    prior_sd: float | None,
) -> Solved:
    """The maximum; with a prior of sd 3 on strengths where none exists (Ford) or Newton does not settle.

    `fixed`: precision of the priors that belong to the model (roles, games). Where even that prior leaves an offset
    without bound (a side that always wins), offsets get it too. Offsets that are confounded with strengths, as every
    agent held one side only, are pinned at zero: the reason is then "sides", and strengths compare within `groups`.
    """
    n, start = len(named.agents), np.zeros(problem.n_params)
    groups, loose = comparable.groups(problem, named, counts, edges)
    if prior_sd is None and loose.any():
        fixed = fixed.copy()
        fixed[named.first_offset + np.flatnonzero(loose)] += PIN
    pinned = "sides" if prior_sd is None and loose.any() else ""
    free = not named.offsets and not named.roles and problem.n_params == n
    limit = None if free else newton.LIMIT
    reason = ""
    if prior_sd is None:
        if is_strong(edges.beats(counts)):
            prior = _prior(fixed, named, 0.0, 0.0)
            solution = newton.maximise(problem.objective(counts), prior, start, limit=limit)
            if solution.settled and (free or newton.is_determined(solution.curvature)):
                return Solved(problem, named, clusters, edges, counts, prior, solution, pinned, groups, loose)
            reason = "separation"
        else:
            reason = "ford"
    precision = 1 / (prior_sd or FALLBACK_SD) ** 2
    for on_offsets in (0.0, precision):
        prior = _prior(fixed, named, precision, on_offsets)
        solution = newton.maximise(problem.objective(counts), prior, start, limit=limit)
        if solution.settled and (not named.offsets or newton.is_determined(solution.curvature)):
            break
    reason = "separation" if on_offsets and not reason else reason
    return Solved(problem, named, clusters, edges, counts, prior, solution, reason or pinned, groups, loose)


def _prior(fixed: Floats, named: Parameters, strengths: float, offsets: float) -> Prior:
    precision = fixed.copy()
    n = len(named.agents)
    precision[:n] += strengths
    precision[named.first_offset : named.n] += offsets
    return Prior(precision, [np.arange(n), *named.blocks])


def strengths(solved: Solved, maps: Floats, covariance: Floats) -> tuple[Floats, Floats, Floats]:
    """Linear combinations of the parameters: values, their covariance, their standard errors."""
    k = maps.shape[1]
    values = maps @ solved.solution.params[:k]
    cov = maps @ covariance[:k, :k] @ maps.T
    return values, cov, np.sqrt(np.maximum(np.diag(cov), 0.0))


def rating(theta: Any) -> Any:
    """Nats on the rating scale: 400 points are odds of ten to one."""
    return CENTRE + SCALE * theta


def finish(
    solved: Solved,
    tallies: DataFrame,
    *,
    n_matches: int,
    n_self: int = 0,
    nu: float | None = None,
    unplayed: dict[str, Bools] | None = None,
    details: dict[str, Any] | None = None,
) -> Fit:
    """The `Fit` of a solution. `unplayed[role]`: agents that never held the role (their strength in it is unknown).

    Errors are of strengths against the mean of the own group: between groups there is only what is pinned, and that
    direction of the covariance is rounding."""
    named = solved.named
    covariance = solved.covariance
    theta = strengths(solved, named.overall(), covariance)[0]
    same = (solved.groups[:, None] == solved.groups).astype(np.float64)
    middle = same / same.sum(axis=1, keepdims=True) @ named.overall()
    _, cov, se = strengths(solved, named.overall() - middle, covariance)
    if len(same) > 1:
        se = np.where(same.sum(axis=1) > 1, se, np.nan)  # alone in its group, an agent is compared with nobody
    order = sorted(range(len(theta)), key=lambda i: (-theta[i], sort_key(named.agents[i])))
    columns: dict[str, Any] = {"agent": named.agents, "theta": theta, "se": se}
    columns |= {"rating": rating(theta), "rating_se": SCALE * se}
    columns |= {c: tallies[c].to_numpy() for c in ("n_matches", "n_wins", "n_ties", "n_losses")}
    for role in named.roles:
        values = strengths(solved, named.in_role(role), covariance)[0]
        errors = strengths(solved, named.in_role(role) - middle, covariance)[2]
        unknown = (unplayed or {}).get(role, np.zeros(len(theta), dtype=bool))
        columns[f"theta_{role}"] = np.where(unknown, np.nan, values)
        columns[f"se_{role}"] = np.where(unknown, np.nan, errors)
    first = named.first_offset
    undetermined = [key for key, loose in zip(named.offsets, solved.loose, strict=False) if loose]
    offset_se = np.sqrt(np.maximum(np.diag(covariance)[first : named.n], 0.0))
    offsets = solved.solution.params[first : named.n]
    return Fit(
        table=DataFrame(columns).iloc[order].reset_index(drop=True),
        agents=[named.agents[i] for i in order],
        cov=cov[np.ix_(order, order)],
        biases=dict(zip(named.offsets, map(float, offsets), strict=True)),
        bias_se=dict(zip(named.offsets, map(float, offset_se), strict=True)),
        nu=nu,
        regularised=bool(solved.reason),
        reason=solved.reason,
        n_components=n_components(solved.edges.beats(solved.counts)),
        n_matches=n_matches,
        n_clusters=solved.clusters.total,
        iterations=solved.solution.iterations,
        log_likelihood=solved.solution.log_likelihood,
        n_self=n_self,
        details=(details or {}) | ({"undetermined": undetermined} if undetermined else {}),
    )
