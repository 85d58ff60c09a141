"""What stands around the simultaneous choice of a round: each stage a small coroutine over the course of the match.

Answers of one stage come in together, and nothing of them is told before all are in.
"""

from __future__ import annotations

from itertools import combinations

from arena.core import EVERYONE, Ask, Form, Range, Subset
from arena.games.matrix.asks import COMMIT, PROGRAM, SIMULATE, mixed_ask, plan_ask, talk_ask
from arena.games.matrix.course import Course, Played
from arena.games.matrix.network import linked_goods
from arena.games.matrix.rules import drawn


async def programs(course: Course) -> None:
    """Each seat may publish a source text; all are shown. Moves are asked for as ever: nothing is executed here."""
    sources = await course.table.ask_all(course.players, PROGRAM)
    course.table.tell(EVERYONE, "programs", sources={seat: text or "" for seat, text in sources.items()})


async def recall(course: Course) -> None:
    """`history=w`: the last rounds again."""
    course.recall()


async def links(course: Course) -> None:
    """At the start of a phase all name the players they want a link with; a link forms where both do."""
    config, table = course.config, course.table
    if (course.round - 1) % (config.rounds // config.phases):
        return
    wanted = await table.ask_all({s: Form("links", Subset("want", table.others(s))) for s in course.players})
    pairs = combinations(range(len(course.players)), 2)
    want = [wanted[seat]["want"] for seat in course.players]
    edges = tuple((a, b) for a, b in pairs if course.players[b] in want[a] and course.players[a] in want[b])
    course.link(edges)
    course.game = linked_goods(config.base, edges, config.cost_of_link)
    table.tell(EVERYONE, "links", links=[[course.players[a], course.players[b]] for a, b in edges])


async def govern(course: Course) -> None:
    """The governor opens nodes: those will see their neighbours' part of this round when the next one comes."""
    config, table, governor = course.config, course.table, course.governor
    ask = Form("visibility", Subset("open", course.players, 0, config.governor_budget))
    opened = (await table.ask(governor, ask))["open"] if config.governor_budget else ()
    for seat in course.players:
        course.levels[seat] = config.visibility if seat in opened else "none"
        table.tell([governor, seat], "visibility", seat=seat, open=seat in opened)


class Commitment:
    """Plans for the next `mega` rounds, proposed at once, shown, and committed to at once. If all say yes the plans are
    executed without asking; otherwise nobody is bound (`conditional`), or everybody who said yes."""

    def __init__(self) -> None:
        self._plans: dict[str, list[str | int]] = {}
        self._until = 0

    async def __call__(self, course: Course) -> None:
        if course.round > self._until:
            await self._propose(course)
        at = course.round - 1 - self._until  # from the end of the block, below 0
        course.bound |= {seat: plan[at] for seat, plan in self._plans.items()}
        course.extra["committed"] = list(self._plans)

    async def _propose(self, course: Course) -> None:
        table, config = course.table, course.config
        length = min(config.mega, config.rounds - course.round + 1)
        self._until = course.round - 1 + length
        actions, safe = course.game.actions, course.game.safe
        asks = {seat: plan_ask(actions[i], safe[i], length) for i, seat in enumerate(course.players)}
        given = await table.ask_all(asks)
        plans = {}
        for i, (seat, answer) in enumerate(given.items()):
            plans[seat] = [course.drawn_action(i) if a is None else a for a in answer["actions"]]
        table.tell(EVERYONE, "plans", plans=plans)
        answers = await table.ask_all(course.players, COMMIT)
        table.tell(EVERYONE, "commitments", answers=answers)
        yes = [seat for seat in course.players if answers[seat] == "yes"]
        bound = yes if len(yes) == len(course.players) or not config.conditional else []
        self._plans = {seat: plans[seat] for seat in bound}
        if bound:
            table.tell(EVERYONE, "committed", bound=bound, plans=self._plans)


async def talk(course: Course) -> None:
    """Cheap talk: all at once, or by turns. With a text may come what it claims and what it promises to play."""
    config, table = course.config, course.table
    asks = {s: talk_ask(course.game.actions[i], config.talk_chars) for i, s in enumerate(course.players)}
    if config.talk == "simultaneous":
        for seat, said in (await table.ask_all(asks)).items():
            table.tell(EVERYONE, "talk", round=course.round, seat=seat, **said)
        return
    for turn in range(config.talk_turns):
        seat = course.players[turn % len(course.players)]
        said = await table.ask(seat, asks[seat])
        table.tell(EVERYONE, "talk", round=course.round, seat=seat, **said)


async def simulation(course: Course) -> None:
    """One player states probabilities in place of an action; the other may pay to see them (or the drawn action)."""
    config, table = course.config, course.table
    looker, looked = (course.players[i] for i in (config.simulator, 1 - config.simulator))
    if looked in course.bound:
        return  # a commitment binds it; there is nothing to look at
    actions, safe = course.game.actions[1 - config.simulator], course.game.safe[1 - config.simulator]
    asks: dict[str, Ask] = {looked: mixed_ask(actions, safe)}
    if config.simulate == "optional" and looker not in course.bound:
        asks[looker] = SIMULATE
    answers = await table.ask_all(asks)
    weights = answers[looked]["p"]
    if config.simulate_shows == "pure":
        course.bound[looked] = actions[drawn(weights, table.rng("mixed").random())]
    else:
        course.stated[looked] = weights
    looks = answers.get(looker, "yes") == "yes" and looker not in course.bound
    course.extra["simulated"] = looks
    if looks:
        course.costs[looker] = config.cost_of_look
        seen = {"action": course.bound[looked]} if config.simulate_shows == "pure" else {"p": weights}
        table.tell(looker, "peek", seat=looked, **{"action": None, "p": None, **seen})


async def act(course: Course) -> Played:
    """All who are not bound choose at once."""
    return await course.table.ask_all(course.asks())


async def act_in_turn(course: Course) -> Played:
    """`trust_amount`: the investor sends, the trustee learns what came in and returns some of it."""
    table, config = course.table, course.config
    investor, trustee = course.players
    sent = await table.ask(investor, config.asks[investor])
    table.tell(EVERYONE, "sent", seat=investor, amount=sent, received=3 * sent)
    returned = await table.ask(trustee, Range("act", 0, 3 * sent, fallback=0)) if sent else 0
    return {investor: sent, trustee: returned}
