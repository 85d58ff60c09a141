"""The collect stage: matches of the current policies against the population, deals paired, seats in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arena.core.match import Match
from arena.core.seeds import stream
from arena.run.plan import Planned
from arena.training import population
from arena.training.evaluate import seatings, trained_seats, words
from arena.training.population import LEARNER, Opponent
from arena.training.settings import TrainSettings
from arena.training.setup import Run

WARM_MATCHES = 32  # of grpo's collect stage: they warm the baselines


def count(settings: TrainSettings) -> int:
    """How many matches the collect stage plays. Of grpo: those that warm its baselines, or those that its slots of
    single turns are drawn from, for each role: a match has a learner in one role, in self-play in all. That every match
    has `fork_states` decisions is hoped for; the label stage says what was found."""
    s = settings
    if s.algorithm != "grpo":
        return s.matches
    if s.params.rows == "turn":
        return -(-s.matches // s.params.fork_states) * (1 if s.is_self_play else max(len(s.roles), 1))
    return 0 if s.recipe == "group" else min(WARM_MATCHES, s.matches)


def plan(
    run: Run, k: int, champions: Mapping[str, str], pools: Mapping[str, Sequence[Opponent]], count: int, tag: str
) -> list[Planned]:
    """`count` matches. In each, one trained role (or side) is the learner's and the rest are drawn; in self-play every
    trained role is its current policy's. A game's own mix says of every side who holds it, the learner among them."""
    found = []
    game, roles = run.game, run.roles
    self_play, is_mixed = run.settings.is_self_play, run.settings.opponents == "game"
    ways = 1 if self_play or is_mixed else seatings(game, roles[0]) * len(roles)
    for number in range(count):
        deal, way = divmod(number, ways)
        role = "" if self_play else roles[way % len(roles)]
        index = 0 if self_play else way // len(roles)
        chosen = _draws(run, k, champions, pools, role, number)
        values = next((entry.set for entry in chosen.values() if entry.set), {})

        def seats(
            match: Match, role: str = role, index: int = index, chosen: Mapping[str, Opponent] = chosen
        ) -> dict[str, str]:
            if self_play:
                return {s: _own(run, champions, match, s) for s in match.seats}
            own = [] if is_mixed else trained_seats(match, game, role, index)
            return {s: champions[role] if s in own else _name(run, champions, match, s, chosen) for s in match.seats}

        found.append(run.table.planned(tag, deal, index, seats, values))
    return found


def _draws(
    run: Run,
    k: int,
    champions: Mapping[str, str],
    pools: Mapping[str, Sequence[Opponent]],
    role: str,
    number: int,
) -> dict[str, Opponent]:
    """An opponent for each side (or seat) that is not the learner's, as many draws as there are sides beside it."""
    if run.settings.is_self_play:
        return {}
    groups = list(run.game.sides()) or [f"player_{i}" for i in range(run.game.seat_count())]
    rng = stream(run.settings.seed, f"collect/{k}", "opponents", number)
    found: dict[str, Opponent] = {}
    for group in groups:
        pool = pools.get(group) or pools.get("") or pools[next(iter(pools))]
        entries = [entry for entry in pool if entry.fits([group])] or list(pool)
        found[group] = population.draw(entries, [group, *(e.side for e in entries)], rng)
    if len(groups) <= 2:  # one draw a match
        first = next(iter(found.values()))
        found = {group: first if first.fits([group]) else entry for group, entry in found.items()}
    return found


def _own(run: Run, champions: Mapping[str, str], match: Match, seat: str) -> str:
    """The current policy of a seat in self-play; seats of untrained roles share the first policy."""
    return next((champions[w] for w in words(match, seat) if w in champions), next(iter(champions.values())))


def _name(run: Run, champions: Mapping[str, str], match: Match, seat: str, chosen: Mapping[str, Opponent]) -> str:
    own = words(match, seat)
    entry = next((e for group, e in chosen.items() if group in own and e.fits(own)), None)
    if entry is None:
        entry = next((e for e in chosen.values() if e.fits(own)), next(iter(chosen.values())))
    return _own(run, champions, match, seat) if entry.name == LEARNER else entry.name
