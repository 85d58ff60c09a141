"""Normal-form games, once or repeated: in each round the stages before the choice, the choice of all at once, the
payoffs. What pays: rules.py and catalogue.py; the stages: stages.py; who is asked and told what: course.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from arena.core import Event, Game, Match, Payoffs, Table
from arena.games.matrix.config import MatrixConfig
from arena.games.matrix.course import Course
from arena.games.matrix.facts import public_facts
from arena.games.matrix.metrics import metrics
from arena.games.matrix.presets import PRESETS
from arena.games.matrix.rules import seat_names
from arena.games.matrix.stages import Commitment, act, act_in_turn, govern, links, programs, recall, simulation, talk
from arena.games.matrix.twins import twins


class Matrix(Game):
    """Normal-form games, once or repeated, with talk, commitment, simulation, networks and noise."""

    version, seats, config_type = 1, 2, MatrixConfig
    presets: ClassVar = PRESETS
    headline = "payoff"
    speech = True
    keep = frozenset({"rules", "programs", "links"})

    async def play(self, table: Table) -> Payoffs:
        config: MatrixConfig = self.config
        course = Course(table, config)
        course.begin()
        if config.programs:
            await programs(course)
        in_order = (
            (recall, isinstance(config.history, int)),
            (links, config.form),
            (govern, config.governor),
            (Commitment(), config.commitment),
            (talk, config.talk != "none"),
            (simulation, config.simulate != "none"),
        )
        stages = [stage for stage, wanted in in_order if wanted]
        choose = act_in_turn if config.scenario == "trust_amount" else act
        while course.next_round():
            for stage in stages:
                await stage(course)
            course.settle(await choose(course))
        return course.end()

    def seat_count(self) -> int:
        config: MatrixConfig = self.config
        return config.players + config.governor

    def rules(self) -> dict[str, Any]:
        return public_facts(self.config)

    def sides(self) -> dict[str, int]:
        config: MatrixConfig = self.config
        if config.governor:
            return {"node": config.players, "governor": 1}
        return dict.fromkeys(config.stage.roles, 1)

    def payoff_bounds(self) -> tuple[float, float]:
        """From the bounds of a round. A match that chance may end has between one and `rounds` of them."""
        config: MatrixConfig = self.config
        low, high = config.stage.low_high
        if config.simulate != "none":
            low -= config.cost_of_look
        weights = [1.0]
        if config.aggregate == "discounted":
            weights = [sum(config.continue_prob**t for t in range(config.rounds))]
        elif config.aggregate == "sum":
            weights = [1.0, config.rounds] if config.ends_by_chance else [config.rounds]
        return min(float(low) * w for w in weights), max(float(high) * w for w in weights)

    def forfeit_payoffs(self, seat: str, seats: Sequence[str]) -> Payoffs:
        """Who forfeits gets the least that a match can pay, everybody else the most."""
        low, high = self.payoff_bounds()
        return Payoffs({s: low if s == seat else high for s in seats})

    def typical(self) -> tuple[int, int]:
        config: MatrixConfig = self.config
        blocks = config.rounds * 2 // config.mega if config.commitment else 0
        talks = {"none": 0, "simultaneous": 1, "alternating": config.talk_turns}[config.talk] * config.rounds
        path = config.rounds + blocks + talks
        return path, path * len(seat_names(self.seat_count()))

    def phase_name(self, turn: int, events: Sequence[Event]) -> str:
        played = [event.facts["round"] for event in events if event.kind == "round"]
        return f"R{max(played, default=0) + 1}"

    def metrics(self, match: Match) -> dict[str, float | None]:
        return metrics(match)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        return twins(self, seed, seat)
