"""Checks of what a game says: its events, its payoffs, its hooks and its configuration."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from arena.core.canonical import canonical, digest
from arena.core.errors import ArenaError
from arena.core.events import EVERYONE, NOBODY
from arena.core.game import Game
from arena.core.match import Match
from arena.core.seeds import stream
from arena.core.table import Table
from arena.play import new_match
from arena.registry import find_game, make_game
from arena.testing.playing import drawn, fault, play, start, steps

SEED_IN_SIGHT = 7_046_029_254_386_353_131  # a seed whose digits cannot occur by accident


def check_events(name: str, seeds: Iterable[int] = (SEED_IN_SIGHT, 8), asks: int | None = 400) -> None:
    """Facts are JSON when they are told and stay as told; audiences are valid; no seat is shown the seed.

    So do answers and asks stay as they were: a game that changes a list that it was given changes the record.
    """
    for seed in seeds:
        game, preset = make_game(name)
        told: dict[int, str] = {}
        _watch(game, told)
        match = new_match(game, seed, preset=preset)
        answers: list[str] = []
        asked: list[str] = []
        for batch in steps(match, seed, asks=asks, lost=0.1):
            answers += [canonical(drawn(seed, match, seat, ask, 0.1)[0]) for seat, ask in batch.items()]
            asked += [digest(ask.spec()) for ask in batch.values()]
        for number, event in enumerate(match.events):
            where = f"seed {seed}, event {number} ({event.kind})"
            if (then := told.get(number)) is None:
                fault(name, where, "the event stands in the record, but table.tell never told it")
            if canonical([event.audience, event.facts]) != then:
                fault(name, where, f"the facts changed after they were told: {then} -> {canonical(event.facts)}")
            if _is_bad_audience(event.audience, match):
                fault(name, where, f"the audience {event.audience!r} is none")
            if (key := _bad_key(event.facts)) is not None:
                fault(name, where, f"a key of a fact must be a text, not {key!r}")
            if event.audience != NOBODY and seed == SEED_IN_SIGHT and str(seed) in then:
                fault(name, where, "a seat is told the seed")
        for turn, answer, ask in zip(match.turns, answers, asked, strict=True):
            where = f"seed {seed}, turn {turn.turn} ({turn.ask.name})"
            if canonical(turn.answer) != answer:
                fault(name, where, f"the game changed the answer that it was given: {answer}")
            if digest(turn.ask.spec()) != ask:
                fault(name, where, "the ask changed after it was asked")


def check_payoffs(name: str, seeds: Iterable[int] = range(10, 16), asks: int = 20_000) -> None:
    """Payoffs are finite, inside the declared bounds, and sum to `payoff_sum` where the game says zero-sum; whoever
    plays, and whoever forfeits."""
    for seed in seeds:
        match = play(start(name, seed), seed, asks=asks, lost=(0.0, 0.2)[seed % 2])
        if match.payoffs is None:
            fault(name, f"seed {seed}", f"the match is not over after {asks} asks")
        _check_payoffs(name, f"seed {seed}", match)
    match = start(name, 16)
    for seat in match.seats:
        if match.game.forfeit_payoffs(seat, match.seats) is None:
            break
        given_up = play(start(name, 16), 16, asks=2)
        if not given_up.done:
            given_up.forfeit(seat)
            _check_payoffs(name, f"{seat} forfeits", given_up)


def check_hooks(name: str, seed: int = 17, asks: int = 20_000) -> None:
    """The optional hooks give what `arena.core.game` says: JSON rules without secrets, metrics that are numbers or
    None, sides that add up, worlds that the view cannot tell from its own."""
    match = play(start(name, seed), seed, asks=asks, lost=0.05)
    game = match.game
    rules = game.rules()
    canonical(rules)
    if shown := set(rules) & game.config_type.secret():
        fault(name, "rules()", f"secret config fields are shown: {sorted(shown)}")
    for key, value in match.metrics().items():
        if value is not None and not (isinstance(value, int | float) and math.isfinite(value)):
            fault(name, f"seed {seed}", f"metric {key} is {value!r}, not a number or None")
    canonical(match.outcome)
    if sides := game.sides():
        if sum(sides.values()) != game.seat_count():
            fault(name, "sides()", f"{sides} do not add up to {game.seat_count()} seats")
        seated = [match.sides.get(seat) for seat in match.seats]
        if {side: seated.count(side) for side in sides} != sides:
            fault(name, f"seed {seed}", f"the seats hold the sides {seated}, not {sides}")
    if min(game.typical()) < 1:
        fault(name, "typical()", "both numbers must be at least 1")
    for turn in match.turns[:50]:
        phase = game.phase_name(turn.turn, match.events[: turn.events])
        if phase is not None and not isinstance(phase, str):
            fault(name, f"phase_name({turn.turn})", f"{phase!r} is not a text")
    _check_search_hooks(name, seed)


def check_config_documented(name: str) -> None:
    """The game says what it is, every config field says what it means, and every preset makes a configuration."""
    cls = find_game(name).cls
    if not (cls.__doc__ or "").strip():
        fault(name, "class", "the game needs a docstring; its first line is what `arena games` prints")
    for field in cls.config_type.describe():
        if not str(field.get("doc", "")).strip():
            fault(name, f"config field {field['name']}", 'give it its meaning: option(default, "meaning")')
    for preset, values in cls.presets.items():
        game = cls(cls.config_type.make(values))
        if cls.config_type.make(game.config.as_json()).as_json() != game.config.as_json():
            fault(name, f"preset {preset}", "the config does not come back from its own JSON")
        hash(game.config)


def _check_payoffs(name: str, where: str, match: Match) -> None:
    payoffs, game = match.payoffs or {}, match.game
    if tuple(payoffs) != match.seats or not all(math.isfinite(value) for value in payoffs.values()):
        fault(name, where, f"every seat needs a finite payoff: {payoffs}")
    if (bounds := game.payoff_bounds()) is not None:
        low, high = bounds
        if not all(low - 1e-9 <= value <= high + 1e-9 for value in payoffs.values()):
            fault(name, where, f"payoffs outside the declared bounds {bounds}: {payoffs}")
    if game.zero_sum and abs(math.fsum(payoffs.values()) - game.payoff_sum) > 1e-9:
        fault(name, where, f"payoffs must sum to {game.payoff_sum:g}: {payoffs}")


def _check_search_hooks(name: str, seed: int) -> None:
    match = start(name, seed)
    for number, batch in enumerate(steps(match, seed, asks=60)):
        for seat, ask in batch.items():
            view, where = match.view(seat), f"seed {seed}, batch {number}, {seat}"
            answer = ask.sample(stream(seed, number, seat))
            values = [match.game.score(view, answer), match.game.progress(view)]
            values += match.game.features(view, answer) or ()
            if not all(value is None or math.isfinite(value) for value in values):
                fault(name, where, f"score, progress and features must be finite: {values}")
            world = match.game.worlds(view, stream("worlds", seed, number, seat)) if number < 10 else None
            if world is not None and _known(world, seat) != _known(match, seat):
                fault(name, where, "a world drawn by worlds() differs in what the seat knows")


def _known(match: Match, seat: str) -> str:
    """What the seat was told and may answer now. A fallback may be drawn; no prompt shows it before it is played."""
    view, ask = match.view(seat), match.pending().get(seat)
    return canonical(
        [[[e.kind, e.facts] for e in view.events], None if ask is None else [ask.name, ask.kind, ask.legal_set()]]
    )


def _watch(game: Game, told: dict[int, str]) -> None:
    """From now on every fact that `game` tells is written down, by the number of its event, as JSON."""

    class Watched(Table):
        def tell(self, to: str | Iterable[str], kind: str, /, **facts: Any) -> None:
            super().tell(to, kind, **facts)
            number = len(self.events) - 1
            event = self.events[number]
            try:
                told[number] = canonical([event.audience, event.facts])
            except (TypeError, ValueError) as error:
                raise ArenaError(f"the facts of {kind!r} are not JSON: {error}") from error

    def play_watched(table: Table) -> Any:
        watched = Watched.__new__(Watched)
        watched.__dict__ = table.__dict__  # one state, seen through another class
        return type(game).play(game, watched)

    vars(game)["play"] = play_watched


def _is_bad_audience(audience: object, match: Match) -> bool:
    if audience in (EVERYONE, NOBODY):
        return False
    in_order = tuple(seat for seat in match.seats if isinstance(audience, tuple) and seat in audience)
    return not audience or audience != in_order


def _bad_key(value: Any) -> object:
    """A key of an object inside `value` that is no text; JSON would silently turn it into one."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                return key
            if (bad := _bad_key(inner)) is not None:
                return bad
    elif isinstance(value, list | tuple):
        return next((bad for entry in value if (bad := _bad_key(entry)) is not None), None)
    return None
