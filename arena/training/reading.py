"""What models read in a training run: the learner in its seats, and in the others whoever is no bot. For the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from arena.core.match import Match
from arena.models.names import resolve
from arena.training.evaluate import seatings, trained_seats, words
from arena.training.prompt_sizes import Simulated
from arena.training.setup import Run, met

Seats = Callable[[Match, int], Sequence[str]]  # of the n-th match


@dataclass(frozen=True)
class Reading:
    """Means over simulated matches: asks and prompt tokens of all seats, the asks that a collected match trains on and
    the seats that answer them, and the tokens that models read of a collected and of an evaluated match."""

    asks: float
    tokens: float
    own_asks: float
    own_seats: float
    collected: float
    evaluated: float


def reading(run: Run, played: Sequence[Simulated]) -> Reading:
    s, trained = run.settings, partial(_learner, run)
    own = [trained(one.match, n) for n, one in enumerate(played)]
    met_by = [name for role in run.roles for name in met(run, role, "")]
    return Reading(
        asks=fmean(one.asks.total() for one in played),
        tokens=fmean(one.tokens.total() for one in played),
        own_asks=fmean(sum(one.asks[seat] for seat in seats) for one, seats in zip(played, own, strict=True)),
        own_seats=fmean(len(seats) for seats in own),
        collected=_read(played, trained, _models(run, s.fixed_opponents)),
        evaluated=_read(played, partial(_judged, run), _models(run, met_by)),
    )


def all_tokens(run: Run, found: Reading, matches: Mapping[str, float], states: float) -> float:
    """Of all matches but those of another preset. A fork goes on from the middle of a match, on average."""
    p = run.settings.params
    on = found.tokens / 2 * _models(run, [p.rollout_agent]) if p.rollout_agent else found.collected / 2
    candidates = states * p.fork_k
    of_candidate = found.tokens / max(found.asks, 1) if run.settings.recipe == "fork-pairs" else on
    rollout = found.collected / (2 if p.rows == "turn" else 1)
    return (
        matches["collect"] * found.collected
        + candidates * of_candidate
        + (matches["forks"] - candidates) * on
        + matches["rollouts"] * rollout
        + (matches["evaluate"] + matches["final"]) * found.evaluated
        + matches["meta"] * found.tokens
    )


def _learner(run: Run, match: Match, number: int) -> Sequence[str]:
    """The seats of a collected match that give rows."""
    roles = run.roles
    if run.settings.is_self_play or run.settings.opponents == "game":
        return [seat for seat in match.seats if roles == ("",) or set(words(match, seat)) & set(roles)]
    return _judged(run, match, number)


def _judged(run: Run, match: Match, number: int) -> Sequence[str]:
    """The seats of one policy among others: roles and seatings take turns."""
    index, which = divmod(number, len(run.roles))
    return trained_seats(match, run.game, run.roles[which], index % seatings(run.game, run.roles[which]))


def _read(played: Sequence[Simulated], own: Seats, models: float) -> float:
    """The tokens of its own seats, and of the rest the share that models hold."""
    mine = fmean(sum(one.tokens[seat] for seat in own(one.match, n)) for n, one in enumerate(played))
    return mine + models * (fmean(one.tokens.total() for one in played) - mine)


def _models(run: Run, names: Iterable[str]) -> float:
    """The share of models among names; all, where play alone decides who they are."""
    found = []
    for name in names:
        word, mark, rest = name.partition("=")
        name = rest if mark and "/" not in word else name
        known = "/" in name and not name.startswith("league/")
        found.append(not known or resolve([name], type(run.game), ready=False)[0].agent.model is not None)
    return fmean(found) if found else 1.0
