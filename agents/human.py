"""`human`: somebody at the terminal. Sees the seat's view in the words of the prompts, and nothing else.

Input is read one line at a time, so a pipe works as a person does. An answer that cannot be used is asked for again
and not counted. `:save`, `:quit` and the end of the input leave the match open; `arena resume` goes on at that ask.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from contextlib import suppress
from typing import Any, TextIO

from arena.core import Answer, Ask, Choice, Each, Flag, Form, IllegalAnswer, ListOf, Subset, Text, View, sanitise
from arena.prompt import answer_block, read_reply

_HELP = ":rules  :history  :notes [TEXT]  :help  :save or :quit (the match stays open, `arena resume` goes on)"
_CLEAR = "\033[2J\033[3J\033[H"  # the screen and what can be scrolled back to


class Terminal:
    """Asks in the terminal. One object serves every human seat of a match: the screen is cleared, and Enter waited for,
    before another person may read it. `notes`: what each seat wrote down for itself."""

    def __init__(self, read: TextIO | None = None, write: TextIO | None = None) -> None:
        self._read, self._write = read or sys.stdin, write or sys.stderr
        self._greeted: set[str] = set()
        self._turn = asyncio.Lock()
        self._last_seat = ""
        self.notes: dict[str, str] = {}

    async def answer(self, view: View, ask: Ask, problem: str | None) -> Answer:
        """One legal answer, or EOFError when the person left."""
        async with self._turn:  # two people at one terminal answer one after the other
            await self._hand_over(view)
            if problem is None:
                self._show(view)
            else:
                self._say(f"That cannot be used: {problem}")
            if isinstance(ask, Form):
                return {field.name: await self._field(view, field) for field in ask.fields}
            return await self._value(view, ask, optional=False)

    async def _hand_over(self, view: View) -> None:
        """Several people share the terminal: none sees another one's page."""
        if self._last_seat not in ("", view.seat):
            self._write.write(_CLEAR if self._write.isatty() else "\n")
            self._say(f"{view.seat}: press Enter when nobody else looks.")
            if not await self._read_line():
                raise EOFError
        self._last_seat = view.seat

    def _show(self, view: View) -> None:
        """What happened since the last ask, and the ask; the rules once."""
        messages = view.messages()
        if view.seat not in self._greeted:
            self._greeted.add(view.seat)
            self._say(messages[0]["content"])
            self._say(f"({_HELP})")
        self._say("")
        self._say(messages[-1]["content"].split("\nAnswer with ", 1)[0])

    async def _field(self, view: View, field: Ask) -> Answer:
        """One field of a form; an empty line leaves an optional one out."""
        return await self._value(view, field, optional=field.optional)

    async def _value(self, view: View, ask: Ask, *, optional: bool) -> Answer:
        while True:
            self._say(self._menu(view, ask, optional))
            text = await self._line(view)
            if optional and not text.strip():
                return None
            try:
                return _read_value(view, ask, text)
            except IllegalAnswer as error:
                self._say(f"That cannot be used: {error.reason}")

    def _menu(self, view: View, ask: Ask, optional: bool) -> str:
        left_out = " (Enter leaves it out)" if optional else ""
        if isinstance(ask, Choice):
            shown = [view.names.get(o, o) for o in ask.options or ()]
            if any(o.isdecimal() for o in shown):  # a number is a label here, not a place in the list
                return f"{ask.name}: " + " | ".join(shown) + left_out
            return f"{ask.name}: " + "  ".join(f"{i}) {o}" for i, o in enumerate(shown, 1)) + left_out
        if isinstance(ask, Text):
            return f"{ask.name}: text, at most {ask.max_chars} characters{left_out}"
        if isinstance(ask, Subset | ListOf | Each | Flag):
            value = answer_block(ask, view.names).split('": ', 1)[-1]
            return f"{ask.name}: {value} (as JSON; labels may be separated by commas){left_out}"
        return f"{ask.name}: {answer_block(ask, view.names).removeprefix('Answer with ')}{left_out}"

    async def _line(self, view: View) -> str:
        """A line of input that is no command."""
        while True:
            self._write.write("> ")
            self._write.flush()
            line = await self._read_line()
            if not line or line.strip() in (":save", ":quit"):
                raise EOFError
            if line.strip() == ":rules":
                self._say(view.messages()[0]["content"])
            elif line.strip() == ":history":
                self._say("\n".join(m["content"] for m in view.messages()[1:]))
            elif line.split(maxsplit=1)[:1] == [":notes"]:
                self._note(view.seat, line.strip().removeprefix(":notes").strip())
            elif line.strip().startswith(":"):
                self._say(_HELP)
            else:
                return line.rstrip("\n")

    def _note(self, seat: str, text: str) -> None:
        """Write a line down, or show what was written: nobody else's view holds it."""
        if text:
            self.notes[seat] = "\n".join(filter(None, [self.notes.get(seat), text]))[-2000:]
        self._say(self.notes.get(seat) or "no notes yet; :notes TEXT writes one down")

    async def _read_line(self) -> str:
        """One line, read in a thread that nothing waits for: an interrupt must not need an Enter first."""
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str] = loop.create_future()

        def give(text: str) -> None:
            if not line.done():
                line.set_result(text)

        def read() -> None:
            text = self._read.readline()
            with suppress(RuntimeError):  # the loop is gone: nobody wants the line any more
                loop.call_soon_threadsafe(give, text)

        threading.Thread(target=read, name="arena-terminal", daemon=True).start()
        return await line

    def _say(self, text: str) -> None:
        self._write.write(sanitise(text) + "\n")
        self._write.flush()


def _read_value(view: View, ask: Ask, text: str) -> Answer:
    """A typed line as an answer: numbers and prefixes for choices, commas for subsets, else as a model would write."""
    word = text.strip()
    if isinstance(ask, Choice):
        options = list(ask.options or ())
        shown = [view.names.get(o, o) for o in options]
        numbered = not any(o.isdecimal() for o in shown)
        if numbered and word.isascii() and word.isdecimal() and 1 <= int(word) <= len(options):
            return options[int(word) - 1]
        starts = [o for o in options if view.names.get(o, o).casefold().startswith(word.casefold())]
        if word and len(starts) == 1:
            return starts[0]
    if isinstance(ask, Text):
        return ask.check(text)
    if isinstance(ask, Subset) and not word.startswith("["):
        word = json.dumps([part.strip() for part in word.split(",") if part.strip()])
    if isinstance(ask, Subset | ListOf | Each | Flag):
        value: Any = f'{{"{ask.name}": {word}}}'
        return read_reply(ask, value, view.names).answer
    return read_reply(ask, text, view.names).answer
