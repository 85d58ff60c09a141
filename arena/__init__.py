"""Parley Arena: language models play strategic language games, are rated, and train on their own play.

The public names load on first use, so that `import arena` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_here = Path(__file__).parent
if not (_here / "games" / "__init__.py").exists():  # a checkout without symlink support: the folders lie beside arena/
    __path__.append(str(_here.parent))

_PUBLIC = {
    "match": "arena.play",
    "fork": "arena.play",
    "env": "arena.envs",
    "raw_env": "arena.envs",
    "parallel_env": "arena.envs",
    "ArenaError": "arena.core.errors",
    "IllegalAnswer": "arena.core.errors",
}
__all__ = ["ArenaError", "IllegalAnswer", "__version__", "env", "fork", "match", "parallel_env", "raw_env"]

if TYPE_CHECKING:
    from arena.core.errors import ArenaError, IllegalAnswer
    from arena.envs import env, parallel_env, raw_env
    from arena.play import fork, match


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'arena' has no attribute {name!r}")
