"""The loop that draws the tokens of a batch, for models whose cache is a plain list of keys and values.

Three things that transformers' `generate` does not do save most of the time of short constrained answers: tokens that a
grammar leaves no choice about are not asked for but read together with the next one that is; rows that are done leave
the batch; and the cache has room behind it, so that a new token is written and not the whole copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from arena.models.hf_rows import Row, Rows

if TYPE_CHECKING:
    import torch

    from arena.models.prefixes import Start

_ROOM = 64  # tokens: longer than most answers


@cache
def roomy_layer() -> type[Any]:
    """The class of a cache's layers. It is made on first use, since its base is the library's."""
    from transformers.cache_utils import DynamicLayer

    class Roomy(DynamicLayer):  # type: ignore[misc]  # transformers leaves its type open
        """Keys and values of a layer, in buffers with room for some more tokens."""

        keys: Any
        values: Any
        _buffers: tuple[torch.Tensor, torch.Tensor] | None = None

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
        ) -> tuple[torch.Tensor, torch.Tensor]:
            size = self.get_seq_length()
            whole = size + key_states.shape[2]
            if not self._has_room(whole):
                rows, heads = key_states.shape[:2]
                grown = [new.new_empty(rows, heads, whole + _ROOM, new.shape[3]) for new in (key_states, value_states)]
                if size:
                    grown[0][:, :, :size], grown[1][:, :, :size] = self.keys, self.values
                self._buffers = (grown[0], grown[1])
                self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True
            assert self._buffers is not None
            for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
                buffer[:, :, size:whole] = new
            self.keys, self.values = (buffer[:, :, :whole] for buffer in self._buffers)
            return self.keys, self.values

        def _has_room(self, whole: int) -> bool:
            """Whether what is known still stands in the buffers (rows may have been dropped since) and `whole` fits."""
            if self._buffers is None or self.keys is None:
                return False
            return bool(self.keys.data_ptr() == self._buffers[0].data_ptr() and whole <= self._buffers[0].shape[2])

    return Roomy


def decode(model: Any, rows: Sequence[Row], start: Start, pad: int, when_read: Callable[[], None]) -> None:
    """Draw tokens until every row is done. `when_read` is called once the prompts stand in the start's cache."""
    import torch

    known, seen, live = start.cache, start.seen, list(rows)
    ids = start.ids[:, known.get_seq_length() :]
    together = Rows(live, model.device)
    is_first = True
    while True:
        positions = (seen.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        found = model(
            input_ids=ids, attention_mask=seen, position_ids=positions, past_key_values=known, use_cache=True,
            logits_to_keep=1,
        )  # fmt: skip
        if is_first:
            when_read()
            is_first = False
        together.draw(found.logits[:, -1])
        going = [n for n, row in enumerate(live) if not row.is_done]
        if not going:
            return
        if 2 * len(going) <= len(live):
            which = torch.tensor(going, device=seen.device)
            known.batch_select_indices(which)
            seen, live = seen[which], [live[n] for n in going]
            together = Rows(live, model.device)
        ids, is_real = _unread(live, pad)
        ids, seen = ids.to(seen.device), torch.cat([seen, is_real.to(seen.device)], -1)


def _unread(rows: Sequence[Row], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What the model has not read of each row's answer, padded on the left, and what of it counts."""
    import torch

    parts = [[] if row.is_done else row.unread() for row in rows]
    width = max(map(len, parts))
    ids = torch.tensor([[pad] * (width - len(part)) + part for part in parts])
    is_real = torch.tensor([[0] * (width - len(part)) + [1] * len(part) for part in parts])
    return ids, is_real
