"""Runs: many matches played at once, recorded as they go, resumable from the record alone."""
