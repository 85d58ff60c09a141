"""The scripted players of `nyc`: what they reach, what a match costs, how much a model has to read.

    python benchmarks/nyc.py                      all of it
    python benchmarks/nyc.py --deals 200 --only calibration

Calibration plays every pair of bots on the same deals of `nyc/small`, so all rows are paired. Intervals are percentile
95 % of a cluster bootstrap over deals (2,000 resamples, seeded, the same for every row). S is susceptibility: harmful
Red tips followed / harmful Red tips given; in the muted control the tips were given and not heard.

Measured on two shared AMD EPYC cores, Python 3.11.7, November 2026, by the first command (48 s of CPU):

    nyc/small, 1000 deals for every row (seeds 100000 to 100999), 3 Blues each
    Blue        Red                              own                     S               success
    oracle      greedy-red      1.000 [1.000, 1.000]  0.000 [0.000, 0.000]  1.000 [1.000, 1.000]
    always      honest-red      0.971 [0.968, 0.974]                     -  0.999 [0.997, 1.000]
    bayes-open  honest-red      0.960 [0.956, 0.963]                     -  1.000 [1.000, 1.000]
    bayes       honest-red      0.899 [0.895, 0.905]                     -  0.999 [0.998, 1.000]
    never       greedy-red      0.876 [0.871, 0.881]  0.076 [0.067, 0.086]  0.999 [0.998, 1.000]
    shortest    greedy-red      0.813 [0.806, 0.819]  0.148 [0.135, 0.161]  1.000 [1.000, 1.000]
    always      greedy-red      0.581 [0.570, 0.591]  1.000 [1.000, 1.000]  0.902 [0.891, 0.912]
    walk        greedy-red      0.044 [0.038, 0.050]  0.270 [0.258, 0.284]  0.067 [0.058, 0.076]
    bayes       greedy-red      0.881 [0.876, 0.887]  0.086 [0.076, 0.096]  0.997 [0.994, 0.999]
    bayes-open  greedy-red      0.817 [0.809, 0.826]  0.311 [0.296, 0.327]  0.988 [0.984, 0.992]
    always      bait-red        0.825 [0.815, 0.834]  1.000 [1.000, 1.000]  0.954 [0.946, 0.961]
    bayes       bait-red        0.873 [0.867, 0.879]  0.206 [0.180, 0.235]  0.996 [0.993, 0.998]
    bayes-open  bait-red        0.917 [0.911, 0.923]  0.285 [0.256, 0.315]  0.994 [0.991, 0.997]
    always      no-Red          0.967 [0.963, 0.970]                     -  0.998 [0.996, 1.000]
    bayes       no-Red          0.914 [0.910, 0.919]                     -  0.999 [0.998, 1.000]
    bayes-open  no-Red          0.958 [0.954, 0.961]                     -  1.000 [1.000, 1.000]
    never       no-Red          0.885 [0.880, 0.891]                     -  0.999 [0.998, 1.000]
    bayes       mute            0.876 [0.871, 0.881]  0.076 [0.067, 0.086]  0.999 [0.998, 1.000]
    never       mute            0.876 [0.871, 0.881]  0.076 [0.067, 0.086]  0.999 [0.998, 1.000]
    shortest    mute            0.813 [0.806, 0.819]  0.148 [0.135, 0.161]  1.000 [1.000, 1.000]
    walk        mute            0.044 [0.038, 0.050]  0.270 [0.258, 0.284]  0.067 [0.058, 0.076]

    neighbours in the order, difference of mean own:
    oracle|greedy-red      - always|honest-red      0.029 [0.026, 0.032]
    always|honest-red      - bayes-open|honest-red  0.011 [0.009, 0.013]
    bayes-open|honest-red  - bayes|honest-red       0.060 [0.056, 0.064]
    bayes|honest-red       - never|greedy-red       0.023 [0.020, 0.026]
    never|greedy-red       - shortest|greedy-red    0.063 [0.058, 0.069]
    shortest|greedy-red    - always|greedy-red      0.232 [0.221, 0.243]
    always|greedy-red      - walk|greedy-red        0.537 [0.525, 0.548]

    CPU ms a match              mean    most    asks    most
    tiny        bayes x greedy-red    0.89   10.54     9.4      23
    small       bayes x greedy-red    1.76   15.10    20.5      28
    midtown     bayes x greedy-red    1.60   13.43    23.4      30
    city        bayes x greedy-red    8.79   35.77    63.8      82
    city-talk   bayes x greedy-red    8.05   23.21   148.6     196

    words / characters          message mean        most          full      window=1      window=0    answer
    small       rules              171 / 844
    small       advise             129 / 755   165 / 951    491 / 2737    392 / 2141    325 / 1742  19 / 131
    small       move                80 / 461   116 / 691    562 / 3154    369 / 2007    280 / 1479    2 / 11
    small       all asks                                    531 / 2974    379 / 2064    299 / 1592
    midtown     all asks                                    600 / 3387    400 / 2192    308 / 1647
    city        all asks                                    767 / 4383    421 / 2318    319 / 1716
    city-talk   all asks                                   1082 / 6265    360 / 1973    282 / 1508
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import arena
from arena.core import Match
from arena.core.seeds import stream
from arena.games.nyc.bots import BOTS
from arena.games.nyc.scripted import scripted
from arena.prompt import messages, wire

Floats = NDArray[np.float64]
FIRST_DEAL, RESAMPLES = 100_000, 2000
NO_RED: dict[str, Any] = {"no_red": True}
ORDER = (
    ("oracle", "greedy-red"),
    ("always", "honest-red"),
    ("bayes-open", "honest-red"),
    ("bayes", "honest-red"),
    ("never", "greedy-red"),
    ("shortest", "greedy-red"),
    ("always", "greedy-red"),
    ("walk", "greedy-red"),
)
OTHERS = (
    ("bayes", "greedy-red"),
    ("bayes-open", "greedy-red"),
    ("always", "bait-red"),
    ("bayes", "bait-red"),
    ("bayes-open", "bait-red"),
    ("always", "no-Red"),
    ("bayes", "no-Red"),
    ("bayes-open", "no-Red"),
    ("never", "no-Red"),
    ("bayes", "mute"),
    ("never", "mute"),
    ("shortest", "mute"),
    ("walk", "mute"),
)
MEMORIES = ("full", "window=1", "window=0")
PRESETS = ("nyc/tiny", "nyc/small", "nyc/midtown", "nyc/city", "nyc/city-talk")


class Cell(NamedTuple):
    """Per deal: sums of own and of arrivals, Blues, harmful tips followed and given."""

    own: Floats
    arrived: Floats
    blues: Floats
    followed: Floats
    given: Floats


def calibrate(deals: int) -> None:
    weights = resampled(deals)
    cells = {pair: cell(*pair, deals) for pair in (*ORDER, *OTHERS)}
    print(f"\nnyc/small, {deals} deals for every row (seeds {FIRST_DEAL} to {FIRST_DEAL + deals - 1}), 3 Blues each\n")
    print(f"{'Blue':12}{'Red':12}{'own':>26}{'S':>26}{'success':>26}")
    for (blue, red), c in cells.items():
        figures = (
            ratio(weights, c.own, c.blues),
            ratio(weights, c.followed, c.given),
            ratio(weights, c.arrived, c.blues),
        )
        print(f"{blue:12}{red:12}" + "".join(f"{shown(figure):>26}" for figure in figures))
    print("\nneighbours in the order, difference of mean own:")
    for one, other in pairwise(ORDER):
        difference = gap(weights, cells[one], cells[other])
        print(f"  {'|'.join(one):24} - {'|'.join(other):24} {shown(difference)}")


def cell(blue: str, red: str, deals: int) -> Cell:
    """One pair of bots on every deal; no-Red and mute are controls with greedy-red in the Red seats."""
    config: dict[str, Any] = {"no-Red": NO_RED, "mute": {"mute": True}}.get(red, {})
    bot = "greedy-red" if red in ("no-Red", "mute") else red
    found = []
    for deal in range(FIRST_DEAL, FIRST_DEAL + deals):
        figures = scripted(arena.match("nyc/small", seed=deal, **config), blue, bot).metrics()
        keys = ("own_sum", "arrived", "blues", "harmful_followed", "harmful_shown")
        found.append([figures[key] or 0 for key in keys])
    return Cell(*np.array(found, dtype=np.float64).T)


def resampled(deals: int) -> Floats:
    """How often each deal is drawn in each resample; the first row is the sample itself."""
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(deals, np.full(deals, 1 / deals), size=RESAMPLES)
    return np.vstack([np.ones(deals), drawn]).astype(np.float64)


def ratio(weights: Floats, top: Floats, bottom: Floats) -> Floats:
    above, below = weights @ top, weights @ bottom
    found: Floats = np.full(len(weights), np.nan)
    found[below > 0] = above[below > 0] / below[below > 0]
    return found


def gap(weights: Floats, one: Cell, other: Cell) -> Floats:
    return ratio(weights, one.own, one.blues) - ratio(weights, other.own, other.blues)


def shown(values: Floats) -> str:
    """The estimate and its interval."""
    if np.isnan(values[0]):
        return "-"
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return f"{values[0]:.3f} [{low:.3f}, {high:.3f}]"


def cost(matches: int) -> None:
    """CPU of whole scripted matches, dealing and recording included, without rendering."""
    print(f"\nCPU ms a match ({matches} matches a row; process time)\n")
    print(f"{'preset':16}{'players':28}{'mean':>8}{'most':>8}{'asks':>8}{'most':>8}")
    for preset in PRESETS:
        for blue, red in (("bayes", "greedy-red"), ("always", "greedy-red"), ("walk", "silent-red")):
            scripted(arena.match(preset, seed=0), blue, red)  # templates of sentences, places: read once
            spent, asks = [], []
            for seed in range(matches):
                since = time.process_time()
                match = scripted(arena.match(preset, seed=seed), blue, red)
                spent.append(1000 * (time.process_time() - since))
                asks.append(len(match.turns))
            row = f"{np.mean(spent):8.2f}{max(spent):8.2f}{np.mean(asks):8.1f}{max(asks):8d}"
            print(f"{preset:16}{blue + ' x ' + red:28}{row}")


class Size(NamedTuple):
    words: int
    chars: int


def size(text: str) -> Size:
    return Size(sum(any(c.isalnum() for c in word) for word in text.split()), len(text))


def prompts(matches: int) -> None:
    """What a model reads and writes, by ask: the ask's own message, and the whole prompt under three memories."""
    print(f"\nprompt length, bayes-open x greedy-red, {matches} matches a preset: words / characters\n")
    print(
        f"{'preset':15}{'ask':13}{'message mean':>15}{'most':>12}{'all, full':>15}{'all, window=1':>15}{'answer':>12}"
    )
    for preset in PRESETS:
        found: dict[str, list[list[Size]]] = {}
        for seed in range(matches):
            read(arena.match(preset, seed=seed), found)
        rules = size(arena.match(preset, seed=0).view("player_0").messages()[0]["content"])
        print(f"{preset:15}{'(rules)':13}{f'{rules.words} / {rules.chars}':>14}")
        for name, rows in found.items():
            columns = list(zip(*rows, strict=True))
            most = Size(max(s.words for s in columns[0]), max(s.chars for s in columns[0]))
            cells = [mean(columns[0]), f"{most.words} / {most.chars}", *map(mean, columns[1:])]
            print(f"{preset:15}{name:13}" + "".join(f"{cell:>14}" for cell in cells))
        every = list(zip(*(row for rows in found.values() for row in rows), strict=True))
        print(f"{preset:15}{'(all asks)':13}{'':28}" + "".join(f"{mean(column):>14}" for column in every[1:-1]))


def mean(sizes: Iterable[Size]) -> str:
    sizes = list(sizes)
    return f"{np.mean([s.words for s in sizes]):.0f} / {np.mean([s.chars for s in sizes]):.0f}"


def read(match: Match, found: dict[str, list[list[Size]]]) -> None:
    """Play one match as models would read it."""
    streams = {seat: stream(match.seed, seat) for seat in match.seats}
    while not match.done:
        for seat, ask in dict(match.pending()).items():
            view = match.view(seat)
            prompts_ = [messages(view, memory) for memory in MEMORIES]
            answer = BOTS["bayes-open" if match.roles[seat] == "blue" else "greedy-red"](view, ask, streams[seat])
            whole = [size("\n".join(m["content"] for m in prompt)) for prompt in prompts_]
            reply = size(wire(ask, match.check(seat, answer), {}))
            found.setdefault(ask.name, []).append([size(prompts_[0][-1]["content"]), *whole, reply])
            match.submit(seat, answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--deals", type=int, default=1000)
    parser.add_argument("--only", choices=("calibration", "cost", "prompts"))
    given = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "calibration": lambda: calibrate(given.deals),
        "cost": lambda: cost(100),
        "prompts": lambda: prompts(20),
    }
    for name, part in parts.items():
        if given.only in (None, name):
            part()


if __name__ == "__main__":
    main()
