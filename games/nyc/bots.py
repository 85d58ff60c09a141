"""Scripted players. Every one of them can hold a seat of either colour.

As an adviser a Blue bot points to the cheapest street and makes true claims; the Red bots differ in just that. In a
Blue seat, greedy-red and bait-red travel like `never`, honest-red and silent-red like `always`. Bots that plan need
the map: under map_knowledge=local they refuse. Asked for `p_red`, every bot gives bayes's estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from arena.core import Answer, Ask, Rng, UsageError, View
from arena.core.asks import Form
from arena.core.bots import Bot, OpenView, control
from arena.games.nyc.beliefs import Beliefs, beliefs
from arena.games.nyc.routes import City, Street
from arena.games.nyc.rules import NONE, RED, UNKNOWN, street_class

FALSE_CLAIM, TRUE_CLAIM = 30.0, 0.41  # how much likelier a Red makes a claim that turns out so
_WORDS = Path(__file__).parents[2] / "prompts" / "nyc" / "bots" / "words.txt"


# --- travellers -----------------------------------------------------------------------------------------------------


@control
def oracle(view: OpenView, ask: Ask, rng: Rng) -> Answer:
    """Sees the whole log and walks the best route (a control); advises like any Blue."""
    return _answer(view, ask, rng, _walk_best, _tell_truth)


def shortest(view: View, ask: Ask, rng: Rng) -> Answer:
    """Fewest minutes, whatever hangs there; ignores tips."""
    return _answer(view, ask, rng, _walk_fast, _tell_truth)


def never(view: View, ask: Ask, rng: Rng) -> Answer:
    """Plans on what it knows itself; ignores tips."""
    return _answer(view, ask, rng, _walk_plan, _tell_truth)


def always(view: View, ask: Ask, rng: Rng) -> Answer:
    """Follows every tip; without one it plans on what it knows."""
    return _answer(view, ask, rng, _walk_tip, _tell_truth)


def bayes(view: View, ask: Ask, rng: Rng, *, theta: float = 0.4) -> Answer:
    """Follows a tip if its adviser is Red with probability below theta and the way is not long."""
    return _answer(view, ask, rng, lambda v, r: _walk_trust(v, theta), _tell_truth)


def bayes_open(view: View, ask: Ask, rng: Rng, *, theta: float = 0.55) -> Answer:
    """Like bayes, but trusts strangers until they are caught."""
    return bayes(view, ask, rng, theta=theta)


def walk(view: View, ask: Ask, rng: Rng) -> Answer:
    """Walks at random; advises like any Blue."""
    return _answer(view, ask, rng, _walk_anywhere, _tell_truth)


def _walk_best(view: View, rng: Rng) -> str:
    truth = next(event.facts for event in cast(OpenView, view).log if event.kind == "truth")
    here = _here(view)
    city = City(truth["places"], [Street(*street) for street in truth["streets"]], view.rules["lam"])
    routes = city.to(city.names.index(here["destination"]))
    return city.names[routes.next(city.names.index(here["place"]))]


def _walk_fast(view: View, rng: Rng) -> str:
    options = _here(view)["options"]
    if "minutes" not in options[0]:
        raise UsageError("bot/shortest reads the minutes to the destination, which map_knowledge=local hides")
    return str(min(options, key=lambda option: option["minutes"])["place"])


def _walk_plan(view: View, rng: Rng) -> str:
    return _planned(view)


def _planned(view: View) -> str:
    here = _here(view)
    return beliefs(view).plan(view.rules, here["place"], here["destination"])


def _walk_tip(view: View, rng: Rng) -> str:
    tip = beliefs(view).tip
    if tip is not None and tip["go"] != NONE:
        return str(tip["go"])
    return _walk_anywhere(view, rng) if view.rules["map_knowledge"] == "local" else _walk_plan(view, rng)


def _walk_trust(view: View, theta: float) -> str:
    tip, here = beliefs(view).tip, _here(view)
    planned = _planned(view)  # first, since it refuses where there is no map
    if tip is None or tip["go"] == NONE or suspicion(view, tip["adviser"]) >= theta:
        return planned
    arrival = {option["place"]: option["minutes"] for option in here["options"]}
    near = arrival[tip["go"]] <= min(min(arrival.values()) + view.rules["tau"], here["left"])
    return str(tip["go"]) if near else planned


def _walk_anywhere(view: View, rng: Rng) -> str:
    return str(rng.choice(_here(view)["options"])["place"])


def suspicion(view: View, adviser: str) -> float:
    """The chance that an adviser is Red: the announced rate, and what became of its claims."""
    now, announced = beliefs(view), min(view.rules["announced_red_rate"], 99)
    odds = announced / (100 - announced)
    odds *= FALSE_CLAIM ** now.lies.get(adviser, 0) * TRUE_CLAIM ** now.truths.get(adviser, 0)
    return float(odds / (1 + odds))


# --- advisers -------------------------------------------------------------------------------------------------------


def greedy_red(view: View, ask: Ask, rng: Rng) -> Answer:
    """Points to the street with the most billboards from which the traveller can still arrive, and calls it clear."""
    return _answer(view, ask, rng, _walk_plan, _tell_greedy)


def bait_red(view: View, ask: Ask, rng: Rng) -> Answer:
    """Honest in its first tip to each traveller, greedy afterwards."""
    return _answer(view, ask, rng, _walk_plan, _tell_bait)


def honest_red(view: View, ask: Ask, rng: Rng) -> Answer:
    """Points to the cheapest street and makes true claims, as a Blue would."""
    return _answer(view, ask, rng, _walk_tip, _tell_truth)


def silent_red(view: View, ask: Ask, rng: Rng) -> Answer:
    """Never names a street."""
    return _answer(view, ask, rng, _walk_tip, lambda view: {"go": NONE})


def _tell_truth(view: View) -> dict[str, str]:
    """The street of least total cost (ties: minutes, then place number). Who sees no totals plans on its own."""
    meeting, options = _meeting(view), _meeting(view)["options"]
    if options[0]["total"] is not None:
        best = min(options, key=lambda option: (option["total"], option["minutes"]))
    elif options[0]["minutes"] is not None:
        step = beliefs(view).plan(view.rules, meeting["place"], meeting["destination"])
        best = next(option for option in options if option["place"] == step)
    else:
        return {"go": NONE}
    soonest = min(option["minutes"] for option in options)
    return {
        "go": best["place"],
        "boards": UNKNOWN if best["b"] is None else street_class(best["b"]),
        "fastest": "yes" if best["minutes"] == soonest else "no",
    }


def _tell_greedy(view: View) -> dict[str, str]:
    meeting, now = _meeting(view), beliefs(view)
    if not now.places:
        raise UsageError("this bot plans on the map, which map_knowledge=local hides")
    options = meeting["options"]
    in_time = [option for option in options if option["minutes"] <= meeting["left"]] or options
    best = max(in_time, key=lambda o: (o["b"] or 0, _most_beyond(now, meeting, o["place"]), -o["minutes"]))
    soonest = min(option["minutes"] for option in options)
    return {
        "go": best["place"],
        "boards": "clear",
        "fastest": "yes" if best["minutes"] == soonest else UNKNOWN,
    }


def _most_beyond(now: Beliefs, meeting: Mapping[str, Any], place: str) -> int:
    """The most billboards on any other street at `place`; none at the destination, where the trip ends."""
    if place == meeting["destination"]:
        return 0
    heads = [now.places[head] for head, _ in now.ways[now.places.index(place)]]
    return max((now.known(place, head) or 0 for head in heads if head != meeting["place"]), default=0)


def _tell_bait(view: View) -> dict[str, str]:
    first = beliefs(view).met[_meeting(view)["traveller"]] == 1
    return _tell_truth(view) if first else _tell_greedy(view)


# --- answering ------------------------------------------------------------------------------------------------------


def _answer(
    view: View, ask: Ask, rng: Rng, walk: Callable[[View, Rng], str], tell: Callable[[View], dict[str, str]]
) -> Answer:
    """What a bot made of a way to walk and a way to tell answers to any ask of the game."""
    if ask.name == "move":
        to = walk(view, rng)
        if not isinstance(ask, Form):
            return to
        return {"to": to, "p_red": _p_red(view)} if len(ask.fields) > 1 else {"to": to}
    if ask.name == "advise":
        told = {"boards": UNKNOWN, "fastest": UNKNOWN, **tell(view)}
        situation = NONE if told["go"] == NONE else f"{told['boards']} {told['fastest']}"
        return told | {"text": _words(view, rng, situation, told)}
    return _words(view, rng, ask.name, {"go": ""})


def _p_red(view: View) -> int:
    tip = beliefs(view).tip
    if isinstance(view, OpenView):
        truth = next(event.facts for event in view.log if event.kind == "truth")
        colours = {name: truth["colours"][seat] for seat, name in truth["names"].items()}
        return 100 if tip and colours[tip["adviser"]] == RED else 0
    return round(100 * suspicion(view, tip["adviser"])) if tip else 0


def _words(view: View, rng: Rng, situation: str, told: Mapping[str, str]) -> str:
    """One of the sentences for what the form says, so that nobody is told apart by style."""
    text = rng.choice(_sentences()[situation]).replace("{go}", told["go"])
    return text if len(text) <= view.rules["max_chars"] else ""


@cache
def _sentences() -> dict[str, list[str]]:
    """Situation -> sentences, from the prompts folder."""
    found: dict[str, list[str]] = {}
    for line in _WORDS.read_text(encoding="utf-8").splitlines():
        situation, separator, sentence = line.partition(": ")
        if separator and not line.startswith("#"):
            found.setdefault(situation, []).append(sentence)
    return found


def _here(view: View) -> Mapping[str, Any]:
    here = beliefs(view).place
    if here is None:
        raise UsageError("a move was asked before any place was told")
    return here


def _meeting(view: View) -> Mapping[str, Any]:
    meeting = beliefs(view).meeting
    if meeting is None:
        raise UsageError("advice was asked before any meeting was told")
    return meeting


BOTS: dict[str, Bot] = {
    "oracle": oracle,
    "shortest": shortest,
    "never": never,
    "always": always,
    "bayes": bayes,
    "bayes-open": bayes_open,
    "walk": walk,
    "greedy-red": greedy_red,
    "bait-red": bait_red,
    "honest-red": honest_red,
    "silent-red": silent_red,
}
ALIASES = {"greedy": "greedy-red", "bait": "bait-red", "honest": "honest-red", "silent": "silent-red"}
