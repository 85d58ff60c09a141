"""Werewolf (Mafia): one configurable engine, many published rule sets."""
