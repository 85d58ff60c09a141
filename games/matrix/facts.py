"""What everybody knows before the first move: the facts behind `rules.j2`, and the way back from them to the rules."""

from __future__ import annotations

from typing import Any

from arena.games.matrix.config import MatrixConfig
from arena.games.matrix.rules import StageGame

_ROWS = 20_000  # profiles of a table that is listed


def public_facts(config: MatrixConfig) -> dict[str, Any]:
    """The configuration without its secrets and without a horizon that is not announced; seats, roles, actions; the
    payoff table (`rows`) where there is one that chance does not draw."""
    hidden = MatrixConfig.secret()
    facts = {key: value for key, value in config.as_json().items() if key not in hidden}
    stage, players = config.stage, config.seat_tuple
    if not config.announces_rounds:
        facts["rounds"] = None
    facts["players"] = list(players)
    facts["roles"] = dict(zip(players, stage.roles, strict=False))
    facts["actions"] = {seat: _actions(stage, i) for i, seat in enumerate(players)}
    facts["story"] = _story(config)
    facts["rows"] = config.base.rows() if _has_table(config) else None
    facts["network_kind"] = config.graph
    return facts


def config_of(facts: dict[str, Any]) -> MatrixConfig:
    """The configuration that a view's rules state; what they do not state has its default."""
    fields = {key: facts[key] for key in MatrixConfig.__dataclass_fields__ if facts.get(key) is not None}
    return MatrixConfig.make(fields)


def _actions(stage: StageGame, player: int) -> Any:
    own = stage.actions[player]
    return {"low": own[0], "high": own[-1]} if isinstance(own, range) else list(own)


def _story(config: MatrixConfig) -> str:
    """The template of prompts/matrix/scenarios/ that tells what choices do."""
    if config.graph != "none":
        return "network"
    if config.form:
        return "linked_goods"
    if config.scenario in ("rps", "coordination"):  # a sentence says what a table would
        return config.scenario if config.payoff_words else "table"
    return config.scenario if config.scenario in _STORIES else "table"


_STORIES = ("cournot", "bertrand", "public_goods", "trust_amount", "online", "grid", "matrix_random")


def _has_table(config: MatrixConfig) -> bool:
    return _story(config) not in _STORIES and not config.form and config.base.size <= _ROWS
