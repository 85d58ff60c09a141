"""`arena ratings`: the rating methods."""

from __future__ import annotations

from arena.cli import options


def command(as_json: options.Json = False) -> None:
    """List the rating methods of `arena leaderboard --method`.

    Examples: `arena ratings`   `arena ratings --json`
    """
    from arena.cli.output import document, table
    from arena.leaderboards.methods import describe

    rows = [{"name": name, "summary": text} for name, text in describe().items()]
    if as_json:
        document(rows)
    else:
        table(("method", "what it computes"), [(r["name"], r["summary"]) for r in rows])
