"""The Bayes player: good weighs every evil set by proposals, ballots and quests; the assassin weighs ballots too."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from arena.core import Answer, Ask, Rng, View
from arena.games.avalon.bots.naive import EVIL as NAIVE_EVIL
from arena.games.avalon.bots.naive import anybody, never, uniform_merlin
from arena.games.avalon.bots.notes import Notes, Voted, notes
from arena.games.avalon.bots.posterior import belief
from arena.games.avalon.bots.respond import Style, respond
from arena.games.avalon.bots.sets import members, sets

CLOSE = 0.02  # a team as good as the leader's best one
HIDES = 0.3  # how often Merlin votes as if it saw nothing
# A ballot agrees with the true sides: Merlin's with .9, others' with .6.
AGREES, DIFFERS = log(0.9 / 0.6), log(0.1 / 0.4)


def bayes(view: View, ask: Ask, rng: Rng) -> Answer:
    """Weighs all evil sets by proposals, ballots and quests; as evil naive, but the assassin reads the ballots."""
    n = notes(view)
    return respond(n, ask, rng, EVIL if n.is_evil else GOOD)


def assassin_random(view: View, ask: Ask, rng: Rng) -> Answer:
    """The Bayes player with an assassin that names anybody: what finding Merlin is worth."""
    n = notes(view)
    return respond(n, ask, rng, NAIVE_EVIL if n.is_evil else GOOD)


def propose(n: Notes, rng: Rng) -> int:
    """The team most likely to be good, with itself on it."""
    return rng.choice(best_teams(n, n.me, True))


def approves(n: Notes, rng: Rng) -> bool:
    """A team that is nearly as likely good as the leader's best, if it may be good at all; any team where a rejection
    would end the match."""
    if n.is_forced:
        return True
    open_eyed = not (n.role == "merlin" and rng.random() < HIDES)
    now = belief(n, open_eyed)
    chance = now.good_team(n.team)
    teams = zip(sets(n.players, n.size), now.good_teams(n.size), strict=True)
    best = max(p for team, p in teams if team >> n.leader & 1)
    return chance > 0 and chance >= best - CLOSE


def best_teams(n: Notes, seat: int, open_eyed: bool) -> list[int]:
    """The likeliest good teams with `seat` on them."""
    chances = belief(n, open_eyed).good_teams(n.size)
    own = [(team, p) for team, p in zip(sets(n.players, n.size), chances, strict=True) if team >> seat & 1]
    top = max(p for _, p in own)
    return [team for team, p in own if p > top - 1e-9]


def says(n: Notes, rng: Rng) -> Sequence[float]:
    """What it believes; Merlin says what a servant in its seat would."""
    return belief(n, n.role != "merlin").is_evil()


def inspect(n: Notes, options: Sequence[int], rng: Rng) -> int:
    """The seat it is least sure of."""
    chances = belief(n).is_evil()
    least = min(abs(chances[i] - 0.5) for i in options)
    return rng.choice([i for i in options if abs(chances[i] - 0.5) < least + 1e-9])


def merlin_scores(n: Notes) -> dict[int, float]:
    """For each seat that may be Merlin the log-likelihood of its ballots as Merlin's over another's."""
    scores = dict.fromkeys(members(n.everybody & ~n.known_evil), 0.0)
    for vote in (e for e in n.evidence if isinstance(e, Voted)):
        is_clean = not vote.team & n.known_evil
        for i in scores:
            scores[i] += AGREES if bool(vote.approvals >> i & 1) == is_clean else DIFFERS
    return scores


def merlin_chances(n: Notes) -> Sequence[float]:
    scores = merlin_scores(n)
    top = max(scores.values())
    odds = {i: exp(score - top) for i, score in scores.items()}
    total = sum(odds.values())
    return [odds.get(i, 0.0) / total for i in range(n.players)]


def stab(n: Notes, options: Sequence[int], rng: Rng) -> int:
    """The seat whose ballots look most like Merlin's."""
    scores = merlin_scores(n)
    top = max(scores[i] for i in options)
    return rng.choice([i for i in options if scores[i] > top - 1e-9])


GOOD = Style(
    propose=propose,
    approves=approves,
    says=says,
    believes=lambda n: belief(n).is_evil(),
    fails=never,
    merlin=uniform_merlin,
    inspect=inspect,
    stab=anybody,
)
EVIL = NAIVE_EVIL._replace(merlin=merlin_chances, stab=stab)
