"""The token check: what a trainer will train on, counted through the model's own template before anything is trained.

TRL silently drops rows whose prompt fills `max_length` and only warns where a prompt's ids are no prefix of the whole
row's ids, so that it trains on another context than the one the model was asked in. Here both are errors. A third one:
a message that holds the text of a special token. In play such text is encoded as plain words (a player must not end
another's turn); a trainer's template would make it a real token, so these rows are left out and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from arena.core.errors import UsageError
from arena.models.chat_template import ChatTemplate

Row = dict[str, Any]
FAIL_ABOVE = 0.01


@dataclass
class TokenCheck:
    """What was found: tokens of each kept row's longest form, and the rows that are left out."""

    rows: list[Row] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    max_length: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    shortened: int = 0

    @property
    def longest(self) -> int:
        return max(self.lengths, default=0)

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": len(self.rows),
            "longest": self.longest,
            "max_length": self.max_length,
            "shortened": self.shortened,
            "dropped": dict(sorted(self.dropped.items())),
        }


def check_tokens(
    rows: Sequence[Row],
    tokenizer: Any,
    *,
    context: int,
    max_length: int | None = None,
    overflow: Literal["fail", "drop", "shorten"] = "fail",
    name: str = "the model",
) -> TokenCheck:
    """The rows that can be trained on as they were played. `max_length` None = the longest row, at most the context."""
    template = ChatTemplate(tokenizer, name)
    limit = min(max_length or context, context)
    found = TokenCheck(max_length=limit)
    over: list[Row] = []
    for row in rows:
        if _has_special(template, row):
            found.dropped[f"holds a special token's text ({_kind(row)})"] += 1
            continue
        size = row_tokens(tokenizer, row, template)
        if size > limit:
            over.append(row)
            if overflow == "shorten" and (short := _shortened(tokenizer, row, template, limit)) is not None:
                found.rows.append(short)
                found.lengths.append(row_tokens(tokenizer, short, template))
                found.shortened += 1
            else:
                found.dropped[f"over {limit} tokens ({_kind(row)})"] += 1
            continue
        found.rows.append(row)
        found.lengths.append(size)
    if overflow == "fail" and len(over) > FAIL_ABOVE * len(rows):
        raise UsageError(
            f"{len(over)} of {len(rows)} rows have more than {limit} tokens",
            hint="--param overflow=drop leaves them out, overflow=shorten cuts their oldest part",
        )
    if max_length is None:
        found.max_length = found.longest
    return found


def row_tokens(tokenizer: Any, row: Mapping[str, Any], template: ChatTemplate) -> int:
    """Tokens of a row with its longest completion; an error where its prompt is no prefix of it."""
    prompt = _ids(tokenizer, row["prompt"], True)
    played = template.encode(row["prompt"])
    if prompt != played:
        raise UsageError(
            f"row {row['id']}: a trainer would read its prompt as {len(prompt)} tokens, it was played as {len(played)}",
            hint="the chat template treats a prompt differently in training; use a model with a plain template",
        )
    longest = 0
    for completion in _completions(row):
        whole = _ids(tokenizer, [*row["prompt"], *completion], False)
        if whole[: len(prompt)] != prompt:
            raise UsageError(
                f"row {row['id']}: its prompt is not a prefix of prompt and completion, so it would be trained in "
                "another context than it was played in",
                hint="the model's chat template renders a prompt differently once it is answered",
            )
        longest = max(longest, len(whole))
    return longest


def _completions(row: Mapping[str, Any]) -> list[list[dict[str, str]]]:
    return [row[key] for key in ("completion", "chosen", "rejected") if key in row]


def _ids(tokenizer: Any, messages: Sequence[Mapping[str, str]], ask: bool) -> list[int]:
    text = tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=ask)
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


def _has_special(template: ChatTemplate, row: Mapping[str, Any]) -> bool:
    messages = [*row["prompt"], *(m for completion in _completions(row) for m in completion)]
    return any(piece.is_literal for piece in template.pieces(messages))


def _kind(row: Mapping[str, Any]) -> str:
    label = "row" if "label" not in row else "desirable" if row["label"] else "undesirable"
    return f"{label}, {row['role']}"


def _shortened(tokenizer: Any, row: Row, template: ChatTemplate, limit: int) -> Row | None:
    """The row without its oldest exchanges, a marker in their place; never without the rules or the ask."""
    from arena.prompt.render import environment
    from arena.registry import package_file

    marker = environment(str(package_file("prompts"))).get_template("_engine/window.j2").render(kept="").strip("\n")
    rules, history, ask = row["prompt"][:1], row["prompt"][1:-1], row["prompt"][-1]
    while history:
        history = history[2:]
        first = history[0] if history else ask
        head = {**first, "content": f"{marker}\n{first['content']}"}
        tail = [head, *history[1:], ask] if history else [head]
        short = row | {"prompt": [*rules, *tail]}
        if row_tokens(tokenizer, short, template) <= limit:
            return short
    return None
