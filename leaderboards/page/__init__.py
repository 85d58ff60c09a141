"""The page of a board: one self-contained HTML file, readable without JavaScript, equal bytes for equal boards.

Everything that somebody else wrote goes through autoescape (or `Svg`, which escapes) and has its invisible characters
removed. One script and one style, both named by hash in the content security policy; no script is made from data.
"""

from __future__ import annotations

import math
import shlex
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pandas import DataFrame

from arena.core.text import one_line
from arena.leaderboards import behaviour, columns, csvfile, matches
from arena.leaderboards.columns import SEVERAL
from arena.leaderboards.page import charts, legend, matrix, standing
from arena.leaderboards.page.charts import Chart, Row, Series, known
from arena.leaderboards.page.standing import View

HERE = Path(__file__).parent
MOST_PANELS = 12


def render(name: str, table: DataFrame, meta: dict[str, Any], played: DataFrame) -> str:
    """The page of a board under the title `name`; `played` are its finished matches."""
    rows = _rows(table)
    agents = sorted(str(row["agent"]) for row in rows)
    colours = {agent: i for i, agent in enumerate(agents)}
    style, script = _asset("board.css"), _asset("board.js")
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"cell": show, "plain": one_line, "brief": brief}
    return environment.get_template("board.html.j2").render(
        name=name,
        meta=meta,
        rows=rows,
        standings=standing.whole(rows, meta, played, colours),
        games=list(standing.games(meta, played, colours)),
        columns=list(map(str, table.columns)),
        legend=[(name, text) for name, text in legend.meanings(map(str, table.columns), meta["match_figures"])],
        charts=draw(table, meta, played),
        views=list(_views(table, meta, played)),
        again=_again(name, meta["settings"]),
        policy=f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        style=Markup(style),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704  our own file
    )


def _again(name: str, settings: dict[str, Any]) -> str:
    """The command that makes the board from its match file; the match file lies beside the page."""
    words = ["arena", "leaderboard", f"{name}/matches.jsonl", "--method", ",".join(settings["methods"])]
    words += ["--seed", str(settings["seed"]), "--bootstrap", str(settings["bootstrap"])]
    words += ["--min-matches", str(settings["min_matches"])]
    words += ["--anchor", settings["anchor"]] if settings["anchor"] is not None else []
    return shlex.join([*words, "--out", f"{name}-again"])


def plots(table: DataFrame, meta: dict[str, Any], played: DataFrame) -> dict[str, str]:
    """The charts as SVG files of their own, by key."""
    style = f"<style>{_asset('board.css')}</style>"
    return {
        chart.key: chart.svg.replace('class="chart">', f'class="chart">{style}', 1)
        for chart in draw(table, meta, played)
    }


def _asset(file: str) -> str:
    return (HERE / file).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def show(value: Any) -> str:
    """A value as the page writes it: numbers as in the CSV, text without invisible characters, unknown as nothing."""
    return one_line(value) if isinstance(value, str) else csvfile.cell(value)


def brief(value: Any) -> str:
    """A number with as many digits as a reader takes in; the whole one is in the table of all columns."""
    return f"{value:.4g}" if known(value) and isinstance(value, float) and abs(value) < 1e4 else show(value)


def _rows(table: DataFrame) -> list[Row]:
    records = table.to_dict("records")
    return [{str(k): v.item() if isinstance(v, np.generic) else v for k, v in row.items()} for row in records]


# --- charts ---------------------------------------------------------------------------------------------------------


def draw(table: DataFrame, meta: dict[str, Any], played: DataFrame) -> list[Chart]:
    """The charts that the board has numbers for."""
    rows = _rows(table)
    agents = [str(row["agent"]) for row in rows]
    colours = {agent: i for i, agent in enumerate(sorted(agents))}
    alpha = meta["methods"].get("alpharank", {})
    on_scale = "95 % intervals, on the scale of the overall rating."
    by_deal = "Means with 1.96 standard errors over deals."
    one_ladder = [row for name, own in standing.by_pool(rows) for row in own if name in ("", SEVERAL)]
    contests = played[matches.is_contest(played)]
    found = [
        charts.ratings(standing.ladders(rows, meta), colours),
        None if meta["games"] or contests.empty else matrix.wins(agents, matrix.win_matrix(contests)),
        charts.response(alpha.get("graph"), bool(alpha.get("alpharank_headline")), agents),
        charts.cost(one_ladder, colours),
        charts.panels("roles", "Ratings by role", list(_role_series(rows)), on_scale, colours),
        charts.panels("behaviour", "Behaviour", list(_metric_series(rows, meta)), by_deal, colours),
        charts.learning(rows, colours),
    ]
    return [chart for chart in found if chart is not None]


def _role_series(rows: list[Row]) -> Iterator[Series]:
    for role in columns.roles(rows[0]):
        keys = [f"rating_{role}{end}" for end in ("", "_lo", "_hi")]
        yield Series(role, [(str(r["agent"]), r[keys[0]], r[keys[1]], r[keys[2]]) for r in rows if known(r[keys[0]])])


def _metric_series(rows: list[Row], meta: dict[str, Any]) -> Iterator[Series]:
    """Figures of agents that vary, the first dozen in alphabetical order; the rest is in the table, as are the figures
    of whole matches, which tell agents apart by the company they kept."""
    names = [c for c in rows[0] if f"{c}_sem" in rows[0] and c not in meta["match_figures"]]
    if meta["games"] or meta["no_contest"]:  # figures in several units
        names = [c for c in names if c != "payoff" and not c.startswith("win_rate")]
    varied = [c for c in names if len({r[c] for r in rows if known(r[c])}) > 1]
    for name in varied[:MOST_PANELS]:
        points = []
        for row in rows:
            if known(row[name]):
                half = 1.96 * row[f"{name}_sem"] if known(row[f"{name}_sem"]) else math.nan
                points.append((str(row["agent"]), row[name], row[name] - half, row[name] + half))
        yield Series(name.replace("_", " "), points)


# --- views ----------------------------------------------------------------------------------------------------------


def _views(table: DataFrame, meta: dict[str, Any], played: DataFrame) -> Iterator[View]:
    rows = _rows(table)
    for name, found in meta["methods"].items():
        view = _method_view(name, found, rows)
        if view is not None:
            yield view
    if matches.has_roles(played):
        yield from _role_views(rows, meta, played)
    if not meta["games"]:
        yield from standing.sides(played)


OWN_COLUMNS = {
    "elo": ["elo"],
    "alpharank": ["alpharank_mass", "alpharank_lo", "alpharank_hi", "p_in_sink"],
    "nash": ["nash_mass", "nash_lo", "nash_hi"],
}


def _method_view(name: str, found: dict[str, Any], rows: list[Row]) -> View | None:
    """What a method says that is not the headline; best first."""
    heads, body = ["agent", "rating", "rating_lo", "rating_hi"], []
    if "ratings" in found:
        body = [[agent, one["rating"], one["lo"], one["hi"]] for agent, one in found["ratings"].items()]
        if any("pool" in one for one in found["ratings"].values()):
            heads = ["agent", "pool", *heads[1:]]
            body = [[row[0], found["ratings"][row[0]]["pool"] + 1, *row[1:]] for row in body]
        by = heads.index("rating")
    elif name in OWN_COLUMNS:
        heads = ["agent", *(c for c in OWN_COLUMNS[name] if c in rows[0])]
        body = [[row[c] for c in heads] for row in rows]
        ranked = found.get("alpharank_headline", True) or "p_in_sink" not in heads
        by = 1 if ranked else heads.index("p_in_sink")
    else:
        return None
    body.sort(key=lambda row: -row[by] if known(row[by]) else math.inf)
    return View(f"method-{name}", f"method: {name}", heads, body)


def _role_views(rows: list[Row], meta: dict[str, Any], played: DataFrame) -> Iterator[View]:
    found = behaviour.table(played)
    idle = set(played["role"][~matches.is_contest(played)])
    won = ["win_rate", "win_rate_sem", "win_rate_n"]
    figures = ["payoff", "illegal_rate"]
    figures += [c + end for c in behaviour.game_metrics(played) if c in found for end in ("", "_sem", "_n")]
    rated = {str(row["agent"]): row for row in rows}
    for role in sorted(set(found["role"]) - {""}):
        own = [c for c in columns.role_columns([role]) if c in rows[0]]
        heads = [*([] if role in idle else won), *figures]
        body = [
            [row["agent"], *(rated[row["agent"]][c] for c in own), *(row[h] for h in heads)]
            for row in found[found["role"] == role].to_dict("records")
        ]
        body.sort(key=lambda row: -row[1] if known(row[1]) else math.inf)
        yield View(f"role-{role}", f"role: {role}", ["agent", *own, *heads], body)
