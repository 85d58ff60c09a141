"""Rows: one decision of one trained seat, as a trainer reads it, and the files that hold them.

One completion is one own message; everything else, all other players' words included, is in the prompt, since KTO and
DPO train on every token of a completion. Splits go by match. The same record, recipe and options give the same bytes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from arena.core.canonical import canonical, digest
from arena.core.errors import UsageError
from arena.core.seeds import derive
from arena.training.record import Message, Played, Sent

Row = dict[str, Any]
Prompts = Literal["accepted", "as_sent"]

VALID_PERCENT = 15
ANSWERED = ("legal", "repaired")
NO_ROWS = ("refused", "truncated", "timeout")


class NothingToLearn(UsageError):
    """Matches that give no rows, or rows of one label alone: no fault of whoever asked for them."""


@dataclass
class Labelled:
    """What a recipe made: its rows, and how many turns gave none, by reason."""

    rows: list[Row] = field(default_factory=list)
    drops: Counter[str] = field(default_factory=Counter)

    def drop(self, reason: str, count: int = 1) -> None:
        self.drops[reason] += count


@dataclass(frozen=True)
class Trainee:
    """Whose turns give rows: seats that a model holds, narrowed by agent names and by roles, sides or seats."""

    agents: Collection[str] = ()
    roles: Collection[str] = ()

    def seats(self, played: Played) -> list[str]:
        found = []
        for seat in played.match.seats:
            is_agent = not self.agents or played.agents[seat] in self.agents
            is_role = not self.roles or not set(self.roles).isdisjoint(played.names(seat))
            if seat in played.models and is_agent and is_role:
                found.append(seat)
        return found

    def turns(self, played: Played) -> list[Sent]:
        """The trainee's turns of which the record holds what was sent, in order."""
        own = set(self.seats(played))
        return [sent for _, sent in sorted(played.sent.items()) if sent.seat in own]


def kto_row(played: Played, sent: Sent, recipe: str, label: bool, reason: str, *, prompts: Prompts = "accepted") -> Row:
    """An unpaired row. A fallback's row holds the raw reply, and only as undesirable."""
    if sent.fallback and label:
        raise ValueError(f"turn {sent.turn} of match {played.number}: a fallback is never desirable")
    completion = sent.first_reply if sent.fallback else sent.accepted
    row = _row(played, sent, recipe, reason, prompts)
    if prompts == "as_sent":
        completion = sent.last_reply
    return hashed(row | {"completion": [_said(completion)], "label": label})


def sft_row(played: Played, sent: Sent, recipe: str, reason: str, *, prompts: Prompts = "accepted") -> Row:
    """A row to imitate."""
    row = kto_row(played, sent, recipe, True, reason, prompts=prompts)
    return hashed({key: value for key, value in row.items() if key != "label"})


def dpo_row(
    played: Played, sent: Sent, recipe: str, chosen: str, rejected: str, reason: str, *, weight: float, name: str
) -> Row:
    """A preference between two answers to one prompt; `name` tells apart the pairs of one state."""
    row = _row(played, sent, recipe, reason, "accepted")
    row |= {"id": f"{row['id']}:{name}", "weight": weight}
    return hashed(row | {"chosen": [_said(chosen)], "rejected": [_said(rejected)]})


def _row(played: Played, sent: Sent, recipe: str, reason: str, prompts: Prompts) -> Row:
    prompt: Sequence[Message] = sent.as_sent if prompts == "as_sent" else sent.prompt
    return {
        "id": f"{played.key}:{sent.turn}",
        "run": played.run,
        "match": played.key,
        "turn": sent.turn,
        "seat": sent.seat,
        "role": played.roles.get(sent.seat) or played.match.sides.get(sent.seat) or sent.seat,
        "ask": sent.ask,
        "prompt": [dict(message) for message in prompt],
        "weight": 1.0,
        "recipe": recipe,
        "reason": reason,
        "split": split_of(played.key),
        "source": source_of(played, sent.seat),
    }


def source_of(played: Played, seat: str) -> dict[str, str | None]:
    """Who said a completion, under which weights. It survives into the trainer's dataset."""
    return {"agent": played.agents[seat], "weights": played.weights.get(seat), "data": "selfplay"}


def _said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def hashed(row: Row) -> Row:
    """The row with the hash of everything else in it."""
    bare = {key: value for key, value in row.items() if key != "hash"}
    return bare | {"hash": digest(bare)[:16]}


def split_of(match: str) -> Literal["train", "valid"]:
    """Which split a match is in, by its key alone."""
    return "valid" if derive("split", match) % 100 < VALID_PERCENT else "train"


def cap_illegal(labelled: Labelled, share: float, seed: int) -> None:
    """Illegal rows are at most `share` of the undesirable ones; which stay is drawn by the seed, not by place."""
    bad = [row for row in labelled.rows if row.get("label") is False]
    illegal = [row for row in bad if row["reason"] == "illegal"]
    others = len(bad) - len(illegal)
    most = int(others * share / (1 - share)) if share < 1 else len(illegal)
    ordered = sorted(illegal, key=lambda row: derive(seed, "illegal", row["id"]))
    dropped = {row["id"] for row in ordered[max(most, 1 if not others else most) :]}
    labelled.rows = [r for r in labelled.rows if r["reason"] != "illegal" or r["id"] not in dropped]
    if dropped:
        labelled.drop("illegal rows over their share", len(dropped))


# --- files ----------------------------------------------------------------------------------------------------------


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> str:
    """One canonical JSON object a line, whole or not at all; the hash of the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    total = sha256()
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        for row in rows:
            line = (canonical(row) + "\n").encode()
            total.update(line)
            file.write(line)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return total.hexdigest()


def read_rows(path: Path) -> list[Row]:
    import json

    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def summary(labelled: Labelled) -> dict[str, Any]:
    """Counts, balance and drops of a dataset: what a user must see before training on it."""
    rows = labelled.rows
    counts: Counter[str] = Counter()
    for row in rows:
        kind = "pairs" if "chosen" in row else "rows"
        if "label" in row:
            kind = "desirable" if row["label"] else "undesirable"
        counts[f"{row['role']}/{row['ask']}/{kind}"] += 1
    labels = Counter(row["label"] for row in rows if "label" in row)
    return {
        "rows": len(rows),
        "matches": len({row["match"] for row in rows}),
        "desirable": labels[True],
        "undesirable": labels[False],
        "by_role_ask": dict(sorted(counts.items())),
        "by_reason": dict(sorted(Counter(row["reason"] for row in rows).items())),
        "by_source": dict(sorted(Counter(row["source"]["data"] for row in rows).items())),
        "by_split": dict(sorted(Counter(row["split"] for row in rows).items())),
        "drops": dict(sorted(labelled.drops.items())),
    }


def check_trainable(labelled: Labelled, algorithm: str, recipe: str) -> None:
    """Stop on a dataset that nothing can be learned from; the message says what the recipe took out."""
    facts = summary(labelled)
    removed = ", ".join(f"{reason}: {count}" for reason, count in facts["drops"].items()) or "nothing"
    if not facts["rows"]:
        raise NothingToLearn(
            f"the recipe {recipe} gave no rows; it took out {removed}", hint="collect more matches, or another recipe"
        )
    if algorithm == "kto" and not (facts["desirable"] and facts["undesirable"]):
        one = "desirable" if facts["desirable"] else "undesirable"
        raise NothingToLearn(
            f"the recipe {recipe} gave {one} rows only ({facts['rows']}); it took out {removed}",
            hint="kto needs both labels: collect more matches, other opponents, or another recipe",
        )
