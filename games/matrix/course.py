"""The course of one match: which round it is, what is asked and told in a round, and what has been paid.

The plain game (everybody asked at once, everybody told everything) takes the short way through `asks` and `settle`;
it is the engine's speed benchmark. Everything else is what the stages of a configuration set: actions that are bound
by a commitment or a look, another stage game for a formed network, other levels of sight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from arena.core import EVERYONE, NOBODY, Ask, Payoffs, Table
from arena.games.matrix.catalogue import random_game
from arena.games.matrix.config import MatrixConfig
from arena.games.matrix.moving import Moving, moving_game
from arena.games.matrix.network import Edges, make_edges, neighbours, on_network, own_links, seen_by
from arena.games.matrix.rules import Action, Amount, Outcome, StageGame, drawn, plain, total

Played = dict[str, Action]  # seat -> action


class Course:
    """`round` counts from 1. `bound` holds this round's actions that are not asked for; `stated` the mixes whose
    action is drawn when the round is settled; `extra` facts that the round's event gets on top."""

    def __init__(self, table: Table, config: MatrixConfig) -> None:
        self.table, self.config = table, config
        self.players = config.seat_tuple
        self.game: StageGame = config.stage
        self.moving: Moving | None = None
        self.round = 0
        self.paid: list[tuple[Amount, ...]] = []
        self.bound: Played = {}
        self.stated: dict[str, Sequence[float]] = {}
        self.extra: dict[str, Any] = {}
        self.costs: dict[str, Amount] = {}
        self.levels: dict[str, str] = {}
        self.near: dict[str, tuple[str, ...]] = {}
        self._shown: dict[str, list[dict[str, Any]]] = {}
        self._plain = config.is_plain

    # --- the frame of a match ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Roles, what chance draws before the first round, and the `rules` event that states the stage game."""
        config, table = self.config, self.table
        for seat, role in zip(self.players, self.game.roles, strict=False):
            table.assign(seat, role=role, side=role)
        if config.governor:
            for seat in self.players:
                table.assign(seat, role="node", side="node")
            table.assign(self.governor, role="governor", side="governor")
        facts: dict[str, Any] = {"scenario": config.scenario}
        if config.draws_payoffs:
            self.game = random_game(config.base, table.rng("deal.payoffs"))
            facts["rows"] = self.game.rows()
        if config.graph != "none":
            self._lay_network()
            facts["edges"] = [[self.players[a], self.players[b]] for a, b in self._edges]
        if not config.shows_all:
            self.levels = dict.fromkeys(self.players, "none" if config.governor else config.visibility)
        self.moving = moving_game(config, table)
        if self.moving:
            self.game = self.moving.game()
        table.tell(EVERYONE, "rules", **facts)

    def _lay_network(self) -> None:
        config = self.config
        if config.graph == "random":
            n = config.players
            edges = make_edges("random", n, None, config.edge_prob, self.table.rng("deal.graph"))
            self.game = on_network(config.base, n, edges)
        else:
            edges = config.fixed_edges
        self.link(edges)

    def link(self, edges: Edges) -> None:
        """From now on these are the links."""
        self._edges = edges
        near = neighbours(len(self.players), edges)
        self.near = {seat: tuple(self.players[j] for j in near[i]) for i, seat in enumerate(self.players)}

    @property
    def governor(self) -> str:
        return self.table.seats[-1]

    def next_round(self) -> bool:
        """Go on to the next round, unless the last one was played or chance ends the match."""
        config = self.config
        if self.round == config.rounds:
            return False
        if self.round and config.ends_by_chance and self.table.rng("deal.continue").random() >= config.continue_prob:
            return False
        self.round += 1
        if not self._plain:
            self.bound, self.stated, self.extra, self.costs = {}, {}, {}, {}
        return True

    def end(self) -> Payoffs:
        """What the match pays. Everybody is told, each player its own part where others are hidden."""
        config, table = self.config, self.table
        totals = self.totals()
        shown = {seat: plain(amount) for seat, amount in totals.items()}
        why = "rounds" if self.round == config.rounds else "chance"
        self.recall()
        if not config.hides_others:
            table.tell(EVERYONE, "end", payoffs=shown, rounds=self.round)
        else:
            table.tell(self.governor if config.governor else NOBODY, "end", payoffs=shown, rounds=self.round)
            for seat in self.players:
                table.tell(seat, "end", payoffs={seat: shown[seat]}, rounds=self.round)
        return Payoffs({seat: float(amount) for seat, amount in totals.items()}, end_reason=why)

    def totals(self) -> dict[str, Amount]:
        """Every seat's payoff; a governor's is the mean of the nodes'."""
        config = self.config
        factor: Amount = Fraction(str(config.continue_prob)) if config.aggregate == "discounted" else 1
        totals = {s: total(self.paid, i, config.aggregate, factor) for i, s in enumerate(self.players)}
        return totals | {self.governor: Fraction(sum(totals.values())) / len(totals)} if config.governor else totals

    # --- one round -----------------------------------------------------------------------------------------------

    def asks(self) -> Mapping[str, Ask]:
        """Who is asked for an action now, and how."""
        every = self.config.asks
        if not (self.bound or self.stated):
            return every
        return {seat: ask for seat, ask in every.items() if seat not in self.bound and seat not in self.stated}

    def drawn_action(self, player: int) -> Action:
        """What is played for a seat that gave no legal answer and has no safe action."""
        actions: Sequence[Action] = self.game.actions[player]
        return self.table.rng("fallback").choice(actions)

    def settle(self, answers: Played) -> None:
        """The round is played: draw what was stated as a mix, flip what noise flips, pay, tell."""
        if self._plain and None not in answers.values():
            outcome = self.game.outcomes[tuple(answers.values())]
            self.table.tell(EVERYONE, "round", round=self.round, actions=answers, payoffs=outcome.shown)
            self.paid.append(outcome.exact)
            return
        actions = self._executed(answers)
        profile = tuple(actions.values())
        outcome = self._less_costs(self.game.outcomes[profile])
        facts: dict[str, Any] = {"round": self.round, "actions": actions, "payoffs": outcome.shown, **self.extra}
        if self.moving:
            facts |= self.moving.settle(profile)
            self.game = self.moving.game()
        self.paid.append(outcome.exact)
        self._tell_round(facts)

    def _executed(self, answers: Played) -> Played:
        actions: Played = {}
        for i, seat in enumerate(self.players):
            own = self.game.actions[i]
            given: Any = answers[seat] if seat in answers else self.bound.get(seat)
            if seat in self.stated or isinstance(given, dict):  # a stated mix: its action is drawn now
                weights = self.stated[seat] if seat in self.stated else given["p"]
                given = own[drawn(weights, self.table.rng("mixed").random())]
            actions[seat] = self.drawn_action(i) if given is None else given
        if self.config.mutation:
            actions = {seat: self._flipped(i, actions[seat]) for i, seat in enumerate(self.players)}
        return actions

    def _flipped(self, player: int, action: Action) -> Action:
        """With the chance of a mutation, another action, drawn uniformly from the rest."""
        noise = self.table.rng("noise")
        if noise.random() >= self.config.mutation:
            return action
        others = [other for other in self.game.actions[player] if other != action]
        return noise.choice(others) if others else action

    def _less_costs(self, outcome: Outcome) -> Outcome:
        if not self.costs:
            return outcome
        exact = tuple(a - self.costs.get(s, 0) for s, a in zip(self.players, outcome.exact, strict=True))
        return Outcome(exact, dict(zip(self.players, map(plain, exact), strict=True)))

    # --- who sees what -------------------------------------------------------------------------------------------

    def _tell_round(self, facts: dict[str, Any]) -> None:
        """The whole round to the log, and of it to each player what its level of sight lets it see."""
        config, table = self.config, self.table
        if config.shows_all:
            table.tell(EVERYONE, "round", **facts)
            return
        table.tell(self.governor if config.governor else NOBODY, "round", **facts)
        for i, seat in enumerate(self.players):
            part = self._part(i, seat, facts)
            if config.history == "all":
                table.tell(seat, "round", **part)
            else:
                self._shown.setdefault(seat, []).append(part)

    def _part(self, player: int, seat: str, facts: dict[str, Any]) -> dict[str, Any]:
        level = "none" if self.config.feedback == "bandit" else self.levels[seat]
        near = [self.players.index(s) for s in self.near.get(seat, ())]
        seen = [self.players[j] for j in seen_by(player, level, near, len(self.players))]
        part = {**facts, "actions": {s: facts["actions"][s] for s in seen}}
        part["payoffs"] = {s: facts["payoffs"][s] for s in seen}
        if level != "none" and near and not self.config.form:
            part["links"] = own_links(self.config.base, player, near, facts["actions"])
        if level != "all":
            for hidden in ("losses", "positions", "committed", "simulated"):
                part.pop(hidden, None)
        return part

    def recall(self) -> None:
        """`history=w`: before a round, and at the end, each player is told the last w rounds as far as it sees them."""
        width = self.config.history
        if isinstance(width, int):
            for seat, rounds in self._shown.items():
                self.table.tell(seat, "history", rounds=rounds[-width:])
