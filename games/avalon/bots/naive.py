"""The naive player, by the rules of the AvalonBench baselines: one bot that switches on its role.

Good enumerates evil sets and reads nothing but quest results; evil looks at nothing but who is on the team.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache

from arena.core import Answer, Ask, Rng, View
from arena.games.avalon.bots.notes import Notes, Played, notes
from arena.games.avalon.bots.respond import Style, respond
from arena.games.avalon.bots.sets import at_least, clean, members, set_of, sets

log = logging.getLogger(__name__)


def naive(view: View, ask: Ask, rng: Rng) -> Answer:
    """Good counts the evil sets that quest results leave open; evil plays by who is on the team."""
    n = notes(view)
    return respond(n, ask, rng, style_of(n))


def style_of(n: Notes) -> Style:
    return EVIL if n.is_evil else MERLIN if n.role == "merlin" else SERVANT


# --- servant, Percival ------------------------------------------------------------------------------------------------


def consistent(players: int, evil: int, me: int, quests: Iterable[tuple[int, int]]) -> int:
    """The worlds without `me` that have enough evil on every team for the fails seen. `quests`: (team, fails).

    Where no world is left all are possible again; that is logged, since it means that the record contradicts itself.
    """
    start = left = clean(players, evil, 1 << me)
    for team, fails in quests:
        left &= at_least(players, evil, team, fails)
        if not left:
            log.info("seat %d: no world explains %d fails; all are possible again", me, fails)
            left = start
    return left


@lru_cache(maxsize=8192)
def preferred(players: int, evil: int, left: int, size: int, largest: int) -> tuple[int, ...]:
    """The teams that are wholly good in most worlds; of several those inside the largest team that succeeded so far,
    or else those around it, if there are such."""
    scores = {team: (clean(players, evil, team) & left).bit_count() for team in sets(players, size)}
    top = max(scores.values())
    best = tuple(team for team, score in scores.items() if score == top)
    if len(best) == 1 or not largest:
        return best
    inside = tuple(team for team in best if not team & ~largest)
    return inside or tuple(team for team in best if not largest & ~team) or best


@lru_cache(maxsize=8192)
def shares(players: int, evil: int, left: int) -> tuple[float, ...]:
    """For each seat the share of worlds in which it is evil."""
    count = left.bit_count()
    return tuple((at_least(players, evil, 1 << i, 1) & left).bit_count() / count for i in range(players))


def possible(n: Notes) -> int:
    played = ((e.team, e.fails) for e in n.evidence if isinstance(e, Played))
    return consistent(n.players, n.evil_seats, n.me, played)


def favourites(n: Notes) -> tuple[int, ...]:
    return preferred(n.players, n.evil_seats, possible(n), n.size, n.largest)


def chances(n: Notes) -> Sequence[float]:
    return shares(n.players, n.evil_seats, possible(n))


# --- Merlin -----------------------------------------------------------------------------------------------------------


def merlin_propose(n: Notes, rng: Rng) -> int:
    """Itself and others that it does not see as evil."""
    others = members(n.everybody & ~n.seen & ~(1 << n.me))
    return set_of(rng.sample(others, n.size - 1)) | 1 << n.me


def merlin_believes(n: Notes) -> Sequence[float]:
    """Seen is evil; a Mordred may be any of the others."""
    unseen = members(n.everybody & ~n.seen & ~(1 << n.me))
    left = (n.evil_seats - n.seen.bit_count()) / len(unseen)
    return [1.0 if n.seen >> i & 1 else left if i in unseen else 0.0 for i in range(n.players)]


# --- evil -------------------------------------------------------------------------------------------------------------


def evil_propose(n: Notes, rng: Rng) -> int:
    """Itself, as many more evil as the quest needs fails, and the rest good (as far as it knows)."""
    team = {n.me}
    fellows = members(n.known_evil & ~(1 << n.me))
    team.update(rng.sample(fellows, min(n.needed - 1, len(fellows))))
    others = members(n.everybody & ~n.known_evil)
    team.update(rng.sample(others, n.size - len(team)))
    return set_of(team)


def evil_approves(n: Notes, rng: Rng) -> bool:
    return (n.team & n.known_evil).bit_count() >= n.needed


def evil_fails(n: Notes) -> bool:
    """Fails with exactly enough evil on the team; with more, the assassin does, and a minion leaves it to the assassin
    where the two are all the evil there is and one fail is enough."""
    on_team = (n.team & n.known_evil).bit_count()
    if on_team > n.needed and n.role != "assassin":
        return not (n.evil_seats == 2 and n.needed == 1)
    return on_team >= n.needed


def evil_story(n: Notes, rng: Rng) -> Sequence[float]:
    """What a good seat might say: it suspects one seat that is good, or nobody."""
    chances = [0.3] * n.players
    target = rng.choice(members(n.everybody & ~n.known_evil))
    chances[target] = rng.choice((0.3, 0.7))
    return chances


def evil_believes(n: Notes) -> Sequence[float]:
    """It knows; an Oberon that it does not see may be any of the others."""
    unknown = members(n.everybody & ~n.known_evil)
    left = (n.evil_seats - n.known_evil.bit_count()) / len(unknown)
    return [1.0 if n.known_evil >> i & 1 else left for i in range(n.players)]


def uniform_merlin(n: Notes) -> Sequence[float]:
    unknown = members(n.everybody & ~n.known_evil)
    return [1 / len(unknown) if i in unknown else 0.0 for i in range(n.players)]


# --- shared -----------------------------------------------------------------------------------------------------------


def anybody(n: Notes, options: Sequence[int], rng: Rng) -> int:
    return rng.choice(options)


def never(n: Notes) -> bool:
    return False


SERVANT = Style(
    propose=lambda n, rng: rng.choice(favourites(n)),
    approves=lambda n, rng: n.team in favourites(n),
    says=lambda n, rng: chances(n),
    believes=chances,
    fails=never,
    merlin=uniform_merlin,
    inspect=anybody,
    stab=anybody,
)
# Merlin speaks as a servant in its seat would: saying what it sees would give it away.
MERLIN = SERVANT._replace(propose=merlin_propose, approves=lambda n, rng: not n.team & n.seen, believes=merlin_believes)
EVIL = SERVANT._replace(
    propose=evil_propose, approves=evil_approves, says=evil_story, believes=evil_believes, fails=evil_fails
)
