"""The day's talk: who speaks when, by mode, and what each speech tells to whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from arena.core import EVERYONE, NOBODY
from arena.games.werewolf import asks
from arena.games.werewolf.asks import ABSTAIN, OVER, SKIP
from arena.games.werewolf.rules import bid_winners, rotated
from arena.games.werewolf.town import Town


async def discuss(town: Town) -> None:
    """The talk before the vote, in the mode of the configuration."""
    if town.config.speech == "bidding":
        await by_bidding(town)
    elif town.config.speech == "talk":
        await by_talk(town)
    elif town.config.rounds:
        order = order_of(town)
        for _ in range(town.config.rounds):
            for seat in order:
                await speak(town, seat, "speech")


def order_of(town: Town) -> list[str]:
    """Seat order from a drawn seat on, or wholly drawn; announced."""
    if town.config.speech == "shuffle":
        order = list(town.alive)
        town.table.rng("speech").shuffle(order)
    else:
        order = rotated(town.alive, town.table.rng("speech").below(len(town.alive)))
    town.table.tell(EVERYONE, "order", day=town.day, seats=list(order))
    return order


async def speak(town: Town, seat: str, name: str) -> str:
    """One speech; the result is its text."""
    answer = await town.table.ask(seat, asks.speech(town, name, seat))
    await utter(town, seat, answer, probing=name != "last_words")
    text: str = answer["text"]
    return text


async def utter(town: Town, seat: str, answer: dict[str, Any], *, probing: bool = True) -> None:
    """Everyone hears the text; the form stays with the speaker and the log, unless the configuration shows it."""
    intent = {key: answer.get(key) for key in ("claim", "reports", "suspicion", "vote_call")}
    shown = {key: intent[key] for key in ("claim", "reports", "vote_call")} if town.config.show_intent else {}
    town.table.tell(EVERYONE, "said", speaker=seat, text=answer["text"], **shown)
    town.table.tell(seat, "intent", speaker=seat, **intent)
    if probing and town.config.probe_votes:
        await probe(town, seat)


async def probe(town: Town, speaker: str) -> None:
    """For the log: whom each listener would vote for now."""
    open_asks = {s: asks.ballot(town, "probe", s, town.alive) for s in town.others(speaker)}
    answers = await town.table.ask_all({s: ask for s, ask in open_asks.items() if ask})
    votes = {seat: None if answer == ABSTAIN else answer for seat, answer in answers.items()}
    town.table.tell(NOBODY, "probed", day=town.day, speaker=speaker, votes=votes)


# --- bidding ----------------------------------------------------------------------------------------------------


async def by_bidding(town: Town) -> None:
    """In each turn all but the last speaker bid; the highest bid speaks, an equal just named with double chance."""
    speaker, text = "", ""
    for _ in range(town.config.turns):
        bidders = town.others(speaker)
        if not bidders:
            return
        bids = await town.table.ask_all(bidders, asks.BID)
        town.table.tell(NOBODY, "bids", day=town.day, bids=bids)
        levels = {seat: bids[seat]["level"] for seat in bidders}
        speaker = town.table.rng("bid").choice(bid_winners(levels, text, town.names))
        town.table.tell(EVERYONE, "bid_won", speaker=speaker)
        town.table.tell(speaker, "own_bid", level=levels[speaker], reason=bids[speaker]["reason"])
        text = await speak(town, speaker, "speech")


# --- turns of utterances ----------------------------------------------------------------------------------------


async def by_talk(town: Town) -> None:
    said: dict[str, Any] = {}

    async def ask(seat: str) -> str:
        said[seat] = await town.table.ask(seat, asks.speech(town, "talk", seat))
        text: str = said[seat]["text"]
        return text

    async def tell(seat: str, text: str) -> None:
        if text in (SKIP, OVER):
            town.table.tell(EVERYONE, "said", speaker=seat, text=text)
        else:
            await utter(town, seat, said[seat])

    await chat(town, town.alive, town.config.talk_limit, "talk", ask, tell)


async def chat(
    town: Town,
    seats: Sequence[str],
    limit: int,
    stream: str,
    ask: Callable[[str], Awaitable[str]],
    tell: Callable[[str, str], Awaitable[None]],
) -> None:
    """Turns in which every seat, in a fresh order, says something, skips or is over.

    A seat has `limit` utterances; one skip too many in a row counts as over; it ends after a turn in which all were
    over (a seat without utterances left is). A word alone or nothing at all is a skip or an over.
    """
    left, skips = dict.fromkeys(seats, limit), dict.fromkeys(seats, 0)
    for _ in range(town.config.talk_turns):
        order = [*seats]
        town.table.rng(stream).shuffle(order)
        talking = False
        for seat in order:
            if not left[seat]:
                continue
            text = await ask(seat)
            word = text.strip().lower() or SKIP
            if word == SKIP:
                skips[seat] += 1
                word = OVER if skips[seat] > town.config.max_skip else SKIP
            elif word != OVER:
                skips[seat], left[seat] = 0, left[seat] - 1
            talking = talking or word != OVER
            await tell(seat, word if word in (SKIP, OVER) else text)
        if not talking:
            return
