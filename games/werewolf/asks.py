"""The asks: which answers are legal, and what is played when none comes.

An ask never changes and depends on public facts only, or on what its own seat knows, so equal ones are shared between
turns and matches. A speech is a form: the text is what others read, the rest (the intent) is what its words mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

from arena.core import Ask, Choice, Each, Form, ListOf, Range, Text
from arena.games.werewolf.config import WerewolfConfig
from arena.games.werewolf.rules import KIND, ROLES, default_belief

if TYPE_CHECKING:
    from arena.games.werewolf.town import Town

NONE, ABSTAIN, SKIP, OVER = "none", "abstain", "skip", "over"
MAX_REPORTS = 10

BID = Form("bid", Range("level", 0, 4), Text("reason", 120, optional=True))
SUMMARY = Text("summary", 800)


@lru_cache(maxsize=4096)
def _choice(name: str, options: tuple[str, ...], fallback: str) -> Choice:
    return Choice(name, options, fallback=fallback)


def one_of(name: str, seats: Sequence[str], *more: str, fallback: str) -> Choice:
    """One of some seats, or one of the words after them ("none", "abstain")."""
    return _choice(name, (*seats, *more), fallback)


def one_or_none(town: Town, name: str, seat: str, options: list[str], may_pass: bool, word: str = NONE) -> Choice:
    """One of the options, or the word if the seat may pass; no answer passes, else it is drawn."""
    if may_pass:
        return one_of(name, options, word, fallback=word)
    return one_of(name, options, fallback=town.fallback(seat, options))


def ballot(town: Town, name: str, seat: str, candidates: Sequence[str]) -> Choice | None:
    """A vote among the candidates; None if the seat may name none of them."""
    options = [s for s in candidates if s != seat or town.config.vote_self]
    return one_or_none(town, name, seat, options, town.config.vote_abstain, ABSTAIN) if options else None


def whisper(config: WerewolfConfig) -> Text:
    return _whisper(config.max_chars)


@lru_cache(maxsize=64)
def _whisper(max_chars: int) -> Text:
    return Text("whisper", max_chars, fallback=SKIP)


# --- speech -----------------------------------------------------------------------------------------------------


def speech(town: Town, name: str, seat: str) -> Form:
    """What a seat says and what it means by it. `name`: speech, speech_pk, last_words or talk."""
    claims, results = words_of(town.config)
    last_night = town.night
    return _speech(name, seat, town.seats, town.alive, last_night, claims, results, town.config.max_chars)


@lru_cache(maxsize=4096)
def _speech(
    name: str,
    seat: str,
    seats: tuple[str, ...],
    alive: tuple[str, ...],
    last_night: int,
    claims: tuple[str, ...],
    results: tuple[str, ...],
    max_chars: int,
) -> Form:
    report = Form(
        "report",
        Range("night", 0, last_night),
        Choice("target", seats),
        Choice("result", results),
    )
    intent: tuple[Ask, ...] = (
        Choice("claim", (NONE, *claims)),
        ListOf("reports", report, 0, MAX_REPORTS),
        Each("suspicion", tuple(s for s in seats if s != seat), Range("p", 0, 100, fallback=50)),
        Choice("vote_call", (*alive, NONE), fallback=NONE),
    )
    text = Text("text", max_chars, fallback=SKIP if name == "talk" else "")
    if name != "talk":
        return Form(name, text, intent=intent)
    plain = Form(name, text, intent=intent)
    return Form(name, text, intent=intent, draw=lambda rng: _drawn_talk(plain, rng))


def _drawn_talk(form: Form, rng: Random) -> Any:
    """A random talker is silent half of the time, so that random days end before the last turn."""
    luck = rng.random()
    return form.sample(rng) if luck < 0.5 else {"text": SKIP if luck < 0.75 else OVER}


def words_of(config: WerewolfConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The roles that can be claimed, and the results that can be reported: what roles of this match could know."""
    claims = tuple(role for role in ROLES if config.roles.get(role))
    kinds = {KIND[role] for role in claims}
    results = ["wolf", "good"]
    results += ["human"] * ("medium" in kinds)
    results += [role for role in claims if config.seer_info == "role" and role not in results]
    results += ["guarded"] * ("guard" in kinds)
    results += ["healed", "poisoned"] * ("witch" in kinds)
    return claims, tuple(results)


# --- witch, beliefs ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def witch(acts: tuple[str, ...], victim: str | None, living: tuple[str, ...]) -> Form:
    """Heal this night's victim, poison a living seat, pass; `both` where the rules allow two potions in one night."""
    act = Choice("act", acts, fallback="pass")

    def rule(answer: Any) -> str | None:
        did, target = answer["act"], answer.get("target")
        if did in ("poison", "both"):
            return None if target is not None else f"act {did!r} needs a target, one of the living"
        if target is None or (did == "heal" and target == victim):
            return None
        return f"act {did!r} takes no target" + (": it heals tonight's victim only" if did == "heal" else "")

    def draw(rng: Random) -> Any:
        did = act.sample(rng)
        aimed = did in ("poison", "both")
        return {"act": did, "target": living[int(rng.random() * len(living))]} if aimed else {"act": did}

    if "poison" not in acts:
        return Form("witch", act)
    return Form("witch", act, Choice("target", living, optional=True), rule=rule, draw=draw)


def beliefs(town: Town, seat: str) -> Each:
    """P(wolf) in percent for each living other."""
    return _beliefs(tuple(town.others(seat)), default_belief(len(town.wolves), len(town.seats)))


@lru_cache(maxsize=1024)
def _beliefs(others: tuple[str, ...], default: int) -> Each:
    return Each("beliefs", others, Range("p", 0, 100, fallback=default))
