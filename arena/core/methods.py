"""Methods: ways of turning an open ask into a reply with a model. They know no game, and reach models only here.

    class Direct:
        name, options = "direct", {}
        def calls(self, seats: int) -> int: return 1
        async def answer(self, view: View, ask: Ask, ctx: Context) -> Completion:
            return await ctx.call(ctx.messages(), shape=ctx.shape())

A method keeps nothing but `ctx.memory`. Its last reply passes the same parser and re-ask policy as any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from arena.core.asks import Ask
from arena.core.seeds import Rng
from arena.core.view import View

if TYPE_CHECKING:
    from arena.prompt.shape import Shape

Message = dict[str, str]


@dataclass(frozen=True)
class Completion:
    """One reply of a model. `finish` is stop, length, refusal or filter."""

    text: str
    finish: str = "stop"
    reasoning: str | None = None
    logprobs: tuple[float, ...] = ()


class Context(Protocol):
    """What a method is handed for one turn of one seat."""

    memory: dict[str, Any]
    """JSON, private to this seat and match, kept with the turn; 64 KiB at most."""

    def messages(self, *, system: str = "", as_objects: bool = False) -> list[Message]:
        """What the seat reads, under the agent's memory policy, with the agent's own words below the rules."""
        ...

    def shape(self, *, as_objects: bool = False) -> Shape | None:
        """The shape of the open ask's answer, for clients that can enforce it."""
        ...

    async def call(
        self,
        messages: Sequence[Message],
        *,
        purpose: str = "act",
        sample: int = 0,
        temperature: float | None = None,
        shape: Shape | None = None,
        logprobs: bool = False,
    ) -> Completion:
        """One counted call; a call that a crash left in the record is not made again."""
        ...

    def rng(self, name: str) -> Rng: ...

    def template(self, name: str, **facts: Any) -> str:
        """The method's own words: prompts/_methods/<name>.j2."""
        ...


class Method(Protocol):
    name: str
    options: Mapping[str, tuple[type, Any]]
    as_objects: bool
    """Whether its answers are JSON objects throughout, so that the model may think before them."""

    def calls(self, seats: int, options: Mapping[str, Any]) -> int:
        """The most calls that one ask can take."""
        ...

    async def answer(self, view: View, ask: Ask, ctx: Context, options: Mapping[str, Any]) -> Completion: ...
