"""Which answers each model of a run gave, in order: how often every sequence of a match was played.

    python benchmarks/sequences.py runs/training/b-kto-1 [--tag final]

Of matches whose tag begins so, all by default; a model that sits in two seats of a match counts twice.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from itertools import groupby
from pathlib import Path

from arena.core.errors import ArenaError
from arena.store.reader import Reader

ANSWERS = """
SELECT m.match_id, s.seat_no, a.name, t.answer
FROM matches m JOIN seats s USING (match_id) JOIN agents a USING (agent_id) JOIN turns t USING (match_id, seat_no)
WHERE m.status = 'done' AND a.kind = 'model' AND coalesce(m.tag, '') LIKE ? || '%'
ORDER BY m.match_id, s.seat_no, t.turn
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("--tag", default="", help="final: the last matches of a training run")
    options = parser.parse_args()
    try:
        reader = Reader(options.run)
    except ArenaError as error:
        parser.error(error.message)
    with reader:
        seats = groupby(reader.db.execute(ANSWERS, (options.tag,)), key=lambda row: (row["name"], *row[:2]))
        played = Counter(
            (name, ", ".join(str(json.loads(row["answer"])) for row in rows)) for (name, *_), rows in seats
        )
        tags = sorted({match["tag"] for match in reader.matches() if match["tag"]})
    if not played:
        parser.error(f"no model answered in a finished match with a tag {options.tag!r}; there are {', '.join(tags)}")
    for (name, sequence), count in sorted(played.items(), key=lambda entry: (entry[0][0], -entry[1])):
        print(f"{count:6}  {name}  {sequence}")


if __name__ == "__main__":
    main()
