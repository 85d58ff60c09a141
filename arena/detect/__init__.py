"""Detectability: can a judge who sees only their words tell people from models?

`draw` takes from recorded runs what seats said to the whole table; `sheet` writes it blind, as a CSV with an empty
answer column that a person, or any model, fills; `score` counts the answers against the record. The key is nowhere but
in the record: a sheet is a pure function of runs, kinds and seed, and scoring makes it again.
"""

from arena.detect.score import Part, Report, score
from arena.detect.sheet import ANSWERS, Drawn, Item, draw, sheet

__all__ = ["ANSWERS", "Drawn", "Item", "Part", "Report", "draw", "score", "sheet"]
