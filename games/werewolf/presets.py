"""The named configurations: each gives only what differs from the defaults of `config.py`.

Sources: MaKTO (arXiv 2501.14225), Werewolf Arena (2407.13943), the AIWolf protocol contests and their language-model
divisions, Secret Mafia of TextArena. `EXPERIMENTAL` ones follow papers whose full rules were not available
(RL-Werewolf 2310.18940, LSPO 2502.04686); what is not known of them is ours.
"""

from __future__ import annotations

from typing import Any

Preset = dict[str, Any]

# AIWolf server's table for every size: guard, medium, possessed, seer, villager, wolf.
_AIWOLF_COLUMNS = ("guard", "medium", "possessed", "seer", "villager", "wolf")
_AIWOLF_SIZES = {
    3: (0, 0, 0, 1, 1, 1),
    4: (0, 0, 0, 1, 2, 1),
    5: (0, 0, 1, 1, 2, 1),
    6: (0, 0, 1, 1, 3, 1),
    7: (0, 0, 0, 1, 4, 2),
    8: (0, 1, 0, 1, 4, 2),
    9: (0, 1, 0, 1, 5, 2),
    10: (1, 1, 1, 1, 4, 2),
    11: (1, 1, 1, 1, 5, 2),
    12: (1, 1, 1, 1, 5, 3),
    13: (1, 1, 1, 1, 6, 3),
    14: (1, 1, 1, 1, 7, 3),
    15: (1, 1, 1, 1, 8, 3),
    16: (1, 1, 1, 1, 9, 3),
    17: (1, 1, 1, 1, 10, 3),
    18: (1, 1, 1, 1, 11, 3),
}


def aiwolf_roles(seats: int) -> dict[str, int]:
    """The AIWolf role set of that many seats (3 to 18)."""
    return {role: n for role, n in zip(_AIWOLF_COLUMNS, _AIWOLF_SIZES[seats], strict=True) if n}


def mafia_roles(seats: int) -> dict[str, int]:
    """Secret Mafia's role set: a quarter mafia, halves rounded to even."""
    mafia = round(seats / 4)
    return {"mafia": mafia, "doctor": 1, "detective": 1, "villager": seats - mafia - 2}


_AIWOLF: Preset = {
    "first_night_kill": False,
    "wolf_decision": "revote",
    "wolf_abstain": False,
    "wolf_self_kill": False,
    "wolf_chat": 10,
    "guard_self": False,
    "guard_repeat": True,
    "speech": "talk",
    "vote_self": False,
    "vote_abstain": False,
    "vote_tie": "revote",
    "win": "parity",
}
# 125 characters, and 125 more when another player is addressed: only the sum is enforced.
_AIWOLF_NLP: Preset = {**_AIWOLF, "talk_limit": 4, "talk_turns": 4, "max_chars": 250}

_MAFIA: Preset = {
    "wolf_decision": "sequential",
    "wolf_order": "random",
    "wolf_tie": "random",
    "wolf_abstain": False,
    "guard_self": False,
    "guard_repeat": True,
    "guard_none": False,
    "speech": "shuffle",
    "rounds": 3,
    "vote_mode": "sequential",
    "vote_abstain": False,
    "vote_tie": "random",
    "win": "parity",
}

_ARENA: Preset = {
    "names": "first_names",
    "wolf_decision": "single_random",
    "wolf_abstain": False,
    "wolf_self_kill": False,
    "seer_info": "role",
    "guard_repeat": True,
    "guard_none": False,
    "speech": "bidding",
    "turns": 8,
    "vote_mode": "secret",
    "vote_self": False,
    "vote_abstain": False,
    "threshold": "majority",
    "vote_tie": "none",
    "win": "parity",
    "summaries": True,
}

_SEVEN: Preset = {
    "roles": {"wolf": 2, "seer": 1, "doctor": 1, "villager": 3},
    "wolf_abstain": False,
    "wolf_self_kill": False,
    "guard_repeat": True,
    "vote_tie": "none",
    "vote_self": False,
    "win": "parity",
    "reveal_role": "never",
}

_MINI: Preset = {
    "roles": {"wolf": 1, "seer": 1, "villager": 3},
    "first_night_kill": False,
    "wolf_abstain": False,
    "wolf_self_kill": False,
    "vote_tie": "random",
    "vote_self": False,
    "vote_abstain": False,
    "max_chars": 160,
    "win": "parity",
}

PRESETS: dict[str, Preset] = {
    "makto9g": {"roles": {"wolf": 3, "seer": 1, "witch": 1, "guard": 1, "villager": 3}},
    "makto9h": {"roles": {"wolf": 3, "seer": 1, "witch": 1, "hunter": 1, "villager": 3}},
    "makto7g": {"roles": {"wolf": 2, "seer": 1, "guard": 1, "villager": 3}},
    "makto7w": {"roles": {"wolf": 2, "seer": 1, "witch": 1, "villager": 3}},
    "arena8": {"roles": {"wolf": 2, "seer": 1, "doctor": 1, "villager": 4}, **_ARENA},
    "aiwolf5": {"roles": aiwolf_roles(5), **_AIWOLF},
    "aiwolf13": {"roles": aiwolf_roles(13), **_AIWOLF},
    "aiwolf15": {"roles": aiwolf_roles(15), **_AIWOLF},
    "aiwolf5-nlp": {"roles": aiwolf_roles(5), **_AIWOLF_NLP},
    "aiwolf13-nlp": {"roles": aiwolf_roles(13), **_AIWOLF_NLP},
    **{f"mafia{seats}": {"roles": mafia_roles(seats), **_MAFIA} for seats in range(6, 16)},
    "rl_werewolf7": _SEVEN,
    "lspo7": _SEVEN,
    "mini5": _MINI,
    "duel5": {**_MINI, "rounds": 0},
}

EXPERIMENTAL = frozenset({"rl_werewolf7", "lspo7"})
