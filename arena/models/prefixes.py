"""Prompts that a model has read already: their keys and values, so that what two prompts begin with is read once.

Players reread: the rules are the same in every match of a seat, and each ask of a seat repeats its transcript. A known
prefix is handed to the model instead of being read again; results differ from a fresh reading by float rounding only,
as they do between batches of different sizes. The least used prompts are dropped when their sizes pass `most_bytes`.

Left out on purpose: caches that are no plain list of keys and values (sliding windows, recurrent states), which cannot
be cut at a token. Such models read every prompt whole.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

Ids = tuple[int, ...]
WORTH = 32  # tokens that several prompts of a batch share, from which reading them first pays


class Start(NamedTuple):
    """A batch as a model is to see it: what it knows stands in `cache`, the rest of the ids behind it."""

    ids: torch.Tensor
    seen: torch.Tensor  # 1 = counts; padding is on the left of the known part and of the new one
    cache: Any


class Prefixes:
    """What was read, by whoever read it: an adapter's key, or None for the base."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes, self.bytes = most_bytes, 0
        self._kept: OrderedDict[tuple[Hashable, Ids], torch.Tensor] = OrderedDict()  # layers x 2, heads, tokens, width
        self._sorted: dict[Hashable, list[Ids]] = {}

    def clear(self) -> None:
        """Forget everything, as after a change of the weights."""
        self._kept.clear()
        self._sorted.clear()
        self.bytes = 0

    def longest(self, who: Hashable, ids: Ids) -> tuple[int, Ids]:
        """How many first tokens of `ids` are known, and the prompt that they are known from."""
        known = self._sorted.get(who, [])
        at = bisect_left(known, ids)
        # In sorted order nobody shares more with `ids` than its two neighbours.
        found = max(((common(ids, other), other) for other in known[max(at - 1, 0) : at + 1]), default=(0, ()))
        if found[0]:
            self._kept.move_to_end((who, found[1]))
        return found

    def keep(self, who: Hashable, ids: Ids, values: torch.Tensor) -> None:
        """Remember a prompt. What it continues is part of it and goes."""
        known = self._sorted.setdefault(who, [])
        at = bisect_left(known, ids)
        if at < len(known) and known[at][: len(ids)] == ids:
            return
        if at and ids[: len(known[at - 1])] == known[at - 1]:
            self._drop(who, known[at - 1])
        insort(known, ids)
        self._kept[who, ids] = values
        self.bytes += values.nbytes
        while self.bytes > self.most_bytes:
            self._drop(*next(iter(self._kept)))

    def _drop(self, who: Hashable, ids: Ids) -> None:
        self.bytes -= self._kept.pop((who, ids)).nbytes
        known = self._sorted[who]
        del known[bisect_left(known, ids)]

    # --- a batch ------------------------------------------------------------------------------------------------------

    def start(self, model: Any, who: Hashable, prompts: Sequence[Sequence[int]], pad: int) -> Start:
        """A batch of prompts, with what is known of them in its cache. Its last token is always new to the model."""
        import torch

        rows = [tuple(prompt) for prompt in prompts]
        if plain_cache(model) is not None:
            self._read_first(model, who, rows, pad)
            found = [self.longest(who, row) for row in rows]
        else:
            found = [(0, ()) for _ in rows]
        known = [min(size, len(row) - 1) for (size, _), row in zip(found, rows, strict=True)]
        most = max(known)
        width = most + max(len(row) - size for row, size in zip(rows, known, strict=True))
        ids = torch.full((len(rows), width), pad, dtype=torch.long)
        seen = torch.zeros_like(ids)
        for n, (row, size) in enumerate(zip(rows, known, strict=True)):
            for part, end in ((row[:size], most), (row[size:], width)):
                ids[n, end - len(part) : end] = torch.tensor(part, dtype=torch.long)
                seen[n, end - len(part) : end] = 1
        cache = plain_cache(model)
        if most:
            parts = [
                self._kept[who, other][:, :, :size] if size else None
                for (_, other), size in zip(found, known, strict=True)
            ]
            _fill(cache, parts, most)
        return Start(ids.to(model.device), seen.to(model.device), cache)

    def done(self, who: Hashable, prompts: Sequence[Sequence[int]], start: Start) -> None:
        """Remember the prompts of a batch that was read."""
        import torch

        if start.cache is None:
            return
        width = start.ids.shape[1]
        for n, prompt in enumerate(prompts):
            ids = tuple(prompt)
            if self.longest(who, ids)[0] < len(ids) - 1:  # the last token is read again in any case
                seen = start.seen[n].bool()
                both = [x[n, :, :width][:, seen] for layer in start.cache.layers for x in (layer.keys, layer.values)]
                self.keep(who, ids, torch.stack(both))

    def _read_first(self, model: Any, who: Hashable, rows: Sequence[Ids], pad: int) -> None:
        """Read what several rows begin with: the shortest of it first, since the longer ones go on from there. On a CPU
        each row then on its own: rows side by side would all be as long as the longest, and save nothing there.
        """
        first = {a[: min(common(a, b), len(a) - 1)] for a, b in pairwise(sorted(rows))}
        if len(rows) > 1 and model.device.type == "cpu":
            first |= {row[:-1] for row in rows}
        for ids in sorted(first, key=len):
            if len(ids) - self.longest(who, ids)[0] >= WORTH:
                start = self.start(model, who, [ids], pad)
                size = start.cache.get_seq_length()
                model(
                    input_ids=start.ids[:, size:], attention_mask=start.seen, past_key_values=start.cache,
                    use_cache=True, logits_to_keep=1,
                )  # fmt: skip
                self.done(who, [ids], start)


def common(a: Ids, b: Ids) -> int:
    """How many first tokens are the same."""
    short = min(len(a), len(b))
    if a[:short] == b[:short]:
        return short
    return next(n for n in range(short) if a[n] != b[n])


def plain_cache(model: Any) -> Any:
    """An empty cache of the model, if it is one that can be cut at a token; else None."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    from arena.models.hf_decode import roomy_layer

    cache = DynamicCache(config=model.config)
    if not cache.layers or any(type(layer) is not DynamicLayer for layer in cache.layers):
        return None
    cache.layers = [roomy_layer()() for _ in cache.layers]
    return cache


def _fill(cache: Any, parts: Sequence[torch.Tensor | None], width: int) -> None:
    """The known part of each row, its end at `width`, into an empty cache."""
    import torch

    some = next(part for part in parts if part is not None)
    layers, heads, _, size = some.shape
    whole = torch.zeros(layers, len(parts), heads, width, size, dtype=some.dtype, device=some.device)
    for n, part in enumerate(parts):
        if part is not None:
            whole[:, n, :, width - part.shape[2] :] = part
    for number in range(layers // 2):
        cache.update(whole[2 * number], whole[2 * number + 1], number)
