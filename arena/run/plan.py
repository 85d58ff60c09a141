"""The plan of a run: every match it will play, each with its number, seeds, seating and key, before any is played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from arena.core.canonical import digest
from arena.core.errors import UsageError
from arena.core.game import Game
from arena.core.match import Match
from arena.registry import find_game, make_game
from arena.run.keys import config_hash, deal_seed, match_key, match_seed
from arena.run.schedules import Block, Field, find_schedule
from arena.run.settings import GamePlan, Policy, Settings

Selected = tuple[str | None, str]  # selector or None, and a canonical agent name


@dataclass(frozen=True)
class Planned:
    """One match before it is played."""

    number: int
    key: str
    game: str  # versioned name
    where: str  # the name to find the game by
    preset: str
    config: Mapping[str, Any]
    config_sha256: str
    deal_seed: int
    seed: int
    seating: Mapping[str, str]  # seat -> canonical agent name
    deal_id: str
    block: int
    batch_no: int = 0
    tag: str = ""
    parent_key: str | None = None
    fork_turn: int | None = None
    branch: int | None = None
    chance: str | None = None


def make_plan(settings: Settings, agents: Sequence[Selected]) -> list[Planned]:
    """The matches of a static schedule, all games interleaved in proportion to their numbers."""
    plans = [_game_plan(settings, game, agents) for game in settings.games]
    ordered = sorted(
        (((i + 1) / len(plan), g, i) for g, plan in enumerate(plans) for i in range(len(plan))),
    )
    numbered: list[Planned] = []
    for _, g, i in ordered:
        numbered.append(replace(plans[g][i], number=len(numbered) + 1))
    return numbered


def plan_hash(plan: Sequence[Planned]) -> str:
    return digest([p.key for p in plan])


def seat_agents(game: Game, agents: Sequence[Selected], seed: int) -> dict[str, str]:
    """The seating of the match of `arena play` with this seed: one name fills every seat, as many as seats fill them in
    order, as many as sides fill the sides; selectors name a seat, a role or a side of its deal."""
    match = Match(game, seed)
    seats, sides = match.seats, list(game.sides())
    if agents and all(selector is not None for selector, _ in agents):
        return _by_selector(match, agents)
    names = [name for _, name in agents]
    if any(selector is not None for selector, _ in agents):
        others = ",".join(f"{word}=OTHER" for word in sides or seats[1:])
        raise UsageError(
            "either every agent names its seat, role or side, or none does",
            hint=f"one seat among others: --agents {seats[0]}=NAME,{others}",
        )
    if len(names) == 1:
        return dict.fromkeys(seats, names[0])
    if len(names) == len(seats):
        return dict(zip(seats, names, strict=True))
    if sides and len(names) == len(sides):
        return {seat: names[sides.index(match.sides[seat])] for seat in seats}
    counts = ["1", str(len(seats)), *([str(len(sides))] if sides else [])]
    raise UsageError(
        f"{game.name} has {len(seats)} seats ({', '.join(seats)}); give {' or '.join(dict.fromkeys(counts))} agents, "
        f"not {len(names)}"
    )


def expand(match: Match, seating: Mapping[str, str]) -> dict[str, str]:
    """A seating by slots as one by seats: a side's agent holds every seat of the side on this deal."""
    return {seat: seating[seat] if seat in seating else seating[match.sides[seat]] for seat in match.seats}


def schedule_field(settings: Settings, game: Game, count: int, agents: Sequence[Selected]) -> Field:
    """What the schedule is told: slots, agents, those bound to a slot."""
    options = dict(settings.schedule)
    kind = options.get("kind", "paired")
    if not game.contest and (kind == "swiss" or (kind == "adaptive" and options.get("goal", "top1") == "top1")):
        raise UsageError(
            f"{game.name} is no contest: the schedule {kind} goes by who was paid more, which says nothing there",
            hint="use round-robin, paired or random",
        )
    seats = tuple(f"player_{i}" for i in range(game.seat_count()))
    sides = tuple(game.sides())
    slots = sides if sides and options.get("seating", "sides") == "sides" else seats
    own: dict[str, tuple[str, ...]] = {}
    free = tuple(name for selector, name in agents if selector is None)
    for selector, name in agents:
        if selector is not None:
            if selector not in (*slots, *sides, *seats):
                raise UsageError(f"{game.name} has no seat or side {selector!r}; it has {', '.join((*sides, *seats))}")
            own[selector] = (*own.get(selector, ()), name)
    if own:
        if set(own) - set(slots):
            slots = seats
        own |= {slot: free for slot in slots if slot not in own and free}
    weights = options.get("weights") or {}
    return Field(slots, free or tuple(name for _, name in agents), count, settings.seed, own, weights, options)


def _game_plan(settings: Settings, plan: GamePlan, agents: Sequence[Selected]) -> list[Planned]:
    game, preset = make_game(plan.name, plan.set)
    check_forfeit(settings.policy, game)
    field = schedule_field(settings, game, plan.matches, agents)
    blocks = find_schedule(str(settings.schedule.get("kind", "paired"))).batch(field, [])
    return [
        planned
        for block in blocks or ()
        for planned in plan_block(settings.policy, plan.name, game, preset, settings.seed, block)
    ]


def check_forfeit(policy: Policy, game: Game) -> None:
    """A policy that the game has no rule for is refused before anything is played."""
    seats = tuple(f"player_{i}" for i in range(game.seat_count()))
    if policy.then == "forfeit" and game.forfeit_payoffs(seats[0], seats) is None:
        raise UsageError(f"{game.name} has no forfeit rule", hint='illegal.then = "fallback"')


def plan_block(
    policy: Policy, name: str, game: Game, preset: str, run_seed: int, block: Block, tag: str = ""
) -> list[Planned]:
    """The matches of one block, numbered within it from 1."""
    config = game.config.as_json()
    config_sha256 = config_hash(config, policy.as_json())
    deal = deal_seed(run_seed, block.deal)
    where = find_game(name).where
    found = []
    for index, slots in enumerate(block.seatings):
        seed = match_seed(deal, 0 if block.one_seed else index)
        seating = expand(Match(game, seed, deal), slots)
        key = match_key(game.full_name, config_sha256, deal, seed, seating)
        found.append(
            Planned(
                number=index + 1,
                key=key,
                game=game.full_name,
                where=where,
                preset=preset,
                config=config,
                config_sha256=config_sha256,
                deal_seed=deal,
                seed=seed,
                seating=seating,
                deal_id=f"{game.name}/{preset}/{block.deal}-{deal & 0xFFFFFF:06x}",
                block=block.number + 1,
                tag=tag,
            )
        )
    return found


def _by_selector(match: Match, agents: Sequence[Selected]) -> dict[str, str]:
    seating: dict[str, str] = {}
    for selector, name in agents:
        if [other for other, _ in agents].count(selector) > 1:
            raise UsageError(f"several agents are named for {selector}; one match seats one of them")
        held = [s for s in match.seats if selector in (s, match.sides.get(s), match.roles.get(s))]
        if not held:
            known = dict.fromkeys((*match.sides.values(), *match.roles.values(), *match.seats))
            raise UsageError(f"{match.game.name} has no seat, role or side {selector!r}; it has {', '.join(known)}")
        seating |= {seat: name for seat in held if seat not in seating or selector == seat}
    if missing := [seat for seat in match.seats if seat not in seating]:
        raise UsageError(f"no agent is named for {', '.join(missing)}")
    return {seat: seating[seat] for seat in match.seats}
