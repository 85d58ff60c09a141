"""hf in process, on the tiny model: limits, failures, and which model a name means."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.core.errors import UsageError
from arena.models.hf_client import HFClient
from arena.models.names import ModelName
from arena.models.tiny import tiny_random
from arena.models.types import ProviderError, Request, Response
from arena.prompt.shape import Shape
from tests.models.local_models import OPTIONS, ask, many, request, with_client

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = pytest.mark.models


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("ARENA_HOME", str(folder))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield folder


# --- limits and failures --------------------------------------------------------------------------------------------


def fail(wanted: Request, **options: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(wanted, **options)
    return caught.value


def test_a_prompt_that_is_too_long_names_its_tokens_and_the_limit() -> None:
    error = fail(request("x" * 500), max_len=100)

    assert error.kind == "context_length"
    assert not error.retryable
    assert "the prompt has 5" in error.message
    assert "100" in error.message


def test_an_answer_never_passes_the_limit() -> None:
    response = ask(request(max_tokens=500), max_len=60)

    assert response.finish == "length"
    assert (response.usage.prompt or 0) + (response.usage.completion or 0) == 60


def test_one_bad_request_in_a_batch_fails_alone() -> None:
    async def scene(client: HFClient) -> list[Any]:
        bad = Shape("schema", schema={"type": "no such type"})
        wanted = [request(shape=OPTIONS, order=0), request("x" * 9000, OPTIONS, order=1), request(shape=bad, order=2)]
        return await asyncio.gather(*(client.complete(one) for one in wanted), return_exceptions=True)

    good, long, bad = with_client(scene)

    assert good.text in OPTIONS.options
    assert long.kind == "context_length"
    assert (bad.kind, bad.parameter) == ("bad_request", "response_format")


def test_memory_that_runs_out_halves_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.models.hf_engine import Engine

    generate, sizes = Engine._generate, []

    def tight(self: Engine, model: Any, jobs: Any) -> Any:
        sizes.append(len(jobs))
        if len(jobs) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(self, model, jobs)

    monkeypatch.setattr(Engine, "_generate", tight)
    replies = many([request(shape=OPTIONS, order=n, sample_key=str(n)) for n in range(8)], wait_ms=500)

    assert len(replies) == 8
    assert sizes[0] == 8
    assert max(sizes[-3:]) <= 2


def test_a_prompt_that_alone_is_too_large_for_the_memory_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.models.hf_engine import Engine

    def none(self: Engine, model: Any, jobs: Any) -> Any:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(Engine, "_generate", none)

    assert fail(request()).kind == "context_length"


def test_a_crash_in_the_model_is_a_server_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.models.hf_engine import Engine

    def crash(self: Engine, model: Any, jobs: Any) -> Any:
        raise RuntimeError("kernel panic")

    monkeypatch.setattr(Engine, "_generate", crash)

    assert fail(request()).kind == "server"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_not_numbers_are_no_answer(temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.models.hf_rows import Rows

    process = Rows.process
    monkeypatch.setattr(Rows, "process", lambda self, ids, scores: process(self, ids, scores * float("nan")))

    assert fail(request(temperature=temperature)).kind == "server"


def test_closing_with_calls_in_the_queue_ends_every_call() -> None:
    async def scene() -> list[Any]:
        client = HFClient(ModelName("hf", "tiny-random", options={"dtype": "fp32", "batch": 1}))
        tasks = [asyncio.create_task(client.complete(request(order=n))) for n in range(6)]
        await tasks[0]
        await client.aclose()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(scene())

    assert isinstance(found[0], Response)
    assert all(isinstance(one, Response) or one.kind == "connection" for one in found)


# --- which model ----------------------------------------------------------------------------------------------------


def test_the_identity_is_hashes_and_versions(home: Path) -> None:
    async def scene(client: HFClient) -> Any:
        return await client.identity()

    found, other = with_client(scene), with_client(scene, seed=1)

    assert found["files"]["model.safetensors"] == "ece89df51175b4a6b452168a30c7a4d6c0562e29d1d599950a201efd0571fa65"
    assert (found["source"], found["adapter"]) == ("made", None)
    assert found["files"] != other["files"]
    assert {"torch", "transformers"} == found["versions"].keys()


def test_a_path_wins_and_a_model_without_weights_is_refused(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "m"
    shutil.copytree(tiny_random(0), copy)

    async def source(client: HFClient) -> str:
        return str((await client.identity())["source"])

    assert with_client(source, model=str(copy)) == "path"
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(UsageError, match=r"pytorch_model\.bin, which is not loaded"):
        ask(request(), model=str(copy))
    with pytest.raises(UsageError, match="no model at"):
        ask(request(), model=str(tmp_path / "nowhere"))


def test_code_in_a_models_folder_is_not_run(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "m"
    shutil.copytree(tiny_random(0), copy)
    (copy / "evil.py").write_text(f"open({str(tmp_path / 'exploded')!r}, 'w')\nclass Model: pass\n", "utf-8")
    (copy / "custom_generate").mkdir()
    (copy / "custom_generate" / "generate.py").write_text(f"open({str(tmp_path / 'exploded')!r}, 'w')\n", "utf-8")
    config = json.loads((copy / "config.json").read_text("utf-8"))
    config["auto_map"] = {
        "AutoModelForCausalLM": "evil.Model",
        "AutoConfig": "evil.Model",
        "AutoTokenizer": "evil.Model",
    }
    (copy / "config.json").write_text(json.dumps(config), "utf-8")

    response = ask(request(shape=OPTIONS), model=str(copy))

    assert response.text in OPTIONS.options
    assert not (tmp_path / "exploded").exists()


def test_weights_that_do_not_fit_their_config_are_one_error(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "m"
    shutil.copytree(tiny_random(0), copy)
    config = json.loads((copy / "config.json").read_text("utf-8"))
    (copy / "config.json").write_text(json.dumps(config | {"hidden_size": 128}), "utf-8")

    error = fail(request(), model=str(copy))

    assert error.kind == "not_found"
    assert "cannot be loaded" in error.message


def test_a_hub_id_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match="nor to be had from the hub"):
        ask(request(), model="nobody/no-such-model")


@pytest.mark.parametrize("wanted", ["low", "512"])
def test_reasoning_that_would_do_nothing_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="does nothing here"):
        ask(request(), reasoning=wanted)


def test_nothing_is_printed(home: Path) -> None:
    program = (
        "import asyncio\nfrom arena.models.hf_client import HFClient\nfrom arena.models.names import ModelName\n"
        "from arena.models.types import Request\n"
        "async def main():\n    c = HFClient(ModelName('hf', 'tiny-random'))\n"
        "    await c.complete(Request(({'role': 'user', 'content': 'x'},)))\n    await c.aclose()\n"
        "asyncio.run(main())\n"
    )
    environ = {**os.environ, "ARENA_HOME": str(home), "PYTHONWARNINGS": "error::ResourceWarning"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environ)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
