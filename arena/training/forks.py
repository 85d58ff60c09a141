"""Forks for `fork-pairs`: from decision points of recorded matches, candidate answers and what comes of each.

Two rounds of matches, all recorded under `forks/K`. First each chosen decision is asked again of the current policy,
`fork_k` times, each with samples of its own (branches from CANDIDATES on; whoever else sits there is a bot, since
nothing but the decision is read). Then every distinct legal candidate is played on `fork_rollouts` times: its answer is
copied into the record as part of the prefix. Continuation j has the same engine streams, the same bots' streams and the
same sample keys for every candidate, so that differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from arena.core.asks import Answer, Choice
from arena.core.canonical import canonical
from arena.core.seeds import stream
from arena.run.keys import match_key
from arena.run.plan import Planned
from arena.store.reader import Reader
from arena.store.writer import Unit
from arena.training import population
from arena.training.play import play
from arena.training.prefix import Prefix
from arena.training.record import Played, read_played
from arena.training.rows import Trainee
from arena.training.setup import Run

NEEDED_BY = ("fork-pairs", "lspo-pairs")
EXTRA = "bot/random"
CANDIDATES = 1000  # branches from here on are candidates' own matches; below are continuations


@dataclass(frozen=True)
class State:
    """One decision of a recorded match, to be decided otherwise."""

    played: Played
    planned: Planned  # the match that it is in
    turn: int


def play_forks(run: Run, players: Mapping[str, str], source: str, tag: str) -> None:
    """Both rounds, for the matches of the tag `source`."""
    states = list(states_of(run, players, source))
    p = run.settings.params
    asked: dict[str, State] = {}
    plan: list[Planned] = []
    stand_in = population.recorded(p.rollout_agent, type(run.game)) if p.rollout_agent else None
    # of a candidate's own match the decision alone is read, so the others need no model; lspo-pairs reads all of it
    others = (stand_in or EXTRA) if run.settings.recipe == "fork-pairs" else None
    for state in states:
        seat = state.played.match.turns[state.turn].seat
        for i in range(p.fork_k):
            seating = dict.fromkeys(set(state.played.agents) - {seat}, others) if others else {}
            planned = _branch(state, CANDIDATES + i, tag, seating)
            asked[planned.key] = state
            plan.append(planned)
    numbers = play(run.table, plan, copied={key: _prefix(state) for key, state in asked.items()})
    answers = _answers(run, asked, numbers)
    plan, prefixes, common = [], {}, {}
    for state, candidates in answers:
        seating = dict.fromkeys(state.played.models, stand_in) if stand_in else {}
        for c, answer in enumerate(candidates):
            for j in range(p.fork_rollouts):
                planned = _branch(state, j, tag, seating, candidate=c)
                plan.append(planned)
                prefixes[planned.key] = _prefix(state, answer, decided=True)
                common[planned.key] = f"{state.planned.key}/{state.turn}/{j}"
    play(run.table, plan, copied=prefixes, common=common)


def states_of(run: Run, players: Mapping[str, str], source: str) -> Iterable[State]:
    """Up to `fork_states` decisions of these roles' seats in each match, spread over the kinds of asks."""
    with Reader(run.folder) as reader:
        from arena.run.api import planned_of
        from arena.run.replayed import games_of

        where = games_of(reader.manifest())
        rows = {row["key"]: row for row in reader.matches()}
    for played in read_played(run.folder, tags=[source]):
        found: dict[str, list[int]] = {}
        for role, player in players.items():
            trainee = Trainee(agents=(player,), roles=(role,) if role else ())
            for sent in trainee.turns(played):
                if not _has_one_answer(played.match.turns[sent.turn].ask):
                    found.setdefault(sent.ask, []).append(sent.turn)
        planned = planned_of(rows[played.key], played.agents, where)
        for turn in _spread(found, run.settings.params.fork_states, played.key):
            yield State(played, planned, turn)


def _has_one_answer(ask: Any) -> bool:
    return isinstance(ask, Choice) and len(ask.options or ()) == 1


def _spread(by_kind: Mapping[str, Sequence[int]], most: int, key: str) -> list[int]:
    """At most `most` turns, one kind after the other, drawn by the match's key."""
    rng = stream("forks", key)
    queues = [rng.sample(turns, len(turns)) for _, turns in sorted(by_kind.items())]
    found: list[int] = []
    while len(found) < most and any(queues):
        for queue in queues:
            if queue and len(found) < most:
                found.append(queue.pop())
    return sorted(found)


def _branch(state: State, branch: int, tag: str, seating: Mapping[str, str], candidate: int | None = None) -> Planned:
    """A branch of a state. Chance after the turn is fresh by `branch`, hence common to all candidates. `seating`: who
    sits there in the place of those of the record."""
    source = replace(state.planned, seating={**state.planned.seating, **seating})
    fork: dict[str, Any] = {"parent": source.key, "at": state.turn, "branch": branch, "tag": tag}
    if candidate is not None:
        fork["candidate"] = candidate
    return replace(
        source,
        number=0,
        key=match_key(source.game, source.config_sha256, source.deal_seed, source.seed, source.seating, fork),
        tag=tag,
        parent_key=source.key,
        fork_turn=state.turn,
        branch=branch,
        chance="fresh",
    )


def _prefix(state: State, answer: Answer = None, *, decided: bool = False) -> Callable[[Planned], Unit]:
    """The rows that a branch begins with: everything before the turn, and the turn too once it is decided."""
    prefix = replace(Prefix.of(state.played, state.turn), answer=answer, decided=decided)

    def rows(planned: Planned) -> Unit:
        turns, events = prefix.rows(planned, state.played.match.game)
        return turns + events

    return rows


def _answers(run: Run, asked: Mapping[str, State], numbers: Mapping[str, int]) -> list[tuple[State, list[Answer]]]:
    """The distinct legal candidates of each state, in order of their branches."""
    found: dict[tuple[str, int], tuple[State, dict[str, Answer]]] = {}
    with Reader(run.folder) as reader:
        for key, state in asked.items():
            turn = reader.stored_match(numbers[key]).turns[state.turn]
            _, answers = found.setdefault((state.played.key, state.turn), (state, {}))
            if turn.status in ("legal", "repaired") and not turn.fallback:
                answers.setdefault(canonical(turn.answer), turn.answer)
    return [(state, list(answers.values())) for state, answers in found.values() if len(answers) > 1]
