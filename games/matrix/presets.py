"""The named configurations: one for each scenario, and those of the papers."""

from __future__ import annotations

from typing import Any

Preset = dict[str, Any]

_CATALOGUE: dict[str, Preset] = {
    "ipd": {},
    "ipd_mcg": {"rounds": 1, "commitment": True, "mega": 1},
    "conflict": {"rounds": 16, "commitment": True, "mega": 2},
    "rps": {"rounds": 50},
    "pennies": {},
    "stag": {},
    "chicken": {},
    "bos": {},
    "coordination": {},
    "high_low": {},
    "trust": {},
    "trust_amount": {},
    "cournot": {},
    "bertrand": {},
    "public_goods": {},
    "pd_network": {},
    "matrix_random": {},
    "custom": {},
    "online": {"rounds": 25},
    "grid": {"rounds": 16, "commitment": True, "mega": 1},
}

_REGRET: dict[str, Preset] = {
    "rps": {},
    "ipd": {},
    "coordination": {},
    "cournot": {},
    "bertrand": {},
    "matrix_random": {"n": 2, "k": 3},
}

_PROGRAMS: dict[str, Preset] = {"high_low": {}, "coordination": {"k": 4}, "bos": {}}

PRESETS: dict[str, Preset] = {
    **{name: {"scenario": name, **more} for name, more in _CATALOGUE.items()},
    "network_pd": {
        "scenario": "pd_network",
        "n": 6,
        "rounds": 20,
        "network": "ring",
        "visibility": "neighbours",
        "governor": True,
        "governor_budget": 3,
    },
    "trust_sim": {"scenario": "trust", "simulate": "optional", "simulate_cost": 0.1},
    "tompo": {"scenario": "public_goods", "n": 4, "form": True, "phases": 2},
    **{f"regret/{name}": {"scenario": name, "rounds": 25, **more} for name, more in _REGRET.items()},
    **{f"pibr/{name}": {"scenario": name, "programs": True, **more} for name, more in _PROGRAMS.items()},
}
