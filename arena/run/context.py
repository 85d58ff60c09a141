"""What a method is handed for one turn: its messages, its calls, its memory. Every call is in the record before the
next one is made; a call that the record already holds is not made again."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from arena.core.asks import Ask, Choice, Each, Form, ListOf, Number, Range, Text
from arena.core.canonical import canonical
from arena.core.errors import UsageError
from arena.core.methods import Completion, Message
from arena.core.seeds import Rng, stream
from arena.core.view import View
from arena.models.types import ProviderError, Request, Sampling
from arena.prompt.render import environment, messages
from arena.prompt.shape import Shape, shape_of
from arena.registry import package_file
from arena.run.keys import PromptChain, call_key
from arena.run.rows import Evidence, Place, call_rows, now_ms
from arena.store.reader import StoredCall
from arena.store.writer import Unit

if TYPE_CHECKING:
    from arena.run.live import LiveMatch
    from arena.run.players import ModelPlayer


class Stopped(Exception):
    """No new call is made; the turn stays open."""


@dataclass
class Spent:
    """Seconds between request and reply, for the clock, and the factor on max_tokens after a cut reply."""

    seconds: float = 0.0
    factor: int = 1


class TurnContext:
    """One turn of one seat."""

    def __init__(self, live: LiveMatch, player: ModelPlayer, view: View, ask: Ask, turn: int) -> None:
        self.live, self.player, self.view, self.turn = live, player, view, turn
        self.ask = ask if player.memory != "notes" else with_notes(ask)
        self.memory: dict[str, Any] = dict(live.memos.get(view.seat) or {})
        self.attempt = 0
        self.spent = Spent()
        self.last_messages: list[Message] = []
        self.last_key: str | None = None
        self.last_reply = ""
        self.last_max_tokens = 0
        self.on_clock = False  # whether the last request's deadline was the seat's own clock
        self.evidence: list[Evidence] = []
        self.unit: Unit = []
        self._ordinals: Counter[tuple[int, str, int]] = Counter()
        self._stored: dict[str, StoredCall] = dict(live.stored_calls.get(turn, {}))

    @property
    def as_objects(self) -> bool:
        return self.player.method.as_objects or self.player.memory == "notes"

    def messages(self, *, system: str = "", as_objects: bool = False) -> list[Message]:
        own = "\n\n".join(part for part in (self.player.persona, system) if part)
        notes = self.memory.get("notes") if self.player.memory == "notes" else None
        return messages(
            self.view,
            self.player.memory,
            notes=notes,
            ask=self.ask,
            as_objects=as_objects or self.as_objects,
            system=own,
            prompts=self.player.prompts,
        )

    def shape(self, *, as_objects: bool = False) -> Shape | None:
        if as_objects or self.as_objects:
            whole = self.ask if isinstance(self.ask, Form) else Form(self.ask.name, self.ask)
            return shape_of(whole, self.view.names)
        return shape_of(self.ask, self.view.names)

    def rng(self, name: str) -> Rng:
        return stream("method", self.live.planned.key, self.view.seat, self.turn, name)

    def template(self, name: str, **facts: Any) -> str:
        folder = package_file("prompts")
        return environment(str(folder)).get_template(f"_methods/{name}.j2").render(**facts).strip("\n")

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
        path = self._path(purpose, sample)
        links = self.live.chains.setdefault(self.view.seat, PromptChain()).links(messages)
        prompt = links[-1].hash
        sampling = self._sampling(temperature)
        asked = canonical(sampling.as_json())
        self.last_max_tokens = sampling.max_tokens
        self.last_messages = list(messages)
        planned, run = self.live.planned, self.live.run
        stored = self._stored.pop(path, None)
        if stored is not None and (stored.prompt, stored.asked) != (prompt, asked):
            self._ask_anew(stored)
            stored = None
        if stored is not None:
            self.last_key = stored.call_key
            self.spent.seconds += (stored.latency_ms or 0) / 1000
            self.evidence.append(Evidence(self.turn, path, prompt, stored.reply, stored.finish, "ok"))
            return Completion(stored.reply, stored.finish, stored.reasoning)
        await self.flush()
        if run.stopping:
            raise Stopped
        execution = self.live.execution  # another seat may raise it while this one waits
        self.last_key = key = call_key(run.run_id, planned.key, execution, self.turn, path)
        left = self.live.time_left(self.view.seat, self.spent.seconds)
        self.on_clock = left < self.player.timeout_s
        request = Request(
            messages=tuple(dict(m) for m in messages),
            shape=shape,
            sampling=sampling,
            want_logprobs=logprobs or run.recording.logprobs,
            keep_tokens=run.recording.tokens,
            sample_key=f"{planned.key}/{self.view.seat}/{self.turn}/{path}",
            call_key=key,
            order=planned.number,
            about={
                "role": self.live.match.roles.get(self.view.seat, ""),
                "ask": self.view.ask.name if self.view.ask else "",
            },
            timeout_s=min(left, self.player.timeout_s),
            on_clock=self.on_clock,
        )
        try:
            call = await run.complete(self.player.model, request)
        except ProviderError as error:
            self.unit += [("call_error", (key, *failed)) for failed in getattr(error, "tries", ())]
            if not error.retryable and error.kind != "context_length":
                run.park(self.player.name, error)
            raise
        self.spent.seconds += call.latency_ms / 1000
        response = call.response
        reply = response.text.encode("utf-8", "replace").decode()
        attempt = path.split("/")[0]
        word = "reask" if attempt != "r0" else "turn" if purpose == "act" else f"method:{purpose}"
        agent, seat = run.agent_ids[self.player.name], self.live.match.seats.index(self.view.seat)
        place = Place(path, word, agent, planned.number, execution, self.turn, seat)
        rows = call_rows(key, place, prompt, asked, request, call, thoughts=run.recording.reasoning)
        self.unit += [*run.new_links(links), *rows]
        self.evidence.append(Evidence(self.turn, path, prompt, reply, response.finish, "ok"))
        return Completion(reply, response.finish, response.reasoning)

    async def flush(self) -> None:
        """Commit the calls made so far: no reply leads to a further request before it is in the record."""
        if self.unit:
            unit, self.unit = self.unit, []
            await self.live.run.commit(unit)

    def _path(self, purpose: str, sample: int) -> str:
        slot = (self.attempt, purpose, sample)
        ordinal = self._ordinals[slot]
        self._ordinals[slot] += 1
        return f"r{self.attempt}/{purpose}/{sample}/{ordinal}"

    def _sampling(self, temperature: float | None) -> Sampling:
        sampling = self.player.sampling
        if not self.player.max_tokens_given:
            sampling = replace(sampling, max_tokens=token_cap(self.ask, thinks=self.player.method.as_objects))
        if temperature is not None:
            sampling = replace(sampling, temperature=temperature)
        return replace(sampling, max_tokens=sampling.max_tokens * self.spent.factor)

    def _ask_anew(self, stored: StoredCall) -> None:
        """The agent or its prompts changed since that call. Where the user accepts it, what the turn was told from here
        on is set aside, with its cost, and asked again under a new execution."""
        live, number = self.live, self.live.planned.number
        if not live.run.accept_changes:
            error = UsageError(
                f"match {number}, turn {self.turn}: {self.player.name} or its prompts changed since this call was "
                "recorded",
                hint="--accept-changes asks anew from here on and notes it",
            )
            error.match, error.turn = number, self.turn
            error.resume = f"arena resume {shlex.quote(str(live.run.folder))} --accept-changes"
            raise error
        live.execution += 1
        for call in (stored, *self._stored.values()):
            self.unit += [("supersede_call", (call.call_key,)), ("drop_call", (call.call_key,))]
        self._stored.clear()
        facts = {"agent": self.player.name, "turn": self.turn, "path": stored.path, "execution": live.execution}
        self.unit += [
            ("execution", (live.execution, number)),
            ("note", (now_ms(), number, "accepted_changes", canonical(facts))),
        ]


def with_notes(ask: Ask) -> Form:
    """The ask with a field for the seat's own notes."""
    notes = Text("notes", 600, optional=True)
    if isinstance(ask, Form):
        return Form(ask.name, *ask.fields, notes, rule=_without_notes(ask), fallback=ask.fallback)
    return Form(ask.name, ask, notes, fallback=ask.fallback)


def _without_notes(ask: Form) -> Any:
    rule = ask.rule
    return rule and (lambda answer: rule({k: v for k, v in answer.items() if k != "notes"}))


def token_cap(ask: Ask, *, thinks: bool) -> int:
    """How many tokens a reply may take: room for every character that the ask allows, and for some thinking."""
    return min(_tokens(ask) + (768 if thinks else 32), 2048)


def _tokens(ask: Ask) -> int:
    match ask:
        case Choice() | Range() | Number():
            return 32
        case Text():
            return ask.max_chars // 3
        case ListOf():
            return 16 + ask.high * _tokens(ask.item)
        case Each():
            return 16 + len(ask.keys) * _tokens(ask.item)
        case Form():
            return 16 + sum(8 + _tokens(field) for field in ask.fields)
    return 48
