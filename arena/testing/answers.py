"""Checks of what a seat may answer: the illegal changes nothing, the hostile crashes nothing, the silent finish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from arena.core.asks import Answer, Ask, Choice, Each, Form, ListOf, Number, Range, Subset, Text
from arena.core.canonical import canonical
from arena.core.errors import IllegalAnswer
from arena.core.match import Match
from arena.core.record import record_hash
from arena.core.seeds import stream
from arena.core.text import one_line
from arena.prompt import read_reply, wire
from arena.testing.corpus import REPLIES, SPOOFS, WRONG
from arena.testing.playing import chance_of, fault, spread, start, steps


def check_fuzz(name: str, seeds: tuple[int, ...] = (6,), asks: int | None = 200, looks: int = 12) -> None:
    """Legal, illegal, empty, huge and hostile answers at `looks` moments of each match.

    A legal one is drawn by `sample`, accepted, and reads back from how a model would write it. An illegal one raises
    IllegalAnswer and leaves the match as it was. No reply and no half-legal answer raises anything else.
    """
    for seed in seeds:
        moments = set(spread(_batches(name, seed, asks), looks))
        match = start(name, seed)
        for number, batch in enumerate(steps(match, seed, asks=asks)):
            if number in moments:
                for seat, ask in batch.items():
                    _check_ask(name, seed, match, seat, ask)


def check_fallbacks(name: str, seed: int = 7, asks: int = 20_000) -> None:
    """A table where nobody ever answers legally finishes, and so does one where only the first seat answers."""
    for honest in (0, 1):
        match = start(name, seed)
        while not match.done:
            if len(match.turns) >= asks:
                fault(name, f"seed {seed}", f"a match of fallbacks is not over after {asks} asks")
            for seat, ask in match.pending().items():
                if honest and seat == match.seats[0]:
                    match.submit(seat, ask.sample(chance_of(seed, match, seat)))
                else:
                    match.submit_fallback(seat)
        record_hash(match)


def texts_replaced(ask: Ask, answer: Answer, words: Callable[[Text], str]) -> Answer:
    """`answer` with every free text in it replaced by `words(ask)`, cut to its cap."""
    match ask:
        case Text() if isinstance(answer, str):
            return words(ask)[: ask.max_chars]
        case ListOf() if isinstance(answer, list):
            return [texts_replaced(ask.item, entry, words) for entry in answer]
        case Each() if isinstance(answer, dict):
            return {key: texts_replaced(ask.item, entry, words) for key, entry in answer.items()}
        case Form() if isinstance(answer, dict):
            fields = {field.name: field for field in ask.fields}
            return {key: texts_replaced(fields[key], entry, words) for key, entry in answer.items()}
    return answer


def probes(ask: Ask, rng: Random) -> Iterator[Answer]:
    """Answers near the legal set of `ask`, most of them illegal: for comparing what is refused, and why."""
    yield from ("", None, -1, 10**9, [], {}, "no such option", {"no such field": 0})
    yield from _near(ask, rng)
    if isinstance(ask, Form):
        for _ in range(6):  # legal field by field, so that a rule between fields shows itself
            yield {field.name: field.sample(rng) for field in ask.fields}
        whole = ask.sample(rng)
        for field in ask.fields:
            for value in _near(field, rng):
                yield whole | {field.name: value}


def _near(ask: Ask, rng: Random) -> Iterator[Answer]:
    match ask:
        case Choice():
            yield from ask.options or ()
        case Range() | Number():
            yield from (ask.low, ask.high, ask.low - 1, ask.high + 1, (ask.low + ask.high) // 2)
        case Text():
            yield from ("hello", "x" * (ask.max_chars + 1))
        case Subset():
            yield from ([label] for label in ask.labels)
            yield from ([], list(ask.labels), [*ask.labels, *ask.labels])
        case ListOf():
            yield from ([ask.item.sample(rng) for _ in range(n)] for n in {0, ask.low, ask.high, ask.high + 1})
        case Each():
            yield {key: ask.item.sample(rng) for key in ask.keys[1:]}


def _check_ask(name: str, seed: int, match: Match, seat: str, ask: Ask) -> None:
    where = f"seed {seed}, turn {len(match.turns)}, {seat} asked {ask.name!r}"
    rng = stream("fuzz", seed, seat, len(match.turns))
    before = (record_hash(match), list(match.pending()), len(match.events), ask.spec())
    for _ in range(5):
        _check_legal(name, where, match, seat, ask, ask.sample(rng))
    legal = ask.sample(rng)
    for words in SPOOFS:
        answer = texts_replaced(ask, legal, lambda _, words=words: words)  # type: ignore[misc]  # bound at once
        _check_any(name, where, match, seat, answer)
    for wrong in (*WRONG, *probes(ask, rng)):
        _check_any(name, where, match, seat, wrong)
        _check_partial(name, where, match, ask, wrong)
    for reply in (*REPLIES, *SPOOFS):
        _check_reply(name, where, match, ask, reply)
    if (record_hash(match), list(match.pending()), len(match.events), ask.spec()) != before:
        fault(name, where, "an answer that was refused changed the match")


def _check_legal(name: str, where: str, match: Match, seat: str, ask: Ask, answer: Answer) -> None:
    try:
        canon = match.check(seat, answer)
        if canonical(match.check(seat, canon)) != canonical(canon):
            fault(name, where, f"the canonical form of {answer!r} has another canonical form")
        reply = wire(ask, canon, match.names)
        if read_reply(ask, reply, match.names).answer != canon:
            fault(name, where, f"{reply!r} does not read back as {canon!r}")
    except IllegalAnswer as error:
        fault(name, where, f"sample drew {answer!r}, which is illegal: {error.reason}")


def _check_any(name: str, where: str, match: Match, seat: str, answer: Any) -> None:
    try:
        canonical(match.check(seat, answer)).encode()
        return
    except IllegalAnswer as error:
        if error.reason != one_line(error.reason):
            fault(name, where, f"the reason must be one line without hidden characters: {error.reason!r}")
    except Exception as error:  # whatever it is: it must not be
        fault(name, where, f"the answer {_short(answer)} raised {type(error).__name__}: {error}")
    try:
        match.submit(seat, answer)
    except IllegalAnswer:
        return
    fault(name, where, f"check refuses {_short(answer)}, submit takes it")


def _check_partial(name: str, where: str, match: Match, ask: Ask, attempted: Any) -> None:
    """The parts of a rejected answer that a game keeps must be JSON like any other answer."""
    try:
        canonical(match.game.partial(ask, attempted)).encode()
    except Exception as error:  # whatever it is: it must not be
        fault(name, where, f"partial(…, {_short(attempted)}) raised {type(error).__name__}: {error}")


def _check_reply(name: str, where: str, match: Match, ask: Ask, reply: str) -> None:
    try:
        answer = read_reply(ask, reply, match.names).answer
        canonical(ask.check(answer)).encode()
    except IllegalAnswer:
        pass
    except Exception as error:  # whatever it is: it must not be
        fault(name, where, f"the reply {_short(reply)} raised {type(error).__name__}: {error}")


def _batches(name: str, seed: int, asks: int | None) -> int:
    return sum(1 for _ in steps(start(name, seed), seed, asks=asks))


def _short(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**60:
        return f"an integer of {value.bit_length()} bits"
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
