"""World pairs for the no-leak test: the others' hidden choices differ, and nothing that a seat may know does.

What a seat may know of a round is said here once more, from the rules alone: its own action and payoff, what those
that it sees did, and all of it where nothing is hidden. Two kinds of difference are made: in rounds that are hidden
from the seat, other profiles with the same visible part; and in the open batch, other answers of those who answer at
the same time. Who plays alone is compared before the first round, with another deal to come.
"""

from __future__ import annotations

from random import Random
from typing import Any

from arena.core import Ask, Game, Match
from arena.core.seeds import stream
from arena.games.matrix.config import MatrixConfig
from arena.games.matrix.network import seen_by

_TRIES = 12


def twins(game: Game, seed: int, seat: str) -> list[tuple[Match, Match]]:
    """Two matches played alike as far as `seat` may know, up to a moment when `seat` is asked."""
    rng = stream(seed, "twins", seat)
    alone = game.seat_count() == 1
    a, b = (Match(type(game)(game.config), seed, deal_seed) for deal_seed in (seed, seed + alone))
    moments = 0 if alone else rng.below(12)
    while not a.done and not b.done:
        asks = a.pending()
        if seat in asks:
            if moments == 0:
                _differ_now(a, b, seat, rng)
                return [(a, b)] if _differ(a, b) else []
            moments -= 1
        given = {s: ask.sample(rng) for s, ask in asks.items()}
        other = _hidden_alternative(a, b, seat, given, rng)
        for s in list(asks):
            a.submit(s, given[s])
            b.submit(s, other[s])
    return []


def _differ_now(a: Match, b: Match, seat: str, rng: Random) -> None:
    """Those asked together with `seat` have answered, each world in its own way."""
    for other, ask in list(a.pending().items()):
        if other != seat:
            a.submit(other, ask.sample(rng))
            b.submit(other, b.pending()[other].sample(rng))


def _differ(a: Match, b: Match) -> bool:
    sealed = len(a.pending()) < len(a.opened())
    return sealed or a.deal_seed != b.deal_seed or [t.answer for t in a.turns] != [t.answer for t in b.turns]


def _hidden_alternative(a: Match, b: Match, seat: str, given: dict[str, Any], rng: Random) -> dict[str, Any]:
    """Answers for the second world: others' actions may differ where the seat could not notice."""
    config: MatrixConfig = a.game.config
    if not _may_hide(config, seat, a.pending()):
        return given
    wanted = _signal(config, seat, given, a)
    if wanted != _signal(config, seat, given, b):
        return given
    for _ in range(_TRIES):
        tried = {s: given[s] if s == seat else ask.sample(rng) for s, ask in a.pending().items()}
        if tried != given and _signal(config, seat, tried, b) == wanted:
            return tried
    return given


def _may_hide(config: MatrixConfig, seat: str, asks: dict[str, Ask]) -> bool:
    """Whether this batch is a plain simultaneous choice in a game that hides the others from `seat`."""
    plain = all(ask.name == "act" for ask in asks.values()) and tuple(asks) == config.seat_tuple
    still = not (
        config.mutation or config.commitment or config.form or config.draws_payoffs or config.simulate != "none"
    )
    hides = config.hides_others or config.history == "none"
    return (
        plain
        and still
        and hides
        and seat in config.seat_tuple
        and config.graph != "random"
        and config.scenario != "grid"
    )


def _signal(config: MatrixConfig, seat: str, actions: dict[str, Any], match: Match) -> Any:
    """What the seat may know of a round with these actions, by the rules."""
    player, n = config.seat_tuple.index(seat), config.players
    paid = config.stage.pay(tuple(actions.values()))
    near = tuple(j for j in range(n) if (min(player, j), max(player, j)) in config.fixed_edges)
    level = _level(config, seat, match)
    seen = () if config.history == "none" else seen_by(player, level, near, n)
    links = [config.base.pay((actions[seat], actions[f"player_{j}"]))[0] for j in near] if level != "none" else []
    return [(actions[f"player_{j}"], paid[j]) for j in seen], paid[player], links


def _level(config: MatrixConfig, seat: str, match: Match) -> str:
    """The seat's sight in this round, as it was told itself."""
    if config.feedback == "bandit":
        return "none"
    if not config.governor:
        return config.visibility
    told = match.view(seat).last("visibility")
    return config.visibility if told and told["open"] else "none"
