"""Runs the methods of a board and puts its table and meta together."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas import DataFrame

from arena import __version__
from arena.core.errors import UsageError
from arena.leaderboards import columns, contest, matches
from arena.leaderboards import methods as registry
from arena.leaderboards.columns import CLEAN, COUNTS, RATING, RESERVED
from arena.leaderboards.rated import Rated
from arena.leaderboards.standings import FITTED, Standings, pool_names, standings
from arena.run.stopping import anytime_factor

AGREED_POLICY = "as each match's configuration declares (config_sha256); illegal answers count as played"

NOT_OWN = (*COUNTS, "theta", "provisional", "regularised", "pool")  # what a headline may say, the board says for it
POOLED = ("elo", "nash")  # which set every agent against every other


class Call(NamedTuple):
    """The arguments of `leaderboard`, and what the table says of the run that it comes from."""

    methods: tuple[str, ...]
    seed: int
    bootstrap: int
    min_matches: int
    anchor: str | None
    facts: dict[str, Any]
    agents: frozenset[str] = frozenset()

    def rate(self, name: str, table: DataFrame) -> Rated:
        """A method's answer. After a schedule that looks at results its intervals are widened to hold at any stopping
        time; `anytime` in the meta is the number of standard errors that they then reach."""
        anchored = self.anchor is not None and not (name in FITTED and self.anchor in self._elsewhere(table))
        options = {"anchor": self.anchor} if anchored else {}
        found: Rated = registry.find(name).rate(table, seed=self.seed, bootstrap=self.bootstrap, **options)
        if not _peeks(self.facts.get("schedule")) or "rating_se" not in found.table:
            return found
        deals, played = int(found.meta.get("n_clusters", 0)), int(found.meta.get("n_matches", 0))
        planned = max(int(self.facts.get("planned_matches") or 0), played)
        factor = anytime_factor(deals, planned * deals // max(played, 1))
        rating, error = found.table["rating"], found.table["rating_se"]
        table = found.table.assign(rating_lo=rating - factor * error, rating_hi=rating + factor * error)
        return Rated(table, found.meta | {"anytime": factor})

    def _elsewhere(self, table: DataFrame) -> frozenset[str]:
        """The agents of the board that are not in this part of it."""
        return self.agents - frozenset(table["agent"])


def board(every: DataFrame, done: DataFrame, call: Call, digest: str) -> tuple[DataFrame, dict[str, Any]]:
    """The table and the meta of a board over the checked table `every`, whose finished matches are `done`."""
    call = call._replace(agents=frozenset(done["agent"]))
    idle = contest.no_contest(done)
    contests = _contests(every)
    ran, skipped = _run(every, contests, idle, call)
    headline = _headline(ran, call)
    out = columns.facts(done, digest)
    rated = _contests(done)
    measured, names = columns.metrics(done, sorted(idle))
    for part in (measured, columns.counts(done, rated)):
        out = out.merge(part, on="agent", how="left", validate="one_to_one")
    top = Standings(DataFrame({"agent": []}), {})
    if headline is not None:
        top = standings(
            rated if headline in registry.RANKING else done, headline, ran[headline], call.rate, call.anchor
        )
        out = _with(out, top.table, [c for c in map(str, top.table) if c not in out])
    elif len(rated):
        named = pool_names(rated, contest.pools(rated))
        out["pool"] = out["agent"].map(named)
    own: list[str] = []
    for name, found in ran.items():
        table = found.table if name != "plain" else columns.honest(found.table, done)
        if name == headline:
            ours = (*columns.RANKS, *RATING, *columns.role_columns(columns.roles(table.columns)))
            table = table.drop(columns=[c for c in (*ours, *NOT_OWN) if c in table])
        if name not in FITTED:
            renamed, extra = _own_columns(name, table, out)
            own += extra
            out = _with(out, renamed, [c for c in map(str, renamed) if c not in out])
    if "composite" in ran:
        out, own = _with(out, ran["composite"].table, ["n_games"]), [*own, "n_games"]
    out = out.copy()  # a copy is one block again: many joins leave pandas with fragments
    out["pool"] = columns.pools(done, out.get("pool"))
    if out["pool"].nunique() > 1 and (headline is None or headline in FITTED):  # a stranger's rating is one list
        own = ["pool", *own]
    else:
        out = out.drop(columns="pool")
    out = _ranked(out, ran, headline)
    _finish(out, call, ran, headline)
    meta = _meta(every, done, call, ran, skipped, headline, digest)
    meta |= {"open_sums": contest.open_sums(done), "gauge": _gauge(call.anchor, "pool" in out)}
    meta |= {"games": top.games, "no_contest": idle, "pools": _members(out), "match_figures": names.of_matches}
    meta["warnings"] = _warnings(meta, ran[headline].meta if headline else {}, done)
    if headline in FITTED:
        out, meta["clean"] = _clean(out, rated, call, str(headline))
    order = columns.ordered(out.columns, names.metrics, own)
    return columns.by_rank(out)[order], meta


def _contests(table: DataFrame) -> DataFrame:
    """The matches that are contests, finished or not."""
    kept = matches.is_contest(table)
    return table if kept.all() else matches.Checked(table[kept].reset_index(drop=True))


def _run(
    every: DataFrame, contests: DataFrame, idle: dict[str, str], call: Call
) -> tuple[dict[str, Rated], dict[str, str]]:
    """The results of the methods asked for, and those that do not apply with the reason. One that counts wins where
    nobody wins is left out even if it was asked for; if nothing else is left, the board counts."""
    asked = [name for name in dict.fromkeys(call.methods) if name != "all"]
    wanted = asked + (
        [name for name in (*registry.RANKING, *sorted(registry.third_party())) if name not in asked]
        if "all" in call.methods
        else []
    )
    ran: dict[str, Rated] = {}
    skipped: dict[str, str] = {}
    for name in wanted:
        registry.find(name)
        if name in registry.RANKING and (why := _no_contest(name, contests, idle)):
            skipped[name] = why
            continue
        try:
            ran[name] = call.rate(name, contests if name in registry.RANKING else every)
        except UsageError as error:
            if name in asked:
                raise
            skipped[name] = str(error)
    if not ran and not idle and "all" in call.methods:
        raise UsageError("no rating method applies: " + "; ".join(f"{k}: {v}" for k, v in skipped.items()))
    if not ran:
        ran["plain"] = call.rate("plain", every)
    return ran, skipped


def _no_contest(name: str, contests: DataFrame, idle: dict[str, str]) -> str:
    """Why a method that counts wins says nothing of these matches; "" if it does."""
    finished = contests[contests["status"] == "done"]
    if idle and finished["agent"].nunique() < 2:
        return "; ".join(f"{setup}: {why}" for setup, why in sorted(idle.items()))
    if name in POOLED and len(pools := set(contest.pools(matches.played(contests)).values())) > 1:
        return f"one ladder would set agents against each other whom no match compares: they form {len(pools)} pools"
    return ""


def _is_rating(found: Rated) -> bool:
    return {"rating", "rating_lo", "rating_hi"} <= set(found.table.columns)


def _headline(ran: dict[str, Rated], call: Call) -> str | None:
    """The first method with ratings and intervals; under `all`, the composite when there are several games."""
    if "all" in call.methods and "composite" in ran and not set(call.methods) - {"all"}:
        return "composite"
    return next((name for name, found in ran.items() if _is_rating(found)), None)


def _with(out: DataFrame, table: DataFrame, chosen: list[str]) -> DataFrame:
    table = table.assign(agent=table["agent"].astype(str))
    new = [c for c in chosen if c != "agent"]
    return out.drop(columns=[c for c in new if c in out]).merge(table[["agent", *new]], on="agent", how="left")


def _own_columns(name: str, table: DataFrame, out: DataFrame) -> tuple[DataFrame, list[str]]:
    """A method's columns: those of this project under their names, a stranger's never under one of ours."""
    if name in registry.BUILT_IN:
        return table, [c for c in map(str, table) if c not in RESERVED and c not in out]
    clash = {c: f"{name}_{c}" for c in map(str, table) if c != "agent" and (c in RESERVED or c in out)}
    renamed = table.rename(columns=clash)
    return renamed, [c for c in map(str, renamed) if c != "agent"]


def _ranked(out: DataFrame, ran: dict[str, Rated], headline: str | None) -> DataFrame:
    """Ranks: the headline's own, else by rating, else by alpha-Rank or Nash mass; none where only counts are known."""
    if "rank" in out:
        return out
    by = "rating" if headline else ""
    if not headline and "alpharank" in ran:
        by = "alpharank_mass" if ran["alpharank"].meta["alpharank_headline"] else ""
    elif not headline and "nash" in ran:
        by = "nash_mass"
    rank = pd.Series(np.nan, index=out.index)
    if by:
        keyed = out.assign(**{by: out[by].round(6)})  # what differs by rounding only is equal on every machine
        ordered = keyed.sort_values([by, "agent"], ascending=[False, True], kind="stable")
        rank = ordered.groupby("pool" if "pool" in out else lambda _: "").cumcount() + 1.0
        rank = rank.where(ordered[by].notna())
    bounds = {c: np.nan for c in ("rank_lb", "rank_ub") if c not in out}
    return out.assign(rank=rank, **bounds)


def _finish(out: DataFrame, call: Call, ran: dict[str, Rated], headline: str | None) -> None:
    """The columns that say how the rating was made, and of whom little is known."""
    few = out["n_matches"] < call.min_matches
    if headline is None:
        out["method"] = next(iter(ran))
    else:
        few |= out["provisional"].fillna(False).astype(bool) | out["rating"].isna() | out["rating_lo"].isna()
    out["provisional"] = few.astype(bool)


def _members(out: DataFrame) -> dict[str, list[str]]:
    """The agents of each pool, where there are several."""
    return {str(name): sorted(rows["agent"]) for name, rows in out.groupby("pool")} if "pool" in out else {}


def _gauge(anchor: str | None, several: bool) -> str:
    """What stands at 1500."""
    mean = "mean strength of the agents" + (" of each pool" if several else "")
    if anchor is None:
        return f"{mean} at 1500"
    return f"{anchor} at 1500" + (f"; {mean} where it has no part" if several else "")


def _peeks(schedule: Any) -> bool:
    """Whether results decided what was played, or when to stop."""
    if isinstance(schedule, list):
        return any(map(_peeks, schedule))
    if not isinstance(schedule, dict):
        return str(schedule) == "adaptive"
    return schedule.get("kind") == "adaptive" or schedule.get("stop", "matches") != "matches"


def _clean(out: DataFrame, done: DataFrame, call: Call, headline: str) -> tuple[DataFrame, dict[str, Any]]:
    """The rating on matches without any fallback. It conditions on behaviour: shown beside, never instead."""
    empty = out.assign(**dict.fromkeys(CLEAN, np.nan))
    if "clean" not in done:
        return empty, {"matches": None, "why": "the matches do not say which had fallbacks"}
    kept = matches.Checked(done[done["clean"].astype(bool)].reset_index(drop=True))
    counts = kept.drop_duplicates(["match_id", "agent"])["agent"].value_counts()
    out = empty.assign(n_clean=out["agent"].map(counts).fillna(0).astype(int))
    told = {"matches": int(kept["match_id"].nunique()), "why": ""}
    if len(kept) == len(done):
        for column in CLEAN[:3]:
            out[column] = out[column.replace("_clean", "")]
        return out, told
    try:
        if kept.empty:
            raise UsageError("no match was without fallbacks")
        matches.need_two(kept["agent"].unique())
        if call.anchor is not None and call.anchor not in set(kept["agent"]):
            raise UsageError(f"the anchor {call.anchor!r} has no match without fallbacks")
        found = standings(kept, headline, call.rate(headline, kept), call.rate).table
    except (UsageError, LookupError) as error:
        return out, told | {"why": str(error)}
    before = dict(zip(out["agent"], out["pool"], strict=True)) if "pool" in out else {}
    then, now = found["agent"].map(lambda agent: before.get(agent, "")), found["pool"]
    same = (now.groupby(then).transform("nunique") == 1) & (then.groupby(now).transform("nunique") == 1)
    if not same.all():  # a difference to the mean of another pool would compare something else
        lost = ", ".join(sorted(found["agent"][~same]))
        told["why"] = (
            f"without the matches that had fallbacks these agents are compared with others than before: {lost}"
        )
    found = found.loc[same, ["agent", *RATING[:3]]]
    found = found.rename(columns={c: c.replace("rating", "rating_clean") for c in RATING[:3]})
    return _with(out, found, list(map(str, found))), told


def _meta(
    every: DataFrame,
    done: DataFrame,
    call: Call,
    ran: dict[str, Rated],
    skipped: dict[str, str],
    headline: str | None,
    digest: str,
) -> dict[str, Any]:
    by_method = {name: dict(found.meta) for name, found in ran.items()}
    for name, found in ran.items():
        if _is_rating(found) and name != headline:
            by_method[name]["ratings"] = {
                str(row["agent"]): {"rating": row["rating"], "lo": row["rating_lo"], "hi": row["rating_hi"]}
                | ({"pool": int(row["pool"])} if "pool" in row else {})
                for row in found.table.to_dict("records")
            }
    settings = {"methods": list(call.methods), "seed": call.seed, "bootstrap": call.bootstrap}
    settings |= {"min_matches": call.min_matches, "anchor": call.anchor}
    top = ran[headline].meta if headline else {}
    anytime = top.get("anytime")
    setups = sorted(matches.setup_names(done).unique())
    return {
        "settings": settings,
        "method": headline or next(iter(ran)),
        "methods": by_method,
        "skipped": skipped,
        "interval": f"anytime, {anytime:.4g} standard errors" if anytime else top.get("intervals", ""),
        "offsets": top.get("offsets") or by_method.get("bt", {}).get("offsets", {}),
        "matches_sha256": digest,
        "setups": setups,
        "excluded": columns.excluded(every),
        "agents": int(done["agent"].nunique()),
        "deals": int(done["deal_id"].nunique()),
        "illegal_policy": call.facts.get("illegal_policy") or AGREED_POLICY,
        "schedule": call.facts.get("schedule"),
        "stop": call.facts.get("stop"),
        "runs": call.facts.get("runs", []),
        "revision_changed": columns.revisions(done),
        "controls": columns.controls(done),
        "software": {"parley-arena": __version__, "python": platform.python_version()}
        | {name: version(name) for name in ("numpy", "scipy", "pandas")},
        "git": _git(),
    }


def _warnings(meta: dict[str, Any], top: dict[str, Any], done: DataFrame) -> list[str]:
    """What a reader must know before comparing two rows."""
    found = [f"{setup} is no contest: {why}; its payoffs stand by side" for setup, why in meta["no_contest"].items()]
    if meta["pools"]:
        found.append(f"ratings and ranks compare within a pool only, and there are {len(meta['pools'])}: "
                     + ", ".join(map(str, meta["pools"])))  # fmt: skip
    if top.get("regularised") and top.get("reason") != "sides":
        why = {"ford": "some agents never won, or never lost, against the rest", "separation": "the fit has no maximum"}
        found.append(f"ratings rest on a prior of 3 nats: {why.get(top.get('reason', ''), top.get('reason', ''))}")
    if top.get("n_components", 1) > 1:
        found.append(
            f"the agents form {top['n_components']} groups that never met: ratings across them rest on the prior only"
        )
    seats = {key for one in (top, *meta["games"].values()) if one.get("reason") != "sides"
             for key in one.get("undetermined", ())}  # fmt: skip
    if seats:
        places = ", ".join(sorted(seats))
        found.append(f"agents kept their seats, so what a seat is worth is in their ratings: {places}")
    changed = columns.revisions(done)
    if changed:
        found.append(f"the model behind a name changed within the board: {', '.join(changed)}")
    if games := columns.prompts_changed(done):
        found.append(f"prompts changed within the board, in {', '.join(games)}")
    return found


def _git() -> dict[str, Any]:
    """The commit of this code, and whether its Python files differ from it; nothing for an installed copy."""
    here = Path(__file__).resolve().parent

    def ask(*words: str) -> str | None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        try:
            done = subprocess.run(
                ["git", "-C", str(here), *words],
                capture_output=True,
                text=True,
                timeout=10,
                env=environment,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    if ask("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return {"commit": None, "dirty": None}
    changed = ask("status", "--porcelain", "--untracked-files=no", "--", ":/*.py")
    return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(changed)}
