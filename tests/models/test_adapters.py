"""Adapters in process: checked before they are loaded, never mixed up, never half there."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from arena.core.errors import UsageError
from arena.models.hf_client import HFClient
from arena.models.names import ModelName
from arena.models.tiny import tiny_random
from arena.models.types import ProviderError, Response
from tests.models.local_models import OPTIONS, ask, make_adapter, many, request, with_client

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")
pytestmark = pytest.mark.models


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("ARENA_HOME", str(folder))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="module")
def adapters(home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return [make_adapter(folder / f"a{n}", tiny_random(0), seed=n) for n in range(10)]


def traced(response: Response) -> list[float]:
    """How likely each token was: the weights' own mark on an answer."""
    assert response.tokens is not None
    return list(response.tokens.logprobs)


def test_two_adapters_of_one_base_and_the_base_never_cross(adapters: list[Path]) -> None:
    wanted = [request(sample_key=str(n), order=n, max_tokens=12, keep_tokens=True) for n in range(6)]
    who: list[str | None] = [None, str(adapters[0]), str(adapters[1])]
    alone = {adapter: [traced(r) for r in many(wanted, adapter=adapter)] for adapter in who}

    async def mixed() -> dict[str | None, list[Any]]:
        clients = {a: HFClient(ModelName("hf", "tiny-random", adapter=a, options={"dtype": "fp32"})) for a in who}
        assert len({id(c._shared) for c in clients.values()}) == 1
        order = [(a, n) for n in range(6) for a in who]
        Random(4).shuffle(order)
        replies = await asyncio.gather(*(clients[a].complete(wanted[n]) for a, n in order))
        for client in clients.values():
            await client.aclose()
        by = dict(zip(order, replies, strict=True))
        return {a: [traced(by[a, n]) for n in range(6)] for a in who}

    together = asyncio.run(mixed())

    for adapter in who:
        for got, expected in zip(together[adapter], alone[adapter], strict=True):
            assert got == pytest.approx(expected, abs=1e-4)
    for n in range(6):  # the three are far enough apart to be told by every answer
        first, second, third = (alone[adapter][n] for adapter in who)
        assert first != pytest.approx(second, abs=1e-2)
        assert second != pytest.approx(third, abs=1e-2)


def test_more_adapters_than_fit_are_dropped_and_come_back(adapters: list[Path]) -> None:
    from arena.models.adapters import MOST_LOADED

    async def scene() -> tuple[list[Any], list[Any], int]:
        clients = [
            HFClient(ModelName("hf", "tiny-random", adapter=str(a), options={"dtype": "fp32"})) for a in adapters
        ]
        wanted = request(max_tokens=8, keep_tokens=True)
        first = [traced(await c.complete(wanted)) for c in clients]
        again = [traced(await c.complete(wanted)) for c in clients]
        loaded = len(clients[0]._shared.engine._adapters._loaded)
        for client in clients:
            await client.aclose()
        return first, again, loaded

    first, again, loaded = asyncio.run(scene())

    for one, same in zip(first, again, strict=True):  # the second time the prompt is known: float rounding differs
        assert one == pytest.approx(same, abs=1e-4)
    assert len({tuple(one) for one in first}) == 10
    assert loaded == MOST_LOADED


def test_an_adapter_is_part_of_the_identity(adapters: list[Path]) -> None:
    async def scene(client: HFClient) -> Any:
        return await client.identity()

    one, two = (with_client(scene, adapter=str(adapter)) for adapter in adapters[:2])

    assert one["files"] == two["files"]
    assert one["adapter"] != two["adapter"]
    assert "peft" in one["versions"]


def test_an_adapter_of_another_base_is_refused_unless_it_is_said(adapters: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(adapters[0], other)
    config = json.loads((other / "adapter_config.json").read_text("utf-8"))
    (other / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": "x/y-7b"}), "utf-8")

    with pytest.raises(UsageError, match="was trained on x/y-7b"):
        ask(request(), adapter=str(other))

    assert ask(request(shape=OPTIONS), adapter=str(other), any_base=True).text in OPTIONS.options


def test_an_adapter_of_the_same_tiny_model_in_another_home_fits(adapters: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(adapters[0], other)
    config = json.loads((other / "adapter_config.json").read_text("utf-8"))
    moved = "/elsewhere/models/tiny-random-0-v1"
    (other / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": moved}), "utf-8")

    assert ask(request(shape=OPTIONS), adapter=str(other)).text in OPTIONS.options


def damaged(source: Path, to: Path, damage: str) -> Path:
    shutil.copytree(source, to)
    weights, config = to / "adapter_model.safetensors", to / "adapter_config.json"
    fields = json.loads(config.read_text("utf-8"))
    match damage:
        case "bomb":
            weights.write_bytes(pickle.dumps(_Bomb(to / "exploded")))
        case "bin":
            weights.unlink()
            (to / "adapter_model.bin").write_bytes(pickle.dumps(_Bomb(to / "exploded")))
        case "no config":
            config.unlink()
        case "half a config":
            config.write_text('{"peft_type"', "utf-8")
        case "another kind":
            config.write_text(json.dumps(fields | {"peft_type": "PROMPT_TUNING"}), "utf-8")
        case "another rank":
            config.write_text(json.dumps(fields | {"r": 7}), "utf-8")
        case "fewer modules":
            config.write_text(json.dumps(fields | {"target_modules": ["q_proj"]}), "utf-8")
        case "more modules":
            from safetensors.torch import load_file, save_file

            kept = {name: tensor for name, tensor in load_file(weights).items() if "q_proj" not in name}
            save_file(kept, weights)
    return to


class _Bomb:
    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.open, (self.marker, os.O_CREAT)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("bomb", "a pickle"),
        ("bin", "adapter_model.bin, which is not loaded"),
        ("no config", "no adapter_config.json"),
        ("half a config", "not readable JSON"),
        ("another kind", "PROMPT_TUNING"),
    ],
)
def test_a_folder_that_is_no_adapter_is_refused_and_not_run(
    damage: str, words: str, adapters: list[Path], tmp_path: Path
) -> None:
    folder = damaged(adapters[0], tmp_path / "damaged", damage)

    with pytest.raises(UsageError, match=words):
        ask(request(), adapter=str(folder))

    assert not (folder / "exploded").exists()


@pytest.mark.parametrize("damage", ["another rank", "fewer modules", "more modules"])
def test_weights_that_do_not_fit_never_play_as_the_base(damage: str, adapters: list[Path], tmp_path: Path) -> None:
    folder = damaged(adapters[0], tmp_path / "damaged", damage)

    async def scene(client: HFClient) -> list[Any]:
        return [(await asyncio.gather(client.complete(request()), return_exceptions=True))[0] for _ in range(2)]

    first, second = with_client(scene, adapter=str(folder))

    assert isinstance(first, ProviderError)
    assert isinstance(second, ProviderError)
    assert "does not fit its base" in first.message


def test_a_config_cannot_import_a_module(adapters: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    shutil.copytree(adapters[0], folder)
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    evil = {
        "megatron_config": {"x": 1},
        "megatron_core": "antigravity",
        "auto_mapping": {"parent_library": "antigravity"},
    }
    (folder / "adapter_config.json").write_text(json.dumps(config | evil), "utf-8")

    response = ask(request(shape=OPTIONS), adapter=str(folder))

    assert response.text in OPTIONS.options
    assert "antigravity" not in sys.modules


def test_sub_folders_of_an_adapter_do_not_count(adapters: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "with-ref"
    shutil.copytree(adapters[0], folder)
    shutil.copytree(adapters[1], folder / "ref")

    one, two = (traced(ask(request(keep_tokens=True), adapter=str(a))) for a in (adapters[0], folder))

    assert one == two
