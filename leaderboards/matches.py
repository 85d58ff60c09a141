"""The match table: one row a seat of a match. Reads it, checks it, fills its defaults, and turns it into pairs.

`read` returns what the file says. `checked` is the table every method works on: defaults filled, rows in a canonical
order (match, seat), so that the order of lines or seats in a file changes no result. `played` keeps finished matches.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from arena.core.errors import UsageError
from arena.leaderboards import csvfile, matchfile, runs
from arena.leaderboards.arrays import Ints
from arena.leaderboards.matchfile import TURNS

TEXT = ("match_id", "deal_id", "game", "preset", "config_sha256", "seat", "role", "team", "agent", "model", "revision",
        "status", "started_at")  # fmt: skip
AMOUNTS = ("tokens_in", "tokens_out", "cost_usd", "seconds")
STATUSES = ("done", "void", "failed")
SETUP = ["game", "preset", "config_sha256"]
PER_MATCH = (*SETUP, "deal_id", "status")
FALLBACKS = ("illegal", "refused", "truncated", "timeout")


# --- reading --------------------------------------------------------------------------------------------------------


def read(path_or_run: str | Path, *more: str | Path, figures: bool = True) -> DataFrame:
    """The match table of a match file (.jsonl), a table in CSV, a run folder or a folder with an exported match file.

    Several make one table, matches of a later one later in `order`. What the board beside a match file says of its runs
    (`attrs["facts"]`) goes with it, and where that was said (`attrs["facts_from"]`). `figures`: with the metrics of the
    games, for which the matches of a run are replayed.
    """
    paths = [Path(path) for path in (path_or_run, *more)]
    if any(path.suffix == ".csv" for path in paths):
        if more:
            raise UsageError("a match table in CSV is read by itself; give match files or run folders to join them")
        return _from_csv(paths[0])
    runs.refuse_overlaps(paths)
    parts = [_match_objects(path, figures) for path in paths]
    objects, content = parts[0] if not more else _joined([objects for objects, _ in parts])
    if not objects:
        raise UsageError(f"{', '.join(map(str, paths))}: there is no match in it")
    table = DataFrame.from_records(list(matchfile.seat_rows(objects)))
    table.attrs["matches_jsonl"] = content
    table.attrs["matches_of"] = fingerprint(table)
    facts = [runs.facts(path) if runs.is_run(path) else runs.published_facts(path) for path in paths]
    table.attrs["facts"] = runs.joined([one for one in facts if one])
    told = [path for path, one in zip(paths, facts, strict=True) if one and not runs.is_run(path)]
    table.attrs["facts_from"] = [str(runs.match_file(path).with_name("meta.json")) for path in told]
    return table


def _match_objects(path: Path, figures: bool) -> tuple[list[dict[str, Any]], bytes]:
    """The matches of a path and the bytes of their match file."""
    if runs.is_run(path):
        objects = runs.match_objects(path, figures)
        return [o for o in objects if not o.get("superseded")], matchfile.to_lines(objects)
    return runs.parsed(path)


def _joined(parts: list[list[dict[str, Any]]]) -> tuple[list[dict[str, Any]], bytes]:
    """The matches of several files, one file after the other in `order`."""
    start, joined = 0, []
    for objects in parts:
        placed = [{**match, "order": start + match.get("order", i)} for i, match in enumerate(objects)]
        start = max((match["order"] for match in placed), default=start - 1) + 1
        joined += placed
    return joined, matchfile.to_lines(joined)


def _from_csv(path: Path) -> DataFrame:
    if not path.is_file():
        raise UsageError(f"{path}: there is no such match table")
    try:
        rows = csvfile.read(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is no match table: {error}") from error
    table = DataFrame(rows, dtype=object).replace("", None)
    for column in [c for c in table.columns if c not in TEXT]:
        values = table[column].replace({"true": True, "false": False})
        numbers = pd.to_numeric(values, errors="coerce")
        table[column] = numbers if numbers.notna().equals(values.notna()) else values
    return table


def fingerprint(table: DataFrame) -> str:
    """Changes when a value, a row or a column of the table changes."""
    rows = pd.util.hash_pandas_object(table, index=False).to_numpy()
    return sha256(repr(list(table.columns)).encode() + rows.tobytes()).hexdigest()


# --- checking -------------------------------------------------------------------------------------------------------


class Checked(DataFrame):
    """A table that `checked` made, which need not be checked again. Nothing changes it in place; whatever is made of it
    is a plain one."""


def played(table: DataFrame) -> DataFrame:
    """The finished matches of a match table, checked; at least two agents must be in them."""
    done = finished(table)
    need_two(done["agent"].unique())
    return done


def finished(table: DataFrame) -> DataFrame:
    """The same, of any number of agents: for counting."""
    every = checked(table)
    ended = (every["status"] == "done").to_numpy()
    done = every if ended.all() else Checked(every[ended].reset_index(drop=True))
    if done.empty:
        counts = every.drop_duplicates("match_id")["status"].value_counts()
        raise UsageError(
            f"there is nothing to rate: no match is done ({', '.join(f'{n} {s}' for s, n in counts.items())})"
        )
    return done


def need_two(agents: Iterable[Any]) -> None:
    """Refuse a table of a single agent."""
    names = list(agents)
    if len(names) < 2:
        raise UsageError(f"agent: a rating needs at least two agents; the table holds {len(names)} ({names[0]!r})")


def checked(table: DataFrame) -> DataFrame:
    """The table with every default filled and every fault named; the input is not modified."""
    if isinstance(table, Checked):
        return table
    missing = [c for c in ("match_id", "agent") if c not in table]
    nothing_done = "status" in table and table["status"].isin(("void", "failed")).all()
    missing += [] if "rank" in table or "payoff" in table or nothing_done else ["rank"]
    if missing:
        raise UsageError(f"the match table has no column {', '.join(repr(c) for c in missing)}")
    if not len(table):
        raise UsageError("the match table is empty")
    out = DataFrame({c: _text(table, c) for c in TEXT})
    for column in ("match_id", "agent"):
        _refuse(out[column] == "", table, column, "is empty")
    out["deal_id"] = out["deal_id"].where(out["deal_id"] != "", out["match_id"])
    out["status"] = out["status"].where(out["status"] != "", "done")
    _refuse(~out["status"].isin(STATUSES), table, "status", f"must be one of {', '.join(STATUSES)}")
    out["seat"] = out["seat"].where(
        out["seat"] != "", "player_" + out.groupby("match_id", sort=False).cumcount().astype(str)
    )
    rest = table[list(table.columns.difference([*TEXT, "rank", "setup"], sort=False))].set_axis(out.index)
    out["setup"] = _setup_names(out)
    out = pd.concat([out, rest], axis=1)
    out["order"] = _order(table, out["match_id"])
    _numbers(out, table)
    out["rank"] = _ranks(out, table)
    out = out.sort_values(["match_id", "seat"], kind="stable", ignore_index=True)
    _consistent(out)
    _clean(out)
    if "contest" in out:
        _contests(out)
    return Checked(out)


def _text(table: DataFrame, column: str) -> Any:
    if column not in table:
        return np.full(len(table), "", dtype=object)
    values = table[column]
    if pd.api.types.infer_dtype(values, skipna=True) == "string":
        return values.astype(object).where(values.notna(), "").to_numpy()
    return np.array(["" if missing else str(v) for v, missing in zip(values, values.isna(), strict=True)], dtype=object)


def _refuse(bad: Any, table: DataFrame, column: str, problem: str) -> None:
    rows = np.flatnonzero(np.asarray(bad))
    if len(rows):
        raise UsageError(f"{column}: row {table.index[rows[0]]} {problem}")


def _order(table: DataFrame, match_id: pd.Series) -> Any:
    if "order" not in table:
        return pd.factorize(match_id)[0]
    order = pd.to_numeric(table["order"], errors="coerce").to_numpy(dtype=float)
    _refuse(table["order"].notna().to_numpy() & ~np.isfinite(order), table, "order", "is not a number")
    last = order[np.isfinite(order)].max(initial=-1)
    return np.where(np.isfinite(order), order, last + 1 + pd.factorize(match_id)[0]).astype(np.int64)


def _numbers(out: DataFrame, table: DataFrame) -> None:
    """Turn counts and amounts become floats (no count = 0, no amount = unknown); payoffs must be finite."""
    for column in (*TURNS, *AMOUNTS, "payoff"):
        if column not in out:
            continue
        numbers = pd.to_numeric(out[column], errors="coerce").to_numpy(dtype=float)
        if column == "payoff":
            done = (out["status"] == "done").to_numpy()
            _refuse(done & ~np.isfinite(numbers), table, "payoff", "is not a finite number")
        else:
            given = out[column].notna().to_numpy()
            _refuse(given & ~(numbers >= 0), table, column, "is not a number of at least 0")
        out[column] = np.nan_to_num(numbers) if column in TURNS else numbers


def _ranks(out: DataFrame, table: DataFrame) -> Any:
    """The given ranks; a match without a full set of them is ranked by the mean payoff of its teams."""
    done = (out["status"] == "done").to_numpy()
    ranks = np.full(len(out), np.nan)
    if "rank" in table:
        ranks = pd.to_numeric(table["rank"], errors="coerce").to_numpy(dtype=float)
        given = table["rank"].notna().to_numpy()
        _refuse(done & given & ~((ranks >= 1) & (ranks % 1 == 0)), table, "rank", "is not a whole number of at least 1")
    gaps = done & np.isnan(ranks)
    if gaps.any():
        if "payoff" not in out:
            _refuse(gaps, table, "rank", "is missing, and there is no payoff to rank by")
        whole = out["match_id"].isin(out["match_id"][gaps])
        seats = DataFrame({"match": out["match_id"], "team": team_codes(out), "payoff": out["payoff"]})
        mean = seats.groupby(["match", "team"], as_index=False).agg(payoff=("payoff", "mean")).round({"payoff": 12})
        mean["rank"] = mean.groupby("match")["payoff"].rank(method="min", ascending=False)
        default = seats.merge(mean[["match", "team", "rank"]], on=["match", "team"], how="left")["rank"]
        ranks = np.where(whole, default, ranks)
    return np.where(done, ranks, np.nan)


def team_codes(table: DataFrame) -> Ints:
    """A number for the team of each row, the same in every match; an empty team is the seat's own."""
    team, labels = pd.factorize(table["team"])
    seat = pd.factorize(table["seat"])[0]
    return np.where(table["team"] == "", len(labels) + seat, team).astype(np.intp)


def _consistent(out: DataFrame) -> None:
    """What must be one for a whole match is one; works on the sorted table, comparing neighbours."""
    match = out["match_id"].to_numpy()
    same = match[1:] == match[:-1]
    seat = out["seat"].to_numpy()
    twice = np.flatnonzero(same & (seat[1:] == seat[:-1]))
    if len(twice):
        raise UsageError(f"seat: match {match[twice[0]]} has {seat[twice[0]]} twice")
    for column in PER_MATCH:
        values = out[column].to_numpy()
        mixed = np.flatnonzero(same & (values[1:] != values[:-1]))
        if len(mixed):
            what = "setups" if column in SETUP else f"values of {column}"
            raise UsageError(f"{column}: match {match[mixed[0]]} has two {what}")
    done = out[out["status"] == "done"]
    by_team = done["rank"].groupby([done["match_id"], team_codes(done)])
    uneven = np.flatnonzero((by_team.transform("min") != done["rank"]).to_numpy())
    if len(uneven):
        row = done.iloc[uneven[0]]
        raise UsageError(f"rank: match {row['match_id']} gives two ranks to one team ({row['team']})")


def _clean(out: DataFrame) -> None:
    """`clean` as given, else from the turn counts of the whole match; left out where neither is there."""
    if "clean" in out:
        out["clean"] = out["clean"].map(lambda v: str(v).lower() in ("true", "1", "1.0"))
    elif any(c in out for c in FALLBACKS):
        fallbacks = out[[c for c in FALLBACKS if c in out]].sum(axis=1)
        out["clean"] = fallbacks.groupby(out["match_id"]).transform("sum") == 0


def _contests(out: DataFrame) -> None:
    """`contest` as given, true where nothing is said; a set-up is none as soon as one of its matches says so."""
    given = out["contest"]
    denied = ~given if given.dtype == bool else given.map(lambda v: str(v).lower() in ("false", "0", "0.0"))
    said = ~denied.to_numpy(dtype=bool)
    if said.all():
        out["contest"] = True
    else:
        out["contest"] = ~out["setup"].isin(set(out["setup"][~said])).to_numpy(dtype=bool)


def new_values(column: pd.Series) -> Any:
    """Where a row's value is another than that of the row before: in a checked table, where a match begins."""
    values = column.to_numpy()
    return np.r_[True, values[1:] != values[:-1]]


# --- derived --------------------------------------------------------------------------------------------------------


def has_roles(table: DataFrame) -> bool:
    """Whether any seat of the (checked) table has a role."""
    return bool((table["role"] != "").any())


def side_labels(table: DataFrame) -> pd.Series:
    """The side of each row: the team's label where the match has roles, or the role of a seat without a team; in a
    match without roles the seat."""
    seat = table["seat"] if "seat" in table else pd.Series("", table.index)
    in_roles = (table["role"] != "").groupby(table["match_id"]).transform("any")
    side = table["team"].where(table["team"] != "", table["role"].where(table["role"] != "", seat))
    return side.where(in_roles, seat)


def setup_names(table: DataFrame) -> pd.Series:
    """`game/preset` of each row of a checked table; where one such name held several configurations when the table was
    checked, void matches included, with the start of their hash."""
    return table["setup"] if "setup" in table else _setup_names(table)  # a pair table has no such column


def is_contest(table: DataFrame) -> Any:
    """Which rows of a checked table are of matches that somebody can win: all, unless a column says otherwise."""
    return table["contest"].to_numpy(dtype=bool) if "contest" in table else np.ones(len(table), dtype=bool)


def _setup_names(table: DataFrame) -> pd.Series:
    if all(len(table) and (table[column] == table[column].iloc[0]).all() for column in SETUP):  # much the usual case
        first = table.iloc[0]
        return pd.Series(f"{first['game']}/{first['preset']}".strip("/"), table.index, dtype="str")
    names = table["game"].str.cat(table["preset"], sep="/").str.strip("/")
    distinct = table[SETUP].assign(name=names).drop_duplicates()
    shared = distinct["name"][distinct["name"].duplicated()]
    return names.where(~names.isin(shared), names + "@" + table["config_sha256"].str[:8])


def pairs(table: DataFrame) -> DataFrame:
    """The pair table of a match table: every two teams of a match, weight 1/(T-1); teams must be single seats.

    A match of an agent against itself says nothing about strength and is left out.
    """
    from arena.leaderboards.fitting.teams import team_pairs, teams

    done = played(table)
    found = teams(done)
    if (found.size > 1).any():
        match = done["match_id"].iloc[found.seat[int((found.size > 1).argmax())]]
        raise UsageError(f"team: match {match} has a team of several seats; pairs needs single-seat teams")
    first, second, score, weight = team_pairs(found)
    a, b = done.iloc[found.seat[first]].reset_index(drop=True), done.iloc[found.seat[second]].reset_index(drop=True)
    out = DataFrame({"a": a["agent"], "b": b["agent"], "score": score, "weight": weight})
    for column in ("match_id", "deal_id", "order", *SETUP):
        out[column] = a[column]
    for column in ("seat", "role", "team"):
        out[f"a_{column}"], out[f"b_{column}"] = a[column], b[column]
    return out[out["a"] != out["b"]].reset_index(drop=True)


def records(table: DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as dicts of plain values, without what is unknown."""
    return [
        {str(k): v for k, v in row.items() if not (isinstance(v, float) and np.isnan(v)) and v is not None}
        for row in table.to_dict("records")
    ]
