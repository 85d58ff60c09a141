"""Every exception of the arena, one family.

    ArenaError
    ├── UnknownName (LookupError)        no game, preset, agent, option of that name; holds the nearest ones
    ├── UsageError (ValueError)          a command, name or file that cannot be meant; raised before anything starts
    │   └── ConfigError                  a game's configuration that the rules do not allow
    ├── IllegalAnswer (ValueError)       an answer outside the legal set of its ask; the match is unchanged
    ├── GameError (RuntimeError)         a game broke its contract (a bug of the game, not a move)
    ├── ReplayMismatch (RuntimeError)    a record does not replay under the game as it is now
    ├── StoreError (RuntimeError)        a run folder that cannot be read or written
    ├── ProviderError (RuntimeError)     a model could not be had; never a move
    └── BudgetReached (RuntimeError)     the run's money, tokens or time are used up

Raised early; caught at three borders only: the model client, the worker of a match, the command line.
`ProviderError` and `BudgetReached` live with the clients and the ledger and join the family from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ArenaError(Exception):
    """The root. `kind` is the word that --json output and the troubleshooting page use; `hint` says what to do next,
    `match` and `turn` where it happened, `resume` is the command that goes on."""

    kind = "error"
    match: int | None = None
    turn: int | None = None
    resume: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ArenaError, ValueError):
    kind = "usage"


class ConfigError(UsageError):
    kind = "config"


class UnknownName(ArenaError, LookupError):
    """`what` is the sort of thing looked for ("game", "preset of werewolf"); the message names the nearest ones."""

    kind = "unknown_name"

    def __init__(self, what: str, name: str, known: Iterable[str], *, hint: str | None = None) -> None:
        self.name = name
        self.nearest = nearest(name, known)
        near = f" Did you mean {', '.join(self.nearest)}?" if self.nearest else ""
        super().__init__(f"there is no {what} {name!r}.{near}", hint=hint)
        self.kind = f"unknown_{what.split()[0]}"


class IllegalAnswer(ArenaError, ValueError):
    """`reason` is in engine words and shows nothing that the ask did not show. `attempted` is the answer that was
    read, if one could be: a game may keep the parts of it that stand."""

    kind = "illegal_answer"

    def __init__(self, reason: str, attempted: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.attempted = attempted


class GameError(ArenaError, RuntimeError):
    kind = "game_error"


class ReplayMismatch(ArenaError, RuntimeError):
    kind = "replay_mismatch"


class StoreError(ArenaError, RuntimeError):
    kind = "store"


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three names that look like `name`, best first; case does not count."""
    by_lower = {k.lower(): k for k in known}
    close = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    inside = [k for k in by_lower if name.lower() in k and k not in close] if len(name) > 2 else []
    return [by_lower[k] for k in (*close, *inside)][:3]
