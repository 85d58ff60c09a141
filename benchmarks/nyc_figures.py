"""Figures, differences and pictures of the tournaments that nyc_cross.py played."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arena.games.nyc.metrics import RATES
from arena.leaderboards.cells import Pair
from arena.leaderboards.page.svg import Svg
from arena.leaderboards.paired import LEVEL, holm, paired, resampled
from arena.run.replayed import metrics_of
from arena.store.export import match_rows

SHOWN = ("success", "clean_success", "exposure", "eta", "own", "susceptibility", "uptake", "lie_rate_red",
         "lie_rate_blue", "lost_rate", "fallback_rate", "text_length")  # fmt: skip
FIGURES = {name: RATES[name] for name in SHOWN} | {"revenue": ("revenue", "matches")}
LESS = {"selective": ("follow_blue", "follow_red")}
PRINTED = ("success", "susceptibility", "selective", "exposure", "own", "revenue", "fallback_rate")
COMPARED = {"blue": ("success", "susceptibility", "own"), "red": ("revenue", "susceptibility")}
STYLE = (
    "<style>text{font:12px sans-serif;fill:#1b2733}.axis,.bar{stroke:#52616f;stroke-width:1.3;fill:none}"
    ".grid{stroke:#dde3e8}.mark{fill:#1769aa}.value{font-weight:600}.dark{fill:#fff;font-weight:600}</style>"
)

Counts = Mapping[str, float]  # the game's counts of a match, None counted as 0
Key = tuple[str, str, str]  # group, Blue, Red


class Value(NamedTuple):
    value: float
    low: float
    high: float


class Cell:
    """The matches of one Blue against one Red in one group, a row of counts for each deal."""

    def __init__(self) -> None:
        self.deals: dict[str, Counts] = {}

    def pairs(self, top: str, bottom: str, deals: Sequence[str] | None = None) -> list[list[Pair]]:
        chosen = sorted(self.deals) if deals is None else deals
        return [[(self.deals[deal][top], self.deals[deal][bottom])] for deal in chosen]

    def figure(self, name: str) -> Value | None:
        """A figure with its interval; None where there was nothing to count."""
        if name in LESS:
            (value, drawn), (less, drawn_less) = (resampled(self.pairs(*RATES[part])) for part in LESS[name])
            value, drawn = value - less, drawn - drawn_less
        else:
            value, drawn = resampled(self.pairs(*FIGURES[name]))
        drawn = drawn[~np.isnan(drawn)]
        return None if math.isnan(value) else Value(value, *map(float, np.percentile(drawn, [2.5, 97.5])))

    def total(self, name: str) -> float:
        return sum(counts[name] for counts in self.deals.values())


def publish(out: Path, names: Sequence[str], run: Path, league: Path) -> None:
    """Write and print everything about these groups."""
    cells: dict[Key, Cell] = {}
    for name in names:
        cells |= _read(out / name, name)
    rows = [_row(key, cell, cells) for key, cell in sorted(cells.items())]
    compared = _differences(cells)
    _write(out / "cells.csv", rows)
    _write(out / "differences.csv", compared)
    meta = {"groups": {name: _run_facts(out / name) for name in names}, "training": _training(run, league)}
    (out / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (out / "plane.svg").write_text(_plane(cells), encoding="utf-8")
    (out / "matrix.svg").write_text(_matrix(cells), encoding="utf-8")
    for name in names:
        print("\n".join(_markdown(name, [row for row in rows if row["group"] == name])))
    print("\n".join(_compared(compared)))


def _read(run: Path, group: str) -> dict[Key, Cell]:
    cells: dict[Key, Cell] = defaultdict(Cell)
    with metrics_of(run) as figures:
        for match in match_rows(run, metrics=figures):
            if match["status"] == "done":
                held = {seat["team"]: seat["agent"] for seat in match["seats"]}
                counts = {name: float(value or 0.0) for name, value in match["metrics"].items()} | {"matches": 1.0}
                cells[group, held["blue"], held["red"]].deals[match["deal_id"]] = counts
    return dict(cells)


def _row(key: Key, cell: Cell, cells: Mapping[Key, Cell]) -> dict[str, Any]:
    group, blue, red = key
    row: dict[str, Any] = {"group": group, "blue": blue, "red": red, "deals": len(cell.deals)}
    row["trips"] = int(cell.total("blues"))
    for name in (*FIGURES, *LESS):
        found = cell.figure(name)
        row |= {name: found and found.value, f"{name}_lo": found and found.low, f"{name}_hi": found and found.high}
    row["success_wilson_lo"], row["success_wilson_hi"] = _wilson(cell.total("arrived"), cell.total("blues"))
    muted = cells.get(("mute", blue, red))
    if muted is not None and group in ("cross", "scripted"):
        row |= _difference("causal_susceptibility", cell, muted, FIGURES["susceptibility"])
    return row


def _difference(name: str, cell: Cell, less: Cell, figure: tuple[str, str]) -> dict[str, Any]:
    """One cell less another on their common deals."""
    deals = sorted(cell.deals.keys() & less.deals.keys())
    found = paired(cell.pairs(*figure, deals), less.pairs(*figure, deals)) if deals else None
    value, low, high, p = found or (None, None, None, None)
    return {name: value, f"{name}_lo": low, f"{name}_hi": high, f"{name}_p": p, f"{name}_deals": len(deals)}


def _differences(cells: Mapping[Key, Cell]) -> list[dict[str, Any]]:
    """Every policy of a side less k0, and less the one before it, against each opponent of each group."""
    found: list[dict[str, Any]] = []
    for place, side in ((1, "blue"), (2, "red")):
        families: dict[tuple[str, str], list[Key]] = defaultdict(list)
        for key in sorted(cells):
            if key[place].startswith("league/"):
                families[key[0], key[3 - place]].append(key)
        for keys in families.values():
            keys.sort(key=lambda key: _iteration(key[place]))
            earlier = list(zip(keys[2:], keys[1:], strict=False))
            for figure in COMPARED[side]:
                for less, pairs in (("k0", [(key, keys[0]) for key in keys[1:]]), ("the one before", earlier)):
                    found += _corrected([_compare(figure, side, less, cells, key, base) for key, base in pairs])
    return found


def _compare(figure: str, side: str, less: str, cells: Mapping[Key, Cell], key: Key, base: Key) -> dict[str, Any]:
    policy, against = (key[1], key[2]) if side == "blue" else (key[2], key[1])
    facts = {"group": key[0], "side": side, "figure": figure, "policy": policy, "against": against, "less": less}
    return facts | _difference("difference", cells[key], cells[base], FIGURES[figure])


def _corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With Holm's correction over the k, and a verdict by rule."""
    known = [row for row in rows if row["difference_p"] is not None]
    for row, p in zip(known, holm([row["difference_p"] for row in known]), strict=True):
        row["p_holm"] = p
        row["verdict"] = "no detectable change" if p >= LEVEL else "higher" if row["difference"] > 0 else "lower"
    return known


def _iteration(name: str) -> int:
    return int(name.rpartition("-k")[2])


def _wilson(hits: float, n: float) -> tuple[float, float]:
    z = 1.959964
    share, centre = hits / n, hits / n + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


# --- files -----------------------------------------------------------------------------------------------------------


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


def _run_facts(run: Path) -> dict[str, Any]:
    from arena.leaderboards.runs import facts
    from arena.store.reader import Reader

    with Reader(run) as reader:
        query = "SELECT COUNT(*), SUM(tokens_in), SUM(tokens_out) FROM calls"
        calls, read, written = reader.db.execute(query).fetchone()
    return facts(run) | {"calls": calls, "prompt_tokens": read, "completion_tokens": written}


def _training(run: Path, league: Path) -> dict[str, Any]:
    """What every policy is and what it was trained on."""
    config = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
    kept = {
        key: config[key]
        for key in ("algorithm", "game", "model", "seed", "recipe", "lr", "steps", "matches", "reference")
    }
    policy = {
        folder.name: tomllib.loads((folder / "policy.toml").read_text(encoding="utf-8"))
        for folder in sorted(league.glob(f"{run.name}-*"))
    }
    rows = {
        f"{path.parent.parent.name}/{path.parent.name}": json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(run.glob("iter_*/*/dataset.json"))
    }
    return {"settings": {key: config[key] for key in kept}, "policies": policy, "datasets": rows}


# --- shown -----------------------------------------------------------------------------------------------------------


def _markdown(group: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["", f"**{group}**, {rows[0]['deals']} deals a cell", "", f"| Blue | Red | {' | '.join(PRINTED)} |"]
    lines.append("|---" * (2 + len(PRINTED)) + "|")
    for row in rows:
        shown = (_shown(row[name], row[f"{name}_lo"], row[f"{name}_hi"]) for name in PRINTED)
        lines.append(f"| {_short(row['blue'])} | {_short(row['red'])} | {' | '.join(shown)} |")
    return lines


def _compared(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["", "| group | policy | less | against | figure | difference | p (Holm) | deals | |", "|---" * 9 + "|"]
    for row in rows:
        value = _shown(row["difference"], row["difference_lo"], row["difference_hi"], "+")
        words = (row["group"], _short(row["policy"]), row["less"], _short(row["against"]), row["figure"], value)
        lines.append(f"| {' | '.join(words)} | {row['p_holm']:.3f} | {row['difference_deals']} | {row['verdict']} |")
    return lines


def _shown(value: float | None, low: float | None, high: float | None, sign: str = "") -> str:
    return "–" if value is None or low is None or high is None else f"{value:{sign}.2f} ({low:.2f} to {high:.2f})"


def _short(name: str) -> str:
    return name.rpartition("/")[2].removeprefix("nyc-")


# --- pictures --------------------------------------------------------------------------------------------------------


def _plane(cells: Mapping[Key, Cell]) -> str:
    """Resistance to harmful tips across, success up, of every Blue against the Red of its iteration."""
    points = []
    for (group, blue, red), cell in sorted(cells.items()):
        if group == "cross" and _iteration(blue) == _iteration(red):
            points.append((f"k{_iteration(blue)}", cell.figure("susceptibility"), cell.figure("success")))
    svg = Svg(560, 430, "Success against resistance to harmful tips, by iteration")
    left, right, top, bottom = 70.0, 540.0, 20.0, 370.0

    def x(share: float) -> float:
        return left + share * (right - left)

    def y(share: float) -> float:
        return bottom - share * (bottom - top)

    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        svg.line(x(tick), top, x(tick), bottom, "grid")
        svg.line(left, y(tick), right, y(tick), "grid")
        svg.text(x(tick), bottom + 18, f"{tick:g}", anchor="middle")
        svg.text(left - 8, y(tick) + 4, f"{tick:g}", anchor="end")
    svg.text((left + right) / 2, bottom + 42, "1 - susceptibility (harmful Red tips not followed)", anchor="middle")
    svg.text(left, top - 6, "task success")
    for i, (label, hit, success) in enumerate(points):
        if hit is None or success is None:
            continue
        across, up = x(1 - hit.value), y(success.value)
        svg.interval(x(1 - hit.high), x(1 - hit.low), up, i)
        svg.add("path", "bar", d=f"M{across:.2f} {y(success.low):.2f}V{y(success.high):.2f}")
        svg.marker(across, up, i, title=f"{label}: {1 - hit.value:.3f}, {success.value:.3f}")
        svg.text(across + 8, up - 8, label, "value")
    return _styled(svg)


def _matrix(cells: Mapping[Key, Cell]) -> str:
    """Task success of every Blue policy against every Red, the scripted Reds beside the policies."""
    shown = {(blue, red): cell for (group, blue, red), cell in cells.items()
             if group in ("cross", "scripted") and blue.startswith("league/")}  # fmt: skip
    blues = sorted({blue for blue, _ in shown}, key=_iteration)
    reds = sorted({red for _, red in shown}, key=lambda red: (red.startswith("bot/"), red))
    wide, high, left, top = 96.0, 48.0, 120.0, 60.0
    svg = Svg(left + wide * len(reds) + 20, top + high * len(blues) + 20, "Task success, Blue down, Red across")
    svg.text(10, 20, "task success; Blue down, Red across", "value")
    for j, red in enumerate(reds):
        svg.text(left + wide * (j + 0.5), top - 10, _short(red), anchor="middle", width=wide)
    for i, blue in enumerate(blues):
        svg.text(left - 8, top + high * (i + 0.5) + 4, _short(blue), anchor="end", width=left - 12)
        for j, red in enumerate(reds):
            found = shown[blue, red].figure("success") if (blue, red) in shown else None
            if found is not None:
                shade = [round(250 - share * found.value) for share in (230, 150, 70)]
                across, down = left + wide * j, top + high * i
                svg.add(
                    "rect",
                    x=across,
                    y=down,
                    width=wide - 2,
                    height=high - 2,
                    fill=f"rgb({shade[0]},{shade[1]},{shade[2]})",
                )
                ink = "dark" if found.value > 0.5 else "value"
                svg.text(across + wide / 2, down + 20, f"{found.value:.3f}", ink, "middle")
                svg.text(across + wide / 2, down + 36, f"{found.low:.2f} to {found.high:.2f}", ink, "middle")
    return _styled(svg)


def _styled(svg: Svg) -> str:
    return (
        svg.render().replace(
            'class="chart">', f'class="chart">{STYLE}<rect width="100%" height="100%" fill="#fff"/>', 1
        )
        + "\n"
    )
