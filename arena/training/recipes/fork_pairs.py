"""`fork-pairs`: of two answers to one ask, the one after which the seat is paid more, in paired continuations.

V(c) is the mean payoff of the deciding seat over the continuations of candidate c. With paired differences d_j: chosen
a over rejected b iff mean d >= margin (a share of the payoff range) and mean d >= its standard error; at most three
pairs a state, the largest first; weight = min(1, mean d / range). For kto: above or below the mean of the state's
candidates by the same test. Illegal candidates are the rejected side of a pair, or undesirable, with the reason
`illegal`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from arena.prompt import wire
from arena.training.forks import CANDIDATES
from arena.training.record import Played, Sent
from arena.training.rows import Labelled, NothingToLearn, Row, Trainee, cap_illegal, dpo_row, hashed, kto_row

ALGORITHMS = ("dpo", "kto")
MOST_PAIRS = 3


@dataclass
class State:
    """One decision: the match and turn that it was taken in, and what was found of other answers."""

    played: Played
    sent: Sent
    values: dict[str, dict[int, float]] = field(default_factory=dict)  # wire text -> continuation -> payoff
    illegal: dict[str, None] = field(default_factory=dict)  # raw replies that were no answer
    rollouts: str = ""  # who played the continuations in the seat, where it was not its own agent


def label(matches: Iterable[Played], options: Mapping[str, Any]) -> Labelled:
    """Options: trainee, margin, bounds, algorithm, illegal_share, seed."""
    found = Labelled()
    states = states_of(matches, options.get("trainee") or Trainee())
    if not states:
        raise NothingToLearn(
            "this run holds no forks, so there are no pairs to compare",
            hint="`arena train dpo --recipe fork-pairs` plays them in its collect stage",
        )
    scale = _range(states, options.get("bounds"))
    margin = float(options.get("margin", 0.05)) * scale
    for state in states:
        if len(state.values) < 2 and not (state.illegal and state.values):
            found.drop("all candidates alike")
        elif options.get("algorithm") == "kto":
            _label_each(found, state, margin)
        else:
            _label_pairs(found, state, margin, scale)
    if options.get("algorithm") == "kto":
        cap_illegal(found, float(options.get("illegal_share", 0.2)), int(options.get("seed", 0)))
    return found


def states_of(matches: Iterable[Played], trainee: Trainee) -> list[State]:
    """Every forked decision, in the order of the trunks."""
    matches = list(matches)
    trunks = {m.key: m for m in matches if m.fork is None}
    found: dict[tuple[str, int], State] = {}
    for m in matches:
        if m.fork is None or m.fork["parent"] not in trunks or m.tag.startswith("rollout/"):
            continue  # what GRPO played from a recorded decision shares no chance with anything
        trunk, turn = trunks[m.fork["parent"]], int(m.fork["turn"])
        sent = next((s for s in trainee.turns(trunk) if s.turn == turn), None)
        if sent is None:
            continue
        state = found.setdefault((trunk.key, turn), State(trunk, sent))
        decided = m.match.turns[turn]
        if m.fork["branch"] >= CANDIDATES:
            own = m.sent.get(turn)
            if own is not None and own.fallback and own.status == "illegal":
                state.illegal[own.first_reply] = None
            continue
        shown = wire(decided.ask, decided.answer, m.match.names)
        if m.agents[sent.seat] != trunk.agents[sent.seat]:
            state.rollouts = m.agents[sent.seat]
        state.values.setdefault(shown, {})[int(m.fork["branch"])] = m.payoffs[sent.seat]
    return [found[key] for key in sorted(found)]


def compared(a: Mapping[int, float], b: Mapping[int, float], margin: float) -> float | None:
    """Mean paired difference a - b if it is large enough and clear enough, else None."""
    differences = [a[j] - b[j] for j in sorted(a) if j in b]
    if not differences:
        return None
    mean = fmean(differences)
    error = stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else 0.0
    return mean if mean >= margin and mean >= error and mean > 0 else None


def _label_pairs(found: Labelled, state: State, margin: float, scale: float) -> None:
    pairs = []
    for a, of_a in state.values.items():
        for b, of_b in state.values.items():
            if a != b and (mean := compared(of_a, of_b, margin)) is not None:
                pairs.append((mean, a, b, "paid more"))
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    if len(pairs) < MOST_PAIRS and state.illegal and state.values:
        best = max(sorted(state.values), key=lambda text: fmean(state.values[text].values()))
        pairs.append((scale, best, next(iter(state.illegal)), "illegal"))
    if not pairs:
        found.drop("no difference large and clear enough")
    for number, (mean, chosen, rejected, reason) in enumerate(pairs[:MOST_PAIRS]):
        weight = min(1.0, mean / scale) if scale else 1.0
        row = dpo_row(state.played, state.sent, "fork-pairs", chosen, rejected, reason, weight=weight, name=str(number))
        found.rows.append(_by(state, row))


def _label_each(found: Labelled, state: State, margin: float) -> None:
    """Each candidate against the mean of all of the state's."""
    turns = sorted({j for values in state.values.values() for j in values})
    mean = {j: fmean(v[j] for v in state.values.values() if j in v) for j in turns}
    for number, (text, values) in enumerate(sorted(state.values.items())):
        above, below = compared(values, mean, margin), compared(mean, values, margin)
        if above is None and below is None:
            found.drop("no difference large and clear enough")
            continue
        reason = "paid more than the other candidates" if above is not None else "paid less than the other candidates"
        found.rows.append(_candidate(state, text, above is not None, reason, f"{number}"))
    for number, text in enumerate(state.illegal):
        found.rows.append(_candidate(state, text, False, "illegal", f"i{number}"))


def _candidate(state: State, text: str, good: bool, reason: str, name: str) -> dict[str, Any]:
    from dataclasses import replace

    own = replace(state.sent, accepted=text, status="legal", fallback=False)
    row = kto_row(state.played, own, "fork-pairs", good, reason)
    return _by(state, row | {"id": f"{row['id']}:{name}"})


def _by(state: State, row: Row) -> Row:
    """The row with the name of the agent whose continuations it rests on."""
    return hashed(row | {"source": row["source"] | {"rollouts": state.rollouts}} if state.rollouts else row)


def _range(states: Sequence[State], bounds: tuple[float, float] | None) -> float:
    """The game's payoff range, else that of what was seen."""
    if bounds is not None:
        return bounds[1] - bounds[0]
    paid = [x for state in states for values in state.values.values() for x in values.values()]
    return max(paid, default=0.0) - min(paid, default=0.0)
