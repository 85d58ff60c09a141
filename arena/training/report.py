"""report.json and report.md: what a finished run came to, on deals that nothing was chosen by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.training.evaluate import Results


def measured(results: Mapping[str, Results], names: Mapping[str, Sequence[str]], seed: int) -> dict[str, Any]:
    """For each role, every policy's mean payoff on the final deals and its paired difference to the untrained start."""
    found: dict[str, Any] = {}
    for role, of_role in results.items():
        k0 = names[role][0]
        found[role] = [
            {
                "policy": name,
                "payoff": of_role.mean(name, seed).as_json(),
                "over_base": of_role.difference(name, k0, seed).as_json(),
                "over_base_clean": of_role.difference(name, k0, seed, clean=True).as_json(),
                "lost": of_role.lost_rate(name),
                "verdict": sentence(of_role.difference(name, k0, seed)),
            }
            for name in names[role]
        ]
    return found


def sentence(difference: Any) -> str:
    """By rule: "improved" only where the paired interval excludes 0."""
    if difference.low > 0:
        return "improved"
    return "worse" if difference.high < 0 else f"no detectable change (N {difference.n})"


def findings(report: Mapping[str, Any]) -> tuple[str, ...]:
    """What the final deals say of each trained policy, in a line."""
    lines = []
    for row in (row for of_role in report["final"].values() for row in of_role[1:]):
        d, verdict = row["over_base"], row["verdict"].partition(" (")[0]
        lines.append(f"{row['policy']}: {d['diff']:+.4g} ({_ci(d)}, {d['n']} final deals) over its start, {verdict}")
    return tuple(lines)


def write(folder: Path, report: Mapping[str, Any]) -> None:
    for name, text in (
        ("report.json", json.dumps(report, indent=1, sort_keys=True, ensure_ascii=False) + "\n"),
        ("report.md", _markdown(report)),
    ):
        part = folder / f".{name}.part"
        part.write_text(text, "utf-8")
        part.replace(folder / name)


def _markdown(report: Mapping[str, Any]) -> str:
    settings = report["settings"]
    lines = [
        f"# {settings['algorithm']} on {settings['game']}",
        "",
        f"Model {settings['model']}, recipe {settings['recipe']}, opponents {settings['opponents']}, "
        f"reference {settings['reference']}, seed {settings['seed']}.",
        "",
        "## Iterations",
        "",
        "| k | role | rows | steps | league | promoted | difference to the champion | 95 % | N |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for it in report["iterations"]:
        e = it["eval"]
        ci = "open" if e["ci"][0] is None else f"{e['ci'][0]:.4g} to {e['ci'][1]:.4g}"
        promoted = "yes" if it["promoted"] else "kept as it was" if it["kept"] else "no"
        lines.append(
            f"| {it['k']} | {it['role'] or 'all'} | {it['rows']} | {it['steps']} | {it['league']} | {promoted} | "
            f"{'not measured' if e['diff'] is None else format(e['diff'], '.4g')} | {ci} | {e['n']} |"
        )
    if report["final"]:
        lines += ["", "## Final deals", "", "Deals that no gate and no choice has seen.", ""]
        lines += ["| policy | payoff | 95 % | over the untrained start | 95 % | N | turns lost | verdict |"]
        lines += ["|---|---|---|---|---|---|---|---|"]
        for rows in report["final"].values():
            for row in rows:
                p, d = row["payoff"], row["over_base"]
                lines.append(
                    f"| {row['policy']} | {p['diff']:.4g} | {_ci(p)} | {d['diff']:.4g} | {_ci(d)} | {d['n']} | "
                    f"{row['lost']:.2%} | {row['verdict']} |"
                )
    if report["exploitability"]:
        lines += [
            "",
            "## Exploitability",
            "",
            "Half of what best replies gain against the frequencies of the answers on the final deals. Few answers",
            "make it too high; beside it is the mean of a uniformly random player who is measured by as many.",
        ]
        lines += ["", "| policy | exploitability | answers | random player |", "|---|---|---|---|"]
        for row in report["exploitability"]:
            value, n, uniform = row["exploitability"], row["answers"], row["uniform"]
            lines.append(f"| {row['policy']} | {value:.4g} | {n} | {uniform:.4g} |")
    if (average := report["average"]) is not None:
        lines += ["", "## Average iterate", ""]
        text = "Mean payoff against each policy: of each that was champion, and of the mixture of the champions after"
        shares = ", ".join(f"{w:.3g}" for w in average["weights"])
        lines += [f"{text} each gate, in shares of {shares}.", ""]
        lines += [
            "| policy | " + " | ".join(average["policies"]) + " |",
            "|---" * (len(average["policies"]) + 1) + "|",
        ]
        rows = [*zip(average["policies"], average["payoff"], strict=True), ("mixture", average["mixture"])]
        lines += [f"| {name} | " + " | ".join(f"{x:.4g}" for x in values) + " |" for name, values in rows]
    for text in report["warnings"]:
        lines += ["", f"Warning: {text}."]
    lines += ["", f"Matches of the final deals: SHA-256 {report['final_sha256']}.", ""]
    return "\n".join(lines)


def _ci(estimate: Mapping[str, Any]) -> str:
    low, high = estimate["ci"]
    return "open" if low is None else f"{low:.4g} to {high:.4g}"
