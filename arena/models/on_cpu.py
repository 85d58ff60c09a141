"""What torch 2.13 is slow at on a CPU, done another way (figures: SmolLM2-135M, AMD EPYC with AVX-512 BF16).

Attention of a few new tokens to many known ones in bf16: one new token for each of 8 rows against 381 known ones takes
2.3 ms a layer fused, 0.3 ms as two products. Long readings keep the fused kernel, which needs no memory for the weights
of each pair of tokens.

A linear layer whose weights are frozen, as all are beside an adapter, given a slice: the output layer takes 2.3 s for
the last tokens of 28 rows in bf16, and 7 ms for a copy of them (`python benchmarks/output_layer.py`).
"""

from __future__ import annotations

from typing import Any

NAME = "parley_short"
_MOST = 1 << 25  # pairs of tokens, over rows and heads: 64 MiB of weights in bf16


def use(model: Any) -> None:
    """Let a model that is loaded attend in this way, where its code leaves the choice."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    if model.config._attn_implementation == "sdpa" and getattr(model, "_supports_attention_backend", False):
        AttentionInterface.register(NAME, attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        model.set_attn_implementation(NAME)


def whole_rows(layer: Any) -> None:
    """Let a linear layer take its input as one piece of memory."""
    import torch

    def copied(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return given[0].clone(memory_format=torch.contiguous_format), *given[1:]

    layer.register_forward_pre_hook(copied)


def attention(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **rest: Any) -> tuple[Any, None]:
    """As `sdpa_attention_forward` of transformers; what it cannot do, that does."""
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    rows, heads, new, width = query.shape
    groups, known = key.shape[1], key.shape[2]
    has_mask = attention_mask is not None
    is_plain = attention_mask.dtype == torch.bool if has_mask else new == 1
    if not is_plain or module.training or rest.get("position_bias") is not None or rows * heads * new * known > _MOST:
        found, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **rest)
        return found, None
    scale = rest.get("scaling") or width**-0.5
    scores = query.reshape(rows, groups, -1, width) @ key.transpose(2, 3) * scale
    scores = scores.view(rows, groups, heads // groups, new, known)
    if has_mask:  # a row of padding sees nothing, and must stay a number
        scores = scores.masked_fill(~attention_mask[:, :, None], torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
    found = weights.view(rows, groups, -1, known) @ value
    return found.view(rows, heads, new, value.shape[-1]).transpose(1, 2).contiguous(), None
