"""The rounds of a match, read back from its record: which stage game each was, what was played, what was stated."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from arena.core import Match
from arena.games.matrix.catalogue import CELLS, game_from_rows, grid_game, loss_game
from arena.games.matrix.config import MatrixConfig
from arena.games.matrix.network import edges_of, linked_goods, on_network
from arena.games.matrix.rules import Action, Profile, StageGame, exact


class Round(NamedTuple):
    """`mixes` holds, for each player, the probability of each of its actions: stated, or 1 at the action played."""

    game: StageGame
    profile: Profile
    payoffs: tuple[float, ...]
    mixes: tuple[Sequence[float], ...]
    facts: dict[str, Any]

    def pays(self, player: int) -> list[float]:
        """What each action would have paid the player."""
        return [float(amount) for amount in self.game.replies(player, self.profile)]


def rounds_of(match: Match) -> list[Round]:
    config: MatrixConfig = match.game.config
    seats = config.seat_tuple
    game = config.stage
    found: list[Round] = []
    whole: list[int] = []  # where in the log each round stands whole; parts of it follow
    for at, event in enumerate(match.events):
        facts = event.facts
        if event.kind == "rules":
            game = _first_game(config, facts)
        elif event.kind == "links":
            game = linked_goods(config.base, edges_of(facts["links"]), config.cost_of_link)
        elif event.kind == "round" and facts["round"] > len(found):
            if "losses" in facts:
                game = loss_game([exact(loss) for loss in facts["losses"]])
            whole.append(at)
            profile = tuple(facts["actions"][seat] for seat in seats)
            payoffs = tuple(float(facts["payoffs"][seat]) for seat in seats)
            mixes = tuple(_point(own, action) for own, action in zip(game.actions, profile, strict=True))
            found.append(Round(game, profile, payoffs, mixes, facts))
            if "positions" in facts:
                game = grid_game(*facts["positions"].values())
    for turn in match.turns:
        if turn.ask.name == "mixed" and (number := bisect_right(whole, turn.events - 1)) < len(found):
            _state(found, number, seats.index(turn.seat), turn.answer["p"])
    return found


def _state(found: list[Round], number: int, player: int, weights: Sequence[float]) -> None:
    mixes = found[number].mixes
    found[number] = found[number]._replace(mixes=(*mixes[:player], weights, *mixes[player + 1 :]))


def _first_game(config: MatrixConfig, facts: dict[str, Any]) -> StageGame:
    if "rows" in facts:
        return game_from_rows(config.base, facts["rows"])
    if config.scenario == "grid":
        return grid_game(0, CELLS - 1)
    return on_network(config.base, config.players, edges_of(facts["edges"])) if "edges" in facts else config.stage


def _point(actions: Sequence[Action], action: Action) -> list[float]:
    return [1.0 if a == action else 0.0 for a in actions]
