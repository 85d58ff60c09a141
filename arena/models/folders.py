"""Where things that can be made again (caches) and things made once (converted models) lie on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder for this program."""
    return _user_folder("XDG_CACHE_HOME", ".cache", "Library/Caches", "LOCALAPPDATA")


def data_folder() -> Path:
    """$ARENA_HOME, else the user's data folder for this program: large things that take long to make."""
    if home := os.environ.get("ARENA_HOME"):
        return Path(home).expanduser()
    return _user_folder("XDG_DATA_HOME", ".local/share", "Library/Application Support", "LOCALAPPDATA")


def _user_folder(xdg: str, linux: str, mac: str, windows: str) -> Path:
    if sys.platform == "win32":
        base = Path(os.environ.get(windows) or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / mac
    else:
        given = os.environ.get(xdg, "")
        base = Path(given) if given.startswith("/") else Path.home() / linux
    return base / "parley-arena"
