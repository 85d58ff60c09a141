"""A view as messages: rules (system), then by turns what happened with the ask (user) and the seat's answer.

Append-only: the messages of an ask, plus the accepted answer, are a prefix of the messages of the next one, so
providers and local models reuse what they computed. Each event and ask is rendered once, by one template; a template
gets facts of the view and nothing else, so it cannot leak, and prints players' words only through `quote`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.core.asks import Ask
from arena.core.errors import GameError
from arena.core.events import Event
from arena.core.text import Spoken, one_line, quoted
from arena.core.view import Exchange, View
from arena.prompt.block import answer_block
from arena.prompt.wire import wire

if TYPE_CHECKING:
    import jinja2

    from arena.core.match import Match

Message = dict[str, str]


def messages(
    view: View,
    memory: str = "full",
    *,
    notes: str | None = None,
    ask: Ask | None = None,
    as_objects: bool = False,
    system: str = "",
    prompts: str | None = None,
) -> list[Message]:
    """What the seat reads now.

    `memory`: "full" (append-only), "window=N" (the last N exchanges), "notes" (its own `notes` in place of the past).
    What a game declares in `keep` is shown again whenever the past is shortened. `ask` stands in for the open ask
    in the answer block, when an agent asks for more than the game did. `as_objects` asks for JSON objects throughout,
    for agents that think before they answer; `system` is what an agent adds below the rules (a persona, a way of
    working); `prompts` is a folder whose templates go before the game's own.
    """
    page = _page(view, as_objects, prompts)
    page.catch_up()
    rules = {"role": "system", "content": f"{page.rules}\n\n{system}" if system else page.rules}
    tail = page.tail(view.ask, ask)
    if memory == "full":
        past, head = page.past, ""
    elif memory == "notes":
        past, head = [], page.engine("notes", notes=Spoken(notes) if notes else None, kept=page.kept())
    else:
        width = 2 * int(memory.removeprefix("window="))
        past = page.past[-width:] if width else []
        head = page.engine("window", kept=page.kept()) if len(past) < len(page.past) else ""
    if head and past:
        past = [{"role": "user", "content": f"{head}\n{past[0]['content']}"}, *past[1:]]
    elif head and tail:
        tail = f"{head}\n{tail}"
    return [rules, *past, *([{"role": "user", "content": tail}] if tail else [])]


def reask_message(view: View, reason: str, ask: Ask, *, as_objects: bool = False) -> str:
    """The engine's words after an answer that could not be used: the reason, then the ask again."""
    block = answer_block(ask, view.names, as_object=as_objects)
    return _page(view, as_objects).engine("reask", reason=one_line(reason), block=block)


class _Page:
    """The rendered past of one view. Grows with it; no event and no ask is rendered twice."""

    def __init__(self, view: View, as_objects: bool, prompts: str | None) -> None:
        self.view, self.as_objects = view, as_objects
        own = [prompts] if prompts else []
        self.env = environment(*own, *(str(folder) for folder in prompt_folders_of(view)))
        self.facts: dict[str, Any] = {"me": view.seat, "seats": view.seats, "rules": view.rules, "view": view}
        self.rules = self.render("rules.j2", view.rules)
        self.past: list[Message] = []
        self.last: dict[str, dict[str, Any]] = {}
        self._texts: list[str] = []  # of the view's events, as far as they were rendered
        self._kept: list[str] = []
        self._done = 0  # exchanges in `past`
        self._told = 0  # events in `past`
        self._carry = ""  # an engine line that belongs at the head of the next user message
        self._asked: tuple[Ask, int, str] | None = None  # the open ask, exchanges before it, and its text

    def catch_up(self) -> None:
        """Take in every exchange that was decided since the last look."""
        for exchange in self.view.exchanges[self._done :]:
            self.past.append({"role": "user", "content": self._user(exchange.ask, exchange.seen)})
            self.past.append({"role": "assistant", "content": self._wire(exchange)})
            played = None if exchange.answer is None else self.past[-1]["content"]
            self._carry = self.engine("fallback", played=played) if exchange.fallback else ""
            self._told = exchange.seen
            self._done += 1

    def tail(self, ask: Ask | None, instead: Ask | None = None) -> str:
        """What happened since the last answer, and the open ask; `instead` says how it is to be answered."""
        seen = len(self.view.events)
        if ask is not None:
            return self._user(ask, seen, instead)
        return "\n".join(part for part in (self._carry, self._happened(seen)) if part)

    def kept(self) -> str:
        """The facts that a shortened memory always shows."""
        return "\n".join(self._kept)

    def engine(self, template: str, **facts: Any) -> str:
        return self.render(f"_engine/{template}.j2", facts)

    def render(self, template: str, facts: dict[str, Any]) -> str:
        try:
            text: str = self.env.get_template(template).render({**self.facts, **_wrapped(facts)})
        except Exception as error:  # jinja2's own errors, and those of filters: all are faults of a template
            raise GameError(f"{self.view.game}: prompt template {template}: {error}") from error
        return text.strip("\n")

    def _user(self, ask: Ask, seen: int, instead: Ask | None = None) -> str:
        """The user message that ends with `ask`, asked when `seen` events had been seen."""
        if instead is not None:
            block = answer_block(instead, self.view.names, as_object=self.as_objects)
            own = answer_block(ask, self.view.names, as_object=self.as_objects)
            return self._user(ask, seen).removesuffix(own) + block
        if self._asked is None or self._asked[0] is not ask or self._asked[1] != self._done:
            happened = self._happened(seen)  # first: it also brings `last` up to the ask
            question = self.render(f"asks/{ask.name}.j2", {"ask": ask, "last": self.last})
            parts = (self._carry, happened, question, answer_block(ask, self.view.names, as_object=self.as_objects))
            self._asked = (ask, self._done, "\n".join(part for part in parts if part))
        return self._asked[2]

    def _wire(self, exchange: Exchange) -> str:
        return wire(exchange.ask, exchange.answer, self.view.names, as_object=self.as_objects)

    def _happened(self, seen: int) -> str:
        """The events since the last answer, up to the `seen`-th."""
        for event in self.view.events[len(self._texts) : seen]:
            text = self.render(f"events/{event.kind}.j2", event.facts)
            self._texts.append(text)
            self.last[event.kind] = _wrapped(event.facts)
            if text and event.kind in self.view.keep:
                self._kept.append(text)
        return "\n".join(text for text in self._texts[self._told : seen] if text)


def _page(view: View, as_objects: bool = False, prompts: str | None = None) -> _Page:
    key = (as_objects, prompts)
    if key not in view.pages:
        view.pages[key] = _Page(view, as_objects, prompts)
    page = view.pages[key]
    assert isinstance(page, _Page)
    return page


def prompt_folders_of(view: View) -> Iterable[Path]:
    from arena.registry import package_file, prompt_folders

    return (*prompt_folders(view.game_class), package_file("prompts"))


@cache
def environment(*folders: str) -> jinja2.Environment:
    """The templates of some folders. Undefined names are fatal; a player's words must pass through `quote`."""
    import jinja2

    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  # prompts are text; pages have an environment of their own
        auto_reload=False,
    )
    env.filters["quote"] = _quote
    env.filters["name"] = _name_filter()
    env.filters["names"] = _names_filter()
    return env


class Words:
    """A player's words inside a template: they can be counted, compared and quoted, and printed no other way."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        raise ValueError("a player's words stand in a template without `|quote`")

    __repr__ = __str__

    def __len__(self) -> int:
        return len(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == (other._text if isinstance(other, Words) else other)

    def __hash__(self) -> int:
        return hash(self._text)

    def quoted(self, cap: int | None = None) -> str:
        return quoted(self._text, cap)


def _wrapped(value: Any) -> Any:
    """Facts for a template: every `Spoken` in them as `Words`."""
    match value:
        case Spoken():
            return Words(value)
        case dict():
            return {key: _wrapped(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_wrapped(entry) for entry in value]
    return value


def _quote(text: Any, cap: int | None = None) -> str:
    return text.quoted(cap) if isinstance(text, Words) else quoted(str(text), cap)


def _name_filter() -> Callable[..., str]:
    import jinja2

    @jinja2.pass_context
    def name(context: jinja2.runtime.Context, seat: str) -> str:
        return str(context["view"].names.get(seat, seat))

    return name


def _names_filter() -> Callable[..., str]:
    import jinja2

    @jinja2.pass_context
    def names(context: jinja2.runtime.Context, seats: Iterable[str], between: str = ", ") -> str:
        called = context["view"].names
        return between.join(called.get(seat, seat) for seat in seats)

    return names


def spectator_line(match: Match, event: Event) -> str:
    """An event in the words of its template, for somebody who watches. What one seat alone heard is told as to that
    seat; what several heard is told of each by name, since a template leaves out what its reader did itself."""
    heard = event.audience if isinstance(event.audience, tuple) else ()
    hearer = heard[0] if len(heard) == 1 else ""
    page = _page(match.view(hearer or (heard or match.seats)[0]))
    return page.render(f"events/{event.kind}.j2", {**event.facts, "me": hearer})
