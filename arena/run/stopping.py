"""When a schedule has seen enough. A rule looks at finished batches only, and says why it stopped.

    matches    the planned number is played (always the outer limit)
    p_top1     the posterior probability that one agent is the best reaches .95. Bayesian: it says what to believe, and
               promises no error rate over repeated runs
    anytime    the leader is ahead of every rival by more than the half-width of a confidence sequence, which holds at
               all times at once, so that looking after every batch costs nothing: at most 5 % false stops. The
               asymptotic sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2021, tightest at a quarter of the
               planned deals, with a Bonferroni share for each rival. Being asymptotic, it is not asked before 20 deals:
               from five the clustered error is often far too small (two equal agents: 17 % false stops in simulation)

A fixed-sample 95 % interval would be wrong here: it is crossed sooner or later by agents that are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log, sqrt

from arena.core.errors import UsageError
from arena.core.seeds import stream
from arena.run.belief import Belief
from arena.run.outcomes import deals_played, matches_of
from arena.run.schedules import BlockResult, Estimate, Field, Posterior, Stop
from arena.run.seating import Places, places

P_TOP1 = 0.95
DRAWS = 2000
FALSE_STOPS = 0.05
LEAST_DEALS = 20


def stop(field: Field, results: Sequence[BlockResult]) -> Stop | None:
    """Why a schedule that looks for the best agent is finished; None while it goes on."""
    where = places(field)
    rule = rule_of(field)
    if results and rule != "matches":
        estimate = posterior_of(field)(where.rated, results)
        found = (_p_top1 if rule == "p_top1" else _anytime)(field, where, results, estimate)
        if found is not None:
            return found
    if len(results) < where.blocks_in(field.matches):
        return None
    return matches_played(results)


def rule_of(field: Field) -> str:
    return str(field.options.get("stop", "matches"))


def posterior_of(field: Field) -> Posterior:
    if field.posterior is None:
        raise UsageError(
            "this schedule looks at ratings, and was given no posterior",
            hint="start it with `arena tournament`, or pass arena.leaderboards.posterior.posterior",
        )
    return field.posterior


def matches_played(results: Sequence[BlockResult]) -> Stop:
    played = _matches(results)
    return Stop("matches", f"all planned matches are played: {played}", deals_played(results), played)


def _p_top1(field: Field, where: Places, results: Sequence[BlockResult], estimate: Estimate) -> Stop | None:
    belief = Belief(estimate, len(where.agents))
    rng = stream(field.seed, "schedule", "p_top1", len(results))
    best = Counter(belief.draw_best(rng) for _ in range(DRAWS))
    leader, times = best.most_common(1)[0]
    if times < P_TOP1 * DRAWS:
        return None
    name, chance = where.agents[leader], times / DRAWS
    why = f"{name} is the best with posterior probability {chance:.3f} (Bayesian; the rule asks for {P_TOP1})"
    return Stop("p_top1", why, deals_played(results), _matches(results), name, chance)


def _anytime(field: Field, where: Places, results: Sequence[BlockResult], estimate: Estimate) -> Stop | None:
    n, deals = len(where.agents), deals_played(results)
    seen = {agent for result in results for teams in matches_of(result) for team in teams for agent in team.agents}
    if deals < LEAST_DEALS or not seen.issuperset(where.agents):
        return None
    leader = max(range(n), key=lambda i: estimate.mean[i])
    factor = anytime_factor(deals, where.blocks_in(field.matches), FALSE_STOPS / (n - 1))
    lead = min(
        (estimate.mean[leader] - estimate.mean[i]) / (factor * max(_se(estimate, leader, i), 1e-12))
        for i in range(n)
        if i != leader
    )
    if lead <= 1:
        return None
    name = where.agents[leader]
    why = f"{name} leads every rival by at least {lead:.3g} half-widths of a time-uniform 95 % confidence sequence"
    return Stop("anytime", why, deals, _matches(results), name, lead)


def anytime_factor(deals: int, planned: int, level: float = FALSE_STOPS) -> float:
    """Half-width in standard errors of an interval that holds at every number of deals, at this error level."""
    r2 = (-2 * log(level) + log(-2 * log(level) + 1)) / max(LEAST_DEALS, planned / 4)
    t = max(deals, 1) * r2
    return sqrt(2 * (t + 1) / t * log(sqrt(t + 1) / level))


def _se(estimate: Estimate, i: int, j: int) -> float:
    v = estimate.clustered
    return sqrt(max(v[i][i] + v[j][j] - 2 * v[i][j], 0.0))


def _matches(results: Sequence[BlockResult]) -> int:
    return sum(payoffs is not None for result in results for payoffs in result.payoffs)
