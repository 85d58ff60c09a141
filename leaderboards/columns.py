"""The columns of a published board: which there are, their order, and what is known of an agent beside its rating."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas import DataFrame

from arena import __version__
from arena.leaderboards import behaviour, matches
from arena.leaderboards.fitting.teams import tallies, team_results, teams

SEVERAL = "several games"  # the pool of agents that were in more than one
RANKS = ("rank", "rank_lb", "rank_ub")
RATING = ("rating", "rating_lo", "rating_hi", "rating_se", "p_top1")
COUNTS = ("n_matches", "n_wins", "n_ties", "n_losses")
CLEAN = ("rating_clean", "rating_clean_lo", "rating_clean_hi", "n_clean")
OTHERS = ("elo", "alpharank_mass", "alpharank_lo", "alpharank_hi", "p_in_sink", "nash_mass", "nash_lo", "nash_hi",
          "cyclic_share")  # fmt: skip
RATES = ("illegal_rate", "repaired_rate", "refused_rate", "timeout_rate", "forfeit_rate")
AMOUNTS = ("tokens_in_per_match", "tokens_out_per_match", "cost_usd_per_match", "seconds_per_match")
IDENTITY = ("model", "provider", "model_revision", "base_model", "adapter_sha256")
SETTINGS = ("temperature", "reasoning_effort", "license", "open_weights")
ORIGIN = ("first_match_at", "last_match_at", "matches_sha256", "config_sha256", "code_version")
RESERVED = frozenset((*RANKS, "agent", *IDENTITY, *RATING, "provisional", "regularised", "method", "anchor", *COUNTS,
                      "win_rate", "win_rate_sem", *CLEAN, *OTHERS, "pool", *RATES, *AMOUNTS, *SETTINGS,
                      *ORIGIN))  # fmt: skip


def role_columns(names: Iterable[str]) -> list[str]:
    """The rating columns of these roles, in their published order. A role whose name would make it a column of every
    board ("lo", "clean") is written `rating_role_<role>`."""
    out = []
    for role in sorted(names):
        own = [f"rating_{role}{end}" for end in ("", "_lo", "_hi")]
        out += [f"rating_role_{role}{end}" for end in ("", "_lo", "_hi")] if RESERVED & set(own) else own
    return out


def roles(present: Iterable[str]) -> list[str]:
    """The roles that have ratings of their own, by the columns of a board."""
    there = {str(c) for c in present} - RESERVED
    named = {
        c.removeprefix("rating_").removesuffix("_lo") for c in there if c.startswith("rating_") and c.endswith("_lo")
    }
    return sorted(role for role in named if set(role_columns([role])) <= there)


def ordered(present: Iterable[str], metrics: Sequence[str], own: Sequence[str]) -> list[str]:
    """The columns of a board among `present`; `own`: further columns of its methods."""
    present = list(present)
    head = [*RANKS, "agent", *IDENTITY, *RATING, "provisional", "regularised", "method", "anchor", *COUNTS]
    head += ["win_rate", "win_rate_sem", *CLEAN, *role_columns(roles(present)), *OTHERS, *own, *RATES]
    tail = [end for metric in sorted(metrics) for end in (metric, f"{metric}_sem")]
    there = set(present)
    return [c for c in dict.fromkeys([*head, *tail, *AMOUNTS, *SETTINGS, *ORIGIN]) if c in there]


def facts(done: DataFrame, sha256: str) -> DataFrame:
    """By agent: identity, settings, and where the numbers come from. Several values stand side by side."""
    by_agent = done.groupby("agent", sort=True)
    out = DataFrame({"agent": sorted(done["agent"].unique())})

    def joined(column: str) -> Any:
        if column not in done:
            return None
        return by_agent[column].agg(_joined).reindex(out["agent"]).to_numpy()

    out["model"], out["model_revision"] = joined("model"), joined("revision")
    named = joined("provider")
    out["provider"] = out["model"].map(_provider) if named is None else named
    for column in ("base_model", "adapter_sha256", *SETTINGS, "config_sha256"):
        out[column] = joined(column)
    started = done["started_at"].where(done["started_at"] != "")
    out["first_match_at"] = started.groupby(done["agent"]).min().reindex(out["agent"]).to_numpy()
    out["last_match_at"] = started.groupby(done["agent"]).max().reindex(out["agent"]).to_numpy()
    return out.assign(matches_sha256=sha256, code_version=__version__)


def _joined(values: pd.Series) -> Any:
    distinct = [v for v in values.dropna().unique() if v != ""]
    if len(distinct) <= 1:
        return distinct[0] if distinct else None
    return "; ".join(sorted(map(str, distinct)))


def _provider(model: Any) -> str | None:
    return model.partition("/")[0] if isinstance(model, str) and "/" in model and ";" not in model else None


class Metrics(NamedTuple):
    """`metrics`: the metric columns of a board; `of_matches`: those that tell of the match, not of the agent."""

    metrics: list[str]
    of_matches: list[str]


def metrics(done: DataFrame, idle: Sequence[str]) -> tuple[DataFrame, Metrics]:
    """By agent, all roles together: win rate, failures, amounts, and the metrics; and the names of the latter.

    Win rates are of the contests among the matches. A mean payoff over different units (several set-ups, or both sides
    of one of the `idle` set-ups, which are none) is left empty; of one idle set-up it stands by side. A metric of a
    game whose name is that of another column is called `metric_<name>`."""
    found = _overall(done)
    mixed = found["agent"].isin(_mixed(done))
    found.loc[mixed, ["payoff", "payoff_sem"]] = np.nan
    if len(idle) == 1:
        found = found.merge(_by_side(done, idle[0]), on="agent", how="left")
    names = [c for c in found.columns if f"{c}_sem" in found and c not in ("win_rate", *RATES, *AMOUNTS)]
    names = [c for c in names if found[c].notna().any()]
    clash = {c: f"metric_{c}" for c in names if c in RESERVED}
    found = found.rename(columns=clash | {f"{c}_sem": f"{new}_sem" for c, new in clash.items()})
    of_matches = [clash.get(c, c) for c in behaviour.of_matches(done) if c in names]
    names = [clash.get(c, c) for c in names]
    kept = ["agent", "win_rate", "win_rate_sem", *RATES, *AMOUNTS, *(c + end for c in names for end in ("", "_sem"))]
    return found[kept].reset_index(drop=True), Metrics(names, of_matches)


def _overall(done: DataFrame) -> DataFrame:
    found = behaviour.table(done)
    return found[found["role"] == ""].drop(columns="role").reset_index(drop=True)


def _mixed(done: DataFrame) -> list[str]:
    """Agents whose payoffs are in several units."""
    setup = matches.setup_names(done)
    unit = setup.where(matches.is_contest(done), setup + ":" + matches.side_labels(done))
    several = unit.groupby(done["agent"]).nunique() > 1
    return list(several.index[several])


def honest(counted: DataFrame, done: DataFrame) -> DataFrame:
    """The table of `plain` without what it counts over several units."""
    out = counted.astype({c: float for c in counted if c != "agent"})
    out.loc[out["agent"].isin(_mixed(done)), ["payoff", "payoff_lo", "payoff_hi"]] = np.nan
    return out


def _by_side(done: DataFrame, setup: str) -> DataFrame:
    """The mean payoff of each agent on each side of a set-up: `payoff_<side>`."""
    own = (matches.setup_names(done) == setup).to_numpy()
    side = matches.side_labels(done).to_numpy()
    out = DataFrame({"agent": sorted(done["agent"][own].unique())})
    for name in sorted(set(side[own])):
        held = _overall(matches.Checked(done[own & (side == name)].reset_index(drop=True)))
        named = {"payoff": f"payoff_{name}", "payoff_sem": f"payoff_{name}_sem"}
        out = out.merge(held[["agent", *named]].rename(columns=named), on="agent", how="left")
    return out


def counts(done: DataFrame, contests: DataFrame) -> DataFrame:
    """By agent its matches, and how those ended that were contests."""
    every = tallies(team_results(done, teams(done)))
    ended = tallies(team_results(contests, teams(contests))) if len(contests) else every.iloc[:0]
    out = ended.reindex(every.index, fill_value=0).assign(n_matches=every["n_matches"])
    return out.reset_index()


def pools(done: DataFrame, rated: pd.Series | None) -> list[str]:
    """The pool of each agent, in alphabetical order, by name: the set-up it was in, of contests if there are any, and
    what `rated` says of its pool there. In a set-up that is no contest, the side it held, if that is one."""
    setup, side = matches.setup_names(done), matches.side_labels(done)
    is_idle = ~pd.Series(matches.is_contest(done), done.index)
    contests = setup[~is_idle].nunique()
    known = [None] * done["agent"].nunique() if rated is None else rated.tolist()
    out = []
    for (_, rows), name in zip(done.groupby("agent", sort=True), known, strict=True):
        at = rows.index[~is_idle[rows.index]] if not is_idle[rows.index].all() else rows.index
        there, held = set(setup[at]), set(side[at]) if is_idle[at].all() else set()
        place = "" if setup.nunique() < 2 else there.pop() if len(there) == 1 else SEVERAL
        if not isinstance(name, str):
            name = held.pop() if len(held) == 1 else ""
        elif contests > 1 and name:  # it names the set-up
            place = ""
        out.append(": ".join(part for part in (place, name) if part))
    return out


def revisions(done: DataFrame) -> list[str]:
    """Agents whose model revision changed within the board."""
    known = done[done["revision"] != ""].groupby("agent")["revision"].nunique()
    return sorted(known.index[known > 1])


def prompts_changed(done: DataFrame) -> list[str]:
    """Games whose prompts were not the same in all matches."""
    if "prompt_sha256" not in done:
        return []
    known = (
        done[done["prompt_sha256"].notna() & (done["prompt_sha256"] != "")].groupby("game")["prompt_sha256"].nunique()
    )
    return sorted(map(str, known.index[known > 1]))


def by_rank(table: DataFrame) -> DataFrame:
    """Rows by rank, pool by pool, that of several games first; unranked ones by win rate or payoff, then by name."""
    keys: dict[str, Any] = {
        "_rank": table["rank"].astype(float).fillna(np.inf) if "rank" in table else np.zeros(len(table))
    }
    keys["_won"] = -table["win_rate"] if "win_rate" in table else np.zeros(len(table))
    keys["_paid"] = -table["payoff"] if "payoff" in table else np.zeros(len(table))
    if "pool" in table:
        keys = {"_one": (table["pool"] != SEVERAL).astype(float), "_pool": table["pool"], **keys}
    ordered = table.assign(**keys).sort_values([*keys, "agent"], kind="stable", ignore_index=True)
    return ordered.drop(columns=list(keys))


def excluded(every: DataFrame) -> dict[str, Any]:
    """What was not rated: matches by status, and void and failed ones of each agent."""
    by_match = every.drop_duplicates("match_id")
    out: dict[str, Any] = {s: int((by_match["status"] == s).sum()) for s in matches.STATUSES}
    lost = every[every["status"] != "done"].drop_duplicates(["match_id", "agent"])
    out["by_agent"] = {}
    for agent, status in sorted(zip(lost["agent"], lost["status"], strict=True)):
        counts = out["by_agent"].setdefault(agent, {})
        counts[status] = counts.get(status, 0) + 1
    if "reason" in every:
        reasons = by_match.loc[by_match["status"] != "done", "reason"].dropna().astype(str)
        out["by_reason"] = {
            str(k): int(n) for k, n in reasons[reasons != ""].value_counts(sort=False).sort_index().items()
        }
    return out


def controls(done: DataFrame) -> list[str]:
    """Agents that declare themselves controls: they are handed facts that no player may know."""
    if "control" not in done:
        return []
    marked = done["control"]
    if marked.dtype != bool:
        marked = marked.map(lambda v: str(v).lower() in ("true", "1", "1.0"))
    return sorted(done.loc[marked, "agent"].unique())
