"""What is asked before money is spent, and where nothing is asked."""

from __future__ import annotations

import sys

import pytest
import typer

from arena.cli.confirm import confirm
from arena.run.api import resolve_agents
from arena.run.runfile import settings_of

PRICED = "openai/some-model@http://127.0.0.1:9?price_in=1000&price_out=1000"


def _ask(
    monkeypatch: pytest.MonkeyPatch, agent: str, *, yes: bool = False, terminal: bool = True, **limits: float
) -> str:
    """The question that was asked, or nothing; the answer is no."""
    asked: list[str] = []

    def answer(question: str, **_: object) -> None:
        asked.append(question)
        raise typer.Abort

    monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(typer, "confirm", answer)
    settings = settings_of(
        {"game": "kuhn", "agents": [agent, "bot/tight"], "seed": 1, "matches": 200, "limits": dict(limits)}
    )
    specs = resolve_agents(settings.agents, ["kuhn"])
    try:
        confirm(settings, specs, yes=yes)
    except typer.Abort:
        return asked[0]
    return ""


def test_a_dear_run_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ask(monkeypatch, PRICED).startswith("This run may cost $")


def test_an_unknown_price_without_a_budget_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    name = PRICED.partition("?")[0]

    assert "is not known" in _ask(monkeypatch, name)


@pytest.mark.parametrize(
    "given",
    [{"yes": True}, {"terminal": False}, {"budget_usd": 2.0}],
    ids=["--yes", "no terminal", "a small budget"],
)
def test_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, given: dict[str, bool]) -> None:
    assert _ask(monkeypatch, PRICED, **given) == ""


@pytest.mark.parametrize("agent", ["bot/loose", "mock/legal", "gguf/smollm2-135m"])
def test_what_costs_nothing_is_not_asked_about(monkeypatch: pytest.MonkeyPatch, agent: str) -> None:
    assert _ask(monkeypatch, agent) == ""
