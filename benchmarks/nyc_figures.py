"""Figures and differences of the tournaments that nyc_cross.py played; nyc_pictures.py draws them."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nyc_pictures import matrix, plane, short

from arena.games.nyc.metrics import RATES
from arena.leaderboards.cells import Pair
from arena.leaderboards.paired import Estimate, figure, holm, paired, verdict
from arena.leaderboards.runs import facts, match_objects
from arena.store.reader import Reader

SHOWN = ("success", "clean_success", "exposure", "eta", "own", "susceptibility", "uptake", "follow_blue", "follow_red",
         "lie_rate_red", "lie_rate_blue", "lost_rate", "fallback_rate", "text_length")  # fmt: skip
LOST = {f"lost_{side}": (f"lost_{side}", f"turns_{side}") for side in ("blue", "red")}  # turns without a legal answer
FIGURES = {name: RATES[name] for name in SHOWN} | {"revenue": ("revenue", "matches")} | LOST
PRINTED = ("success", "susceptibility", "causal_s", "selective", "exposure", "own", "revenue", *LOST)
COMPARED = {"blue": ("success", "susceptibility", "own"), "red": ("revenue", "susceptibility")}

Key = tuple[str, str, str]  # group, Blue, Red
Counts = Mapping[str, float]  # of a match; what the game leaves open is 0
Cell = dict[str, list[Counts]]  # deal -> its matches


def publish(out: Path, run: Path, league: Path) -> None:
    """Write and print everything about the groups that were played."""
    cells: dict[Key, Cell] = {}
    for path in sorted(out.glob("*/run.sqlite")):
        cells |= _read(path.parent)
    names = sorted({key[0] for key in cells})
    rows = [_row(key, cell, cells) for key, cell in sorted(cells.items(), key=lambda item: _order(item[0]))]
    compared = list(_compared(cells))
    _write(out / "cells.csv", rows)
    _write(out / "differences.csv", compared)
    meta = {"groups": {name: _facts(out / name) for name in names}, "training": _training(run, league)}
    (out / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (out / "plane.svg").write_text(plane(rows), encoding="utf-8")
    (out / "matrix.svg").write_text(matrix(rows, "success", "task success"), encoding="utf-8")
    (out / "revenue.svg").write_text(matrix(rows, "revenue", "Red's revenue a match"), encoding="utf-8")
    for name in names:
        print("\n".join(_cells_table([row for row in rows if row["group"] == name])))
    print("\n".join(_differences_table([row for row in compared if row["less"] == "k0"])))


def _read(run: Path) -> dict[Key, Cell]:
    """The matches of a group on the deals that every pair of it has played; nothing where there is none."""
    cells: dict[Key, Cell] = {(run.name, *pair): defaultdict(list) for pair in _pairs(run)}
    for match in match_objects(run):
        if match["status"] == "done":
            held = {seat["team"]: seat["agent"] for seat in match["seats"]}
            counts = {name: float(value or 0.0) for name, value in match["metrics"].items()} | {"matches": 1.0}
            for side, (lost, turns) in zip(("blue", "red"), LOST.values(), strict=True):
                ended = sum((Counter(seat["turns"]) for seat in match["seats"] if seat["team"] == side), Counter())
                counts[turns] = ended.total()
                counts[lost] = ended.total() - ended["legal"] - ended["repaired"]
            cells[run.name, held["blue"], held["red"]][match["deal_id"]].append(counts)
    played = set.intersection(*(set(cell) for cell in cells.values()))
    if not played:
        print(f"{run}: no deal that every pair has played")
        return {}
    return {key: {deal: cell[deal] for deal in sorted(played)} for key, cell in cells.items()}


def _pairs(run: Path) -> list[tuple[str, str]]:
    """Every Blue and Red that the group seats together, played or not."""
    query = """SELECT DISTINCT b.name, r.name FROM seats x JOIN agents b USING (agent_id) JOIN seats y USING (match_id)
        JOIN agents r ON r.agent_id = y.agent_id WHERE x.side = 'blue' AND y.side = 'red'"""
    with Reader(run) as reader:
        return [(blue, red) for blue, red in reader.db.execute(query)]


def _parts(cell: Cell, name: str) -> dict[str, list[Pair]]:
    top, bottom = FIGURES[name]
    return {deal: [(counts[top], counts[bottom]) for counts in matches] for deal, matches in cell.items()}


def _row(key: Key, cell: Cell, cells: Mapping[Key, Cell]) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(("group", "blue", "red"), key, strict=True)) | {"deals": len(cell)}
    trips, there = (sum(m[name] for matches in cell.values() for m in matches) for name in ("blues", "arrived"))
    row |= {"trips": int(trips)}
    for name in FIGURES:
        row |= _told(name, figure(_parts(cell, name)))
    row |= _told("selective", paired(_parts(cell, "follow_blue"), _parts(cell, "follow_red")))
    muted = cells.get(("mute", *key[1:])) if key[0] in ("cross", "scripted") else None
    causal = None if muted is None else paired(_parts(cell, "susceptibility"), _parts(muted, "susceptibility"))
    row |= _told("causal_s", causal)
    row["success_wilson_lo"], row["success_wilson_hi"] = _wilson(there, trips)
    return row


def _told(name: str, found: Estimate | None) -> dict[str, Any]:
    parts = (None, None, None, 0) if found is None else (found.value, found.low, found.high, found.deals)
    return dict(zip((name, f"{name}_lo", f"{name}_hi", f"{name}_deals"), parts, strict=True))


def _compared(cells: Mapping[Key, Cell]) -> Iterator[dict[str, Any]]:
    """Every policy of a side less k0, and less the one before it, against each opponent of each group."""
    for place, side in ((1, "blue"), (2, "red")):
        families: dict[tuple[str, str], list[Key]] = defaultdict(list)
        for key in sorted(cells, key=_order):
            if key[place].startswith("league/"):
                families[key[0], key[3 - place]].append(key)
        for (group, opponent), keys in families.items():
            facts = {"group": group, "side": side, "against": opponent}
            for name in COMPARED[side]:
                first = [(key, keys[0]) for key in keys[1:]]
                before = list(zip(keys[1:], keys, strict=False))
                for less, pairs in (("k0", first), ("k-1", before)):
                    family = {
                        key[place]: paired(_parts(cells[key], name), _parts(cells[base], name)) for key, base in pairs
                    }
                    clean = {
                        key[place]: paired(
                            _parts(_clean(cells[key], side), name), _parts(_clean(cells[base], side), name)
                        )
                        for key, base in pairs
                    }
                    for row in _corrected(family):
                        own = _told("clean_difference", clean[row["policy"]])
                        yield facts | {"figure": name, "less": less} | row | own


def _clean(cell: Cell, side: str) -> Cell:
    """The deals on which the side lost no turn: what differs there does not come from lost turns. A choice by what was
    played, so no random one."""
    return {deal: matches for deal, matches in cell.items() if not any(counts[f"lost_{side}"] for counts in matches)}


def _corrected(family: Mapping[str, Estimate | None]) -> Iterator[dict[str, Any]]:
    """With Holm's correction over the k, and a verdict by rule."""
    known = {policy: found.p for policy, found in family.items() if found is not None and found.p is not None}
    corrected = dict(zip(known, holm(list(known.values())), strict=True))
    for policy, found in family.items():
        p = corrected.get(policy)
        judged = verdict(found.value, p) if found is not None else "nothing to count"
        yield {"policy": policy} | _told("difference", found) | {"p": p, "verdict": judged}


def _wilson(hits: float, n: float) -> tuple[float, float]:
    z = 1.959964
    share, centre = hits / n, hits / n + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def _iteration(name: str) -> int:
    return int(name.rpartition("-k")[2])


def _order(key: Key) -> tuple[Any, ...]:
    """By group; policies by iteration, before bots."""
    return key[0], *((0, _iteration(name)) if name.startswith("league/") else (1, name) for name in key[1:])


# --- files -----------------------------------------------------------------------------------------------------------


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


def _facts(run: Path) -> dict[str, Any]:
    with Reader(run) as reader:
        query = "SELECT COUNT(*), SUM(tokens_in), SUM(tokens_out) FROM calls"
        calls, read, written = reader.db.execute(query).fetchone()
    return facts(run) | {"calls": calls, "tokens_in": read, "tokens_out": written}


def _training(run: Path, league: Path) -> dict[str, Any]:
    """What every policy is and what it was trained on."""
    config = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
    kept = ("algorithm", "game", "model", "seed", "recipe", "lr", "steps", "matches", "reference", "params")
    policies = {
        folder.name: tomllib.loads((folder / "policy.toml").read_text(encoding="utf-8"))
        for folder in sorted(league.glob(f"{run.name}-*"))
    }
    rows = {
        f"{path.parent.parent.name}/{path.parent.name}": json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(run.glob("iter_*/*/dataset.json"))
    }
    return {"settings": {key: config[key] for key in kept}, "policies": policies, "datasets": rows}


# --- shown -----------------------------------------------------------------------------------------------------------


def _cells_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["", f"**{rows[0]['group']}**, {rows[0]['deals']} deals a cell", ""]
    printed = [name for name in PRINTED if any(row[name] is not None for row in rows)]
    lines += [f"| Blue | Red | {' | '.join(printed)} |", "|---" * (2 + len(printed)) + "|"]
    for row in rows:
        shown = (_shown(row, name) for name in printed)
        lines.append(f"| {short(row['blue'])} | {short(row['red'])} | {' | '.join(shown)} |")
    return lines


def _differences_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    heads = "group | policy less k0 | against | figure | difference | p (Holm) | deals | | no turn lost | deals"
    lines = ["", f"| {heads} |", "|---" * 10 + "|"]
    for row in rows:
        words = (row["group"], short(row["policy"]), short(row["against"]), row["figure"])
        shown = _shown(row, "difference", "+")
        p = "–" if row["p"] is None else f"{row['p']:.3f}"
        told = f"{shown} | {p} | {row['difference_deals']} | {row['verdict']}"
        clean = f"{_shown(row, 'clean_difference', '+')} | {row['clean_difference_deals']}"
        lines.append(f"| {' | '.join(words)} | {told} | {clean} |")
    return lines


def _shown(row: Mapping[str, Any], name: str, sign: str = "") -> str:
    value, low, high = (row[name + end] for end in ("", "_lo", "_hi"))
    if value is None:
        return "–"
    return f"{value:{sign}.2f}" + ("" if low is None else f" ({low:.2f} to {high:.2f})")
