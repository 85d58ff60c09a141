"""The day's vote: ballots, ties, the exile, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from arena.core import EVERYONE, NOBODY
from arena.games.werewolf import asks
from arena.games.werewolf.asks import ABSTAIN
from arena.games.werewolf.rules import Count, Ending, count, rotated
from arena.games.werewolf.speech import discuss, speak
from arena.games.werewolf.town import Town, aftermath

Ballots = dict[str, str | None]


async def day(town: Town) -> Ending | None:
    """From dawn to dusk; the result is the end of the match, if it came."""
    await discuss(town)
    exiled = await vote(town)
    town.exiled = exiled
    if exiled is None:
        town.table.tell(EVERYONE, "exiled", day=town.day, seat=None)
    else:
        town.bury(exiled)
        town.table.tell(EVERYONE, "exiled", day=town.day, seat=exiled, **town.shown_role(exiled, "exile"))
    if end := await leave(town, exiled):
        return end
    await write_down(town)
    return None


async def vote(town: Town) -> str | None:
    """The seat that is exiled, if one is. A tie goes by the configuration; a second one exiles nobody or is drawn."""
    first = await held(town, "vote", town.alive, town.alive)
    rule = town.config.vote_tie
    if first.exiled or not first.tied or rule == "none":
        return first.exiled
    if rule == "random":
        return town.table.rng("tie").choice(first.tied)
    if rule == "pk":
        return (await run_off(town, first.tied)).exiled
    secret = town.config.vote_mode == "secret"
    town.table.tell(EVERYONE, "revote", day=town.day, seats=None if secret else list(first.tied))
    second = await held(town, "vote", town.alive, town.alive)
    return town.table.rng("tie").choice(second.tied) if second.tied else second.exiled


async def run_off(town: Town, tied: list[str]) -> Count:
    """The tied speak again; then the others choose among them, or all do if all are tied."""
    town.table.tell(EVERYONE, "pk", day=town.day, seats=list(tied))
    if town.config.speech in ("bidding", "talk") or town.config.rounds:
        order = rotated(tied, town.table.rng("speech").below(len(tied)))
        town.table.tell(EVERYONE, "order", day=town.day, seats=list(order))
        for seat in order:
            await speak(town, seat, "speech_pk")
    return await held(town, "vote_pk", [s for s in town.alive if s not in tied] or tied, tied)


async def held(town: Town, name: str, voters: Sequence[str], candidates: Sequence[str]) -> Count:
    """One round of ballots, its public part, and its result. A voter without a legal ballot is not asked."""
    order = list(voters)
    if town.config.vote_mode == "sequential":
        town.table.rng("vote").shuffle(order)
    ballots: Ballots = {}
    batches = [[seat] for seat in order] if town.config.vote_mode == "sequential" else [order]
    for batch in batches:
        open_asks = {seat: asks.ballot(town, name, seat, candidates) for seat in batch}
        answers = await town.table.ask_all({seat: ask for seat, ask in open_asks.items() if ask})
        for voter, answer in answers.items():
            ballots[voter] = None if answer in (ABSTAIN, None) else answer
            to = NOBODY if town.config.vote_mode == "secret" else EVERYONE
            town.table.tell(to, "ballot", voter=voter, target=ballots[voter])
    return tally(town, ballots)


def tally(town: Town, ballots: Ballots) -> Count:
    counts = {seat: 0 for seat in town.alive if seat in ballots.values()}
    for target in ballots.values():
        if target is not None:
            counts[target] += 1
    abstained = sum(target is None for target in ballots.values())
    to = NOBODY if town.config.vote_mode == "secret" else EVERYONE
    town.table.tell(to, "tally", day=town.day, counts=counts, abstained=abstained)
    return count(ballots, len(town.alive), town.config.threshold, town.seats)


async def leave(town: Town, exiled: str | None) -> Ending | None:
    """An exiled seat's last words and shot. Neither happens in a match that its exile decides."""
    if exiled is None:
        return town.ending()
    if town.config.last_words and town.ending() is None:
        await speak(town, exiled, "last_words")
    return await aftermath(town, {exiled: "exile"})


async def write_down(town: Town) -> None:
    """What the living write at the day's end: beliefs for the log, a summary for themselves."""
    if town.config.elicit_beliefs:
        forms = {seat: asks.beliefs(town, seat) for seat in town.alive if town.others(seat)}
        for seat, answer in (await town.table.ask_all(forms)).items():
            town.table.tell(NOBODY, "believed", day=town.day, seat=seat, beliefs=dict(answer))
    if town.config.summaries:
        for seat, text in (await town.table.ask_all(town.alive, asks.SUMMARY)).items():
            town.table.tell(seat, "summary_kept", day=town.day, text=text)
