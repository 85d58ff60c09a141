"""The true state of one match, and what is told of it at the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arena.core import EVERYONE, Table
from arena.games.avalon.config import AvalonConfig
from arena.games.avalon.rules import EVIL, TEAM_SIZES, TO_WIN, Ending, ending, knows_evil, side, sight


class Board:
    """Who holds which role, whose turn it is to lead, and how the quests went."""

    def __init__(self, table: Table, config: AvalonConfig) -> None:
        self.table, self.config, self.seats = table, config, table.seats
        deal = table.rng("deal")
        cards = config.role_list()
        deal.shuffle(cards)
        leader = deal.below(len(self.seats))
        self.roles = dict(zip(self.seats, config.deal or cards, strict=True))
        self.leader0 = self.leader = leader if config.first_leader is None else config.first_leader
        self.lady = self.seats[self.leader0 - 1]  # the seat before the first leader
        self.had_lady = [self.lady]
        self.successes = self.failures = self.rejections = 0
        self.quest = 1
        for seat, role in self.roles.items():
            table.assign(seat, role=role, side=side(role))

    @property
    def size(self) -> int:
        """Seats on the team of this quest."""
        return TEAM_SIZES[self.config.players][self.quest - 1]

    @property
    def needed(self) -> int:
        """Fail cards that fail this quest."""
        return self.config.fails_needed()[self.quest - 1]

    @property
    def score(self) -> dict[str, int]:
        return {"good": self.successes, "evil": self.failures}

    def is_evil(self, seat: str) -> bool:
        return side(self.roles[seat]) == EVIL

    def clockwise(self) -> Sequence[str]:
        """All seats, the leader first."""
        return (*self.seats[self.leader :], *self.seats[: self.leader])

    def pass_on(self) -> None:
        """Leadership moves one seat clockwise."""
        self.leader = (self.leader + 1) % len(self.seats)

    def not_known_evil(self, seat: str) -> list[str]:
        """The others that `seat`, which is evil, does not know to be evil: an unseen Oberon is among them."""
        seen = sight(self.roles, seat)
        return [s for s in self.seats if s != seat and not (seen and s in seen.seen)]

    def conspirators(self) -> list[str]:
        """The evil that know each other."""
        return [s for s in self.seats if knows_evil(self.roles[s])]

    def ending(self) -> Ending | None:
        rejections = self.rejections if self.config.fifth_reject == "evil_wins" else 0
        return ending(self.successes, self.failures, rejections, self.config.merlin)

    def is_decided(self) -> bool:
        """Whether there is no further quest."""
        return TO_WIN in (self.successes, self.failures)


def announce(board: Board, rules: dict[str, Any]) -> None:
    """The set-up to everyone, its role to each seat, and what it sees to each seat that sees somebody."""
    table, config = board.table, board.config
    facts = {key: rules[key] for key in ("roles", "sizes", "fails")}
    lady = {"lady": board.lady} if config.lady else {}
    table.tell(EVERYONE, "setup", n=config.players, leader0=board.seats[board.leader0], **facts, **lady)
    for seat, role in board.roles.items():
        table.tell(seat, "role", seat=seat, role=role, side=side(role))
        if seen := sight(board.roles, seat):
            table.tell(seat, "sight", seen=list(seen.seen), label=seen.label)
