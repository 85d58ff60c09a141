"""The configuration: which stage game, how often, and which stages stand around it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from arena.core import Ask, Config, ConfigError, option
from arena.games.matrix.asks import action_asks
from arena.games.matrix.catalogue import MOVING, Parameters, stage_game
from arena.games.matrix.network import Edges, linked_goods, make_edges, on_network
from arena.games.matrix.rules import Amount, StageGame, exact, seat_names

_DRAWN = ("matrix_random",)  # payoffs that chance draws for each match
_BARE = ("trust_amount", "online")  # too special for commitment, simulation, noise, stated mixes over plans


class MatrixConfig(Config):
    scenario: str = option("ipd", "the stage game, by its name in the catalogue")
    n: int | None = option(None, "players, where the scenario leaves it open", low=1, high=20)
    k: int | None = option(None, "actions of each player, where the scenario leaves it open", low=1, high=1000)
    values: tuple[float, ...] | None = option(None, "coordination: what each common action is worth; default all 1")
    partial: bool = option(False, "trust: the investor may also send half")
    losses: Literal["iid", "trend", "sine", "square", "adversarial"] = option(
        "iid", "online: the generator of the loss vectors", secret=True
    )
    payoffs: Any = option(None, "custom: the tensor, payoffs[a0][a1]… = [u0, u1, …]")
    labels: Any = option(None, "custom: the actions' names, one list for all players or one for each")

    rounds: int = option(10, "rounds played (at most, where chance ends the match)", low=1, high=100_000)
    announce_rounds: bool = option(True, "the players know how many rounds there are")
    aggregate: Literal["sum", "mean", "discounted"] = option(
        "sum", "what a match pays; discounted: round t weighs continue_prob^(t-1) and chance ends nothing"
    )
    continue_prob: float = option(
        1.0, "the chance that another round follows; below 1 no horizon is announced", low=0, high=1
    )
    history: int | Literal["all", "none"] = option("all", "past rounds shown: all as they end, the last w, or none")
    feedback: Literal["full", "bandit"] = option("full", "bandit: a player learns its own action and payoff only")
    payoff_words: bool = option(True, "prompts give payoffs as sentences; false: as a bare table")
    mixed: bool = option(False, "players state probabilities and the engine draws their actions")
    mutation: float = option(0.0, "the chance that an action is flipped to another one", low=0, high=1)

    talk: Literal["none", "simultaneous", "alternating"] = option("none", "messages before each round's actions")
    talk_turns: int = option(2, "alternating talk: messages before each round", low=1, high=50)
    talk_chars: int = option(300, "length cap of a message", low=1, high=4000)
    programs: bool = option(False, "before round 1 each seat may publish a program text of at most 8,000 characters")

    commitment: bool = option(False, "before each block of `mega` rounds plans are proposed and committed to")
    mega: int = option(1, "rounds in a block that a plan covers", low=1, high=100)
    conditional: bool = option(True, "plans bind only if all commit; false: each commitment binds its maker")

    simulate: Literal["none", "optional", "forced"] = option("none", "one player may pay to see the other's strategy")
    simulate_shows: Literal["mixed", "pure"] = option("mixed", "what is seen: the probabilities, or the drawn action")
    simulate_cost: float = option(0.1, "what looking costs", low=0, high=1_000_000)
    simulator: int = option(0, "the player who may look", low=0, high=1)

    network: Literal["none", "ring", "complete", "random", "given"] = option(
        "none", "who plays with whom; payoffs sum over links"
    )
    edges: tuple[tuple[int, int], ...] | None = option(None, "network given: pairs of player numbers")
    edge_prob: float = option(0.5, "network random: the chance of each link", low=0, high=1)
    visibility: Literal["none", "own", "neighbours", "all"] = option(
        "all", "whose actions and payoffs a player learns; with a governor: at an open node"
    )
    governor: bool = option(False, "one more seat opens or closes each node's sight every round")
    governor_budget: int = option(3, "nodes that the governor may open at once", low=0, high=20)
    form: bool = option(False, "public goods among linked players, who choose their links")
    phases: int = option(2, "form: times that links are chosen anew", low=1, high=1000)
    link_cost: float = option(0.5, "form: what a link costs each of its ends a round", low=0, high=1000)

    def check(self) -> None:
        pair = self.base
        if isinstance(self.history, int) and not 1 <= self.history <= 1000:
            raise ConfigError(f"history must be all, none, or a number of rounds from 1 to 1000, not {self.history}")
        self._check_graph()
        if self.simulate != "none" and (self.stage.n != 2 or not pair.has_labels or self.mixed):
            raise ConfigError("simulate needs two players with labelled actions who do not state mixes anyway")
        if self.mixed and not pair.has_labels:
            raise ConfigError(f"mixed needs labelled actions; those of {self.scenario} are numbers")
        special = self.commitment or self.simulate != "none" or self.mutation > 0
        if self.scenario in _BARE and special:
            raise ConfigError(f"{self.scenario} knows no commitment, simulation or mutation")
        if self.scenario == "grid" and self.simulate != "none":
            raise ConfigError("grid knows no simulation")
        if self.talk != "none" and self.players < 2:
            raise ConfigError("talk needs somebody to talk to")

    def _check_graph(self) -> None:
        if (self.edges is not None) != (self.network == "given"):
            raise ConfigError('edges and network="given" belong together')
        if self.graph == "ring" and self.players < 3:
            raise ConfigError(f"n must be at least 3 in a ring, not {self.players}")
        if self.graph != "none" and self.draws_payoffs:
            raise ConfigError(f"a network needs a game of two alike players; {self.scenario} is none")
        if self.governor and self.graph == "none":
            raise ConfigError("a governor needs a network")
        if self.governor and (self.history != "all" or self.feedback != "full"):
            raise ConfigError("with a governor, sight is the governor's to set: history all, feedback full")
        if self.form and (self.scenario != "public_goods" or self.graph != "none"):
            raise ConfigError("form needs the scenario public_goods without a network")
        if self.form and self.rounds % self.phases:
            raise ConfigError(f"rounds ({self.rounds}) must be a multiple of phases ({self.phases})")
        if self.visibility in ("own", "neighbours") and self.graph == "none" and not self.form:
            raise ConfigError(f"visibility={self.visibility} needs a network")
        _ = self.stage

    @property
    def graph(self) -> str:
        """The kind of network; `pd_network` is a ring unless another is named."""
        return "ring" if self.scenario == "pd_network" and self.network == "none" else self.network

    @property
    def players(self) -> int:
        """How many play the stage game; a governor comes on top."""
        if self.graph != "none":
            return self.n or 6
        return self.base.n

    @cached_property
    def base(self) -> StageGame:
        """The stage game before a network is laid over it."""
        scenario = "ipd" if self.scenario == "pd_network" else self.scenario
        n = None if self.graph != "none" else self.n
        return stage_game(scenario, Parameters(n, self.k, self.values, self.partial, self.payoffs, self.labels))

    @cached_property
    def stage(self) -> StageGame:
        """The stage game of a round; before a match where chance draws payoffs or links."""
        if self.graph != "none":
            return on_network(self.base, self.players, self.fixed_edges)
        return linked_goods(self.base, (), self.cost_of_link) if self.form else self.base

    @cached_property
    def fixed_edges(self) -> Edges:
        """The links of a network that is the same in every match."""
        return make_edges(self.graph, self.players, self.edges, self.edge_prob, None)

    @cached_property
    def asks(self) -> dict[str, Ask]:
        """Every player's ask for an action, shared by all matches of this configuration."""
        return action_asks(self.stage, mixed=self.mixed)

    @cached_property
    def seat_tuple(self) -> tuple[str, ...]:
        return seat_names(self.players)

    @cached_property
    def cost_of_link(self) -> Amount:
        return exact(self.link_cost)

    @cached_property
    def cost_of_look(self) -> Amount:
        return exact(self.simulate_cost)

    @property
    def draws_payoffs(self) -> bool:
        return self.scenario in _DRAWN

    @property
    def ends_by_chance(self) -> bool:
        return self.continue_prob < 1 and self.aggregate != "discounted"

    @property
    def announces_rounds(self) -> bool:
        return self.announce_rounds and not self.ends_by_chance

    @cached_property
    def is_plain(self) -> bool:
        """Whether a round is plain asks, payoffs, and all of it told to everybody."""
        special = self.commitment or self.form or self.mixed or self.simulate != "none" or self.mutation > 0
        return self.shows_all and not special and self.scenario not in MOVING

    @property
    def hides_others(self) -> bool:
        """Whether some player does not get to know all actions and payoffs."""
        return self.visibility != "all" or self.feedback != "full" or self.governor

    @property
    def shows_all(self) -> bool:
        """Whether everybody learns every action and payoff as soon as a round ends."""
        return self.history == "all" and not self.hides_others
