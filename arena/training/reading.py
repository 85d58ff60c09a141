"""Who reads how much in a training run, for its plan: matches as the collect stage would deal and seat them, played
with random legal answers, their prompts counted with the model's own tokenizer.

Amounts are in matches: 0.5 is what half of the prompt tokens of an average match come to. Policies of the run are one
reader, `learner`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from statistics import fmean

from arena.core.match import Match
from arena.models.names import resolve
from arena.play import new_match
from arena.registry import load_game, make_game
from arena.run.plan import Planned
from arena.training import collect, population
from arena.training.evaluate import Comparison, seated, seatings, words
from arena.training.population import LEARNER, Opponent
from arena.training.prompt_sizes import Simulated, simulated
from arena.training.setup import Run, met, rest

SIMULATED = 20
Amounts = Mapping[str, float]  # name -> matches


@dataclass(frozen=True)
class Reading:
    """`own`: of each match and role, how many asks its policy answers in its seats; `seats`: how many those are."""

    played: list[Simulated]
    own: list[dict[str, int]]
    seats: float
    collected: Amounts
    evaluated: Amounts
    transferred: Amounts

    @property
    def asks(self) -> float:
        return fmean(one.asks.total() for one in self.played)

    @property
    def tokens(self) -> float:
        return fmean(one.tokens.total() for one in self.played)

    def own_asks(self, roles: Sequence[str], most: float) -> float:
        """Of the average match, the asks of these roles' policies, at most so many in each."""
        return fmean(min(most, sum(asks[role] for role in roles)) for asks in self.own)


def read(run: Run) -> Reading:
    """What is played and read in the first iteration, of which the later ones are taken to be alike."""
    players = {role: f"league/{run.settings.policy(role, 0)}" for role in run.roles}
    plan = collect.plan(run, 1, players, {role: opponents(run, role) for role in run.roles}, SIMULATED, "collect/1")
    played = simulated(run.start, map(_match, plan))
    held = [
        {r: [s for s in one.match.seats if p.seating[s] == name and (not r or r in words(one.match, s))]
         for r, name in players.items()}
        for one, p in zip(played, plan, strict=True)
    ]  # fmt: skip
    there: Amounts = {}
    if (preset := run.settings.params.transfer) is not None:
        other = make_game(preset, {})[0]
        elsewhere = simulated(run.start, (new_match(other, n) for n in range(SIMULATED)))
        there = _evaluated(run, elsewhere, players)
        share = sum(one.tokens.total() for one in elsewhere) / max(sum(one.tokens.total() for one in played), 1)
        there = _times(there, share)
    return Reading(
        played=played,
        own=[
            {role: sum(one.asks[seat] for seat in seats) for role, seats in by_role.items()}
            for one, by_role in zip(played, held, strict=True)
        ],
        seats=fmean(sum(map(len, by_role.values())) for by_role in held),
        collected=_amounts(played, [p.seating for p in plan]),
        evaluated=_evaluated(run, played, players),
        transferred=there,
    )


def opponents(run: Run, role: str) -> list[Opponent]:
    """Whom the first iteration draws from."""
    own = f"league/{run.settings.policy(role, 0)}"
    return population.opponents(run.settings, type(run.game), role, 1, own)


def amounts(run: Run, found: Reading, matches: Mapping[str, int], candidates: int, crossed: int) -> Amounts:
    """Who reads how much of all matches. `candidates`: those of the forks that are played for one answer; `crossed`: of
    the final matches those among policies."""
    p = run.settings.params
    return _sum(
        _times(found.collected, matches["collect"] + matches["rollouts"] / (2 if p.rows == "turn" else 1)),
        _times(found.evaluated, matches["evaluate"] + matches["final"] - crossed),
        _times(found.transferred, matches["transfer"]),
        {LEARNER: matches["meta"] + crossed},
        _of_forks(run, found, candidates, matches["forks"] - candidates),
    )


def _of_forks(run: Run, found: Reading, candidates: int, continued: int) -> Amounts:
    """A fork goes on from the middle of a match, on average. Of a candidate's own match the decision alone is read, so
    a bot or the rollout agent sits in the other seats; but `lspo-pairs` reads all of it."""
    agent = run.settings.params.rollout_agent
    agent = population.recorded(agent, type(run.game)) if agent else None
    models = sum(amount for name, amount in found.collected.items() if is_model(run, name))
    parts = [{agent: models * continued / 2} if agent else _times(found.collected, continued / 2)]
    if run.settings.recipe == "fork-pairs":
        seat = found.collected.get(LEARNER, 0.0) / max(found.seats, 1)
        asks = max(found.own_asks(run.roles, inf) / max(found.seats, 1), 1)
        parts.append({LEARNER: candidates * seat * (asks + 1) / (2 * asks)})
        parts.append({agent: candidates * (1 - seat) / 2} if agent else {})
    else:
        parts.append(_times(found.collected, candidates / 2))
    return _sum(*parts)


def is_model(run: Run, name: str) -> bool:
    return name == LEARNER or resolve([name], type(run.game), ready=False)[0].agent.model is not None


def _match(planned: Planned) -> Match:
    cls = load_game(planned.where)
    game = cls(cls.config_type.make(planned.config))
    return new_match(game, planned.seed, planned.deal_seed, preset=planned.preset)


def _evaluated(run: Run, played: Sequence[Simulated], players: Mapping[str, str]) -> Amounts:
    """Every role against everybody that it meets, in all seatings alike."""
    parts, game = [], played[0].match.game
    for role, own in players.items():
        others = {r: name for r, name in players.items() if r and r != role}
        names = met(run, role, own)
        comparison = Comparison("", role, (own,), names, 1, others, rest(run, role))
        for name in names:
            for index in range(seatings(game, role)):
                fill = seated(game, comparison, own, name, index, [])
                parts.append(_amounts(played, [fill(one.match) for one in played]))
    return _times(_sum(*parts), 1 / len(parts))


def _amounts(played: Sequence[Simulated], seating: Sequence[Mapping[str, str]]) -> Amounts:
    """The share of the tokens of these matches that each name reads."""
    total = sum(one.tokens.total() for one in played) or 1
    shares = [
        {LEARNER if names[seat].startswith("league/") else names[seat]: tokens / total}
        for one, names in zip(played, seating, strict=True)
        for seat, tokens in one.tokens.items()
    ]
    return _sum(*shares)


def _sum(*parts: Amounts) -> Amounts:
    return {name: sum(part.get(name, 0.0) for part in parts) for name in dict.fromkeys(chain(*parts))}


def _times(amounts: Amounts, by: float) -> Amounts:
    return {name: amount * by for name, amount in amounts.items()}
