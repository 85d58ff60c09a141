"""The true state of one match, and what is told of it to whom at the start and at each death.

Chance is split so that no stream mixes what is public with what is hidden: a draw that a seat may see never depends on
how often something that it may not see was drawn. Random fallbacks come from a stream for each seat, for that reason.
"""

from __future__ import annotations

from typing import Any

from arena.core import EVERYONE, Table
from arena.games.werewolf.asks import NONE, one_of
from arena.games.werewolf.config import FIRST_NAMES, WerewolfConfig
from arena.games.werewolf.rules import KIND, Ending, deck, ending, may_shoot, side


class Town:
    """Who holds which role, who lives, which night it is, and what each power has used up."""

    def __init__(self, table: Table, config: WerewolfConfig) -> None:
        self.table, self.config, self.seats = table, config, table.seats
        cards = list(config.deal or deck(config.roles))
        if config.deal is None:
            table.rng("deal").shuffle(cards)
        self.roles = dict(zip(table.seats, cards, strict=True))
        self.kinds = {seat: KIND[role] for seat, role in self.roles.items()}
        self.wolves = tuple(seat for seat in table.seats if self.kinds[seat] == "wolf")
        self.names = {seat: seat for seat in table.seats}
        if config.names == "first_names":
            pool = list(FIRST_NAMES)
            table.rng("deal.names").shuffle(pool)
            self.names = dict(zip(table.seats, pool, strict=False))
            table.rename(self.names)
        self.alive: tuple[str, ...] = table.seats
        self.night = 0
        self.exiled: str | None = None  # on the last day
        self.checked: dict[str, list[str]] = {seat: [] for seat in self.living("seer")}
        self.guarded: dict[str, str | None] = {}  # by each guard, in the last night
        self.potions = {seat: {"heal", "poison"} for seat in self.living("witch")}
        for seat, role in self.roles.items():
            table.assign(seat, role=role, side=side(role))

    @property
    def day(self) -> int:
        """The day that follows this night."""
        return self.night + 1

    def living(self, kind: str) -> list[str]:
        return [seat for seat in self.alive if self.kinds[seat] == kind]

    def others(self, seat: str) -> list[str]:
        """The living other than this seat."""
        return [s for s in self.alive if s != seat]

    def bury(self, *dead: str) -> None:
        self.alive = tuple(seat for seat in self.alive if seat not in dead)

    def ending(self) -> Ending | None:
        return ending(self.config.win, (self.roles[seat] for seat in self.alive))

    def fallback(self, seat: str, options: list[str]) -> str:
        """A random legal answer, decided when the ask is made."""
        return self.table.rng(f"fallback.{seat}").choice(options)

    def shown_role(self, seat: str, at: str) -> dict[str, Any]:
        """The fact `role`, where a death of this sort ("exile" or "death") makes it public."""
        shown = self.config.reveal_role in ("death", at)
        return {"role": self.roles[seat]} if shown else {}


def announce(town: Town) -> None:
    """The set-up: public facts to everyone, its own role to each seat, the fellow wolves to wolves."""
    rules = {key: value for key, value in town.config.as_json().items() if key not in town.config.secret()}
    town.table.tell(EVERYONE, "setup", names=dict(town.names), roles=dict(town.config.roles), rules=rules)
    for seat, role in town.roles.items():
        fellows = [w for w in town.wolves if w != seat] if seat in town.wolves else []
        town.table.tell(seat, "role", seat=seat, role=role, fellows=fellows)


async def aftermath(town: Town, causes: dict[str, str]) -> Ending | None:
    """After deaths: the win check, a dead hunter's shot, and the check again."""
    shooters = [
        seat
        for seat, cause in causes.items()
        if town.kinds[seat] == "hunter" and may_shoot(cause, town.config.hunter_poisoned_shoots)
    ]
    if not town.config.hunter_before_check and (end := town.ending()):
        return end
    for hunter in shooters:
        await shoot(town, hunter)
    return town.ending()


async def shoot(town: Town, hunter: str) -> None:
    """One living seat, or nobody. A shot not taken stays the hunter's secret: it would name the dead seat's role."""
    if not town.alive:
        return
    answer = await town.table.ask(hunter, one_of("shoot", town.alive, NONE, fallback=NONE))
    target = None if answer in (NONE, None) else answer
    if target is None:
        town.table.tell(hunter, "shot", hunter=hunter, target=None)
        return
    town.bury(target)
    town.table.tell(EVERYONE, "shot", hunter=hunter, target=target, **town.shown_role(target, "death"))
