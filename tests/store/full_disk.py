"""A tournament on a disk that fills up: `python full_disk.py FOLDER ROOM GIVE_UP_S AGENT…`.

The process may not write past ROOM bytes of any file, which is what a full disk looks like to SQLite. After the third
complaint there is room again if GIVE_UP_S leaves time for it. The outcome is printed as JSON.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from arena.run import api
from arena.run.progress import Progress
from arena.run.runfile import settings_of
from arena.store import writer
from arena.store.schema import FILE

COMPLAINTS = 3


def main(folder: Path, room: int, give_up_s: float, agents: list[str]) -> None:
    writer._RETRY_S, writer._GIVE_UP_S = 0.05, give_up_s
    made = settings_of({"game": "leduc", "agents": agents, "seed": 1, "matches": 12, "void": {"passes": 0}})
    specs = api.resolve_agents(made.agents, ["leduc"])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    progresses: list[Progress] = []

    class Watched(Progress):
        def __init__(self, **keys: Any) -> None:
            super().__init__(**keys)
            progresses.append(self)
            _limit((folder / FILE).stat().st_size + room)

        def say(self, text: str) -> None:
            super().say(text)
            if len(self.events) == COMPLAINTS and give_up_s > 1:
                _limit(resource.RLIM_INFINITY)

    vars(api)["Progress"] = Watched
    result = api.start(made, specs, folder)
    print(json.dumps({"status": result.status, "exit": result.exit_code, "said": progresses[0].events}))


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
