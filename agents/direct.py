"""`direct`: one call, one answer. What a bare model name means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.core import Ask, View
from arena.core.methods import Completion, Context


class Direct:
    """One call; the reply is the answer."""

    name = "direct"
    options: Mapping[str, tuple[type, Any]] = {}
    as_objects = False

    def calls(self, seats: int, options: Mapping[str, Any]) -> int:
        return 1

    async def answer(self, view: View, ask: Ask, ctx: Context, options: Mapping[str, Any]) -> Completion:
        return await ctx.call(ctx.messages(), shape=ctx.shape())


method = Direct()
