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
from arena.leaderboards import columns, matches
from arena.leaderboards import methods as registry
from arena.leaderboards.columns import CLEAN, COUNTS, RATING, RESERVED
from arena.leaderboards.fitting.teams import tallies, team_results, teams
from arena.leaderboards.rated import Rated
from arena.run.stopping import anytime_factor

AGREED_POLICY = "as each match's configuration declares (config_sha256); illegal answers count as played"

FITTED = ("bt", "pl", "composite")  # their tables have what a headline needs, and meta the ratings of the others
NOT_OWN = (*COUNTS, "theta", "provisional", "regularised")  # what a headline may say and the board says for it


class Call(NamedTuple):
    """The arguments of `leaderboard`, and what the table says of the run that it comes from."""

    methods: tuple[str, ...]
    seed: int
    bootstrap: int
    min_matches: int
    anchor: str | None
    facts: dict[str, Any]

    def rate(self, name: str, table: DataFrame) -> Rated:
        options = {} if self.anchor is None else {"anchor": self.anchor}
        found: Rated = registry.find(name).rate(table, seed=self.seed, bootstrap=self.bootstrap, **options)
        return found


def board(every: DataFrame, done: DataFrame, call: Call, digest: str) -> tuple[DataFrame, dict[str, Any]]:
    """The table and the meta of a board over the checked table `every`, whose finished matches are `done`."""
    ran, skipped = _run(every, call)
    headline = _headline(ran, call)
    out = columns.facts(done, digest)
    measured, names = columns.metrics(done)
    counts = tallies(team_results(done, teams(done))).reset_index()
    for part in (measured, counts):
        out = out.merge(part, on="agent", how="left", validate="one_to_one")
    own: list[str] = []
    for name, found in ran.items():
        table = found.table
        if name == headline:
            ours = (*columns.RANKS, *RATING, *columns.role_columns(columns.roles(table.columns)))
            out = _with(out, table, [c for c in ours if c in table])
            table = table.drop(columns=[c for c in (*ours, *NOT_OWN) if c in table])
        if name not in FITTED:
            renamed, extra = _own_columns(name, table, out)
            own += extra
            out = _with(out, renamed, [c for c in map(str, renamed) if c not in out])
    if "composite" in ran:
        out, own = _with(out, ran["composite"].table, ["n_games"]), [*own, "n_games"]
    out = _ranked(out.copy(), ran, headline)  # a copy is one block again: many joins leave pandas with fragments
    _provisional(out, call, ran.get(headline or ""))
    anytime = _publish(out, call, ran, headline)
    meta = _meta(every, done, call, ran, skipped, headline, anytime, digest)
    if headline in FITTED:
        out, meta["clean"] = _clean(out, every, done, call, str(headline))
    order = columns.ordered(out.columns, names, own)
    return columns.by_rank(out)[order], meta


def _run(every: DataFrame, call: Call) -> tuple[dict[str, Rated], dict[str, str]]:
    """The results of the methods asked for; under `all` those that do not apply are named with the reason."""
    asked = [name for name in dict.fromkeys(call.methods) if name != "all"]
    ran = {name: call.rate(name, every) for name in asked}
    skipped: dict[str, str] = {}
    if "all" in call.methods:
        for name in [*registry.RANKING, *sorted(registry.third_party())]:
            if name in ran:
                continue
            try:
                ran[name] = call.rate(name, every)
            except UsageError as error:
                skipped[name] = str(error)
    if not ran:
        raise UsageError("no rating method applies: " + "; ".join(f"{k}: {v}" for k, v in skipped.items()))
    return ran, skipped


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
        order = keyed.sort_values([by, "agent"], ascending=[False, True], kind="stable").index
        rank = pd.Series(np.arange(1, len(out) + 1), index=order)
    bounds = {c: np.nan for c in ("rank_lb", "rank_ub") if c not in out}
    return out.assign(rank=rank, **bounds)


def _provisional(out: DataFrame, call: Call, headline: Rated | None) -> None:
    out["provisional"] = out["n_matches"] < call.min_matches
    if headline is not None and "provisional" in headline.table:
        few = headline.table.loc[headline.table["provisional"], "agent"]
        out["provisional"] |= out["agent"].isin(few)


def _publish(out: DataFrame, call: Call, ran: dict[str, Rated], headline: str | None) -> float | None:
    """The columns that say how the rating was made. After a schedule that looks at results intervals must hold at any
    stopping time: the factor by which the standard error was multiplied, else None."""
    if headline is None:
        out["method"] = next(iter(ran))
        return None
    meta = ran[headline].meta
    out["method"], out["anchor"] = headline, call.anchor
    out["regularised"] = meta.get("regularised", False)
    if not _peeks(call.facts.get("schedule")) or "rating_se" not in out:
        return None
    deals, played = int(meta.get("n_clusters", 0)), int(meta.get("n_matches", 0))
    planned = max(int(call.facts.get("planned_matches") or 0), played)
    factor = anytime_factor(deals, planned * deals // max(played, 1))
    out["rating_lo"] = out["rating"] - factor * out["rating_se"]
    out["rating_hi"] = out["rating"] + factor * out["rating_se"]
    return factor


def _peeks(schedule: Any) -> bool:
    """Whether results decided what was played, or when to stop."""
    if isinstance(schedule, list):
        return any(map(_peeks, schedule))
    if not isinstance(schedule, dict):
        return str(schedule) == "adaptive"
    return schedule.get("kind") == "adaptive" or schedule.get("stop", "matches") != "matches"


def _clean(
    out: DataFrame, every: DataFrame, done: DataFrame, call: Call, headline: str
) -> tuple[DataFrame, dict[str, Any]]:
    """The rating on matches without any fallback. It conditions on behaviour: shown beside, never instead."""
    empty = out.assign(**dict.fromkeys(CLEAN, np.nan))
    if "clean" not in done:
        return empty, {"matches": None, "why": "the matches do not say which had fallbacks"}
    kept = every[every["clean"].astype(bool) & (every["status"] == "done")]
    counts = kept.drop_duplicates(["match_id", "agent"])["agent"].value_counts()
    out = empty.assign(n_clean=out["agent"].map(counts).fillna(0).astype(int))
    told = {"matches": int(kept["match_id"].nunique()), "why": ""}
    if len(kept) == len(done):
        for column in CLEAN[:3]:
            out[column] = out[column.replace("_clean", "")]
        return out, told
    try:
        found = call.rate(headline, kept.reset_index(drop=True)).table
    except (UsageError, LookupError) as error:
        return out, told | {"why": str(error)}
    found = found[["agent", *RATING[:3]]].rename(columns={c: c.replace("rating", "rating_clean") for c in RATING[:3]})
    return _with(out, found, list(map(str, found))), told


def _meta(
    every: DataFrame,
    done: DataFrame,
    call: Call,
    ran: dict[str, Rated],
    skipped: dict[str, str],
    headline: str | None,
    anytime: float | None,
    digest: str,
) -> dict[str, Any]:
    by_method = {name: dict(found.meta) for name, found in ran.items()}
    for name, found in ran.items():
        if _is_rating(found) and name != headline:
            by_method[name]["ratings"] = {
                str(row["agent"]): {"rating": row["rating"], "lo": row["rating_lo"], "hi": row["rating_hi"]}
                for row in found.table.to_dict("records")
            }
    settings = {"methods": list(call.methods), "seed": call.seed, "bootstrap": call.bootstrap}
    settings |= {"min_matches": call.min_matches, "anchor": call.anchor}
    top = ran[headline].meta if headline else {}
    setups = sorted(matches.setup_names(done).unique())
    return {
        "settings": settings,
        "method": headline or next(iter(ran)),
        "methods": by_method,
        "skipped": skipped,
        "gauge": f"{call.anchor} at 1500" if call.anchor else "mean strength of the agents at 1500",
        "interval": f"anytime, {anytime:.4g} standard errors" if anytime else top.get("intervals", ""),
        "offsets": top.get("offsets") or by_method.get("bt", {}).get("offsets", {}),
        "warnings": _warnings(top, done),
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


def _warnings(top: dict[str, Any], done: DataFrame) -> list[str]:
    """What a reader must know before comparing two rows."""
    found = []
    if top.get("regularised"):
        why = {"ford": "some agents never won, or never lost, against the rest", "separation": "the fit has no maximum"}
        found.append(f"ratings rest on a prior of 3 nats: {why.get(top.get('reason', ''), top.get('reason', ''))}")
    if top.get("n_components", 1) > 1:
        found.append(
            f"the agents form {top['n_components']} groups that never met: ratings across them rest on the prior only"
        )
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
