"""Solves Leduc by CFR+ and writes policy.json, what the `nash` bot plays.

    python -m arena.games.leduc.solve --iterations 2000

Deterministic: the same iterations give the same file.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence

from arena.games._poker import cfr_plus, exploitability
from arena.games.leduc.exact import POLICY_FILE, tree

ITERATIONS = 2000
DIGITS = 6


def solve(iterations: int) -> str:
    """The text of policy.json."""
    policy = {name: _rounded(chances) for name, chances in sorted(cfr_plus(tree(), iterations).items())}
    head = {
        "method": "cfr+",
        "iterations": iterations,
        "exploitability": round(float(exploitability(tree().floats(), policy)), DIGITS),
    }
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(chances)}" for name, chances in policy.items())
    return json.dumps(head, indent=1)[:-2] + f',\n "policy": {{\n{lines}\n }}\n}}\n'


def _rounded(chances: Sequence[float]) -> list[float]:
    """Rounded so that they still sum to 1: the likeliest move takes the rest."""
    found = [round(p, DIGITS) for p in chances]
    most = found.index(max(found))
    found[most] = round(1 - sum(found[:most] + found[most + 1 :]), DIGITS)
    return found


def main() -> None:
    parser = ArgumentParser(description="Solve Leduc poker by CFR+ and write policy.json.")
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    POLICY_FILE.write_text(solve(parser.parse_args().iterations), encoding="utf-8")


if __name__ == "__main__":
    main()
