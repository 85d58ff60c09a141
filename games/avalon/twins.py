"""World pairs for the no-leak test: two role layouts that one seat cannot tell apart, played alike in public.

Both layouts give the seat the same role and the same sight. What everybody hears is the same in both matches: words,
proposals, ballots, and as many fails as evil can play in both. What nobody but its owner sees differs: forms, cards,
beliefs, evil talk that the seat does not hear, what the Lady tells others. A pair ends at the latest before the roles
are shown, and often with a batch half answered, differently.
"""

from __future__ import annotations

from typing import Any

from arena.core import Ask, Game, Match, Rng
from arena.core.seeds import stream
from arena.games.avalon.rules import FAIL, SUCCESS, knows_evil, sight

_TRIES = 3000  # at worst one layout in 126 has the same sight: ten seats, four seen


def twins(game: Game, seed: int, seat: str) -> list[tuple[Match, Match]]:
    """Two matches, some way along; never at the end."""
    layouts = _two_layouts(game, stream(seed, "twins", seat), seat)
    most = stream(seed, "length", seat).below(120)
    a, b, played = _walk(game, layouts, seed, seat, most)
    if a.done or b.done:
        a, b, _ = _walk(game, layouts, seed, seat, played - 1)
    _differ_in_secret(a, b, seat, stream(seed, "secret", seat))
    return [(a, b)]


def _two_layouts(game: Game, rng: Rng, seat: str) -> list[dict[str, str]]:
    """Twice the same one for a seat that knows every role; then only what others do in secret differs."""
    seats = [f"player_{i}" for i in range(game.seat_count())]
    cards: list[str] = game.config.role_list()
    rng.shuffle(cards)
    first = dict(zip(seats, cards, strict=True))
    others = [s for s in seats if s != seat]
    rest = [first[s] for s in others]
    for _ in range(_TRIES):
        rng.shuffle(rest)
        hidden = dict(zip(others, rest, strict=True))
        second = {s: hidden.get(s, first[seat]) for s in seats}
        if second != first and sight(second, seat) == sight(first, seat):
            return [first, second]
    return [first, first]


def _walk(game: Game, layouts: list[dict[str, str]], seed: int, seat: str, steps: int) -> tuple[Match, Match, int]:
    """Both worlds, played alike for at most `steps` steps or until one is over; and the steps played."""
    a, b = (_match(game, roles, seed) for roles in layouts)
    played = 0
    while played < steps and not (a.done or b.done):
        if not _step(a, b, seat, stream(seed, "step", played)):
            break
        played += 1
    return a, b, played


def _match(game: Game, roles: dict[str, str], seed: int) -> Match:
    config = game.config_type.make(game.config.as_json() | {"deal": list(roles.values())})
    return Match(type(game)(config), seed)


def _step(a: Match, b: Match, seat: str, rng: Rng) -> bool:
    """Answer everything that is open in both worlds; False where they would part in what the seat learns."""
    names = [next(iter(match.pending().values())).name for match in (a, b)]
    if "quest" in names:
        _play_quest(a, b, seat, rng)
        return True
    if "assassinate" in names or "evil_talk" in names:
        return _talk_evil(a, b, seat, rng)
    if names[0] == "lady":
        return _use_lady(a, b, seat, rng)
    for mover, ask in list(a.pending().items()):
        answer = ask.sample(rng)
        a.submit(mover, answer)
        b.submit(mover, answer if mover == seat else _in_secret(ask, b.pending()[mover], answer, rng))
    if not (a.done or b.done) and _asks(a, "quest") != _asks(b, "quest"):
        _play_quest(a, b, seat, rng)  # a team without evil has gone already in its world
    return True


def _in_secret(ours: Ask, theirs: Ask, answer: Any, rng: Rng) -> Any:
    """The same public answer in the other world, with another hidden part."""
    if ours.name == "speech":
        return {**theirs.sample(rng), "text": answer["text"]}
    return theirs.sample(rng) if ours.name == "beliefs" else answer


def _play_quest(a: Match, b: Match, seat: str, rng: Rng) -> None:
    """As many fails in both worlds as the evil of both can play, beside the seat's own card."""
    asked = [list(match.pending()) if _asks(match, "quest") else [] for match in (a, b)]
    own = seat in asked[0]
    card = rng.choice((SUCCESS, FAIL)) if own and all(asked) else SUCCESS
    others = [[s for s in seats if s != seat] for seats in asked]
    fails = rng.below(min(map(len, others)) + 1)
    for match, seats in zip((a, b), others, strict=True):
        failing = set(rng.sample(seats, fails))
        for s in seats:
            match.submit(s, FAIL if s in failing else SUCCESS)
        if own:
            match.submit(seat, card)


def _asks(match: Match, name: str) -> bool:
    return any(ask.name == name for ask in match.pending().values())


def _use_lady(a: Match, b: Match, seat: str, rng: Rng) -> bool:
    """The same target; one of the same side in both worlds if the seat itself will learn the side."""
    holder, ask = next(iter(a.pending().items()))
    options = [t for t in ask.options or () if holder != seat or a.sides[t] == b.sides[t]]
    if not options:
        return False
    target = rng.choice(options)
    for match in (a, b):
        match.submit(holder, target)
    return True


def _talk_evil(a: Match, b: Match, seat: str, rng: Rng) -> bool:
    """Evil talks before it strikes: words that the seat hears are the same in both worlds, others are not. The strike
    ends the match, so nobody makes it."""
    hears = knows_evil(a.roles[seat])
    talking = [match for match in (a, b) if _asks(match, "evil_talk")]
    if not talking:
        return False
    words = rng.choice(("Who is it?", "I do not know.", "The one who rejects."))
    for match in talking:
        match.submit(next(iter(match.pending())), words if hears else f"{words} {rng.below(100)}")
    return True


def _differ_in_secret(a: Match, b: Match, seat: str, rng: Rng) -> None:
    """Where the seat is asked together with others, these have answered already, each world in its own way."""
    for match in (a, b):
        for mover, ask in list(match.pending().items()):
            if mover != seat and seat in match.pending():
                match.submit(mover, ask.sample(rng))
