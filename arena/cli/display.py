"""How a run is shown while it plays or trains: live on a terminal, plain lines elsewhere. It only reads counts."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable
from math import sqrt
from statistics import median
from types import TracebackType
from typing import Any, NamedTuple

from arena.cli.output import say
from arena.core.errors import UsageError
from arena.core.text import one_line
from arena.run.progress import Progress, Steps, Tally

MODES = ("auto", "rich", "plain", "quiet")


class Display:
    """`with Display(mode) as display: start(..., watch=display.watch)`. One thing is shown at a time."""

    def __init__(self, mode: str, title: str) -> None:
        if mode not in MODES:
            raise UsageError(f"--display is one of {', '.join(MODES)}, not {mode!r}")
        is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and "CI" not in os.environ
        is_terminal = is_terminal and shutil.get_terminal_size().columns >= 60
        self.mode = ("rich" if is_terminal else "plain") if mode == "auto" else mode
        self.title = title
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, seen: Progress | Steps) -> None:
        """Show this from now on, until something else is shown or said."""
        self._stop()
        if self.mode == "quiet":
            return
        self._end = threading.Event()
        target = self._rich if self.mode == "rich" else self._plain
        self._thread = threading.Thread(target=target, args=(seen, self._end), name="arena-display", daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        """A line below what was shown until now."""
        self._stop()
        say(text)

    def _stop(self) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _plain(self, seen: Progress | Steps, end: threading.Event) -> None:
        """One line an event; a line of counts each 10 s or 5 %, whichever is rarer."""
        said, last_share, last_time = 0, 0.0, time.monotonic()
        while not end.wait(0.2):
            said = _say_new(seen, said)
            if time.monotonic() - last_time >= 10 and (now := _look(seen, 0.0)).share - last_share >= 0.05:
                last_share, last_time = now.share, time.monotonic()
                say(now.text)
        _say_new(seen, said)

    def _rich(self, seen: Progress | Steps, end: threading.Event) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True, markup=False, highlight=False)
        started = time.monotonic()
        with Live(console=console, refresh_per_second=5, transient=False) as live:
            while not end.wait(0.2):
                live.update(self._picture(seen, time.monotonic() - started))
            live.update(self._picture(seen, time.monotonic() - started))

    def _picture(self, seen: Progress | Steps, seconds: float) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        now = _look(seen, seconds)
        left = "" if now.left is None or now.share == 1 else f", about {_duration(now.left)} left"
        head = Text(f"{one_line(self.title)}   {_duration(seconds)}{left}")
        bar = ProgressBar(total=1, completed=now.share, width=25)
        return Group(head, bar, Text(f"  {now.text}"), *(_details(seen) if isinstance(seen, Progress) else ()))


class _Look(NamedTuple):
    """How far something is: a share, the same in words, and the seconds left where they can be told."""

    share: float
    text: str
    left: float | None


def _look(seen: Progress | Steps, seconds: float) -> _Look:
    if isinstance(seen, Steps):
        return _look_at_steps(seen)
    share = _share(seen)
    left = seconds * (1 / share - 1) if share is not None else None
    return _Look(seen.done / max(seen.planned, 1), _counts(seen), left)


def _look_at_steps(seen: Steps) -> _Look:
    rows = seen.rows()
    if not rows:
        return _Look(0.0, f"step 0 of {seen.planned}", None)
    last, pace = rows[-1], median(row["seconds"] for row in rows[-10:])
    figures = [f"{name} {last[name]:.4g}" for name in ("reward", "loss") if isinstance(last.get(name), float)][:1]
    text = ", ".join([f"step {last['step']} of {seen.planned}", *figures, f"{pace:.1f} s a step"])
    return _Look(last["step"] / seen.planned, text, pace * (seen.planned - last["step"]))


def _say_new(seen: Progress | Steps, said: int) -> int:
    events = seen.events if isinstance(seen, Progress) else []
    for text in events[said:]:
        say(text)
    return len(events)


def _details(progress: Progress) -> list[Any]:
    """Agents, models, money and the last events."""
    from rich.text import Text

    tables = [
        _table(("agent", "seats", "mean payoff", "illegal"), map(_agent_cells, progress.tallies().items())),
        _table(
            ("model", "in flight", "waiting", "calls", "tokens in / out", "cost", "latency", "state"),
            map(_model_cells, progress.models()),
        ),
    ]
    notable = [Text(one_line(text)) for text in progress.events[-5:]]
    money = [Text(text) for text in filter(None, [_money(progress)])]
    return [*(t for t in tables if t.row_count), *money, *notable]


def _table(headers: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for header in headers:
        table.add_column(header)
    for row in rows:
        table.add_row(*(Text(one_line(str(cell))) for cell in row))
    return table


def _counts(progress: Progress) -> str:
    trouble = "".join(f", {n} {word}" for n, word in ((progress.void, "void"), (progress.failed, "failed")) if n)
    return f"{progress.done} of {progress.planned} matches done{trouble}, {progress.live} in play"


def _share(progress: Progress) -> float | None:
    """The share of this session's matches that is done, once that says something: 20 matches, or 5 %."""
    share = progress.done / max(progress.planned, 1)
    return share if share and (progress.done >= 20 or share >= 0.05) else None


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min {rest:02d} s"


def _money(progress: Progress) -> str:
    """Spent, projected, budget; nothing where nothing costs anything."""
    now = sum(row["cost_usd"] or 0.0 for row in progress.models())
    spent, share = progress.spent_usd + now, _share(progress)
    if not spent and progress.budget_usd is None:
        return ""
    projected = f", projected ${progress.spent_usd + now / share:.2f}" if share is not None else ""
    budget = f", budget ${progress.budget_usd:.2f}" if progress.budget_usd is not None else ""
    return f"spent ${spent:.2f}{projected}{budget}"


def _agent_cells(item: tuple[str, Tally]) -> tuple[Any, ...]:
    """Mean payoff with 95 % of a normal interval: a view from afar; `arena leaderboard` counts deals together."""
    agent, t = item
    mean = t.payoff / t.seats
    error = 1.96 * sqrt(max(t.squares / t.seats - mean * mean, 0.0) / (t.seats - 1)) if t.seats > 1 else None
    payoff = f"{mean:.3f}" if error is None else f"{mean:.3f} ± {error:.3f}"
    return agent, t.seats, payoff, f"{t.lost / t.turns:.1%}" if t.turns else ""


def _model_cells(row: dict[str, Any]) -> tuple[Any, ...]:
    latency = row["latency_s"]
    return (
        *(row[key] for key in ("model", "in_flight", "waiting", "calls")),
        f"{row['tokens_in']} / {row['tokens_out']}",
        row["cost"],
        "" if latency is None else f"{latency:.1f} s",
        row["state"],
    )
