"""The standings of a page: one table for each set of agents whose ratings compare, and one for each game."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup
from pandas import DataFrame

from arena.leaderboards import behaviour, cells, contest, matches, matchfile, plain
from arena.leaderboards.columns import SEVERAL
from arena.leaderboards.page import charts, matrix
from arena.leaderboards.page.charts import Chart, Ladder, Row, known
from arena.leaderboards.page.svg import Svg

# What stands in the standings of a whole board beside the rating, and what the reader sees above it.
SHOWN = {
    "n_matches": "matches",
    "win_rate": "win rate",
    "payoff": "payoff",
    "illegal_rate": "illegal rate",
    "rating_clean": "rating without fallbacks",
    "cost_usd_per_match": "cost per match, $",
    "tokens_in_per_match": "tokens in",
    "tokens_out_per_match": "tokens out",
}


class Cell(NamedTuple):
    """A value, and how sure it is: a half width, or a lower and an upper end."""

    value: Any
    low: float | None = None
    high: float | None = None


class Line(NamedTuple):
    """One agent: its rating columns as a row, the drawing of its interval, and the further cells."""

    agent: str
    row: Row
    bar: Markup | str
    provisional: bool
    cells: list[Cell]


class Standing(NamedTuple):
    """A table of agents; `rated`: with ratings."""

    title: str
    heads: list[str]
    lines: list[Line]
    rated: bool


class View(NamedTuple):
    """A plain table that the reader can open or choose."""

    key: str
    title: str
    columns: list[str]
    rows: list[list[Any]]


class Game(NamedTuple):
    """One set-up by itself."""

    key: str
    title: str
    note: str
    standing: Standing
    tables: list[View]
    charts: list[Chart]


def whole(
    rows: Sequence[Row], meta: Mapping[str, Any], played: DataFrame, colours: Mapping[str, int]
) -> list[Standing]:
    """The standings of the board: one, or one for each pool of agents; of several games those who played several."""
    heads = {key: label for key, label in SHOWN.items() if any(key in row for row in rows[:1])}
    deals, only = _deals(played, heads), contest.apart(played)
    found = []
    for name, pool in by_pool(rows):
        own = [row for row in pool if not only.get(str(row["agent"]))]
        if not own:
            continue
        rated = any(known(row.get("rating")) for row in own)
        bars = _bars(own, colours)
        lines = [
            Line(str(row["agent"]), row, bars.get(str(row["agent"]), ""), bool(row["provisional"]),
                 [_cell(row, key, deals) for key in heads])
            for row in own
        ]  # fmt: skip
        found.append(Standing(name, list(heads.values()), lines, rated))
    return found


def by_pool(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """The rows pool by pool, in their order; one pool has no name."""
    pools: dict[str, list[Row]] = {}
    for row in rows:
        pools.setdefault(str(row.get("pool") or ""), []).append(row)
    return list(pools.items())


def ladders(rows: Sequence[Row], meta: Mapping[str, Any]) -> list[Ladder]:
    """What the chart of ratings draws: each pool, or each set-up with everybody who played there."""
    if not meta["games"]:
        return [Ladder(name, own) for name, own in by_pool(rows)]
    found = [Ladder(name, own) for name, own in by_pool(rows) if name == SEVERAL]
    for setup, game in meta["games"].items():
        own = [{"agent": agent, **told} for agent, told in game.get("agents", {}).items()]
        for name, part in by_pool(own):
            found.append(Ladder(f"{setup}: {name}" if name else setup, part))
    return found


def _deals(played: DataFrame, heads: Iterable[str]) -> dict[tuple[str, str], int]:
    """By agent and column in how many deals it has a value: a win rate only in contests."""
    counted = behaviour.table(played)
    counted = counted[counted["role"] == ""]
    there = [key for key in heads if f"{key}_n" in counted]
    return {(row["agent"], key): int(row[f"{key}_n"]) for row in counted.to_dict("records") for key in there}


def _cell(row: Row, key: str, deals: Mapping[tuple[str, str], int]) -> Cell:
    value, error = row.get(key), row.get(f"{key}_sem")
    if not known(value) or not known(error):
        return Cell(value)
    n = deals[row["agent"], key]
    if key == "win_rate":
        return _share(row[key], row[f"{key}_sem"], n)
    half = plain.t_quantile(max(n - 1, 1)) * float(row[f"{key}_sem"])
    return Cell(value, row[key] - half, row[key] + half)


def _share(value: float, error: float, deals: int) -> Cell:
    low, high = plain.share_interval(value, error, deals)
    return Cell(value, low, high)


def _bars(rows: Sequence[Row], colours: Mapping[str, int]) -> dict[str, Markup]:
    """The interval of each agent as a small drawing inside the table."""
    rated = [row for row in rows if known(row.get("rating_lo")) and known(row.get("rating_hi"))]
    if not rated:
        return {}
    low, high = min(row["rating_lo"] for row in rated), max(row["rating_hi"] for row in rated)
    bars = {}
    for row in rated:
        svg = Svg(120, 16, f"{row['rating_lo']:.0f} to {row['rating_hi']:.0f}")
        scale = charts.Scale(low, high, 6, 114)
        svg.line(0, 8, 120, 8, "grid")
        svg.interval(scale(row["rating_lo"]), scale(row["rating_hi"]), 8, colours[str(row["agent"])])
        svg.marker(scale(row["rating"]), 8, colours[str(row["agent"])], 4)
        bars[str(row["agent"])] = Markup(svg.render())  # noqa: S704  Svg escapes what it is given
    return bars


# --- game by game ---------------------------------------------------------------------------------------------------


def games(meta: Mapping[str, Any], played: DataFrame, colours: Mapping[str, int]) -> Iterator[Game]:
    """Every set-up of a board of several."""
    setup = matches.setup_names(played)
    for name in sorted(setup.unique()) if setup.nunique() > 1 else []:
        own = played[(setup == name).to_numpy()].reset_index(drop=True)
        own = own[[c for c in own if c in matchfile.NOT_METRICS or own[c].notna().any()]]  # its own figures only
        found, why = meta["games"].get(name, {}), meta["no_contest"].get(name, "")
        counted = plain.rows_of(_records(own))
        told = found.get("agents", {})
        bars = _bars([{"agent": agent, **one} for agent, one in told.items()], colours)
        heads, paid = _results(counted, own, bool(why))
        lines = [_line(row, told.get(row["agent"], {}), bars, meta, paid[row["agent"]]) for row in counted]
        lines.sort(key=lambda line: (str(line.row.get("pool", "")), line.row["rank"] or len(lines)))
        heads = ["matches", *heads, "illegal answers in 100 turns"]
        note = f"No contest, so no rating: {why}." if why else _how(name, found, meta)
        standing = Standing("Agents by rank" if told else "Agents", heads, lines, bool(told))
        drawn = None if why else matrix.wins([line.agent for line in lines], matrix.win_matrix(own))
        yield Game(f"game-{name}", name, note, standing, [*sides(own), *_figures(own, meta)], [drawn] if drawn else [])


def _results(counted: Sequence[Row], own: DataFrame, idle: bool) -> tuple[list[str], dict[str, list[Cell]]]:
    """What every agent got, and the headings: win rate and payoff; of what is no contest the payoff on each side."""
    if not idle:
        names = ("win_rate", "payoff")
        cells_of = {row["agent"]: [Cell(*(row[f"{n}{end}"] for end in ("", "_lo", "_hi"))) for n in names]
                    for row in counted}  # fmt: skip
        return ["win rate", "payoff"], cells_of
    found = {(r.agent, r.side): r.payoff for r in cells.by_role(matchfile.objects(_records(own))) if not r.role}
    held = sorted({side for _, side in found})
    none = cells.Mean(None, None, None, 0)
    by_side = {row["agent"]: [found.get((row["agent"], side), none) for side in held] for row in counted}
    paid = {agent: [Cell(one.value, one.low, one.high) for one in means] for agent, means in by_side.items()}
    return [f"payoff as {side}" for side in held], paid


def _line(row: Row, told: Row, bars: Mapping[str, Markup], meta: Mapping[str, Any], got: list[Cell]) -> Line:
    shown = [Cell(row["n_matches"]), *got, Cell(row["illegal_per_100_turns"])]
    few = row["n_matches"] < meta["settings"]["min_matches"]
    told = dict.fromkeys(("rank", "rank_lb", "rank_ub", "rating", "rating_lo", "rating_hi")) | told
    return Line(row["agent"], told, bars.get(row["agent"], ""), few, shown)


def _how(name: str, found: Mapping[str, Any], meta: Mapping[str, Any]) -> str:
    """How the ratings of a set-up came about, and what they do not say."""
    if "agents" not in found:
        return f"No rating: {found.get('why', 'no method here rates one game')}."
    text = f"Rated by {found['method']} on the matches of this game alone; {_measure(found['agents'], meta)}."
    if found.get("undetermined"):
        text += " Agents kept their places: what a place is worth is in their ratings."
    if found.get("reason") in ("ford", "separation"):
        text += " Somebody never won or never lost: the ratings rest on a prior of 3 nats."
    if name in meta["open_sums"]:
        text += " Payoffs do not add up to a constant here: being ahead and being paid well are two things."
    return text


def _measure(agents: Mapping[str, Row], meta: Mapping[str, Any]) -> str:
    """What is 1500 among the agents of a set-up."""
    anchor, pools = meta["settings"]["anchor"], {str(one.get("pool", "")) for one in agents.values()}
    mean = "their mean is 1500" if len(pools) < 2 else "the mean of each pool is 1500"
    if anchor not in agents:
        return mean
    return f"{anchor} is set to 1500" if len(pools) < 2 else f"{anchor} is set to 1500 in its pool, elsewhere {mean}"


def _figures(own: DataFrame, meta: Mapping[str, Any]) -> Iterator[View]:
    """The game's own figures, of the agents and of their matches."""
    found = behaviour.table(own)
    found = found[found["role"] == ""]
    of_matches = set(behaviour.of_matches(own))
    for key, title, wanted in (("own", "figures of the agents", False), ("match", "figures of their matches", True)):
        names = [c for c in behaviour.game_metrics(own) if c in found and (c in of_matches) is wanted]
        names = [c for c in names if found[c].notna().any()]
        if names:
            heads = [c + end for c in names for end in ("", "_sem")]
            rows = [[row["agent"], *(row[h] for h in heads)] for row in found.to_dict("records")]
            yield View(key, title, ["agent", *heads], rows)


def _records(own: DataFrame) -> list[Row]:
    """The rows without the figures of the game."""
    return matches.records(own[[c for c in own if c in matchfile.NOT_METRICS]])


def sides(own: DataFrame) -> Iterator[View]:
    """Payoffs by side and role, and of every agent of one side against every agent of the other."""
    if not matches.has_roles(own):
        return
    objects = list(matchfile.objects(_records(own)))
    roles = cells.by_role(objects)
    if roles:
        rows = [[r.agent, r.side, r.role, *r.payoff] for r in roles]
        yield View(
            "roles", "payoff by side and role", ["agent", "side", "role", "payoff", "low", "high", "matches"], rows
        )
    for grid in cells.grids(cells.gather(objects)):
        first, second = grid.sides
        title = f"{grid.what}, with its 95 % interval (matches): {first} down, {second} across"
        body = [[row, *(_met(grid.cells.get((row, column))) for column in grid.columns)] for row in grid.rows]
        yield View(f"cross-{grid.what}", title, [first, *grid.columns], body)


def _met(mean: cells.Mean | None) -> str:
    if mean is None or mean.value is None:
        return ""
    half = "" if mean.low is None or mean.high is None else f" ± {(mean.high - mean.low) / 2:.3f}"
    return f"{mean.value:.3f}{half} ({mean.matches})"
