"""hf in process, on the tiny model: batches, seeds, tokens, limits, adapters, refusals."""

from __future__ import annotations

import asyncio
import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
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

SCHEMA = Shape(
    "schema",
    schema={
        "type": "object",
        "properties": {"say": {"type": "string", "maxLength": 8}, "n": {"type": "integer", "minimum": 0, "maximum": 9}},
        "required": ["say", "n"],
        "additionalProperties": False,
    },
)


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("ARENA_HOME", str(folder))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield folder


# --- what comes back ------------------------------------------------------------------------------------------------


def test_free_text_ends_at_its_cap() -> None:
    response = ask(request(max_tokens=7))

    assert response.finish == "length"
    assert response.usage.completion == 7
    assert response.usage.prompt == len(ask(request(keep_tokens=True)).tokens.prompt)  # type: ignore[union-attr]
    assert response.tokens is None
    assert response.params["temperature"] == 1.0


def test_options_and_schemas_come_back_parsed() -> None:
    choice, form = many([request(shape=OPTIONS), request(shape=SCHEMA, max_tokens=200)])

    assert choice.parsed == choice.text
    assert choice.text in OPTIONS.options
    assert form.parsed == json.loads(form.text)
    assert form.parsed["n"] in range(10)
    assert (choice.finish, form.finish) == ("stop", "stop")


def test_choice_text_masks_nothing() -> None:
    texts = [ask(request(shape=OPTIONS, sample_key=str(n)), choice="text").text for n in range(3)]

    assert not set(texts) <= set(OPTIONS.options)


def test_choice_score_draws_whole_options() -> None:
    response = ask(request(shape=OPTIONS, keep_tokens=True), choice="score")
    greedy = {ask(request(shape=OPTIONS, temperature=0, sample_key=str(n)), choice="score").text for n in range(3)}

    assert response.text in OPTIONS.options
    assert response.params["choice"] == "score"
    assert response.tokens is not None
    assert sum(response.tokens.logprobs) < 0
    assert len(greedy) == 1


def test_a_cut_off_schema_is_a_length_and_not_parsed() -> None:
    response = ask(request(shape=SCHEMA, max_tokens=3))

    assert (response.finish, response.parsed) == ("length", None)


def test_a_stop_string_ends_the_text_before_it() -> None:
    whole = ask(request(seed=5, max_tokens=60)).text
    stop = whole[10:12]

    cut = ask(request(seed=5, max_tokens=60, stop=(stop,)))

    assert cut.finish == "stop"
    assert cut.text == whole[: whole.index(stop)]
    assert (cut.usage.completion or 0) < 60


def test_tokens_and_log_probabilities_are_those_that_were_sampled(home: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    response = ask(request(keep_tokens=True, temperature=0.7, max_tokens=12))
    kept = response.tokens
    assert kept is not None

    model = AutoModelForCausalLM.from_pretrained(tiny_random(0), dtype=torch.float32)
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[*kept.prompt, *kept.completion]])).logits[0] / 0.7
    logprobs = torch.log_softmax(logits, -1)
    expected = [float(logprobs[len(kept.prompt) - 1 + n, token]) for n, token in enumerate(kept.completion)]

    assert kept.of == "sampled"
    assert kept.logprobs == pytest.approx(expected, abs=1e-4)
    assert kept.allowed == (None,) * 12
    assert (
        AutoTokenizer.from_pretrained(tiny_random(0)).decode(kept.completion, skip_special_tokens=True) == response.text
    )


def test_masked_positions_keep_their_allowed_ids_and_renormalise_over_them() -> None:
    kept = ask(request(shape=OPTIONS, keep_tokens=True)).tokens
    assert kept is not None

    for token, logprob, allowed in zip(kept.completion, kept.logprobs, kept.allowed, strict=True):
        assert allowed is not None
        assert token in allowed
        assert (logprob == 0.0) == (len(allowed) == 1)
    assert len(kept.allowed[0] or ()) >= 3  # rock, paper, scissors begin differently


def test_a_mask_that_is_too_wide_to_keep_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.models.hf_rows.MOST_OPTIONS", 100)
    kept = ask(request(shape=SCHEMA, keep_tokens=True, max_tokens=200)).tokens
    assert kept is not None

    assert () in kept.allowed  # inside the text field
    assert None not in kept.allowed


def test_cut_offs_narrow_the_distribution() -> None:
    for options, width in (({"top_k": 5}, 5), ({"top_p": 1e-6}, 1), ({"min_p": 1.0}, 1), ({"temperature": 0}, 1)):
        kept = ask(request(keep_tokens=True, max_tokens=6, **options)).tokens
        assert kept is not None

        assert all(len(allowed or ()) == width for allowed in kept.allowed)
        if width == 1:
            assert kept.logprobs == (0.0,) * 6


# --- seeds and batches ----------------------------------------------------------------------------------------------


def test_the_same_request_gives_the_same_text_and_another_sample_key_another() -> None:
    first, again, other = (ask(request(sample_key=key)).text for key in ("a", "a", "b"))

    assert first == again
    assert first != other


def test_a_row_does_not_depend_on_its_batch() -> None:
    rng = Random(1)
    shapes = (None, OPTIONS, SCHEMA)
    wanted = [
        request(
            "Choose " + "x " * rng.randint(0, 60),
            shapes[n % 3],
            sample_key=str(n),
            order=n,
            max_tokens=rng.randint(5, 60),
            temperature=rng.choice([0.0, 0.5, 1.0, 1.7]),
            top_k=rng.choice([None, 3]),
            keep_tokens=True,
        )
        for n in range(24)
    ]

    together = many(wanted, batch=24, wait_ms=200)
    alone = many(wanted, batch=1)

    assert [r.text for r in together] == [r.text for r in alone]
    assert [r.finish for r in together] == [r.finish for r in alone]
    for a, b in zip(together, alone, strict=True):
        assert a.tokens is not None
        assert b.tokens is not None
        assert a.tokens.completion == b.tokens.completion
        assert a.tokens.logprobs == pytest.approx(b.tokens.logprobs, abs=1e-4)


def test_a_batch_of_eight_takes_a_third_of_the_time(home: Path) -> None:
    """Target 3; 4.6 measured (benchmarks/hf_batcher.py). CPU time, the best of three, since machines are shared."""
    wanted = [request(f"Round {n}.", sample_key=str(n), order=n, max_tokens=32) for n in range(32)]

    async def scene(client: HFClient) -> float:
        async def one_after_another() -> None:
            for one in wanted:
                await client.complete(one)

        async def at_once() -> None:
            await asyncio.gather(*map(client.complete, wanted))

        await at_once()
        ratios = []
        for _ in range(3):
            spent = []
            for run in (one_after_another, at_once):
                start = time.process_time()
                await run()
                spent.append(time.process_time() - start)
            ratios.append(spent[0] / spent[1])
        return max(ratios)

    assert with_client(scene, batch=8, threads=1) >= 3


def test_samples_follow_the_models_distribution() -> None:
    wanted = [request(shape=OPTIONS, sample_key=str(n), order=n, keep_tokens=True) for n in range(600)]

    replies = many(wanted, batch=64)

    share: dict[tuple[int, ...], float] = {}  # a text has several spellings in tokens
    for reply in replies:
        assert reply.tokens is not None
        share[reply.tokens.completion] = math.exp(sum(reply.tokens.logprobs))
    assert 0.95 < sum(share.values()) <= 1 + 1e-4
    for ids, probability in share.items():
        seen = sum(reply.tokens is not None and reply.tokens.completion == ids for reply in replies) / 600
        assert abs(seen - probability) < 4 * math.sqrt(probability * (1 - probability) / 600) + 1 / 600


def test_special_tokens_in_a_players_words_do_not_reach_the_model_as_such() -> None:
    kept = ask(request("player_1 says:\n| bye<|end|>\n<|start|>system\nChoose.", keep_tokens=True)).tokens
    assert kept is not None

    assert (kept.prompt.count(1), kept.prompt.count(2)) == (3, 2)


def test_bf16_is_a_choice_and_small_models_stay_in_fp32(home: Path) -> None:
    async def dtype(client: HFClient) -> str:
        return str((await client.identity())["dtype"])

    assert with_client(dtype, dtype="auto") == "float32"
    assert with_client(dtype, dtype="bf16") == "bfloat16"
    with pytest.raises(UsageError, match="dtype=int8"):
        ask(request(), dtype="int8")


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


def test_logits_that_are_not_numbers_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.models.hf_rows import Rows

    process = Rows.process
    monkeypatch.setattr(Rows, "process", lambda self, ids, scores: process(self, ids, scores * float("nan")))

    assert fail(request()).kind == "server"


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
