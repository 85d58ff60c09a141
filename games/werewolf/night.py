"""One night: wolves talk and choose, seers and guards act, witches answer, the dead are found at dawn.

Each stage asks every living actor once; a role that is dead is skipped, so a night with nobody left to act passes
without a question. (MaKTO: a dead wolf stops the hand-over between wolves. TextArena: no kill without doctor and
detective. Both have tests here.)
"""

from __future__ import annotations

from typing import Any, NamedTuple

from arena.core import EVERYONE, NOBODY, Choice
from arena.games.werewolf import asks
from arena.games.werewolf.asks import NONE, one_or_none
from arena.games.werewolf.rules import Ending, check_result, deaths, joint_target, most_named, species
from arena.games.werewolf.speech import chat
from arena.games.werewolf.town import Town, aftermath


class Potions(NamedTuple):
    """What the witches used this night."""

    healed: bool
    poisoned: list[str]


async def night(town: Town) -> Ending | None:
    """From dusk to dawn; the result is the end of the match, if it came."""
    await wolf_chat(town)
    target = await wolves_choose(town) if attacks(town) else None
    guarded = await check_and_guard(town)
    potions = await brew(town, target)
    dead = deaths(target, guarded, potions.healed, potions.poisoned, town.config.guard_heal_clash)
    if town.config.compat_no_kill and not town.living("guard") and not town.living("seer"):
        dead = {}
    return await dawn(town, target, guarded, potions, dead)


def attacks(town: Town) -> bool:
    """Whether wolves kill in this night."""
    return town.night > 0 or town.config.first_night_kill


# --- wolves -----------------------------------------------------------------------------------------------------


async def wolf_chat(town: Town) -> None:
    wolves = town.living("wolf")
    if town.config.wolf_chat and len(wolves) > 1:

        async def whisper(wolf: str) -> str:
            text: str = await town.table.ask(wolf, asks.whisper(town.config))
            return text

        async def tell(wolf: str, text: str) -> None:
            town.table.tell(town.wolves, "whispered", speaker=wolf, text=text)

        await chat(town, wolves, town.config.wolf_chat, "whisper", whisper, tell)


async def wolves_choose(town: Town) -> str | None:
    """The wolves' victim. None: they spare everybody."""
    wolves = town.living("wolf")
    if not wolves or not prey(town):
        return None
    if town.config.wolf_decision == "sequential":
        target = await in_sequence(town, wolves)
    elif town.config.wolf_decision == "single_random":
        chosen = town.table.rng("order").choice(wolves)
        target = (await picks_of(town, [chosen]))[chosen]
    else:
        target = await at_once(town, wolves)
    town.table.tell(town.wolves, "wolf_decision", night=town.night, target=target)
    return target


def prey(town: Town) -> list[str]:
    return list(town.alive) if town.config.wolf_self_kill else [s for s in town.alive if town.kinds[s] != "wolf"]


async def in_sequence(town: Town, wolves: list[str]) -> str | None:
    """One after another, each seeing the picks before; plurality."""
    order = list(wolves)
    if town.config.wolf_order == "random":
        town.table.rng("order").shuffle(order)
    picks: dict[str, str | None] = {}
    for wolf in order:
        picks |= await picks_of(town, [wolf])
    return joint_target([picks[wolf] for wolf in wolves], town.config.wolf_tie, town.table.rng("wolf_tie").choice)


async def at_once(town: Town, wolves: list[str]) -> str | None:
    """Picks at the same time; a tie is voted once more and then drawn; without any pick the victim is drawn."""
    rng = town.table.rng("wolf_tie")
    tied = most_named((await picks_of(town, wolves)).values())
    if len(tied) > 1:
        tied = most_named((await picks_of(town, wolves)).values())
    if len(tied) == 1:
        return tied[0]
    return rng.choice(sorted(tied, key=town.seats.index) or [s for s in town.alive if town.kinds[s] != "wolf"])


async def picks_of(town: Town, wolves: list[str]) -> dict[str, str | None]:
    """What these wolves pick at the same time, shown to all wolves at once."""
    targets, may_pass = prey(town), town.config.wolf_abstain
    answers = await town.table.ask_all({w: one_or_none(town, "wolf_kill", w, targets, may_pass) for w in wolves})
    picks = {wolf: seat_or_none(answer) for wolf, answer in answers.items()}
    for wolf, target in picks.items():
        town.table.tell(town.wolves, "wolf_pick", night=town.night, wolf=wolf, target=target)
    return picks


def seat_or_none(answer: Any) -> str | None:
    return None if answer in (NONE, None) else str(answer)


# --- seer, guard, witch -----------------------------------------------------------------------------------------


async def check_and_guard(town: Town) -> list[str]:
    """Seers and guards act at the same time; the result is who is guarded."""
    open_asks = check_asks(town) | guard_asks(town)
    answers = await town.table.ask_all(open_asks)
    town.guarded = {}
    for seat, answer in answers.items():
        target = seat_or_none(answer)
        if town.kinds[seat] == "guard":
            town.guarded[seat] = target
            town.table.tell(seat, "guarded", night=town.night, target=target)
        elif target is not None:
            town.checked[seat].append(target)
            result = check_result(town.roles[target], town.config.seer_info)
            town.table.tell(seat, "checked", night=town.night, target=target, result=result)
    return [target for target in town.guarded.values() if target is not None]


def check_asks(town: Town) -> dict[str, Choice]:
    """Each living seer checks one living seat that it has not checked; with nobody left it is not asked."""
    found: dict[str, Choice] = {}
    if town.night > 0 or town.config.first_night_seer:
        for seer in town.living("seer"):
            if unchecked := [s for s in town.others(seer) if s not in town.checked[seer]]:
                found[seer] = one_or_none(town, "check", seer, unchecked, False)
    return found


def guard_asks(town: Town) -> dict[str, Choice]:
    """Each living guard, in a night with an attack."""
    found: dict[str, Choice] = {}
    if attacks(town):
        for guard in town.living("guard"):
            last = None if town.config.guard_repeat else town.guarded.get(guard)
            options = [s for s in town.alive if s != last and (s != guard or town.config.guard_self)]
            if options:
                found[guard] = one_or_none(town, "guard", guard, options, town.config.guard_none)
    return found


async def brew(town: Town, target: str | None) -> Potions:
    """Each living witch learns the victim and may heal it or poison a seat."""
    acts = {witch: potions_for(town, witch, target) for witch in town.living("witch")}
    for witch in acts:
        if "heal" in town.potions[witch] or town.config.witch_sees:
            town.table.tell(witch, "witch_info", night=town.night, target=target)
    choices = {w: asks.witch(tuple(a), target, town.alive) for w, a in acts.items() if len(a) > 1}
    answers = await town.table.ask_all(choices)
    healed, poisoned = False, []
    for witch, answer in answers.items():
        act = answer["act"]
        if act in ("heal", "both"):
            healed = True
            town.potions[witch].remove("heal")
            town.table.tell(witch, "witched", night=town.night, act="heal", target=target)
        if act in ("poison", "both"):
            poisoned.append(answer["target"])
            town.potions[witch].remove("poison")
            town.table.tell(witch, "witched", night=town.night, act="poison", target=answer["target"])
        if act == "pass":
            town.table.tell(witch, "witched", night=town.night, act="pass", target=None)
    return Potions(healed, poisoned)


def potions_for(town: Town, witch: str, target: str | None) -> list[str]:
    """What this witch may do now; heal covers this night's target only, never a seat that was not attacked."""
    left = town.potions[witch]
    self_heal = town.config.witch_self_heal
    own = target != witch or self_heal == "always" or (self_heal == "first_night" and town.night == 0)
    acts = ["heal"] * ("heal" in left and target is not None and own) + ["poison"] * ("poison" in left)
    return [*acts, *["both"] * (len(acts) == 2 and town.config.witch_both), "pass"]


# --- dawn -------------------------------------------------------------------------------------------------------


async def dawn(
    town: Town, target: str | None, guarded: list[str], potions: Potions, dead: dict[str, str]
) -> Ending | None:
    """The dead are announced as a set, in seat order; then hunters, the win check, and what mediums learn."""
    found = [seat for seat in town.alive if seat in dead]
    causes = {seat: dead[seat] for seat in found}
    town.table.tell(
        NOBODY,
        "night_resolved",
        night=town.night,
        target=target,
        guard=_one(guarded),
        heal=target if potions.healed else None,
        poison=_one(potions.poisoned),
        dead=found,
        causes=causes,
    )
    town.bury(*found)
    more: dict[str, Any] = {"alive": list(town.alive)}
    if town.config.reveal_role == "death":
        more["roles"] = {seat: town.roles[seat] for seat in found}
    if town.config.announce_cause:
        more["causes"] = dict(causes)
    town.table.tell(EVERYONE, "dawn", day=town.day, dead=list(found), **more)
    if end := await aftermath(town, causes):
        return end
    if town.exiled is not None:
        for medium in town.living("medium"):
            result = species(town.roles[town.exiled])
            town.table.tell(medium, "medium_info", night=town.night, target=town.exiled, result=result)
    return None


def _one(seats: list[str]) -> Any:
    """A fact about the one seat that it concerns; a list only in matches with several guards or witches."""
    return None if not seats else seats[0] if len(seats) == 1 else list(seats)
