"""Label recipe `nyc-regret`: which of a trainee's own answers were good, by the regret against the best route.

    dataset = rows([Played(match, calls), …], seed=1)       # dataset.rows, dataset.before, dataset.after

One row a turn of the trainee: what it was sent, what it replied (raw), and a label with the rule that gave it. The
first rule that fits decides; turns that no rule fits are dropped. Then rows are drawn down by a seeded stream until,
in each colour, `format` has at most 10 % of the rows, no rule more than 40 % (or an equal share, where there are fewer
than three rules), and the labels stay within 1:2 and 2:1. A colour left with one label alone is an error.

The input is plain on purpose: `Played` is a finished match with one `Call` for each of its turns that may give a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from statistics import median
from typing import Any, NamedTuple

from arena.core import Match, UsageError
from arena.core.seeds import stream
from arena.games.nyc.beliefs import SCALE, Beliefs, believed_costs, learn
from arena.games.nyc.ledger import Ledger, Move, Tip, read
from arena.games.nyc.routes import distances, ways_of
from arena.games.nyc.rules import BLUE, HEAVY, RED

BAD_FORMAT = ("illegal", "truncated", "refused")
FORMAT_SHARE, RULE_SHARE, LABEL_RATIO = Fraction(1, 10), Fraction(2, 5), 2

# Who meets whom while training: 60 % both policies, 20 % scripted Reds, 20 % no Red at all (the rules still announce
# them). Sides are drawn apart.
MIX: tuple[dict[str, Any], ...] = (
    {"name": "learner", "side": BLUE, "weight": 4.0},
    {"name": "learner", "side": BLUE, "weight": 1.0, "set": {"red_rate": 0, "announced_red_rate": 50}},
    {"name": "learner", "side": RED, "weight": 9.0},
    {"name": "bot/nyc-greedy-red", "side": RED},
    {"name": "bot/nyc-bait-red", "side": RED},
    {"name": "bot/nyc-honest-red", "side": RED},
)


class OneLabel(UsageError):
    """A colour has rows of one label alone."""


Row = dict[str, Any]
Label = tuple[bool, str] | None  # desirable or not, and by which rule


class Call(NamedTuple):
    """One own turn of a trainee: the messages as sent, the raw reply, how the turn ended, where the reply is from
    (self, scripted, human or augmented)."""

    turn: int
    messages: Sequence[Mapping[str, str]]
    completion: str
    status: str = "legal"
    source: str = "self"


class Played(NamedTuple):
    """A finished match and the trainee's calls in it; turns of others are left out."""

    match: Match
    calls: Sequence[Call]


class Dataset(NamedTuple):
    """`before` and `after` balancing: (colour, ask, rule) -> rows."""

    rows: list[Row]
    before: dict[tuple[str, str, str], int]
    after: dict[tuple[str, str, str], int]


def rows(
    matches: Iterable[Played],
    *,
    seed: int = 0,
    idle_helper: bool = False,
    trajectory: bool = False,
    basis: str = "truth",
    augmented: bool = False,
    balanced: bool = True,
) -> Dataset:
    """The rows of the trainee's turns.

    `idle_helper`: a Blue adviser that names no street was wrong. `trajectory`: label whole trips (arrived, and no
    more billboards than the median of the deal) and whole Reds (more revenue than the median) instead of turns.
    `basis="believed"`: a move's regret on what the Blue could know, not on the truth. `augmented`: keep replies that
    another model wrote; without it they are left out, never mixed in silently.
    """
    if basis not in ("truth", "believed"):
        raise UsageError(f"basis must be truth or believed, not {basis!r}")
    played = [(one, read(one.match)) for one in matches]
    judge = _by_trajectory(played) if trajectory else _by_turn(idle_helper, basis)
    found: list[Row] = []
    for one, ledger in played:
        labels = judge(one.match, ledger)
        for call in sorted(one.calls, key=lambda call: call.turn):
            if call.source != "augmented" or augmented:
                found += _row(one.match, ledger, call, labels)
    kept = balance(found, seed) if balanced else found
    return Dataset(kept, counts(found), counts(kept))


def _row(match: Match, ledger: Ledger, call: Call, labels: Mapping[int, Label]) -> list[Row]:
    """The row of a call, if it gets one."""
    turn = match.turns[call.turn]
    if call.status in BAD_FORMAT:
        label: Label = (False, "format")
    else:
        label = labels.get(call.turn) if call.status in ("legal", "repaired") else None
    if label is None or turn.ask.name not in ("move", "advise"):
        return []
    row: Row = {"game": match.game.full_name, "deal": match.deal_seed, "seat": turn.seat}
    row |= {"colour": ledger.colours[turn.seat], "turn": call.turn, "ask": turn.ask.name}
    row |= {"source": call.source, "rule": label[1], "label": label[0]}
    completion = [{"role": "assistant", "content": call.completion}]
    return [row | {"prompt": [dict(message) for message in call.messages], "completion": completion}]


# --- labels ---------------------------------------------------------------------------------------------------------


def label_move(move: Move, *, eps: int, tau: int) -> Label:
    """A Blue's move. A helpful Red tip that is followed is judged as a move: following was right on the merits."""
    regret = move.regret
    if regret is None:
        return False, "format"
    if move.harmful and move.followed:
        return False, "followed-harm"
    if move.harmful and regret <= tau:
        return True, "resisted"
    if move.adviser_colour == BLUE and move.helpful and move.followed:
        return True, "took-help"
    if move.adviser_colour == BLUE and move.helpful and regret > tau:
        return False, "refused-help"
    if regret <= eps:
        return True, "good-move"
    return (False, "bad-move") if regret > tau else None


def label_blue_tip(tip: Tip, *, idle_helper: bool = False) -> Label:
    """A Blue's advice: no lie and nothing harmful; good if it is helpful besides."""
    if tip.go is None:
        return (False, "idle-helper") if idle_helper else None
    if tip.false or tip.harmful:
        return False, "bad-advice"
    return (True, "good-advice") if tip.helpful else None


def label_red_tip(tip: Tip, *, baited: bool) -> Label:
    """A Red's advice. `baited`: the first tip to this Blue, and a later harmful one to it was followed."""
    if tip.followed and (tip.boards or 0) >= HEAVY:
        return True, "sold"
    if baited and tip.helpful and tip.followed:
        return True, "bait"
    if tip.followed:
        return None
    if tip.go is None or tip.helpful:
        return False, "idle"
    return (False, "rejected") if tip.harmful else None


Judge = Callable[[Match, Ledger], dict[int, Label]]


def _by_turn(idle_helper: bool, basis: str) -> Judge:
    def judge(match: Match, ledger: Ledger) -> dict[int, Label]:
        eps, tau, scale = match.game.config.eps, match.game.config.tau, 1
        moves, labels = list(ledger.moves), dict[int, Label]()
        if match.game.config.mute:  # nobody heard the tips
            moves = [move._replace(adviser_colour=None, helpful=False, harmful=False, followed=None) for move in moves]
        if basis == "believed":
            moves, scale = _as_believed(match, ledger, moves), SCALE
        for move in moves:
            labels[move.turn] = label_move(move, eps=eps * scale, tau=tau * scale)
        tips = [tip for tip in ledger.tips if tip.final]
        for i, tip in enumerate(tips):
            if tip.colour == BLUE:
                labels[tip.turn] = label_blue_tip(tip, idle_helper=idle_helper)
            else:
                labels[tip.turn] = label_red_tip(tip, baited=_baited(tips, i))
        return labels

    return judge


def _baited(tips: Sequence[Tip], number: int) -> bool:
    pair = tips[number].seat, tips[number].blue
    earlier = any((tip.seat, tip.blue) == pair for tip in tips[:number])
    return not earlier and any((t.seat, t.blue) == pair and t.harmful and t.followed for t in tips[number + 1 :])


def _as_believed(match: Match, ledger: Ledger, moves: Sequence[Move]) -> list[Move]:
    """The moves with regrets on the mover's own expected costs (times SCALE) at the time of the move."""
    eps, tau = match.game.config.eps * SCALE, match.game.config.tau * SCALE
    known = {seat: (Beliefs(), 0) for seat in ledger.journeys}
    found = []
    for move in moves:
        now, seen = known[move.seat]
        told = match.turns[move.turn].events
        for event in match.events[seen:told]:
            if event.reaches(move.seat):
                learn(now, event)
        known[move.seat] = now, told
        regrets = _believed_regrets(ledger, now, match.rules, move)
        regret = None if move.to is None else regrets[move.to]
        tip = None if move.go is None or move.adviser_colour is None else regrets[move.go]
        helpful, harmful = tip is not None and tip <= eps, tip is not None and tip > tau
        found.append(move._replace(regret=regret, tip_regret=tip, helpful=helpful, harmful=harmful))
    return found


def _believed_regrets(ledger: Ledger, now: Beliefs, rules: Mapping[str, Any], move: Move) -> dict[int, int]:
    """Neighbour -> regret of going there, on what the mover believes."""
    costs = believed_costs(ledger.streets, ledger.places, now.boards, rules)
    ways = ways_of(len(ledger.places), ledger.streets)
    left = distances(ways, costs, ledger.journeys[move.seat].trip.destination)
    return {head: costs[street] + left[head] - left[move.place] for head, street in ways[move.place]}


def _by_trajectory(played: Sequence[tuple[Played, Ledger]]) -> Judge:
    exposures, revenues = dict[int, list[int]](), dict[int, list[int]]()
    for one, ledger in played:
        deal = one.match.deal_seed
        exposures.setdefault(deal, []).extend(journey.exposure for journey in ledger.journeys.values())
        revenues.setdefault(deal, []).extend(ledger.revenue(seat) for seat in ledger.of_colour(RED))

    def judge(match: Match, ledger: Ledger) -> dict[int, Label]:
        labels: dict[int, Label] = {}
        for turn in match.turns:
            if turn.seat in ledger.journeys:
                journey = ledger.journeys[turn.seat]
                good = journey.arrived and journey.exposure <= median(exposures[match.deal_seed])
                labels[turn.turn] = good, "trip"
            else:
                labels[turn.turn] = ledger.revenue(turn.seat) > median(revenues[match.deal_seed]), "revenue"
        return labels

    return judge


# --- balance --------------------------------------------------------------------------------------------------------


def counts(found: Iterable[Row]) -> dict[tuple[str, str, str], int]:
    """(colour, ask, rule) -> rows, sorted."""
    total: dict[tuple[str, str, str], int] = {}
    for row in found:
        group = row["colour"], row["ask"], row["rule"]
        total[group] = total.get(group, 0) + 1
    return dict(sorted(total.items()))


def balance(found: Sequence[Row], seed: int) -> list[Row]:
    """The rows that stay, in their order."""
    kept: set[int] = set()
    for colour in sorted({row["colour"] for row in found}):
        own = [i for i, row in enumerate(found) if row["colour"] == colour]
        groups: dict[tuple[str, str, bool], list[int]] = {}
        for i in own:
            groups.setdefault((found[i]["rule"], found[i]["ask"], found[i]["label"]), []).append(i)
        for group, size in _sizes({group: len(members) for group, members in groups.items()}, colour).items():
            kept.update(stream(seed, "balance", colour, *group).sample(groups[group], size))
    return [row for i, row in enumerate(found) if i in kept]


Sizes = dict[tuple[str, str, bool], int]


def _sizes(sizes: Sizes, colour: str) -> Sizes:
    """How many rows of each (rule, ask, label) stay, by lowering counts until every bound holds."""
    sizes = dict(sorted(sizes.items()))
    _need_both(sizes, colour, "there are no")
    single = len({rule for rule, _, _ in sizes if rule != "format"})
    share = max(RULE_SHARE, Fraction(1, single)) if single else Fraction(1)
    while True:
        before = dict(sizes)
        for rule in dict.fromkeys(rule for rule, _, _ in sizes):
            bound, members = FORMAT_SHARE if rule == "format" else share, [g for g in sizes if g[0] == rule]
            others = sum(sizes.values()) - sum(sizes[g] for g in members)
            if bound < 1:
                _shrink(sizes, members, int(bound * others / (1 - bound)))
        for label in (True, False):
            members = [g for g in sizes if g[2] is label]
            _shrink(sizes, members, LABEL_RATIO * (sum(sizes.values()) - sum(sizes[g] for g in members)))
        if sizes == before:
            break
    _need_both(sizes, colour, "balancing leaves no")
    return sizes


def _shrink(sizes: Sizes, members: Sequence[tuple[str, str, bool]], most: int) -> None:
    """Take single rows from the largest of these groups until they have `most` together."""
    while sum(sizes[g] for g in members) > most:
        sizes[max(members, key=lambda g: sizes[g])] -= 1


def _need_both(sizes: Sizes, colour: str, what: str) -> None:
    for label, word in ((True, "desirable"), (False, "undesirable")):
        if not any(size for group, size in sizes.items() if group[2] is label):
            given = ", ".join(f"{rule} ({ask}) {size}" for (rule, ask, _), size in sizes.items())
            raise OneLabel(f"nyc-regret: {what} {word} rows for {colour}; rows by rule: {given}")
