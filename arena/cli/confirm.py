"""One question before a run that may cost money: only at a terminal, and not with --yes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from arena.models.names import AgentSpec
    from arena.run.settings import Settings

_FREE_USD = 5.0  # a likely cost up to this is not asked about


def confirm(settings: Settings, specs: Sequence[AgentSpec], *, yes: bool) -> None:
    """Ask if the run may cost more than a little, or an amount that nobody knows and no budget holds."""
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    paid = [s.agent.model for s in specs if s.agent.model and s.agent.model.client not in ("hf", "gguf", "mock")]
    if paid and (question := _question(settings, specs)):
        typer.confirm(f"{question} Start?", abort=True, err=True)


def _question(settings: Settings, specs: Sequence[AgentSpec]) -> str:
    from arena.run.dry_run import estimate

    found, budget = estimate(settings, specs), settings.limits.budget_usd
    cost = found["cost_usd"]
    if cost is None:
        return "" if budget is not None else f"The price of {', '.join(found['unpriced'])} is not known: no budget."
    most = cost["p90"] if budget is None else min(cost["p90"], budget)
    return f"This run may cost ${cost['p10']:.2f} to ${most:.2f}." if most > _FREE_USD else ""
