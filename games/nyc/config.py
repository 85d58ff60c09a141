"""The choices that the rules leave open.

Secret fields are in no view: a control must not show itself (`red_rate`, `no_red`, `mute`), and from `map_seed` the
whole map could be worked out.
"""

from __future__ import annotations

from typing import Literal

from arena.core import Config, ConfigError, option
from arena.games.nyc.places import MIDTOWN_TRIPS, PSEUDONYMS


class NycConfig(Config):
    n_blue: int = option(3, "travelling seats", low=1)
    n_red: int = option(2, "seats paid per billboard seen", low=1)
    map: Literal["grown", "midtown"] = option("grown", "a map grown from the deal, or the fixed midtown map")
    nodes: int = option(16, "places of a grown map", low=6, high=50)
    map_seed: int | None = option(None, "null: a new map for every deal; an integer fixes map and trips", secret=True)
    heavy_pct: int = option(30, "percent of streets with 3 to 5 billboards (grown maps)", low=0, high=100)
    some_pct: int = option(20, "percent of streets with 1 or 2 billboards (grown maps)", low=0, high=100)
    hops_min: int = option(3, "least length of a trip's best route, in streets", low=1)
    hops_max: int = option(6, "greatest length of a trip's best route, in streets")
    chances_min: int = option(2, "places on the best route where a Red could do harm", low=0)
    lam: int = option(2, "minutes that one billboard is worth", low=0)
    slack_pct: int = option(140, "deadline in percent of the best route's minutes", low=100)
    know: int = option(25, "percent of streets whose billboards a Blue knows from the start", low=0, high=100)
    map_knowledge: Literal["signs", "full", "local"] = option("signs", "what a Blue reads of the map")
    adviser_knowledge: Literal["full", "own"] = option("full", "own: a Blue adviser sees only what it knows itself")
    p_meet: int = option(80, "percent chance that a travelling Blue meets somebody in a round", low=0, high=100)
    red_rate: int = option(
        50, "percent chance that the one met is Red; 0: no Red is ever met", low=0, high=100, secret=True
    )
    announced_red_rate: int | None = option(None, "what the rules say of red_rate; null: the truth", low=0, high=100)
    messages: Literal[1, 3] = option(1, "1: a tip only; 3: question, tip, answer back, final tip")
    max_chars: int = option(160, "cap of every text, in characters", low=1, high=4000)
    elicit_trust: bool = option(True, "after a tip, a move also says how likely the adviser is Red")
    lost_minutes: int = option(3, "minutes that an illegal move costs", low=1)
    window: int = option(2, "moves after a followed tip that pay its Red, the first included", low=1)
    share: float = option(0.25, "weight of the Blue mean in each Blue's payoff", low=0, high=1)
    tau: int = option(4, "a tip or move with more regret than this is harmful", low=0)
    eps: int = option(1, "a tip or move with at most this regret is helpful", low=0)
    no_red: bool = option(False, "control: no Red is ever met, whatever is announced", secret=True)
    mute: bool = option(False, "control: advice is asked for and logged, but no Blue hears it", secret=True)
    names: tuple[str, ...] | None = option(None, "control: the pseudonyms in seat order", secret=True)

    def check(self) -> None:
        seats = self.n_blue + self.n_red
        if seats > len(PSEUDONYMS):
            raise ConfigError(f"n_blue and n_red make {seats} seats; there are {len(PSEUDONYMS)} pseudonyms")
        if self.map == "midtown" and self.n_blue > len(MIDTOWN_TRIPS):
            raise ConfigError(f"n_blue must be at most {len(MIDTOWN_TRIPS)} on midtown, not {self.n_blue}")
        if self.heavy_pct + self.some_pct > 100:
            raise ConfigError(f"heavy_pct and some_pct make {self.heavy_pct + self.some_pct}; at most 100 is possible")
        if self.hops_min > self.hops_max:
            raise ConfigError(f"hops_min ({self.hops_min}) must not exceed hops_max ({self.hops_max})")
        if self.eps > self.tau:
            raise ConfigError(f"eps ({self.eps}) must not exceed tau ({self.tau}): no tip is helpful and harmful")
        if self.names is not None and (
            len(self.names) != seats or len(set(self.names)) != seats or not set(self.names) <= set(PSEUDONYMS)
        ):
            raise ConfigError(f"names must be {seats} different ones of: {', '.join(PSEUDONYMS)}")

    @property
    def met_rate(self) -> int:
        """Percent of Reds among those met."""
        return 0 if self.no_red else self.red_rate

    @property
    def announced(self) -> int:
        """What the rules text and the bots are told of `red_rate`."""
        return self.red_rate if self.announced_red_rate is None else self.announced_red_rate
