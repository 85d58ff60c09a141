"""The engine: what a game is, and how one match of it is played, recorded and replayed. Standard library only."""

from arena.core.asks import Answer, Ask, Choice, Each, Flag, Form, ListOf, Number, Range, Subset, Text
from arena.core.config import Config, option
from arena.core.errors import (
    ArenaError,
    ConfigError,
    GameError,
    IllegalAnswer,
    ReplayMismatch,
    StoreError,
    UnknownName,
    UsageError,
)
from arena.core.events import EVERYONE, NOBODY, Event
from arena.core.game import Game, Payoffs
from arena.core.match import Match, Turn
from arena.core.record import record, record_hash, replay
from arena.core.seeds import Rng, derive, stream
from arena.core.table import Table
from arena.core.text import Spoken, quoted, sanitise
from arena.core.view import Exchange, View

__all__ = [
    "EVERYONE",
    "NOBODY",
    "Answer",
    "ArenaError",
    "Ask",
    "Choice",
    "Config",
    "ConfigError",
    "Each",
    "Event",
    "Exchange",
    "Flag",
    "Form",
    "Game",
    "GameError",
    "IllegalAnswer",
    "ListOf",
    "Match",
    "Number",
    "Payoffs",
    "Range",
    "ReplayMismatch",
    "Rng",
    "Spoken",
    "StoreError",
    "Subset",
    "Table",
    "Text",
    "Turn",
    "UnknownName",
    "UsageError",
    "View",
    "derive",
    "option",
    "quoted",
    "record",
    "record_hash",
    "replay",
    "sanitise",
    "stream",
]
