"""`arena leaderboard`: who plays how well, with intervals."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli import options


def command(
    runs: Annotated[list[Path], typer.Argument(help="Run folders or match files (.jsonl).")] = [],  # noqa: B006
    as_json: options.Json = False,
) -> None:
    """Print the plain leaderboard: win rate and mean payoff with 95 % intervals, counts, illegal rate, tokens, cost.

    Examples: `arena leaderboard runs/k`   `arena leaderboard runs/a runs/b --json`
    """
    from arena.cli.output import document, say, table
    from arena.core.errors import UsageError

    if not runs:
        raise UsageError("arena leaderboard needs at least one run folder or match file")
    rows = plain_rows(runs)
    if as_json:
        document(rows)
        return
    table(
        (
            "agent",
            "win rate",
            "± 95 %",
            "payoff",
            "± 95 %",
            "matches",
            "void",
            "illegal/100",
            "tokens/match",
            "$/match",
        ),
        [_cells(row) for row in rows],
    )
    say("a draw counts half; intervals are clustered by deal; void matches are counted, not scored")


def plain_rows(runs: list[Path]) -> list[dict[str, Any]]:
    """One row an agent over all these runs."""
    from arena.leaderboards.matchfile import parse
    from arena.leaderboards.plain import summary
    from arena.store.export import match_rows

    return summary(chain.from_iterable(match_rows(p) if p.is_dir() else parse(p.read_bytes(), str(p))[0] for p in runs))


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    win, payoff = row["win_rate"], row["payoff"]
    return (
        row["agent"],
        win,
        _half(row, "win_rate"),
        payoff,
        _half(row, "payoff"),
        row["n_matches"],
        row["n_void"],
        row["illegal_per_100_turns"],
        row["tokens_per_match"],
        "unpriced" if row["cost_usd_per_match"] is None else f"{row['cost_usd_per_match']:.4f}",
    )


def _half(row: dict[str, Any], name: str) -> float | None:
    low, high = row.get(f"{name}_lo"), row.get(f"{name}_hi")
    return None if low is None or high is None else (high - low) / 2
