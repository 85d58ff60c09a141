"""World pairs for the no-leak test.

To a Blue, the pseudonym that advises it belongs to a Red in one world and to a Blue in the other, and said the same.
To a Red, two Blues it did not meet have changed names, and in one of the worlds no Blue hears any tip. Advice among
others differs, and so do meetings: the second world's match seed is searched until the seat itself meets the same
names in the same rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from arena.core import Answer, Ask, Game, Match
from arena.core.asks import Form
from arena.core.seeds import Rng, derive, stream
from arena.games.nyc.config import NycConfig
from arena.games.nyc.rules import meetings

TRIES = 4000


class World(NamedTuple):
    config: NycConfig
    seed: int
    names: tuple[str, ...]


def twins(game: Game, seed: int, seat: str) -> list[tuple[Match, Match]]:
    """One pair of matches, stopped before an ask of some round; none if no second world was found."""
    config: NycConfig = game.config
    rng, number = stream(seed, "twins"), int(seat.removeprefix("player_"))
    names = _names(type(game), config, seed)
    first = World(_with(config, names, config.met_rate, config.mute), seed, names)
    for rounds in range((1, 1, 1, 2, 2, 3)[rng.below(6)], 0, -1):
        for second in _seconds(first, seed, number, rounds, rng):
            a, b = (_played(type(game), world, number, seed, rounds) for world in (first, second))
            if a is not None and b is not None and _earned(a, seat) == _earned(b, seat):
                return [(a, b)]
    return []


def _names(cls: type[Game], config: NycConfig, seed: int) -> tuple[str, ...]:
    match = Match(cls(config), seed)
    names: Mapping[str, str] = match.events[0].facts["names"]
    match.close()
    return tuple(names[seat] for seat in match.seats)


def _with(config: NycConfig, names: tuple[str, ...], red_rate: int, mute: bool) -> NycConfig:
    secret = {"names": list(names), "red_rate": red_rate, "no_red": False, "mute": mute}
    return NycConfig.make(config.as_json() | secret | {"announced_red_rate": config.announced})


def _seconds(first: World, seed: int, seat: int, rounds: int, rng: Rng) -> list[World]:
    """The first few worlds in which `seat` meets the same names for that many rounds."""
    config, found = first.config, list[World]()
    swapped = _swap(first, seat, rounds, rng)
    names = list(first.names)
    for one, other in [swapped] if swapped else []:
        names[one], names[other] = names[other], names[one]
    blue = seat < config.n_blue
    rates = (config.red_rate, 100 - config.red_rate, 0) if blue else (config.red_rate,)
    changed = _with(config, tuple(names), rates[rng.below(len(rates))], config.mute if blue else not config.mute)
    seen = [_meets(first, met, seat) for met in _meetings(first, rounds)]
    hidden = swapped or ()
    if any(served in hidden for _, served in seen):
        return []
    for number in range(TRIES):
        world = World(changed, derive(seed, "twin", number), tuple(names))
        if all(_meets(world, met, seat) == then for met, then in zip(_meetings(world, rounds), seen, strict=True)):
            found.append(world)
            if len(found) == 3:
                break
    return found


def _swap(first: World, seat: int, rounds: int, rng: Rng) -> tuple[int, int] | None:
    """Whose names change: to a Blue, its first adviser's with one of the other colour; to a Red, two Blues'."""
    config = first.config
    blues = [i for i in range(config.n_blue) if i != seat]
    reds = [i for i in range(config.n_blue, config.n_blue + config.n_red) if i != seat]
    plan = _meetings(first, rounds)
    if seat >= config.n_blue:
        unmet = [blue for blue in blues if all(met.get(blue) != seat for met in plan)]
        return (unmet[0], unmet[1]) if len(unmet) > 1 else None
    served = {blue for met in plan for blue, adviser in met.items() if adviser == seat}
    blues = [blue for blue in blues if blue not in served]
    adviser = next((met[seat] for met in plan if seat in met), None)
    if not blues or not reds or adviser in served:
        return None
    if adviser is None:
        return rng.choice(blues), rng.choice(reds)
    return (adviser, rng.choice(reds)) if adviser < config.n_blue else (rng.choice(blues), adviser)


def _meetings(world: World, rounds: int) -> list[dict[int, int]]:
    """Who meets whom while every Blue travels."""
    rng, c = stream(world.seed, "meet"), world.config
    return [meetings(rng, range(c.n_blue), c.n_blue, c.n_red, c.p_meet, c.red_rate) for _ in range(rounds)]


def _meets(world: World, met: dict[int, int], seat: int) -> tuple[str | None, int | None]:
    """What a seat sees of a round's meetings: the name that advises it, and whom it advises."""
    adviser = world.names[met[seat]] if seat in met else None
    return adviser, next((blue for blue, by in met.items() if by == seat), None)


def _played(cls: type[Game], world: World, seat: int, deal_seed: int, rounds: int) -> Match | None:
    """The match of a world up to the seat's own ask in the last round (else its moves); None if a trip ended before
    that, since meetings then differ from the plan."""
    match = Match(cls(world.config), world.seed, deal_seed)
    me = match.seats[seat]
    asked: dict[tuple[str, str], int] = {}
    advised = any(by == seat for by in _meetings(world, rounds)[-1].values())
    while not match.done and not any(event.kind in ("arrived", "late") for event in match.events):
        pending = dict(match.pending())
        now = max(event.facts["round"] for event in match.events if event.kind in ("place", "meeting"))
        if now == rounds and next(iter(pending.values())).name == ("advise" if advised else "move"):
            return match
        for who, ask in pending.items():
            asked[who, ask.name] = asked.get((who, ask.name), 0) + 1
            match.submit(who, _answer(match, who, ask, me, now, asked[who, ask.name], (deal_seed, world.seed)))
    return None


def _earned(match: Match, seat: str) -> list[tuple[int, int]]:
    """What a Red earned in which round: a tip goes on earning unless its traveller hears another one."""
    truths = [event.facts for event in match.events if event.kind == "truth"]
    return [(told["round"], told["boards"]) for told in truths if told.get("paid") == seat]


def _answer(match: Match, who: str, ask: Ask, me: str, now: int, nth: int, seeds: tuple[int, int]) -> Answer:
    """The seat's own answers, all moves, and what others say to the seat are the same in both worlds; the rest is
    drawn anew in each."""
    deal, world = seeds
    if ask.name == "move":
        rng = stream(deal, "move", who, now)
        field: Any = ask.fields[0] if isinstance(ask, Form) else ask
        to = rng.choice(field.options)
        if not isinstance(ask, Form):
            return to
        return {"to": to, "p_red": rng.below(101)} if len(ask.fields) > 1 else {"to": to}
    if who == me:
        return ask.sample(stream(deal, ask.name, now, nth))
    partner = _partner(match, who, ask)
    if partner == me:
        return ask.sample(stream(deal, "to me", ask.name, now, _drafts(match, me, now)))
    return ask.sample(stream(world, who, ask.name, now, nth))


def _partner(match: Match, who: str, ask: Ask) -> str:
    """The seat on the other side of this meeting."""
    facts = match.view(who).last("meeting" if ask.name == "advise" else "encounter") or {}
    name = facts.get("traveller") or facts.get("adviser")
    names: Mapping[str, str] = match.events[0].facts["names"]
    return next(seat for seat, called in names.items() if called == name)


def _drafts(match: Match, me: str, now: int) -> int:
    """How many tips the seat has heard this round."""
    return sum(event.kind == "tip" and event.facts["round"] == now for event in match.view(me).events)
