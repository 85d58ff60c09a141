"""alpha-Rank as a rating method: each agent's mass at infinite alpha, with its uncertainty over deals.

The answer jumps when the sign of one payoff difference flips, so an interval of the mass can mislead when such a sign
is unsure between equilibria. The meta then says that the masses are no headline, and names the unsure edges.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame

from arena.core.errors import UsageError
from arena.leaderboards import matches
from arena.leaderboards.alpharank import chain, finite, limit
from arena.leaderboards.alpharank.tables import Tables, observe, resampled, tables_of
from arena.leaderboards.arrays import Bools, Floats, Ints
from arena.leaderboards.fitting.bootstrap import interval, stream
from arena.leaderboards.rated import Rated

NAME = "alpharank"
MAX_STATES = 1_000  # each resample is solved anew
MAX_LISTED = 200
MAX_DRAWN = 12


class _Draw(NamedTuple):
    pi: Floats
    mass: Floats
    in_sink: Bools
    gains: Floats


def rate(table: DataFrame, *, seed: int = 0, bootstrap: int = 1000, **options: Any) -> Rated:
    """The mass of each agent, its interval over deals, and the share of resamples in which it is in a sink class."""
    options.pop("anchor", None)
    settings = {"form": "auto", **options}
    done = matches.played(table)
    seen = observe(done, **settings)
    tables = tables_of(done, seen)
    game = chain.read(tables.payoffs, len(tables.payoffs) == 1)
    if game.n_states > MAX_STATES:
        raise UsageError(f"alpharank: {game.n_states:,} states are too many to resample; at most {MAX_STATES:,}")
    agents = sorted(done["agent"].unique())
    members = _membership(tables, agents)
    edges = _edges(game)
    point = _draw(tables.payoffs, members, edges)
    draws = [_draw(payoffs, members, edges)
             for payoffs in resampled(done, seen, tables, stream(seed, NAME), bootstrap)]  # fmt: skip
    unsure = _unsure(edges, draws)
    sinks = limit_sinks(tables.payoffs)
    columns: dict[str, Any] = {"agent": agents, "alpharank_mass": point.mass}
    if draws:
        columns["alpharank_lo"], columns["alpharank_hi"] = interval(np.array([d.mass for d in draws]))
        columns["p_in_sink"] = np.mean([d.in_sink for d in draws], axis=0)
    in_sinks = np.zeros(game.n_states, dtype=bool)
    in_sinks[np.concatenate(sinks)] = True
    loose = unsure & in_sinks[edges.source] & in_sinks[edges.target]
    meta = {
        "settings": settings,
        "bootstrap": {"replicates": bootstrap},
        "source": tables.source,
        "populations": dict(zip(tables.populations, tables.strategies, strict=True)),
        "sinks": [[_state(tables, s) for s in sink] for sink in sinks],
        "alpharank_headline": not loose.any(),
        "unsure_edges": int(unsure.sum()),
        "unsure_edges_listed": [
            [_state(tables, edges.source[e]), _state(tables, edges.target[e])]
            for e in np.flatnonzero(unsure)[:MAX_LISTED]
        ],
        "least_deals": int(tables.counts[tables.counts > 0].min()) if (tables.counts > 0).any() else 0,
        "graph": _graph(tables, edges, point, draws, unsure, sinks) if len(agents) <= 12 else None,
    }
    return Rated(DataFrame(columns), meta)


def masses(tables: Tables, pi: Floats) -> dict[str, float]:
    """The mass of each agent: of its strategy, or the mean over populations of its share in each."""
    agents = sorted({agent for names in tables.strategies for agent in names})
    return dict(zip(agents, (_membership(tables, agents) @ pi).tolist(), strict=True))


def _membership(tables: Tables, agents: list[str]) -> Floats:
    """Agent by state: the share of the state that is the agent's."""
    k = len(tables.payoffs)
    if k == 1:
        return np.array([[float(a == s) for s in tables.strategies[0]] for a in agents])
    shape = tables.payoffs[0].shape
    share = np.zeros((len(agents), int(np.prod(shape))))
    for population, places in enumerate(np.unravel_index(np.arange(share.shape[1]), shape)):
        at = np.array([agents.index(a) for a in tables.strategies[population]])[places]
        share[at, np.arange(share.shape[1])] += 1 / k
    return share


def _edges(game: chain.Payoffs) -> chain.Moves:
    """Each pair of neighbouring states once."""
    steps = chain.moves(game)
    once = steps.source < steps.target
    return chain.Moves(steps.source[once], steps.target[once], steps.gain[once], steps.scale[once])


def limit_sinks(payoffs: list[Floats]) -> list[Ints]:
    """The sink classes of payoffs whose form is known."""
    return finite.sink_classes(limit.response_graph(chain.read(payoffs, len(payoffs) == 1)))


def _draw(payoffs: list[Floats], members: Floats, edges: chain.Moves) -> _Draw:
    game = chain.read(payoffs, len(payoffs) == 1)
    in_sinks = np.zeros(game.n_states)
    in_sinks[np.concatenate(limit_sinks(payoffs))] = 1
    pi = limit.solve(game)
    return _Draw(pi, members @ pi, members @ in_sinks > 0, _edges(game).gain)


def _unsure(edges: chain.Moves, draws: list[_Draw]) -> Bools:
    """Edges whose payoff difference has an interval that holds 0."""
    if not draws:
        return np.zeros(len(edges.gain), dtype=bool)
    low, high = interval(np.array([d.gains for d in draws]))
    return np.asarray((low <= 0) & (high >= 0))


def _state(tables: Tables, state: int) -> str:
    if len(tables.payoffs) == 1:
        return tables.strategies[0][state]
    places = np.unravel_index(state, tables.payoffs[0].shape)
    return " / ".join(names[int(i)] for names, i in zip(tables.strategies, places, strict=True))


def _graph(
    tables: Tables,
    edges: chain.Moves,
    point: _Draw,
    draws: list[_Draw],
    unsure: Bools,
    sinks: list[Ints],
) -> dict[str, Any]:
    """What the page draws: the states of most mass, here or in resamples, and the preferences between them."""
    often = np.mean([d.pi for d in draws], axis=0) if draws else point.pi
    shown = np.sort(np.lexsort((-often, -point.pi))[:MAX_DRAWN])
    place = {int(state): i for i, state in enumerate(shown)}
    in_sink = {int(state) for sink in sinks for state in sink}
    preferences = []
    for source, target, gain, doubt in zip(edges.source, edges.target, edges.gain, unsure, strict=True):
        worse, better = (int(source), int(target)) if gain > 0 else (int(target), int(source))
        if worse in place and better in place:
            preferences.append({"from": place[worse], "to": place[better], "unsure": bool(doubt)})
    return {
        "nodes": [
            {"label": _state(tables, int(s)), "mass": float(point.pi[s]), "sink": int(s) in in_sink} for s in shown
        ],
        "edges": preferences,
        "left_out": len(point.pi) - len(shown),
    }
