"""Golden playthroughs: one match of a preset as a text file, read in review as a diff.

    python -m arena.testing.golden [GAME[/PRESET] …]

writes them all, or those of the games that are named. They are never edited by hand: a golden that changes means that
the code is wrong, or that the version of the game goes up in the same commit.

A line begins with who: a seat, several seats, `everyone`, or `log` (the record only). Then `?` an ask, `>` its
answer, `!` a lost turn, `*` an event. The last lines are the kinds of events that each seat saw, the payoffs, and the
record's hash, which covers also what a long playthrough cuts out of the middle.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from arena.core.asks import Ask, Choice, Each, Flag, Form, ListOf, Number, Range, Subset, Text
from arena.core.errors import ArenaError
from arena.core.events import EVERYONE, NOBODY, Event
from arena.core.match import Match
from arena.core.record import record_hash
from arena.core.text import one_line
from arena.registry import find_game, game_folder, game_names
from arena.testing.playing import fault, play, presets_of, start

SEED = 7
_LOST = 0.05  # the share of lost turns, so that fallbacks are seen too
_LINES, _WIDTH, _ASKS = 200, 200, 5000


def playthrough(name: str, seed: int = SEED) -> str:
    """The match of a preset with drawn answers, as text."""
    match = play(start(name, seed), seed, asks=_ASKS, lost=_LOST)
    lines = list(_lines(match))
    if len(lines) > _LINES:
        head, tail = lines[: _LINES * 3 // 4], lines[-_LINES // 4 :]
        lines = [*head, f"… {len(lines) - len(head) - len(tail)} lines are left out here", *tail]
    header = f"# {match.game.full_name} {match.preset}  seed {seed}"
    return "\n".join([header, *lines, *_ending(match)]) + "\n"


def golden_file(name: str, seed: int = SEED) -> Path:
    """Where the golden of a preset lies: under tests/games/ beside the package, or in the game's own tests/."""
    cls, preset, _ = find_game(name)
    folder = game_folder(cls)
    own = folder.parent.resolve() != (_checkout() / "games").resolve()
    tests = folder / "tests" if own else _checkout() / "tests" / "games" / cls.name
    return tests / "golden" / f"{preset.replace('/', '-')}-{seed}.txt"


def write_goldens(names: Sequence[str] = ()) -> list[Path]:
    """Play and write the goldens of the games (or presets) named, or of all; the result lists the files."""
    files = []
    for name in [full for given in names or game_names() for full in presets_of(given)]:
        file = golden_file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(playthrough(name), encoding="utf-8")
        files.append(file)
    return files


def check_golden(name: str) -> None:
    """The playthrough equals the golden file, byte for byte."""
    file = golden_file(name)
    again = f"write it with `python -m arena.testing.golden {name}` and review it as a diff"
    if not file.is_file():
        fault(name, str(file), f"there is no golden; {again}")
    wanted, now = file.read_text(encoding="utf-8").split("\n"), playthrough(name).split("\n")
    for number, (a, b) in enumerate(zip(wanted, now, strict=False), start=1):
        if a != b:
            fault(name, f"{file}:{number}", f"the game now plays {b!r}, not {a!r}; if that is meant, {again}")
    if len(wanted) != len(now):
        fault(name, str(file), f"{len(wanted)} lines are now {len(now)}; if that is meant, {again}")


def _lines(match: Match) -> Iterator[str]:
    told = 0
    for turn in match.turns:
        yield from map(_event, match.events[told : turn.events])
        told = turn.events
        yield _clip(f"{turn.seat} ?  {turn.ask.name}: {_legal(turn.ask)}")
        yield _clip(f"{turn.seat} {'!' if turn.fallback else '>'}  {_value(turn.answer)}")
    yield from map(_event, match.events[told:])


def _ending(match: Match) -> Iterator[str]:
    for seat in match.seats:
        kinds = Counter(event.kind for event in match.view(seat).events)
        yield _clip(f"view {seat}: " + " · ".join(f"{kind} {n}" if n > 1 else kind for kind, n in kinds.items()))
    if match.payoffs is not None:
        yield "payoffs     " + "   ".join(f"{seat} {value:+g}" for seat, value in match.payoffs.items())
    yield f"record      {record_hash(match)}"


def _event(event: Event) -> str:
    to = {EVERYONE: "everyone", NOBODY: "log"}.get(str(event.audience)) or " ".join(event.audience)
    return _clip(f"{to:8} *  {event.kind} " + " ".join(f"{key}={_value(fact)}" for key, fact in event.facts.items()))


def _value(value: Any) -> str:
    """A JSON value, short: yes and no, no quotes around words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return one_line(value) if value.strip() and value.isidentifier() else f'"{one_line(value)}"'
    return "nothing" if value is None else repr(value)


def _legal(ask: Ask) -> str:
    """What may be answered, in one line."""
    match ask:
        case Choice():
            return " ".join(map(_value, ask.options or ()))
        case Range():
            return f"{ask.low}..{ask.high}"
        case Number():
            return f"{ask.low:g} to {ask.high:g}"
        case Flag():
            return "yes no"
        case Text():
            return f"text of {ask.max_chars}"
        case Subset():
            return f"{ask.low} to {ask.high} of " + " ".join(map(_value, ask.labels))
        case ListOf():
            return f"{ask.low} to {ask.high} times ({_legal(ask.item)})"
        case Each():
            return f"each of {' '.join(ask.keys)} ({_legal(ask.item)})"
        case Form():
            return "; ".join(f"{field.name}{'?' * field.optional}: {_legal(field)}" for field in ask.fields)
    return ask.kind


def _clip(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def _checkout() -> Path:
    return Path(__file__).resolve().parents[2]


if __name__ == "__main__":
    try:
        for written in write_goldens(sys.argv[1:]):
            sys.stdout.write(f"{written}\n")
    except ArenaError as error:
        raise SystemExit(f"error: {error.message}") from None
