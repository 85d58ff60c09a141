"""From the record to better players: rows by named recipes, TRL + PEFT from outside, policies back as names.

The only package that imports trl or peft's training half, and only in a child process of its own. Nothing here names a
game: what a game adds (recipes, a mix of opponents) is found in its own folder through the registry.
"""
