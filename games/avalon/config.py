"""What an Avalon table chooses: roles, the fifth proposal, how much is said. `PRESETS` names published choices."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any, Literal

from arena.core import Config, ConfigError, option
from arena.games.avalon.rules import EVIL_SEATS, fails_needed, role_list, specials


class AvalonConfig(Config):
    players: int = option(5, "how many play", low=5, high=10)
    merlin: bool = option(True, "Merlin sees evil, and the assassin may find him in the end; without: The Resistance")
    percival: bool = option(False, "a good seat that sees Merlin, and Morgana where there is one")
    morgana: bool = option(False, "an evil seat that looks like Merlin to Percival")
    mordred: bool = option(False, "an evil seat that Merlin does not see")
    oberon: bool = option(False, "an evil seat that neither sees nor is seen by the other evil")
    deal: tuple[str, ...] | None = option(None, "a fixed deal: the role of each seat, in seat order", secret=True)
    first_leader: int | None = option(None, "a fixed first leader, by seat number", low=0, high=9, secret=True)

    fifth_reject: Literal["evil_wins", "auto_pass"] = option(
        "evil_wins", "a fifth rejection ends the match for evil, or the fifth team goes whatever the votes"
    )
    talk_rounds: int = option(1, "how often each seat speaks in a discussion; 0 = no talk", low=0, high=10)
    talk_every: Literal["proposal", "quest"] = option(
        "proposal", "a discussion for every proposal, or for a quest's first one only"
    )
    propose_first: bool = option(False, "the leader proposes before the discussion, so that the team is discussed")
    evil_talk: bool = option(False, "evil seats that know each other talk before the assassination")
    lady: bool = option(False, "the Lady of the Lake: after quests 2, 3 and 4 a holder learns one seat's side")
    max_chars: int = option(500, "characters of a speech", low=10, high=4000)
    elicit_beliefs: Literal["none", "quest"] = option(
        "none", "log only: after each quest every seat says how likely each other is evil"
    )

    def check(self) -> None:
        if self.percival and not self.merlin:
            raise ConfigError("percival: Percival sees Merlin, so merlin must be true")
        if self.morgana and not self.percival:
            raise ConfigError("morgana: Morgana deceives Percival, so percival must be true")
        if self.evil_talk and not self.merlin:
            raise ConfigError("evil_talk: without merlin there is no assassination to talk about")
        bad = EVIL_SEATS[self.players]
        for what, named, seats in zip(("good", "evil"), self.named(), (self.players - bad, bad), strict=True):
            if len(named) > seats:
                raise ConfigError(
                    f"{named[-1]}: {self.players} players have {seats} {what} seats, too few for {', '.join(named)}"
                )
        if self.deal is not None and Counter(self.deal) != Counter(self.role_list()):
            raise ConfigError(f"deal must hold exactly these roles: {', '.join(self.role_list())}")
        if self.first_leader is not None and self.first_leader >= self.players:
            raise ConfigError(f"first_leader must be below {self.players}, not {self.first_leader}")
        if self.lady and self.players < 7:
            message = f"lady: the Lady of the Lake is meant for 7 or more players, not {self.players}"
            warnings.warn(message, stacklevel=4)

    def named(self) -> tuple[list[str], list[str]]:
        """The named roles of good and of evil."""
        return specials(self.merlin, self.percival, self.morgana, self.mordred, self.oberon)

    def role_list(self) -> list[str]:
        return role_list(self.players, *self.named())

    def fails_needed(self) -> tuple[int, ...]:
        return fails_needed(self.players)


PRESETS: dict[str, dict[str, Any]] = {
    "bench5": {"fifth_reject": "auto_pass"},  # AvalonBench
    "mute5": {"fifth_reject": "auto_pass", "talk_rounds": 0},
    **{f"p{n}": {"players": n} for n in EVIL_SEATS},
    "full5": {"percival": True, "morgana": True},
    "full7": {"players": 7, "percival": True, "morgana": True, "oberon": True},
    "full8": {"players": 8, "percival": True, "morgana": True},
    "full10": {"players": 10, "percival": True, "morgana": True, "mordred": True, "oberon": True},
    "resist5": {"merlin": False},
}
