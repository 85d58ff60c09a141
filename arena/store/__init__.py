"""The record of a run: one SQLite file, append-first, from which everything else is derived."""
