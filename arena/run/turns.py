"""From an open ask to a decided turn: calls, parsing, re-asks, and the turn status.

A provider's error is never an answer: it leaves this module as an exception and the turn stays open. What can be
read is judged by the ask alone; ambiguous is illegal. The statuses and what follows from each: DESIGN section 4.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

from arena.core.asks import Answer, Ask
from arena.core.errors import IllegalAnswer
from arena.core.methods import Completion
from arena.core.view import View
from arena.models.types import ProviderError
from arena.prompt import read_reply, reask_message
from arena.run.context import Stopped, TurnContext
from arena.run.live import LiveMatch
from arena.run.players import HumanPlayer, ModelPlayer
from arena.run.rows import Decision, Evidence, Status, now_ms, turn_row

_TIMEOUT: tuple[Status, str] = ("timeout", "the clock ran out")

# version 1 of the refusal list: an illegal reply that begins like this is a refusal
_REFUSAL = re.compile(
    r"\s*(i['’]?m sorry,? but|i am sorry,? but|sorry,? (but )?i (cannot|can['’]t|won['’]t)|as an ai|"
    r"i (cannot|can['’]t|won['’]t|am (not able|unable) to) (help|assist|participate|play|continue|do|engage|comply))",
    re.IGNORECASE,
)


async def decide_human(live: LiveMatch, player: HumanPlayer, view: View, ask: Ask, decision: Decision) -> Decision:
    """A person is asked again until the answer is legal; that is not counted."""
    problem, notes = None, player.person.notes
    notes.setdefault(view.seat, str((live.memos.get(view.seat) or {}).get("notes", "")))
    while True:
        try:
            decision.answer = ask.check(await _unless_stopped(live, player.person.answer(view, ask, problem)))
        except IllegalAnswer as error:
            problem = error.reason
        except EOFError:
            live.run.stop("interrupted")
            raise Stopped from None
        else:
            decision.decided_ms = now_ms()
            decision.memo = {"notes": notes[view.seat]} if notes[view.seat] else None
            await live.run.commit([turn_row(live.planned.number, live.match, decision, applied=False)])
            return decision


async def _unless_stopped(live: LiveMatch, answering: Coroutine[Any, Any, Answer]) -> Answer:
    """A person's answer, or Stopped as soon as the run is told to stop: nobody has to press Enter first."""
    answer = asyncio.ensure_future(answering)
    stopped = asyncio.ensure_future(live.run.stopped.wait())
    await asyncio.wait({answer, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not answer.done():
        answer.cancel()
        raise Stopped
    return answer.result()


async def decide_model(live: LiveMatch, player: ModelPlayer, view: View, ask: Ask, decision: Decision) -> Decision:
    """Ask, read, ask again if need be, and commit the turn with its last call."""
    policy = live.run.policy
    ctx = TurnContext(live, player, view, ask, decision.turn)
    reasons: list[str] = []
    while True:
        completion = await _attempt(ctx, reasons[-1] if reasons else None, live, view)
        outcome, reason = _read(ctx, completion, decision) if completion else _TIMEOUT
        if outcome == "legal":
            decision.status = "repaired" if reasons else "legal"
            break
        reasons.append(reason or outcome)
        if outcome == "timeout" or len(reasons) > policy.reasks:
            decision.status = outcome
            _play_instead(live, decision)
            break
        if outcome == "truncated":
            ctx.spent.factor = 2
            reasons[-1] = f"the reply was cut off at {ctx.last_max_tokens} tokens; answer more briefly"
    decision.reasks = ctx.attempt
    decision.reason = "; ".join(reasons) or None
    decision.last_call, decision.memo, decision.decided_ms = ctx.last_key, ctx.memory or None, now_ms()
    live.memos[view.seat] = ctx.memory
    live.spend(view.seat, ctx.spent.seconds)
    live.ledger.evidence += [
        Evidence(e.turn, e.path, e.prompt, e.reply, e.finish, decision.status) for e in ctx.evidence
    ]
    unit, ctx.unit = ctx.unit, []
    await live.run.commit([*unit, turn_row(live.planned.number, live.match, decision, applied=False)])
    return decision


async def _attempt(ctx: TurnContext, problem: str | None, live: LiveMatch, view: View) -> Completion | None:
    """One try at an answer: the method's, or after a rejected reply the same conversation with the reason. None when
    the seat's clock ran out."""
    try:
        if problem is None:
            completion = await ctx.player.method.answer(view, ctx.ask, ctx, ctx.player.options)
        else:
            ctx.attempt += 1
            rejected = {"role": "assistant", "content": ctx.last_reply or "…"}
            again = {"role": "user", "content": reask_message(view, problem, ctx.ask, as_objects=ctx.as_objects)}
            shape = ctx.shape(as_objects=ctx.player.method.as_objects)
            messages = [*ctx.last_messages, rejected, again]
            completion = await ctx.call(messages, shape=None if ctx.player.method.as_objects else shape)
    except ProviderError as error:
        if error.kind == "timeout" and ctx.on_clock:
            return None
        await ctx.flush()
        raise
    except BaseException:
        await ctx.flush()
        raise
    ctx.last_reply = completion.text
    if live.has_clock and live.time_left(view.seat, ctx.spent.seconds) <= 0:
        return None
    return completion


def _read(ctx: TurnContext, completion: Completion, decision: Decision) -> tuple[Status, str | None]:
    """The status that one reply would give its turn; a legal answer is put into the decision."""
    if completion.finish in ("refusal", "filter"):
        return "refused", "the model's provider refused to answer"
    try:
        reading = read_reply(ctx.ask, completion.text, ctx.view.names)
    except IllegalAnswer as error:
        decision.attempted = _own(ctx, error.attempted)
        if _REFUSAL.match(completion.text):
            return "refused", error.reason
        return ("truncated" if completion.finish == "length" else "illegal"), error.reason
    decision.answer, decision.cut = _own(ctx, reading.answer), reading.cut
    decision.attempted = None
    if ctx.player.memory == "notes" and isinstance(reading.answer, dict) and reading.answer.get("notes"):
        ctx.memory["notes"] = str(reading.answer["notes"])
    return "legal", None


def _own(ctx: TurnContext, answer: Answer) -> Answer:
    """The answer to the game's ask: without the notes field that the memory policy added."""
    if ctx.player.memory != "notes" or not isinstance(answer, dict):
        return answer
    asked = ctx.view.ask
    rest = {key: value for key, value in answer.items() if key != "notes"}
    return rest if asked is None or asked.kind == "form" else rest.get(ctx.ask.name)


def _play_instead(live: LiveMatch, decision: Decision) -> None:
    """The policy for a turn without a legal answer."""
    policy, match = live.run.policy, live.match
    decision.fallback = True
    ask, attempted = decision.ask, decision.attempted
    decision.answer = ask.fallback if attempted is None else match.game.partial(ask, attempted)
    decision.forfeit = policy.then == "forfeit" and live.ledger.lost(decision.seat) + 1 >= policy.forfeit_after
