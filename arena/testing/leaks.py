"""No leaks: for two worlds that a seat cannot tell apart, everything that it reads is equal byte for byte.

Two sources of world pairs:

- the game's own `twins(seed, seat)`: pairs that the *rules* do not let the seat tell apart (another hidden hand,
  another role layout, other private messages). These find a fact told to the wrong audience.
- drawn pairs, which need nothing from the game: two matches of one configuration, where the seat gives the same answers
  and the others, and in half of the pairs chance too, are drawn anew. As long as the seat was told the same facts, its
  asks must be the same, in number, order, legal sets, caps and reasons of refusal, and so must its prompt. These find
  whatever reaches a seat on another way than by `tell`. (Where chance is drawn anew fallbacks may differ.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from arena.core.asks import Answer, Ask, Choice, Each, Form, ListOf
from arena.core.canonical import canonical
from arena.core.errors import IllegalAnswer
from arena.core.match import Match
from arena.core.seeds import Rng, derive, stream
from arena.core.view import View
from arena.play import new_match
from arena.prompt import messages
from arena.registry import make_game
from arena.testing.answers import probes
from arena.testing.playing import chance_of, fault

Seen = dict[str, Any]


def check_no_leaks(name: str, pairs: int = 200, seed: int = 0, asks: int = 30, draws: int | None = None) -> int:
    """Compare `pairs` pairs of the game's twins, if it has any, and `draws` drawn pairs (by default `pairs`), each
    followed for at most `asks` asks of the seat. The result is the number of pairs whose worlds really differed."""
    return check_twins(name, pairs, seed) + check_drawn_pairs(name, pairs if draws is None else draws, seed, asks)


def check_twins(name: str, pairs: int = 200, seed: int = 0) -> int:
    """The pairs that the game supplies; the result counts those whose worlds differ."""
    game, _ = make_game(name)
    seats = [f"player_{i}" for i in range(game.seat_count())]
    compared = differed = 0
    for number in range(pairs):
        for seat in seats:
            for a, b in game.twins(derive("twins", seed, number), seat):
                where = f"twins({derive('twins', seed, number)}, {seat!r})"
                _compare(name, where, everything(a, seat), everything(b, seat))
                compared += 1
                differed += _differ(a, b)
                a.close()
                b.close()
            if compared >= pairs:
                break
        if not compared or compared >= pairs:
            break  # a game without twins, or enough
    if compared and not differed:
        fault(name, "twins()", f"the worlds of all {compared} pairs are one and the same, so they show nothing")
    return differed


def check_drawn_pairs(name: str, pairs: int = 200, seed: int = 0, asks: int = 30) -> int:
    """Drawn pairs; the result counts those whose worlds differed while the seat was still told the same."""
    game, preset = make_game(name)
    seats = [f"player_{i}" for i in range(game.seat_count())]
    judged = 0
    for number in range(pairs):
        rng = stream("drawn pairs", seed, number)
        seat, first = seats[number % len(seats)], derive("world", seed, number)
        second = first if number // len(seats) % 2 else derive("other world", seed, number)
        a, b = new_match(game, first, preset=preset), new_match(game, second, preset=preset)
        again = rng.choice((0.1, 0.5, 1.0))  # the share of the others' answers that is drawn anew
        judged += _walk(name, f"drawn pair {number} of seed {seed}", a, b, seat, again, rng, asks)
        a.close()
        b.close()
    return judged


def everything(match: Match, seat: str) -> Seen:
    """All that reaches `seat`, up to now."""
    view = match.view(seat)
    return {
        "rules": view.rules,
        "names": view.names,
        "events": [[event.audience, event.kind, event.facts] for event in view.events],
        "exchanges": [[e.seen, shown(e.ask), e.answer, e.fallback] for e in view.exchanges],
        "refusals": [refusals(e.ask) for e in view.exchanges[-2:]],
        "payoff": match.payoffs[seat] if match.payoffs else None,
        **_now(match, view),
    }


def _now(match: Match, view: View) -> Seen:
    from arena.envs import info_of, observation_of

    if match.renderer is None:
        match.renderer = messages
    ask = match.pending().get(view.seat)
    observation = observation_of(match, view.seat)
    return {
        "ask": None if ask is None else shown(ask),
        "refusal": None if ask is None else refusals(ask),
        "messages": view.messages(),
        "observation": [observation["text"], observation["observation"].tolist()],
        "info": info_of(match, view.seat),
    }


def shown(ask: Ask) -> Any:
    """The ask as JSON, in the order in which it is shown, with the aliases that its labels answer to."""
    return [ask.spec(), _aliases(ask)]


def refusals(ask: Ask) -> list[str]:
    """What becomes of answers near the legal set: the reason of the refusal, or the answer as it is played."""
    found: list[str] = []
    for answer in probes(ask, Rng(1)):
        try:
            found.append("played: " + canonical(ask.check(answer)))
        except IllegalAnswer as error:
            found.append(error.reason)
    return found


def _aliases(ask: Ask) -> Any:
    match ask:
        case Choice():
            return dict(ask.aliases)
        case ListOf() | Each():
            return _aliases(ask.item)
        case Form():
            return [_aliases(field) for field in ask.fields]
    return None


def _walk(name: str, where: str, a: Match, b: Match, seat: str, again: float, rng: Rng, asks: int) -> bool:
    """Play both worlds from ask to ask of `seat`, as long as it is told the same. True if they differed meanwhile."""
    differed = False
    others_a: dict[tuple[str, int], Answer] = {}
    for number in range(asks):
        for match in (a, b):
            _until_asked(match, seat, others_a, again if match is b else None, rng)
        here = f"{where}, ask {number} of {seat}"
        seen_a, seen_b = a.view(seat).events, b.view(seat).events
        if len(seen_a) != len(seen_b) or _told(a, seat) != _told(b, seat) or a.done or b.done:
            return differed  # the rules told the seat something; from here on it may see a difference
        differed = differed or _differ(a, b)
        now_a, now_b = _now(a, a.view(seat)), _now(b, b.view(seat))
        if a.seed != b.seed:  # a fallback may be drawn by chance; no prompt shows it before it is played
            now_a, now_b = _without_fallbacks(now_a), _without_fallbacks(now_b)
        _compare(name, here, now_a, now_b)
        answer = a.pending()[seat].sample(chance_of(number, a, seat))
        for match in (a, b):
            match.submit(seat, answer)
    return differed


def _until_asked(match: Match, seat: str, others: dict[tuple[str, int], Answer], again: float | None, rng: Rng) -> None:
    """Answer for the other seats until `seat` alone is missing. With `again`, that share of their answers is drawn
    anew; the rest are the answers of the first world, where they are legal here."""
    while not match.done and list(match.pending()) != [seat]:
        for other, ask in match.pending().items():
            if other == seat:
                continue
            turn = (other, len(match.view(other).exchanges))
            answer = ask.sample(rng)
            if again is None:
                others[turn] = answer
            elif turn in others and rng.random() >= again and _is_legal(ask, others[turn]):
                answer = others[turn]
            match.submit(other, answer)


def _without_fallbacks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_fallbacks(inner) for key, inner in value.items() if key != "fallback"}
    return [_without_fallbacks(inner) for inner in value] if isinstance(value, list) else value


def _is_legal(ask: Ask, answer: Answer) -> bool:
    try:
        ask.check(answer)
    except IllegalAnswer:
        return False
    return True


def _told(match: Match, seat: str) -> str:
    return canonical([[event.audience, event.kind, event.facts] for event in match.view(seat).events])


def _differ(a: Match, b: Match) -> bool:
    """Whether something is different between the two worlds, seen or unseen."""

    def world(match: Match) -> Iterator[Any]:
        yield match.roles
        yield [[event.audience, event.kind, event.facts] for event in match.events]
        yield [[turn.seat, turn.answer] for turn in match.turns]
        yield match.game.config.as_json()
        yield match._answers  # sealed: given in the open batch, seen by nobody yet

    return (a.seed, a.deal_seed) != (b.seed, b.deal_seed) or canonical(list(world(a))) != canonical(list(world(b)))


def _compare(name: str, where: str, a: Seen, b: Seen) -> None:
    for what in a:
        if canonical(a[what]) != canonical(b[what]):
            fault(
                name,
                where,
                f"a leak: {what} differ between worlds that must look alike: {_difference(a[what], b[what])}",
            )


def _difference(a: Any, b: Any) -> str:
    """The innermost place where two JSON values part."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            return f"{len(a)} entries and {len(b)}: {canonical(a)[:200]} / {canonical(b)[:200]}"
        return next((_difference(x, y) for x, y in zip(a, b, strict=True) if canonical(x) != canonical(y)), "")
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return next(
            (f"{k}: {_difference(a[k], b[k])}" for k in a if canonical(a[k]) != canonical(b[k])), "order of keys"
        )
    return f"{canonical(a)[:300]} / {canonical(b)[:300]}"
