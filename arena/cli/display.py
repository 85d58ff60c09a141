"""How a run is shown while it plays: a live table on a terminal, plain lines elsewhere. It only reads counts."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import TracebackType
from typing import Any

from arena.cli.output import say
from arena.core.errors import UsageError
from arena.core.text import one_line
from arena.run.runner import Progress

MODES = ("auto", "rich", "plain", "quiet")


class Display:
    """`with Display(mode) as display: start(..., watch=display.watch)`."""

    def __init__(self, mode: str, title: str) -> None:
        if mode not in MODES:
            raise UsageError(f"--display is one of {', '.join(MODES)}, not {mode!r}")
        is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and "CI" not in os.environ
        self.mode = ("rich" if is_terminal else "plain") if mode == "auto" else mode
        self.title = title
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, progress: Progress) -> None:
        """Called when the run starts."""
        if self.mode == "quiet":
            return
        target = self._rich if self.mode == "rich" else self._plain
        self._thread = threading.Thread(target=target, args=(progress,), name="arena-display", daemon=True)
        self._thread.start()

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _plain(self, progress: Progress) -> None:
        """One line an event; a line of counts each 10 s or 5 %, whichever is rarer."""
        said, last_share, last_time = 0, 0.0, time.monotonic()
        while not self._end.wait(0.2):
            said = self._say_new(progress, said)
            share = progress.done / max(progress.planned, 1)
            if share - last_share >= 0.05 and time.monotonic() - last_time >= 10:
                last_share, last_time = share, time.monotonic()
                say(_counts(progress))
        self._say_new(progress, said)

    def _say_new(self, progress: Progress, said: int) -> int:
        for text in progress.events[said:]:
            say(text)
        return len(progress.events)

    def _rich(self, progress: Progress) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True, markup=False, highlight=False)
        started = time.monotonic()
        with Live(console=console, refresh_per_second=5, transient=False) as live:
            while not self._end.wait(0.2):
                live.update(self._picture(progress, started))
            live.update(self._picture(progress, started))

    def _picture(self, progress: Progress, started: float) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        seconds = time.monotonic() - started
        table = Table(box=None, pad_edge=False)
        for header in ("model", "in flight", "waiting", "calls", "tokens", "cost", "latency", "state"):
            table.add_column(header)
        for row in progress.models():
            table.add_row(*(Text(one_line(str(cell))) for cell in _model_cells(row)))
        notable = [Text(one_line(text)) for text in progress.events[-5:]]
        bar = ProgressBar(total=max(progress.planned, 1), completed=progress.done, width=50)
        head = Text(f"{one_line(self.title)}   {seconds:.0f} s")
        return Group(head, bar, Text(_counts(progress)), *([table] if table.row_count else []), *notable)


def _counts(progress: Progress) -> str:
    trouble = "".join(f", {n} {word}" for n, word in ((progress.void, "void"), (progress.failed, "failed")) if n)
    return f"{progress.done} of {progress.planned} matches done{trouble}, {progress.live} in play"


def _model_cells(row: dict[str, Any]) -> tuple[Any, ...]:
    latency = row.get("latency_s")
    return (
        row.get("model", ""),
        row.get("in_flight", 0),
        row.get("waiting", 0),
        row.get("calls", 0),
        f"{row.get('tokens_in', 0)} / {row.get('tokens_out', 0)}",
        row.get("cost", ""),
        "" if latency is None else f"{latency:.1f} s",
        row.get("state", ""),
    )
