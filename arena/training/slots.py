"""Slots: the rows of GRPO. A slot is a deal, the seats that learn on it, and who sits in the others.

With fixed opponents a slot names one seating and every copy of it is a match of its own: attempts are exchangeable. In
self-play a slot names no seat: with s trained seats, copy c is seat c mod s of match c // s of the deal.

Of single turns (`rows=turn`) a slot is a decision of a recorded match: every copy takes it again, on the record up to
there, and the policy that took it then plays on in its seat. A row is that one answer, its reward the match's payoff.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from arena.core.match import Match
from arena.run.plan import Planned
from arena.store.reader import Reader
from arena.store.schema import FILE
from arena.training import collect, forks, standings
from arena.training.evaluate import trained_seats
from arena.training.population import LIVE, Opponent
from arena.training.prefix import Prefix
from arena.training.record import read_played
from arena.training.rows import Row, Trainee, read_rows, write_rows
from arena.training.settings import GRPO_STEPS, TURN_RECIPES
from arena.training.setup import Run


def write_slots(run: Run, k: int, role: str, players: Mapping[str, str]) -> dict[str, Any]:
    """dataset.jsonl of slots, and the facts about them: reward bounds, baselines."""
    s = run.settings
    if s.params.rows == "turn":
        rows = list(_decisions(run, k, role, players))
    else:
        rows = list(_matches(run, k, role, players, standings.pools(run, k, players)))
    rows = rows[: s.matches]
    p = s.params
    generations = -(-(s.steps or GRPO_STEPS) // p.num_iterations)
    taken = generations * p.batch * p.accumulation // p.num_generations
    facts: dict[str, Any] = {"rows": len(rows), "matches": len(rows), "wanted": s.matches}
    facts["train_rows"] = min(len(rows), max(taken, 1))
    if not rows:
        facts["lacks"] = "no match seats the policy that is trained" + (f" as {role}" if role else "")
        if s.params.rows == "turn":
            facts["lacks"] = "no decision of the collected matches had more than one legal answer"
    facts |= {"bounds": _bounds(run, k), "baselines": {}}
    if s.recipe not in TURN_RECIPES and s.params.rae_start == "collect":
        facts["baselines"] = _baselines(run, k, facts["bounds"])
    facts["sha256"] = write_rows(run.iteration(k, role) / "dataset.jsonl", rows)
    return facts


def _matches(
    run: Run, k: int, role: str, players: Mapping[str, str], pools: Mapping[str, Sequence[Opponent]]
) -> Iterator[Row]:
    """Whole matches: a deal, and who sits where."""
    live = {r: LIVE if r == role else name for r, name in players.items()}
    planned = collect.plan(run, k, live, pools, _count(run, role), f"rollout/{k}")
    for number, one in enumerate(planned):
        if LIVE not in one.seating.values():
            continue
        if run.settings.is_self_play:
            match = Match(run.game, one.seed, one.deal_seed)
            own = trained_seats(match, run.game, role, 0) if role else list(match.seats)
        else:
            own = [seat for seat, name in one.seating.items() if name == LIVE]
        yield _slot(f"{k}-{number}", one, one.seating, own) | {"self_play": run.settings.is_self_play}


def _decisions(run: Run, k: int, role: str, players: Mapping[str, str]) -> Iterator[Row]:
    """Decisions of collected matches, to be taken again; who took them plays on, as it was then."""
    for number, state in enumerate(forks.states_of(run, {role: players[role]}, run.tags(k)[0])):
        prefix = Prefix.of(state.played, state.turn)
        seat = state.played.match.turns[state.turn].seat
        slot = _slot(f"{k}-{number}", state.planned, {**state.played.agents, seat: LIVE}, [seat])
        slot |= {"self_play": False, "trunk": state.played.key, "at": state.turn, "snapshot": players[role]}
        yield slot | {"turns": list(prefix.turns)}


def _slot(name: str, one: Planned, seating: Mapping[str, str], own: Sequence[str]) -> Row:
    return {
        "id": name,
        "deal": one.block - 1,
        "deal_seed": one.deal_seed,
        "seed": one.seed,
        "config": one.config,
        "seating": dict(seating),
        "seats": list(own),
    }


def _count(run: Run, role: str) -> int:
    """How many matches to plan so that this role gets its slots."""
    return run.settings.matches * (1 if run.settings.is_self_play else len(run.roles))


def told(run: Run, k: int, role: str, champions: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the rollout engine in the child process is told besides the slots."""
    s = run.settings
    rows = read_rows(run.iteration(k, role) / "dataset.jsonl")
    names = {name for row in rows for name in (*row["seating"].values(), row.get("snapshot", LIVE))}
    others = sorted(names - {LIVE})
    return {
        "run": str(run.folder),
        "game": s.game,
        "set": dict(s.set),
        "tag": f"rollout/{k}",
        "series": k * len(run.roles) + run.roles.index(role),
        "role": role if len(run.roles) > 1 else "",
        "recipe": s.recipe,
        "bounds": facts["bounds"],
        "baselines": facts["baselines"],
        "model": run.start.base,
        "opponents": others,
        "context": min(s.params.max_length or run.start.context, run.start.context),
        "choice": run.start.options.get("choice") or "auto",
        "budget": s.budget,
        "spent_usd": _spent(run),
    }


def _spent(run: Run) -> float:
    """What the run has paid so far."""
    if not (run.folder / FILE).is_file():
        return 0.0
    with Reader(run.folder) as reader:
        return float(reader.ledger()["cost_usd"] or 0.0)


def _bounds(run: Run, k: int) -> list[float]:
    """What payoffs are scaled by: the game's bounds, else what the collect stage saw."""
    if (bounds := run.bounds()) is not None:
        return [bounds[0], bounds[1]]
    paid = [x for played in read_played(run.folder, tags=run.tags(k)[:1]) for x in played.payoffs.values()]
    return [min(paid), max(paid)]


def _baselines(run: Run, k: int, bounds: Sequence[float]) -> dict[str, float]:
    """Mean scaled reward of each role in the collect stage: where its baseline starts."""
    low, high = bounds
    seen: dict[str, list[float]] = {}
    for played in read_played(run.folder, tags=run.tags(k)[:1]):
        for seat in Trainee().seats(played):
            role = played.roles.get(seat) or played.match.sides.get(seat) or seat
            seen.setdefault(role, []).append((played.payoffs[seat] - low) / ((high - low) or 1))
    return {role: fmean(values) for role, values in sorted(seen.items())}
