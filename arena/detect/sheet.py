"""The blinded sheet: one item for each seat of a match that is drawn, with all that it said to the whole table.

A seat and not a speech is the item: that is what the published human trials judge, one speech of a dozen words tells
nobody anything, and the speeches of a seat are no independent evidence. From each match come as many seats of one kind
as of the other, so that neither a match's course nor how often a kind was seated tells a judge anything, and a judge
without a clue is right half of the time whatever it prefers to answer. Words that a fallback put into a seat's mouth
are not its own; private words (whispers, summaries, forms) were not said to the table. Both stay out, as do the seat,
the role, and the names of the run's agents and models, which are masked where somebody says one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from arena.core.canonical import digest
from arena.core.errors import UnknownName, UsageError
from arena.core.events import Event
from arena.core.match import Match
from arena.core.seeds import stream
from arena.core.text import LINE_BREAKS, Spoken, sanitise
from arena.leaderboards import csvfile
from arena.leaderboards.runs import refuse_overlaps
from arena.run.replayed import games_of, replayed
from arena.store.reader import Reader

ANSWERS = ("human", "model")  # what a judge may write: the kind to be found, and the other
COLUMNS = ("item", "words", "answer")
KINDS = ("human", "model", "bot")
MOST = 30_000  # UTF-16 units of an item as it is escaped; a spreadsheet's cell holds 32,767
MASK = "[name]"


class Item(NamedTuple):
    """What one seat said in one match. Only `name` and `words` are ever on a sheet."""

    name: str
    match: str
    deal: str  # matches of one deal are no independent evidence
    role: str
    is_human: bool
    words: str


class Drawn(NamedTuple):
    """The items of a sheet, in its order, and what gave none: seats of either kind that said nothing to the table, and
    matches in which not both kinds spoke."""

    items: list[Item]
    silent: int
    one_sided: int


def draw(runs: Sequence[Path], *, positive: str = "human", negative: str = "model", seed: int = 0) -> Drawn:
    """The items of these runs. `positive` and `negative` are kinds of players (human, model, bot) or agents by name; a
    seat that is both is the first."""
    if positive == negative:
        raise UsageError(f"{positive!r} cannot be told from itself: give two kinds or agents")
    refuse_overlaps(runs)
    agents = [agent for run in runs for agent in _agents(run)]
    for name in (positive, negative):
        if name not in (known := {*KINDS, *(str(agent["name"]) for agent in agents)}):
            raise UnknownName("kind of player (human, model, bot) or agent of these runs", name, known)
    names = names_of(agents)
    found: dict[str, Item] = {}
    silent = one_sided = 0
    for match in (match for run in runs for match in _matches(run, positive, negative, names)):
        silent += match.silent
        human, other = ([item for item in match.spoke if item.is_human is is_human] for is_human in (True, False))
        size = min(len(human), len(other))
        one_sided += not size
        rng = stream(seed, "detect", match.key)
        for item in (*rng.sample(human, size), *rng.sample(other, size)):
            if found.setdefault(item.name, item) is not item:
                raise UsageError(f"match {match.key[:12]} is in two of these runs")
    items = sorted(found.values())
    stream(seed, "detect", "order").shuffle(items)
    return Drawn(items, silent, one_sided)


def sheet(drawn: Drawn) -> str:
    """The CSV that a judge fills."""
    return csvfile.write(COLUMNS, ({"item": item.name, "words": item.words} for item in drawn.items))


class _Match(NamedTuple):
    key: str
    spoke: list[Item]
    silent: int


def _matches(run: Path, positive: str, negative: str, names: frozenset[str]) -> Iterator[_Match]:
    """The finished matches of a run in which both kinds sat, with everything that either said to the table."""
    with Reader(run) as reader:
        where = games_of(reader.manifest())
        for row in reader.matches():
            seats = reader.match_seats(row["match_id"]) if row["status"] == "done" else []
            kinds = {s["seat"]: _is_positive(s, positive, negative) for s in seats}
            if {True, False} <= set(kinds.values()):
                said = public_words(replayed(reader, row, where))
                spoke = [
                    Item(
                        _name(row, s["seat"]),
                        row["key"],
                        row["deal_id"],
                        s["role"] or "",
                        kind,
                        blinded(said[s["seat"]], names),
                    )
                    for s in seats
                    if (kind := kinds[s["seat"]]) is not None and said[s["seat"]]
                ]
                silent = sum(kind is not None for kind in kinds.values()) - len(spoke)
                yield _Match(row["key"], spoke, silent)


# --- who is who -------------------------------------------------------------------------------------------------


def _is_positive(seat: Mapping[str, Any], positive: str, negative: str) -> bool | None:
    """Whether a seat is of the kind to be found, or of the other; None for neither."""
    own = (seat["agent_kind"], seat["agent"])
    return True if positive in own else False if negative in own else None


def _agents(run: Path) -> list[dict[str, Any]]:
    with Reader(run) as reader:
        return list(reader.agents().values())


def _name(row: Mapping[str, Any], seat: str) -> str:
    """A name that says nothing without the record; a letter first, lest a spreadsheet takes it for a number."""
    return f"q{digest([row['key'], row['record_hash'], seat])[:12]}"


# --- what was said ----------------------------------------------------------------------------------------------


def public_words(match: Match) -> dict[str, list[str]]:
    """Seat -> what it said to the whole table, in order. A text of an answer counts if, before the seat's next answer,
    an event that reached everybody holds it as a player's words and names the seat; no game needs to say which of its
    events are talk."""
    said: dict[str, list[str]] = {seat: [] for seat in match.seats}
    ends = dict.fromkeys(match.seats, len(match.events))
    for turn in reversed(match.turns):
        end, ends[turn.seat] = ends[turn.seat], turn.events
        texts = [text for text in _leaves(turn.answer) if isinstance(text, Spoken) and sanitise(text).strip()]
        if turn.fallback or not texts:
            continue
        heard = [list(_leaves(e.facts)) for e in match.events[turn.events : end] if _is_public(e, match)]
        words = {leaf for event in heard if turn.seat in event for leaf in event if isinstance(leaf, Spoken)}
        said[turn.seat] += [text for text in reversed(texts) if text in words]
    return {seat: texts[::-1] for seat, texts in said.items()}


def _is_public(event: Event, match: Match) -> bool:
    return all(event.reaches(seat) for seat in match.seats)


def _leaves(value: Any) -> Iterator[Any]:
    """The values inside, and the keys of objects, which may be seats."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield key
            yield from _leaves(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _leaves(entry)
    else:
        yield value


def blinded(texts: Sequence[str], names: frozenset[str]) -> str:
    """What a judge reads of these texts: numbered, on one line (breaks inside a text are shown as ⏎), names masked."""
    text = " ".join(f"[{i}] {LINE_BREAKS.sub(' ⏎ ', sanitise(text))}" for i, text in enumerate(texts, 1))
    if names:
        longest_first = sorted(names, key=lambda name: (-len(name), name))
        text = re.sub("|".join(map(_pattern, longest_first)), MASK, text, flags=re.IGNORECASE)
    while (size := len(csvfile.escape(text).encode("utf-16-le")) // 2) > MOST:
        text = text[: len(text) * MOST // size]
    return text


def _pattern(name: str) -> str:
    """A name however its parts are joined (Gemini 2.5 Pro is gemini-2.5-pro); one of letters alone as a whole word."""
    if name.isalpha():
        return rf"(?<!\w){name}(?!\w)"
    return r"[\W_]{1,3}".join(re.escape(part) for part in re.split(r"(?<=[^\W_])[\W_]+(?=[^\W_])", name))


def names_of(agents: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """What to mask: the names of agents and of their models, without options too. A part of a name counts alone where
    no English word looks like it (`gpt-5` of `openai/gpt-5`, but not `random` of `bot/random`); so does the word that a
    model's last part begins with: Claude, Gemini, Qwen.
    """
    names: set[str] = set()
    for agent in agents:
        model = str(json.loads(agent["spec"]).get("model") or "").partition("?")[0]
        for whole in (str(agent["name"]), model):
            parts = re.split(r"[/?:@+]", whole)
            names |= {whole, whole.partition("?")[0], *(part for part in parts if re.search(r"[\d-]", part))}
        names |= set(re.findall(r"^[A-Za-z]{3,}", model.rpartition("/")[2]))
    return frozenset(name for name in names if len(re.findall(r"[^\W_]", name)) > 1 and name not in KINDS)
