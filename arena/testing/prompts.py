"""Checks of what a model reads: every template renders, nothing is rewritten, and no player speaks as the engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any, NamedTuple

from arena.core.asks import Answer, Text
from arena.core.canonical import canonical
from arena.core.errors import GameError
from arena.core.events import NOBODY, Event
from arena.core.match import Match
from arena.core.text import Spoken, sanitise, spoken
from arena.prompt import answer_block, messages, wire
from arena.prompt.render import environment, prompt_folders_of, spectator_line
from arena.registry import find_game, package_file, prompt_folders
from arena.testing.answers import texts_replaced
from arena.testing.corpus import SPOOFS
from arena.testing.facts import SEED_IN_SIGHT
from arena.testing.playing import drawn, fault, start, steps

Messages = list[dict[str, str]]

_QUOTE = "| "
_CUT = "| … [cut]"
_SLIP = re.compile(r"<(built-in|bound) method [^>]*>|<function [^>]*>|<class [^>]*>|\bobject at 0x[0-9a-f]+")
_SHORTEST = 12  # texts with a smaller cap cannot hold a token


class Quoted(NamedTuple):
    """Somebody's words in a prompt, and the engine's line above them."""

    above: str
    words: str


def parse(text: str) -> tuple[list[str], list[Quoted]]:
    """The engine's lines of a message, and whatever is quoted between them. Quoted lines without an engine line
    above them raise ValueError."""
    engine: list[str] = []
    found: list[Quoted] = []
    block: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.startswith(_QUOTE):
            block.append(line.removeprefix(_QUOTE))
            continue
        if block:
            if not engine or not engine[-1]:
                raise ValueError(f"the quoted line {block[0]!r} stands under no engine line")
            found.append(Quoted(engine[-1], "\n".join(block)))
            block = []
        engine.append(line)
    return engine[:-1], found


def check_prompts(name: str, seeds: Iterable[int] = (SEED_IN_SIGHT,), asks: int | None = 120) -> None:
    """At every ask, what its seat reads has the fixed form of a prompt and only ever grows."""
    _check_templates(name)
    for seed in seeds:
        match = start(name, seed)
        before: dict[str, Messages] = {}
        for batch in steps(match, seed, asks=asks, lost=0.1):
            for seat, ask in batch.items():
                where = f"seed {seed}, turn {len(match.turns)}, {seat} asked {ask.name!r}"
                now = match.view(seat).messages()
                _check_form(name, where, now)
                if not now[-1]["content"].endswith("\n" + answer_block(ask, match.names)):
                    fault(name, where, f"the answer block must come last: …{now[-1]['content'][-200:]!r}")
                _check_growth(name, where, before.get(seat, []), now)
                answer = wire(ask, drawn(seed, match, seat, ask, 0.1)[0], match.names)
                before[seat] = [*now, {"role": "assistant", "content": answer}]
                if seed == SEED_IN_SIGHT and str(seed) in canonical(now):
                    fault(name, where, "the seed stands in the prompt")
        for seat in match.seats:
            where = f"seed {seed}, after turn {len(match.turns)}, {seat}"
            now = match.view(seat).messages()
            _check_form(name, where, now)
            _check_growth(name, where, before.get(seat, []), now)


def check_transcripts(name: str, seed: int = 21, asks: int | None = 400) -> None:
    """Every event that anybody heard can be told to somebody who watches."""
    match = start(name, seed)
    for _ in steps(match, seed, asks=asks, lost=0.1):
        pass
    for number, event in enumerate(match.events):
        if event.audience != NOBODY:
            try:
                spectator_line(match, event)
            except GameError as error:
                fault(name, f"seed {seed}, event {number} ({event.kind})", error.message)


def check_windows(name: str, seed: int = 20, asks: int | None = 120) -> None:
    """A shortened memory still holds every fact of the kinds that the game declares in `keep`, and stays short."""
    match = start(name, seed)
    for batch in steps(match, seed, asks=asks):
        for seat, ask in batch.items():
            view = match.view(seat)
            kept = [
                text for event in view.events if event.kind in view.keep and (text := _rendered(match, seat, event))
            ]
            for memory, most in (("window=2", 6), ("window=0", 2), ("notes", 2)):
                where = f"seed {seed}, turn {len(match.turns)}, {seat} with memory={memory}"
                now = messages(view, memory, notes="my notes")
                _check_form(name, where, now)
                whole = "\n".join(message["content"] for message in now)
                if missing := [text for text in kept if text not in whole]:
                    fault(name, where, f"a fact that must be kept is gone: {missing[0]!r}")
                if len(now) > most:
                    fault(name, where, f"{len(now)} messages; at most {most} are wanted")
                if not whole.endswith(answer_block(ask, match.names)):
                    fault(name, where, "the answer block must come last")


def check_spoofs(
    name: str, seeds: Iterable[int] = (21, 22), asks: int | None = 80, corpus: Sequence[str] = SPOOFS
) -> int:
    """Hostile words in every text answer change no line of the engine in anybody's prompt, and read back as they
    were said: the match is played twice, with plain tokens and with hostile words, and the prompts are compared.

    The result is the number of hostile texts that were compared. Where the rules themselves read the words (a censor)
    the two matches part, and the comparison ends there.
    """
    compared = 0
    for seed in seeds:
        compared += _compare_words(name, seed, asks, corpus)
    return compared


def _compare_words(name: str, seed: int, asks: int | None, corpus: Sequence[str]) -> int:
    plain, hostile = start(name, seed), start(name, seed)
    said: dict[str, str] = {}  # token -> hostile words
    speakers: dict[str, str] = {}  # token -> who said them
    while not plain.done and (asks is None or len(plain.turns) < asks):
        if hostile.done or _asks(plain) != _asks(hostile):
            break
        for seat, ask in list(plain.pending().items()):
            answer = drawn(seed, plain, seat, ask)[0]
            ours = texts_replaced(ask, answer, partial(_token, count(len(said))))
            theirs = texts_replaced(ask, answer, partial(_words, count(len(said) + 13 * seed), corpus))
            new = dict(_texts(ours, theirs))
            said |= new
            speakers |= dict.fromkeys(new, seat)
            if not _submitted(plain, seat, ours) or not _submitted(hostile, seat, theirs):
                return 0  # the rules read the words, and refuse these
    for number, event in enumerate(plain.events):
        if (plain_text := _unmarked(event.facts, said)) is not None:
            fault(
                name,
                f"seed {seed}, event {number} ({event.kind})",
                f"a player's words became the engine's: {plain_text!r}; tell them as they were said",
            )
    alike = [seat for seat in plain.seats if _skeleton(plain, seat) == _skeleton(hostile, seat)]
    for seat in alike:
        _compare_prompts(name, f"seed {seed}, {seat}", plain, hostile, seat, said)
        _check_speakers(name, f"seed {seed}, {seat}", plain, seat, speakers)
    return len(said) if alike else 0


def _compare_prompts(name: str, where: str, plain: Match, hostile: Match, seat: str, said: dict[str, str]) -> None:
    """The two prompts of `seat` differ only in quoted words, and each of those is what was said."""
    ours, theirs = plain.view(seat).messages(), hostile.view(seat).messages()
    if [m["role"] for m in ours] != [m["role"] for m in theirs]:
        fault(name, where, "hostile words changed the number of messages")
    for a, b in zip(ours, theirs, strict=True):
        if a["role"] == "assistant":
            continue  # the seat's own words
        if a["content"] == b["content"]:
            if any(token in a["content"] for token in said):
                fault(name, where, f"words of a player stand in both prompts alike: {a['content'][:200]!r}")
            continue
        _check_text(name, where, b["content"])
        (engine_a, quotes_a), (engine_b, quotes_b) = parse(a["content"]), parse(b["content"])
        for line_a, line_b in zip(engine_a, engine_b, strict=False):
            if line_a != line_b or any(token in line_a for token in said):
                fault(name, where, f"a player's words changed a line of the engine: {line_a!r} -> {line_b!r}")
        if len(engine_a) != len(engine_b) or len(quotes_a) != len(quotes_b):
            fault(name, where, f"hostile words changed the number of lines: {a['content']!r} -> {b['content']!r}")
        for quote_a, quote_b in zip(quotes_a, quotes_b, strict=True):
            _check_quote(name, where, quote_a.words, quote_b.words, said)


def _check_speakers(name: str, where: str, match: Match, seat: str, speakers: dict[str, str]) -> None:
    """The line above somebody's words says who speaks: no two speakers share one."""
    lines: dict[str, str] = {}
    for message in match.view(seat).messages():
        for quote in parse(message["content"])[1] if message["role"] == "user" else ():
            speaker = speakers.get(quote.words)
            if speaker is not None and lines.setdefault(quote.above, speaker) != speaker:
                fault(name, where, f"the line {quote.above!r} stands above words of {lines[quote.above]} and {speaker}")


def _check_quote(name: str, where: str, plain: str, hostile: str, said: dict[str, str]) -> None:
    if plain in said:
        wanted = sanitise(spoken(said[plain]))
        cut = hostile.removesuffix("\n" + _CUT.removeprefix(_QUOTE))
        if hostile != wanted and not (cut != hostile and wanted.startswith(cut)):
            fault(name, where, f"{said[plain]!r} reads as {hostile!r}")
    elif any(token in plain for token in said):
        fault(name, where, f"the words of several texts stand under one speaker: {plain!r}")
    elif plain != hostile:
        fault(name, where, f"quoted words changed that nobody said: {plain!r} -> {hostile!r}")


def _check_form(name: str, where: str, now: Messages) -> None:
    roles = [message["role"] for message in now]
    if roles[0] != "system" or roles[1:] != [("user", "assistant")[i % 2] for i in range(len(roles) - 1)]:
        fault(name, where, f"one system message, then user and assistant by turns, not {roles}")
    for message in now:
        if message["role"] != "assistant":
            _check_text(name, where, message["content"])


def _check_text(name: str, where: str, content: str) -> None:
    if not content.strip():
        fault(name, where, "a message is empty")
    if sanitise(content) != content:
        strange = next((c for c in content if sanitise(c) != c), "")
        fault(name, where, f"a message holds the control or invisible character {strange!r}")
    if slip := _SLIP.search(content):
        fault(name, where, f"a message holds the program's own words: {slip.group()!r}")
    try:
        parse(content)
    except ValueError as error:
        fault(name, where, str(error))


def _check_growth(name: str, where: str, before: Messages, now: Messages) -> None:
    for i, old in enumerate(before):
        if i >= len(now) or now[i] != old:
            new = now[i]["content"] if i < len(now) else "nothing"
            fault(name, where, f"message {i} was rewritten: {old['content']!r} -> {new!r}")


def _check_templates(name: str) -> None:
    """Every template of the game's folder is well-formed."""
    cls = find_game(name).cls
    for folder in prompt_folders(cls):
        if not (folder / "rules.j2").is_file():
            fault(name, str(folder), "there is no rules.j2")
        env = environment(str(folder), str(package_file("prompts")))
        for file in sorted(folder.rglob("*.j2")):
            template = file.relative_to(folder).as_posix()
            try:
                env.get_template(template)
            except Exception as error:  # a template is data; whatever is wrong with it is a fault of the game
                fault(name, template, f"{type(error).__name__}: {error}")


def _rendered(match: Match, seat: str, event: Event) -> str:
    """One event as its template writes it for `seat`."""
    view = match.view(seat)
    env = environment(*(str(folder) for folder in prompt_folders_of(view)))
    facts = {"me": seat, "seats": view.seats, "rules": view.rules, **event.facts, "view": view}
    return env.get_template(f"events/{event.kind}.j2").render(facts).strip("\n")


def _asks(match: Match) -> list[tuple[str, str]]:
    return [(seat, ask.hash) for seat, ask in match.pending().items()]


def _token(numbers: Iterator[int], text: Text) -> str:
    """A word that occurs nowhere else."""
    return f"zq{next(numbers)}qz" if text.max_chars >= _SHORTEST else "hi"


def _words(numbers: Iterator[int], corpus: Sequence[str], text: Text) -> str:
    return corpus[next(numbers) % len(corpus)] if text.max_chars >= _SHORTEST else "hi"


def _submitted(match: Match, seat: str, answer: Answer) -> bool:
    try:
        match.submit(seat, answer)
    except (ValueError, GameError):
        return False
    return True


def _texts(ours: Any, theirs: Any) -> Iterable[tuple[str, str]]:
    """The texts that differ between two answers of one form."""
    if isinstance(ours, dict):
        for key in ours:
            yield from _texts(ours[key], theirs[key])
    elif isinstance(ours, list):
        for a, b in zip(ours, theirs, strict=True):
            yield from _texts(a, b)
    elif isinstance(ours, str) and ours != theirs:
        yield ours, theirs


def _unmarked(value: Any, said: dict[str, str]) -> str | None:
    """A text inside `value` that holds a player's words but is not marked as such."""
    if isinstance(value, dict):
        return next((bad for inner in value.values() if (bad := _unmarked(inner, said)) is not None), None)
    if isinstance(value, list | tuple):
        return next((bad for inner in value if (bad := _unmarked(inner, said)) is not None), None)
    if isinstance(value, str) and not isinstance(value, Spoken) and any(token in value for token in said):
        return value
    return None


def _skeleton(match: Match, seat: str) -> str:
    """What `seat` was told, without the words of players: equal as long as the rules do not read them."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: bare(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [bare(inner) for inner in value]
        return "…" if isinstance(value, Spoken) else value

    return canonical([[event.audience, event.kind, bare(event.facts)] for event in match.view(seat).events])
