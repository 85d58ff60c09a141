"""What a game is, and the one list of everything a game may declare.

Required: `version`, `seats`, `config_type`, `presets` and `play`. The rest are hooks with a default; all are pure, and
the engine asks nothing of a game beyond them. A hook finds the configuration in `self.config`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from arena.core.config import Config
from arena.core.events import Event

if TYPE_CHECKING:
    from arena.core.asks import Answer, Ask
    from arena.core.match import Match
    from arena.core.seeds import Rng
    from arena.core.table import Table
    from arena.core.view import View


class Payoffs(dict[str, float]):
    """What each seat gets, with facts of the outcome (`winner_team`, `end_reason`, `ranks`) beside it."""

    def __init__(self, values: Mapping[str, float], **outcome: Any) -> None:
        super().__init__(values)
        self.outcome = outcome

    @classmethod
    def zero_sum(cls, scores: Mapping[str, float], seats: Sequence[str], **outcome: Any) -> Self:
        """Each seat's score less the mean of the others'; a seat without a score has 0."""
        total, others = sum(scores.values()), len(seats) - 1
        return cls({s: scores.get(s, 0) - (total - scores.get(s, 0)) / others for s in seats}, **outcome)


class Game:
    """The rules of one game in one configuration. Subclasses read like their rulebook."""

    name: ClassVar[str] = ""  # the folder's name, set by the registry
    version: ClassVar[int] = 1  # raised by any change of behaviour: same config, seed, answers -> same record
    seats: ClassVar[int] = 2
    config_type: ClassVar[type[Config]] = Config
    presets: ClassVar[dict[str, dict[str, Any]]] = {"default": {}}  # the first one is the default
    zero_sum: ClassVar[bool] = False  # checked: payoffs of every match sum to `payoff_sum`
    payoff_sum: ClassVar[float] = 0.0
    contest: ClassVar[bool] = (
        True  # False: sides are paid in units of their own, so who got more has not won; no rating
    )
    headline: ClassVar[Literal["rating", "payoff"]] = "rating"
    speech: ClassVar[bool] = False  # seats read each other's words
    keep: ClassVar[frozenset[str]] = frozenset()  # event kinds that a shortened memory always shows again

    def __init__(self, config: Config | None = None) -> None:
        self.config: Any = config if config is not None else self.config_type()

    @property
    def full_name(self) -> str:
        return f"{self.name}-v{self.version}"

    async def play(self, table: Table) -> Mapping[str, float]:
        """The flow of one match; the result is every seat's payoff."""
        raise NotImplementedError(type(self))

    # --- hooks ---------------------------------------------------------------------------------------------------

    def seat_count(self) -> int:
        """How many seats this configuration has."""
        return self.seats

    def rules(self) -> dict[str, Any]:
        """What everybody knows before the first move: the facts for `rules.j2` and for bots. No secret field."""
        hidden = self.config_type.secret()
        return {key: value for key, value in self.config.as_json().items() if key not in hidden}

    def sides(self) -> dict[str, int]:
        """Side -> number of seats, where the game has sides that agents swap on one deal."""
        return {}

    def payoff_bounds(self) -> tuple[float, float] | None:
        """The least and greatest payoff of a seat; training scales rewards with it."""
        return None

    def forfeit_payoffs(self, seat: str, seats: Sequence[str]) -> Mapping[str, float] | None:
        """The payoffs when `seat` forfeits; None = this game knows no forfeit."""
        return None

    def partial(self, ask: Ask, answer: Answer) -> Answer:
        """The parts of a rejected answer that stand (order lines); by default the ask's fallback."""
        return ask.fallback

    def metrics(self, match: Match) -> dict[str, float | None]:
        """Figures from the record alone (events, turns, roles, payoffs); per seat as `name_player_0`."""
        return {}

    def phase_name(self, turn: int, events: Sequence[Event]) -> str | None:
        """The phase that `turn` belongs to, so that `--at S1903M` works."""
        return None

    def typical(self) -> tuple[int, int]:
        """Asks on the critical path, and asks altogether, of an ordinary match: for ordering work."""
        return 10, 20

    def twins(self, seed: int, seat: str) -> Iterable[tuple[Match, Match]]:
        """Pairs of matches that `seat` cannot tell apart by the rules: for the no-leak test."""
        return ()

    def worlds(self, view: View, rng: Rng) -> Match | None:
        """A match drawn uniformly from those consistent with `view`: for search."""
        return None

    def score(self, view: View, answer: Answer) -> float | None:
        """A heuristic value of an answer, for search and shaping."""
        return None

    def progress(self, view: View) -> float | None:
        """A heuristic value of the state for the seat, for shaping."""
        return None

    def features(self, view: View, answer: Answer) -> Sequence[float] | None:
        """Numbers that describe a state and an answer, for learned choosers."""
        return None

    def plot(self, match: Match) -> str | None:
        """A picture of the match as SVG, for `arena show --plot`."""
        return None
