"""Guess 0.8 of the average."""
