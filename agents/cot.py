"""`cot`: one call that thinks aloud and ends with the answer as one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.core import Ask, View
from arena.core.methods import Completion, Context


class ChainOfThought:
    """One call: the model thinks step by step, then ends its reply with the answer."""

    name = "cot"
    options: Mapping[str, tuple[type, Any]] = {}
    as_objects = True

    def calls(self, seats: int, options: Mapping[str, Any]) -> int:
        return 1

    async def answer(self, view: View, ask: Ask, ctx: Context, options: Mapping[str, Any]) -> Completion:
        messages = ctx.messages(system=ctx.template("cot"), as_objects=True)
        return await ctx.call(messages)  # no enforced shape: the thinking comes before the object


method = ChainOfThought()
