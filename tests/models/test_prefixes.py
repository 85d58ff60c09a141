"""What a model has read already: found again, dropped when it grows old, and the same answers with it as without."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from arena.models import on_cpu  # noqa: E402
from arena.models.hf_engine import Engine  # noqa: E402
from arena.models.hf_rows import Answer, Job  # noqa: E402
from arena.models.prefixes import Prefixes, common, plain_cache  # noqa: E402
from arena.models.tiny import tiny_random  # noqa: E402
from arena.models.types import Message  # noqa: E402
from arena.training.adapters.policies import load_base  # noqa: E402
from arena.training.settings import Params  # noqa: E402
from tests.models.local_models import OPTIONS, passes_of, tiny_engine  # noqa: E402

pytestmark = pytest.mark.models

RULES: Message = {"role": "system", "content": "You play a game of many rounds. " * 6}


def said(*texts: str) -> tuple[Message, ...]:
    """The rules, then the texts in turn: the engine's, the seat's, the engine's …"""
    words = [{"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(texts)]
    return (RULES, *words)


def ask(model: Engine, *conversations: tuple[Message, ...]) -> list[Answer]:
    """One batch."""
    jobs = [Job(c, "text", None, None, seed=7, max_tokens=8, keep_tokens=True) for c in conversations]
    for job in jobs:
        model.encode(job)
    found = model.run(jobs)
    assert all(isinstance(one, Answer) for one in found), found
    return found  # type: ignore[return-value]  # just asserted


def test_the_longest_known_prefix_is_found_among_many() -> None:
    kept = Prefixes(1 << 20)
    for ids in [(1, 2, 3), (1, 2, 9, 9), (5,), (1, 3)]:
        kept.keep(None, ids, torch.zeros(2, 1, len(ids), 1))

    assert kept.longest(None, (1, 2, 9, 4)) == (3, (1, 2, 9, 9))
    assert kept.longest(None, (1, 2, 3, 4)) == (3, (1, 2, 3))
    assert kept.longest(None, (7, 7))[0] == 0
    assert kept.longest("an adapter", (1, 2, 3))[0] == 0  # other weights read it


def test_what_a_longer_prompt_holds_is_kept_once() -> None:
    kept = Prefixes(1 << 20)
    for size in (2, 5, 3):
        ids = tuple(range(size))
        kept.keep(None, ids, torch.zeros(2, 1, size, 1))

    assert kept.bytes == 2 * 5 * 4
    assert kept.longest(None, (0, 1, 2, 8)) == (3, (0, 1, 2, 3, 4))


def test_the_least_used_prompt_is_dropped() -> None:
    kept = Prefixes(2 * 2 * 3 * 4)  # two prompts of three tokens
    for ids in [(1, 1, 1), (2, 2, 2)]:
        kept.keep(None, ids, torch.zeros(2, 1, 3, 1))
    kept.longest(None, (1, 1, 5))
    kept.keep(None, (3, 3, 3), torch.zeros(2, 1, 3, 1))

    assert kept.longest(None, (2, 2, 2))[0] == 0
    assert kept.longest(None, (1, 1, 1))[0] == 3
    assert kept.bytes == kept.most_bytes


def test_common_counts_equal_first_tokens() -> None:
    assert [common((1, 2, 3), other) for other in [(1, 2, 3), (1, 2), (1, 9, 3), (), (1, 2, 3, 4)]] == [3, 2, 1, 0, 3]


def test_answers_are_the_same_with_and_without_what_is_known() -> None:
    first, second = said("Round 1."), said("Round 1.", "rock", "You won. Round 2.")
    other = said("Round 1.", "paper", "It was a tie, and nobody was paid anything at all. Round 2.")
    fresh = [ask(tiny_engine(), one)[0] for one in (second, other)]
    model = tiny_engine()
    ask(model, first)
    ask(model, second)
    known = ask(model, second, other)  # one wholly known, one in part: padding on the left of both parts

    for a, b in zip(known, fresh, strict=True):
        assert a.tokens is not None
        assert b.tokens is not None
        assert a.tokens.completion == b.tokens.completion
        assert a.tokens.logprobs == pytest.approx(b.tokens.logprobs, abs=1e-4)


def test_options_are_scored_on_what_is_known() -> None:
    def scored(model: Engine, conversation: tuple[Message, ...]) -> Answer:
        job = Job(conversation, "score", OPTIONS, None, seed=3, keep_tokens=True)
        model.encode(job)
        (found,) = model.run([job])
        assert isinstance(found, Answer)
        return found

    second = said("Round 1.", "rock", "Round 2.")
    fresh, model = scored(tiny_engine(), second), tiny_engine()
    scored(model, said("Round 1."))
    seen = passes_of(model)
    known = scored(model, second)

    assert seen[0][1] < 60
    assert fresh.tokens is not None
    assert known.tokens is not None
    assert known.text == fresh.text
    assert known.tokens.logprobs == pytest.approx(fresh.tokens.logprobs, abs=1e-4)


def test_a_seats_next_ask_reads_only_what_is_new() -> None:
    model = tiny_engine()
    seen = passes_of(model)
    ask(model, said("Round 1."))
    first = seen[0][1]
    seen.clear()
    ask(model, said("Round 1.", "rock", "Round 2."))

    assert first > 120
    assert seen[0][1] < 60


def test_what_a_batch_shares_is_read_once() -> None:
    model = tiny_engine()
    seen = passes_of(model)
    ask(model, *[said(f"This is round {n}.") for n in range(8)])

    assert (
        sum(rows * tokens for rows, tokens in seen[:2]) < 2 * seen[0][1]
    )  # the shared rules by one row, then the eight ends
    assert seen[1][0] == 8


def test_nothing_is_kept_over_a_change_of_weights() -> None:
    model, changed = tiny_engine(), tiny_engine()
    ask(model, said("Round 1."))
    for one in (model, changed):
        with torch.no_grad():
            for weight in one.model.parameters():
                weight.mul_(1.5)
    model.prefixes.clear()
    a, b = ask(model, said("Round 1.", "x", "y"))[0], ask(changed, said("Round 1.", "x", "y"))[0]

    assert a.tokens == b.tokens


def test_a_model_with_a_sliding_window_reads_every_prompt_whole() -> None:
    from transformers import LlamaConfig, MistralConfig

    sizes: dict[str, Any] = {
        "num_hidden_layers": 2,
        "hidden_size": 8,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
    }

    assert plain_cache(SimpleNamespace(config=MistralConfig(sliding_window=4, **sizes))) is None
    assert plain_cache(SimpleNamespace(config=LlamaConfig(**sizes))) is not None


def test_memory_that_runs_out_forgets_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_engine()
    ask(model, said("Round 1."))

    def full(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(model.model, "forward", full)
    job = Job(said("Round 2."), "text", None, None, seed=1)
    model.encode(job)
    with pytest.raises(MemoryError):
        model.run([job])

    assert model.prefixes.bytes == 0


def test_attention_as_two_products_is_the_same_attention() -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_random(0), dtype=torch.float32).eval()
    ids, seen = torch.randint(5, 200, (3, 40)), torch.ones(3, 40, dtype=torch.long)
    seen[0, :10], seen[1, 15:20] = 0, 0  # padding on the left, and in the middle
    with torch.inference_mode():
        fused = model(input_ids=ids, attention_mask=seen).logits
        on_cpu.use(model)
        products = model(input_ids=ids, attention_mask=seen).logits

    assert model.config._attn_implementation == on_cpu.NAME
    assert torch.allclose(fused[seen.bool()], products[seen.bool()], atol=1e-4)
    assert not products.isnan().any()


def test_the_output_layer_is_given_one_piece_of_memory() -> None:
    seen: list[tuple[int, ...]] = []
    layer = torch.nn.Linear(4, 3)
    slices = torch.randn(5, 6, 4)[:, -1:]
    plain = layer(slices)
    on_cpu.whole_rows(layer)
    layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].stride()))

    assert torch.equal(layer(slices), plain)
    assert slices.stride() == (24, 4, 1)
    assert seen == [(4, 4, 1)]


def test_a_model_beside_an_adapter_and_one_in_training_have_such_an_output_layer() -> None:
    engine = Engine(tiny_random(0), "hf/tiny-random", dtype="auto", device="cpu", threads=1)
    trained, _ = load_base(str(tiny_random(0)), "cpu", Params.make({}))

    for model in (engine.model, trained):
        hooks = model.get_output_embeddings()._forward_pre_hooks.values()
        assert [hook.__qualname__ for hook in hooks] == ["whole_rows.<locals>.copied"]
