"""How likely each set of evil seats is, by proposals, ballots, quests and what the Lady said.

Each piece of evidence multiplies a world's weight by the chance of what was seen in that world, over a factor that all
worlds share. The chances are a simple model of play, stated beside each function; the worlds are those that a seat's
own role and sight leave open.
"""

from __future__ import annotations

from functools import cache
from math import comb

from arena.games.avalon.bots.notes import Learned, Notes, Played, Proposed, Voted
from arena.games.avalon.bots.sets import clean_teams, members, sets, worlds

LEADER_JOINS = 0.9  # an evil leader is on its own team
BLUFF = 0.5  # an evil seat fails where there are too few on the team to spoil the quest
SPOIL = 0.9  # and where there are enough
WANTS = (0.3, 0.8)  # an evil approves a team without and with enough evil
DOUBT, TRUST = 0.1, 0.9  # a good approves: the chance that the team is good, within these bounds


class Belief:
    """Weights of all worlds, which sum to 1. `open_eyed`: whether the seat's sight counts."""

    def __init__(self, n: Notes, open_eyed: bool) -> None:
        self.players, self.evil = n.players, n.evil_seats
        self.worlds = worlds(n.players, n.evil_seats)
        self.weights = [float(is_possible(n, world, open_eyed)) for world in self.worlds]
        self.start = self.weights
        self.read = 0
        self.clean: dict[int, list[float]] = {}  # team size -> chance of each team to be wholly good
        self._normalise()

    def catch_up(self, n: Notes) -> None:
        """Take in the evidence that came since the last look."""
        for evidence in n.evidence[self.read :]:
            match evidence:
                case Proposed(leader, team):
                    if leader != n.me:
                        self._lead(leader, team)
                case Voted():
                    self._vote(evidence, n.me)
                case Played(team, needed, fails, _):
                    chance = [fails_chance(k, needed, fails) for k in range(self.evil + 1)]
                    self._weigh([chance[(world & team).bit_count()] for world in self.worlds])
                case Learned(seat, is_evil):
                    self._weigh([float(bool(world >> seat & 1) == is_evil) for world in self.worlds])
        if self.read != len(n.evidence):
            self.read = len(n.evidence)
            self.clean = {}

    def good_team(self, team: int) -> float:
        """The chance that the whole team is good."""
        return sum(w for w, world in zip(self.weights, self.worlds, strict=True) if not world & team)

    def enough_evil(self, team: int, needed: int) -> float:
        """The chance that enough evil is on the team to fail the quest."""
        pairs = zip(self.weights, self.worlds, strict=True)
        return sum(w for w, world in pairs if (world & team).bit_count() >= needed)

    def good_teams(self, size: int) -> list[float]:
        """The chance to be wholly good of each team of `sets(players, size)`."""
        if size not in self.clean:
            found = [0.0] * len(sets(self.players, size))
            for weight, teams in zip(self.weights, clean_teams(self.players, self.evil, size), strict=True):
                if weight:
                    for t in teams:
                        found[t] += weight
            self.clean[size] = found
        return self.clean[size]

    def is_evil(self) -> list[float]:
        """The chance of each seat to be evil."""
        found = [0.0] * self.players
        for weight, world in zip(self.weights, self.worlds, strict=True):
            if weight:
                for i in members(world):
                    found[i] += weight
        return found

    def _lead(self, leader: int, team: int) -> None:
        """An evil leader joins its own team with .9; nothing is assumed of a good one."""
        factor = LEADER_JOINS if team >> leader & 1 else 1 - LEADER_JOINS
        self._weigh([factor if world >> leader & 1 else 1.0 for world in self.worlds])

    def _vote(self, vote: Voted, me: int) -> None:
        """A good seat approves with the team's chance to be good (or for certain where a rejection ends the match),
        an evil one with .8 or .3, as the team holds enough evil or not. One's own ballot says nothing."""
        p = TRUST if vote.forced else min(max(self.good_team(vote.team), DOUBT), TRUST)
        # Per evil seat: the chance of its ballot if it is evil, over that if it were good.
        ratios = [[1.0] * self.players for _ in WANTS]
        for i in range(self.players):
            if i != me:
                yes = vote.approvals >> i & 1
                for enough, wants in enumerate(WANTS):
                    ratios[enough][i] = wants / p if yes else (1 - wants) / (1 - p)
        factors = []
        for world, seats in zip(self.worlds, evil_members(self.players, self.evil), strict=True):
            ratio = ratios[(world & vote.team).bit_count() >= vote.needed]
            factor = 1.0
            for i in seats:
                factor *= ratio[i]
            factors.append(factor)
        self._weigh(factors)

    def _weigh(self, factors: list[float]) -> None:
        weights = [w * f for w, f in zip(self.weights, factors, strict=True)]
        # Evidence that no world explains (it contradicts itself) is dropped, not divided by zero.
        self.weights = weights if any(weights) else self.start
        self._normalise()

    def _normalise(self) -> None:
        total = sum(self.weights)
        self.weights = [w / total for w in self.weights]


def belief(n: Notes, open_eyed: bool = True) -> Belief:
    """The belief of a seat now; without `open_eyed`, of a servant in its place."""
    found: Belief = n.derived.setdefault(open_eyed, None) or Belief(n, open_eyed)
    n.derived[open_eyed] = found
    found.catch_up(n)
    return found


def is_possible(n: Notes, world: int, open_eyed: bool) -> bool:
    """Whether `world` agrees with the seat's side and, open-eyed, with what it saw."""
    me = 1 << n.me
    if bool(world & me) != (n.is_evil and open_eyed):
        return False
    if not open_eyed or not n.label:
        return True
    if n.label == "evil":
        return not n.seen & ~world  # as many more as there are unseen: a Mordred, an Oberon
    alike = (n.seen & world).bit_count()
    return alike == (1 if n.label == "merlin or morgana" else 0)


@cache
def fails_chance(evil: int, needed: int, fails: int) -> float:
    """The chance of `fails` fail cards from `evil` evil seats, each on its own: .9 where they are enough, else .5."""
    if fails > evil:
        return 0.0
    p = SPOIL if evil >= needed else BLUFF
    return comb(evil, fails) * p**fails * (1 - p) ** (evil - fails)


@cache
def evil_members(players: int, evil: int) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(members(world)) for world in worlds(players, evil))
