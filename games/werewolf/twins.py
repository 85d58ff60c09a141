"""World pairs for the no-leak test: two matches that a seat cannot tell apart by the rules.

    layout    two other seats have swapped roles (to a wolf: two that are no wolves), all else looks the same
    acts      the same layout; checks, wolves' talk and picks, private forms and summaries differ, results do not
    ballots   asks that are open together: the others have answered differently, and nothing is revealed yet

Both worlds are played by one script whose public answers are the same and whose private ones need not be. Where they
come apart all the same (a power has died in one world only), the pair ends before the first difference that the rules
let the seat see (`knowledge.py`).
"""

from __future__ import annotations

from typing import NamedTuple

from arena.core import Answer, Ask, Game, Match, Rng, stream
from arena.games.werewolf.asks import NONE, OVER
from arena.games.werewolf.knowledge import Signal, signal
from arena.games.werewolf.rules import KIND, check_result

MAX_BATCHES = 160  # of one world: enough for several days of every preset
_LOG_ONLY = ("whisper", "probe", "beliefs", "summary")  # nobody else may ever see these
_SPEECHES = ("speech", "speech_pk", "last_words", "talk")


class Played(NamedTuple):
    """A world played to its end or the cap: the answers of each batch, and what the seat knew before each."""

    batches: list[dict[str, Answer]]
    signals: list[Signal]
    known: list[int]  # signals before each batch, and after the last
    asked: list[bool]  # whether the seat is asked in it
    over: bool


def twins(game: Game, seed: int, seat: str) -> list[tuple[Match, Match]]:
    """One pair of each sort that this deal allows."""
    rng = stream(seed, "twins", seat)
    deal = tuple(Match(game, seed).roles.values())
    pairs = [_pair(game, seed, seat, (deal, deal), rng)]
    if swapped := _swapped(deal, int(seat.removeprefix("player_")), rng):
        pairs.append(_pair(game, seed, seat, (deal, swapped), rng))
    pairs.append(_ballots(game, seed, seat, deal, rng))
    return [pair for pair in pairs if pair is not None]


def _swapped(deal: tuple[str, ...], me: int, rng: Rng) -> tuple[str, ...] | None:
    """The deal with the roles of two others exchanged, of whom the seat knows nothing."""
    wolf = KIND[deal[me]] == "wolf"
    open_seats = [i for i, role in enumerate(deal) if i != me and not (wolf and KIND[role] == "wolf")]
    choices = [(i, j) for i in open_seats for j in open_seats if i < j and deal[i] != deal[j]]
    if not choices:
        return None
    i, j = rng.choice(choices)
    other = list(deal)
    other[i], other[j] = other[j], other[i]
    return tuple(other)


def _dealt(game: Game, deal: tuple[str, ...], seed: int) -> Match:
    return Match(type(game)(game.config_type.make(game.config.as_json() | {"deal": deal})), seed)


Deals = tuple[tuple[str, ...], tuple[str, ...]]


def _pair(game: Game, seed: int, seat: str, deals: Deals, rng: Rng) -> tuple[Match, Match] | None:
    """Both worlds at one moment that the seat cannot tell apart."""
    script = _Script(game, seed, seat, deals)
    worlds = [script.play(0), script.play(1)]
    common = 0
    for a, b in zip(worlds[0].signals, worlds[1].signals, strict=False):
        if a != b:
            break
        common += 1
    moments = [n for n in sorted(set(worlds[0].known) & set(worlds[1].known)) if _fits(worlds, n, common)]
    if not moments:
        return None
    moment = rng.choice(moments)
    first, second = (_replayed(game, seed, deals[w], worlds[w], _state(worlds[w], moment)) for w in (0, 1))
    return first, second


def _fits(worlds: list[Played], moment: int, common: int) -> bool:
    """Whether the worlds can be compared after so many signals.

    Where they come apart next, one may have something to ask a seat that the other has not (a hunter's shot), so there
    only the seat's own ask in both will do; where the cap cut one off, nothing will.
    """
    if any(moment == world.known[-1] and not world.over for world in worlds) or moment > common:
        return False
    return moment < common or all(_state(w, moment) < len(w.asked) and w.asked[_state(w, moment)] for w in worlds)


def _state(world: Played, moment: int) -> int:
    """How many batches lead to the seat's first ask after so many signals; without one, to the last such state."""
    states = [i for i, known in enumerate(world.known) if known == moment]
    return next((i for i in states if i < len(world.asked) and world.asked[i]), states[-1])


def _replayed(game: Game, seed: int, deal: tuple[str, ...], world: Played, batches: int) -> Match:
    match = _dealt(game, deal, seed)
    for batch in world.batches[:batches]:
        for seat, answer in batch.items():
            match.submit(seat, answer)
    return match


def _ballots(game: Game, seed: int, seat: str, deal: tuple[str, ...], rng: Rng) -> tuple[Match, Match] | None:
    """One world at an ask that others have open too; their answers are in, and differ."""
    world = _Script(game, seed, seat, (deal, deal)).play(0)
    together = [i for i, batch in enumerate(world.batches) if seat in batch and len(batch) > 1]
    if not together:
        return None
    stop = rng.choice(together)
    pair = _replayed(game, seed, deal, world, stop), _replayed(game, seed, deal, world, stop)
    for match in pair:
        for other, ask in list(match.pending().items()):
            if other != seat:
                match.submit(other, ask.sample(rng))
    return pair


class _Script:
    """Answers for all seats. What must agree between the worlds is drawn from (seed, seat, ask, count) alone."""

    def __init__(self, game: Game, seed: int, seat: str, deals: Deals) -> None:
        self.game, self.seed, self.seat, self.deals = game, seed, seat, deals

    def play(self, world: int) -> Played:
        match = _dealt(self.game, self.deals[world], self.seed)
        played = Played([], [], [], [], False)
        count: dict[tuple[str, str], int] = {}
        self._note(match, played, 0)
        while not match.done and len(played.batches) < MAX_BATCHES:
            told, batch = len(match.events), {}
            for seat, ask in match.pending().items():
                count[seat, ask.name] = count.get((seat, ask.name), 0) + 1
                batch[seat] = self.answer(match, world, seat, ask, count[seat, ask.name])
            played.batches.append(batch)
            played.asked.append(self.seat in batch)
            for seat, answer in batch.items():
                match.submit(seat, answer)
            self._note(match, played, told)
        return played._replace(over=match.done)

    def _note(self, match: Match, played: Played, told: int) -> None:
        found = (signal(e, self.seat, match.roles, match.game.config) for e in match.events[told:])
        played.signals.extend(s for s in found if s is not None)
        played.known.append(len(played.signals))

    def answer(self, match: Match, world: int, seat: str, ask: Ask, number: int) -> Answer:
        same = stream(self.seed, "script", seat, ask.name, number)
        own = same if seat == self.seat else stream(self.seed, "script", seat, ask.name, number, world)
        if ask.name in _LOG_ONLY:
            mine = seat == self.seat or (ask.name == "whisper" and self._is_wolf(self.seat))
            return ask.sample(same if mine else own)
        if ask.name in _SPEECHES:
            return self._speech(ask, same, own)
        if ask.name == "wolf_kill":
            return self._kill(match, ask)
        if ask.name == "check":
            return self._check(ask, seat, same, own)
        if ask.name == "guard":
            return self._guard(match, ask, same if seat == self.seat else own)
        if ask.name == "witch":
            return self._witch(match, ask)
        return ask.sample(same)

    def _speech(self, ask: Ask, same: Rng, own: Rng) -> Answer:
        """The same words; the form differs unless others read it. Talkers are mostly over, so that days end."""
        if ask.name == "talk" and same.below(len(self.deals[0])):
            return {"text": OVER}
        answer, private = ask.sample(same), ask.sample(own)
        return answer if self.game.config.show_intent else private | {"text": answer["text"]}

    def _is_wolf(self, seat: str) -> bool:
        index = int(seat.removeprefix("player_"))
        return any(KIND[deal[index]] == "wolf" for deal in self.deals)

    def _alive(self, match: Match) -> list[str]:
        gone: set[str] = set()
        for event in match.events:
            if event.kind == "dawn":
                gone.update(event.facts["dead"])
            elif event.kind == "exiled":
                gone.add(event.facts["seat"])
            elif event.kind == "shot":
                gone.add(event.facts["target"])
        return [seat for seat in match.seats if seat not in gone]

    def _victim(self, match: Match) -> str | None:
        """The victim of this night in both worlds: a wolf in neither; the seat itself only now and then."""
        alive = self._alive(match)
        rng = stream(self.seed, "victim", len(alive), sum(e.kind == "dawn" for e in match.events))
        prey = [seat for seat in alive if not self._is_wolf(seat)]
        safe = [seat for seat in prey if seat != self.seat]
        prey = safe if safe and rng.below(4) else prey
        return rng.choice(prey) if prey else None

    def _kill(self, match: Match, ask: Ask) -> Answer:
        victim, options = self._victim(match), ask.options or ()
        return victim if victim in options else NONE if NONE in options else options[0]

    def _check(self, ask: Ask, seat: str, same: Rng, own: Rng) -> Answer:
        """Another's check may fall anywhere; its own falls where both worlds give one result."""
        options = list(ask.options or ())
        if seat != self.seat:
            return own.choice(options)
        info, index = self.game.config.seer_info, {s: int(s.removeprefix("player_")) for s in options}
        first, second = self.deals
        alike = [s for s in options if check_result(first[index[s]], info) == check_result(second[index[s]], info)]
        return same.choice(alike or options)

    def _guard(self, match: Match, ask: Ask, rng: Rng) -> Answer:
        """Anybody but the victim, so that it dies in both worlds."""
        victim = self._victim(match)
        return rng.choice([option for option in ask.options or () if option != victim] or list(ask.options or ()))

    def _witch(self, match: Match, ask: Ask) -> Answer:
        """Now and then the same potion in both worlds; where one world's witch is gone, the pair ends there."""
        rng = stream(self.seed, "witch", sum(e.kind == "dawn" for e in match.events))
        return ask.sample(rng) if rng.below(4) == 0 else {"act": "pass"}
