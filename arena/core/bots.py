"""Scripted players: functions of a view, an ask and a stream.

    def tit_for_tat(view: View, ask: Ask, rng: Rng) -> Answer: ...
    def level_k(view: View, ask: Ask, rng: Rng, *, k: int = 1) -> Answer: ...        # bot/level-k?k=2

Keyword-only parameters are the bot's options; its docstring's first line is what `arena agents` prints. A bot keeps
nothing between turns (see `View.fold`), so replay needs no bot. `@control` marks a bot that is handed the whole log
(an oracle): its view is an `OpenView`, every table marks it, and no model can be one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from arena.core.events import Event
from arena.core.view import View

Bot = Callable[..., Any]
B = TypeVar("B", bound=Bot)


class OpenView(View):
    """The view of a control: its seat's own, and the log."""

    @property
    def log(self) -> Sequence[Event]:
        """Every event of the match, log-only ones included."""
        return self._match.events

    @property
    def roles(self) -> dict[str, str]:
        return self._match.roles


def control(bot: B) -> B:
    """Declare a bot to be a control."""
    bot.is_control = True  # type: ignore[attr-defined]
    return bot


def is_control(bot: Bot) -> bool:
    return getattr(bot, "is_control", False)


def options_of(function: Callable[..., Any]) -> dict[str, tuple[type, Any]]:
    """Option -> (type, default) of a bot or a method, read off its keyword-only parameters."""
    kinds = {"int": int, "float": float, "str": str, "bool": bool}
    found: dict[str, tuple[type, Any]] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            kind = parameter.annotation
            found[parameter.name] = (kinds[kind] if isinstance(kind, str) else kind, parameter.default)
    return found


def summary(thing: object) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(thing) or "").split("\n", 1)[0]
