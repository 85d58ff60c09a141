"""The stages of a match: discussion, proposal, vote, quest, Lady of the Lake, assassination."""

from __future__ import annotations

from arena.core import EVERYONE, NOBODY
from arena.games.avalon import asks
from arena.games.avalon.board import Board
from arena.games.avalon.rules import (
    APPROVE,
    EVIL,
    FAIL,
    GOOD,
    LADY_AFTER,
    PROPOSALS,
    SUCCESS,
    Ending,
    is_approved,
    prior,
    side,
)


async def quest(board: Board) -> Ending | None:
    """One quest: proposals until a team is approved, the cards, the Lady. The result is the match's end, if it is."""
    team = await find_team(board)
    if team is None:
        return board.ending()
    await play_cards(board, team)
    if board.config.elicit_beliefs == "quest":
        await elicit(board)
    if end := board.ending():
        return end
    if board.is_decided():
        return await assassination(board)
    if board.config.lady and board.quest in LADY_AFTER:
        await use_lady(board)
    board.quest += 1
    return None


async def find_team(board: Board) -> list[str] | None:
    """Proposals of one leader after another; None after a fifth rejection that ends the match."""
    board.rejections = 0
    for proposal in range(1, PROPOSALS + 1):
        leader = board.seats[board.leader]
        facts = {"quest": board.quest, "proposal": proposal, "leader": leader, "rejections": board.rejections}
        board.table.tell(EVERYONE, "leader", **facts)
        talks = proposal == 1 or board.config.talk_every == "proposal"
        if talks and not board.config.propose_first:
            await discuss(board)
        team: list[str] = await board.table.ask(leader, asks.Team(board.seats, board.size, board.table.rng("fallback")))
        board.table.tell(EVERYONE, "proposed", quest=board.quest, proposal=proposal, leader=leader, team=list(team))
        if talks and board.config.propose_first:
            await discuss(board)
        goes = await vote(board, team, proposal)
        board.pass_on()
        if goes:
            return team
        board.rejections += 1
    return None


async def discuss(board: Board) -> None:
    """The leader first, then clockwise, each seat once a round. The form stays with the speaker and the log."""
    roles = tuple(sorted(set(board.roles.values())))
    for _ in range(board.config.talk_rounds):
        for seat in board.clockwise():
            answer = await board.table.ask(seat, asks.speech(seat, board.seats, roles, board.config.max_chars))
            board.table.tell(EVERYONE, "said", speaker=seat, text=answer["text"])
            intent = {key: answer.get(key) for key in ("claim", "suspicion", "backs", "intended_vote")}
            board.table.tell(seat, "intent", speaker=seat, **intent)


async def vote(board: Board, team: list[str], proposal: int) -> bool:
    """All vote at once; the ballots become public together. The fifth team may go whatever the votes."""
    votes = await board.table.ask_all(board.seats, asks.TEAM_VOTE)
    board.table.tell(EVERYONE, "ballots", votes=dict(votes))
    approvals = sum(v == APPROVE for v in votes.values())
    auto = proposal == PROPOSALS and board.config.fifth_reject == "auto_pass"
    goes = auto or is_approved(approvals, len(board.seats))
    kind = "auto_passed" if auto else "approved" if goes else "rejected"
    board.table.tell(EVERYONE, kind, quest=board.quest, proposal=proposal, team=list(team), approvals=approvals)
    return goes


async def play_cards(board: Board, team: list[str]) -> None:
    """Good must play success and is not asked. Only the number of fails becomes public."""
    played = await board.table.ask_all([s for s in team if board.is_evil(s)], asks.CARD)
    forced = [s for s in team if s not in played]
    cards = {s: played.get(s, SUCCESS) for s in team}
    board.table.tell(NOBODY, "cards", quest=board.quest, cards=cards, forced=forced)
    fails = sum(card == FAIL for card in cards.values())
    success = fails < board.needed
    if success:
        board.successes += 1
    else:
        board.failures += 1
    facts = {"fails": fails, "needed": board.needed, "success": success, "score": board.score}
    board.table.tell(EVERYONE, "quest_result", quest=board.quest, team=list(team), **facts)


async def elicit(board: Board) -> None:
    """For the log: what everybody believes now."""
    forms = {}
    for seat in board.seats:
        hunts = board.config.merlin and board.is_evil(seat)
        forms[seat] = asks.beliefs(prior(board.roles, seat), board.not_known_evil(seat) if hunts else ())
    answers = await board.table.ask_all(forms)
    board.table.tell(NOBODY, "believed", quest=board.quest, beliefs={s: dict(a) for s, a in answers.items()})


async def use_lady(board: Board) -> None:
    """The holder learns the side of a seat that never held the Lady, and hands it on to that seat."""
    holder = board.lady
    options = [s for s in board.seats if s not in board.had_lady]
    target = await board.table.ask(holder, asks.one_of("lady", options, board.table.rng("fallback")))
    board.table.tell(EVERYONE, "lady_used", quest=board.quest, holder=holder, target=target)
    board.table.tell(holder, "lady_result", target=target, side=side(board.roles[target]))
    board.lady = target
    board.had_lady.append(target)


async def assassination(board: Board) -> Ending:
    """The assassin names a seat: Merlin, and evil wins after all; anybody else, and good has won."""
    known = board.conspirators()
    if board.config.evil_talk and len(known) > 1:
        for seat in known:
            text = await board.table.ask(seat, asks.evil_talk(board.config.max_chars))
            board.table.tell(known, "said", speaker=seat, text=text, among=EVIL)
    assassin = next(s for s in board.seats if board.roles[s] == "assassin")
    options = board.not_known_evil(assassin)
    target = await board.table.ask(assassin, asks.one_of("assassinate", options, board.table.rng("fallback")))
    hit = board.roles[target] == "merlin"
    board.table.tell(EVERYONE, "assassinated", assassin=assassin, target=target, hit=hit)
    return Ending(EVIL, "merlin_found") if hit else Ending(GOOD, "merlin_hidden")
