"""The model card of a policy: everything that a stranger must know before playing or training on it, generated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def card(
    name: str, facts: Mapping[str, Any], dataset: Mapping[str, Any] | None, found: Mapping[str, Any] | None
) -> str:
    """README.md of league/NAME. A function of the run's files alone: the same run writes the same bytes."""
    trained = facts.get("algorithm") is not None
    lines = [
        f"# {name}",
        "",
        f"A policy for {facts['game']}, preset {facts['preset']}"
        + "".join(f", {key}={json.dumps(value)}" for key, value in sorted((facts.get("set") or {}).items()))
        + (f", role {facts['role']}" if facts.get("role") else "")
        + (f", after iteration {facts['k']} of a training run." if trained else ": the untrained start of a run."),
        "",
        "## Base",
        "",
        f"{facts['base']}, SHA-256 of its files {facts['base_sha256']}.",
        f"Licence of the base: {facts.get('licence') or 'see the base'}; this adapter is under the same terms.",
    ]
    if trained:
        lines += ["", "## Training", ""]
        lines += [f"- {key}: {facts[key]}" for key in ("algorithm", "recipe", "reference", "opponents", "k")]
        lines += [f"- parents: {', '.join(facts['parents'])}"]
        lines += [f"- kept as it was: {facts['kept']}"] if facts.get("kept") else []
        lines += [f"- {key}: {value}" for key, value in sorted(facts["options"].items()) if value is not None]
        lines += ["", "Versions: " + ", ".join(f"{k} {v}" for k, v in sorted(facts["versions"].items())) + "."]
        lines += [f"Trained on {facts['hardware']}."]
    if dataset is not None:
        lines += ["", "## Data", "", f"Run {facts['run']}; SHA-256 of the rows {facts.get('data_sha256')}.", ""]
        lines += [
            f"- {key}: {dataset[key]}"
            for key in ("rows", "matches", "desirable", "undesirable", "by_role_ask", "by_source", "drops")
            if key in dataset
        ]
    if found is not None:
        lines += ["", "## Evaluation", "", "Paired matches on held-out deals; differences in payoff.", ""]
        lines += ["| against | difference | 95 % | N | matches |", "|---|---|---|---|---|"]
        for other in ("champion", "base"):
            e = found[f"over_{other}"]
            lines.append(f"| {other} | {e['diff']:.4g} | {_ci(e)} | {e['n']} | {found['matches_sha256'][:12]} |")
        lost, promoted = found["lost"], "yes" if facts.get("promoted") else "no"
        lines += ["", f"Turns without a legal answer: {lost['candidate']:.2%} (base {lost['base']:.2%})."]
        lines += [f"Promoted: {promoted}."]
    lines += ["", "## Limits", "", *_limits(facts)]
    return "\n".join(lines) + "\n"


def _limits(facts: Mapping[str, Any]) -> list[str]:
    lines = [
        f"- Trained and measured on {facts['game']} alone; nothing is known of it elsewhere.",
        "- The gate's own estimate of a promoted policy is biased upwards, since it was chosen by it; the report of "
        "the run measures again on fresh deals.",
    ]
    if facts.get("speech"):
        lines.append(f"- It may have learned to deceive: {facts['game']} lets players speak, and pays for winning.")
    return lines


def _ci(estimate: Mapping[str, Any]) -> str:
    low, high = estimate["ci"]
    return "open" if low is None else f"{low:.4g} to {high:.4g}"
