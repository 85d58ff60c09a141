"""llama.cpp with one GGUF model in memory: its slots, its template, its own small server on this machine.

llama.cpp's HTTP port cannot be switched off: it listens on this machine only and asks for a key that is drawn at every
start. It reads special tokens in players' words as such, so a prompt that holds any is handed over as token ids.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.models.gguf_file import control_tokens, read_header
from arena.models.local import Slots, thread_count
from arena.models.types import Message

_CACHE_MIB = 512  # prompts kept in memory; llama.cpp's own default is 8 GiB


class Model:
    """llama.cpp with one model loaded, its slots, and what its template does."""

    def __init__(self, path: Path, name: str, *, ctx: int, slots: int, threads: int | None) -> None:
        header = read_header(path)
        control = sorted(control_tokens(header), key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, control))) if control else None
        self.takes_reasoning = "enable_thinking" in str(header.get("tokenizer.chat_template", ""))
        trained = header.get(f"{header.get('general.architecture')}.context_length") or 1 << 20
        self.context = min(ctx, int(trained))
        self._secret = secrets.token_urlsafe(32)
        self._server: Any = _start(path, self.context, slots, threads, self._secret)
        self._url = str(self._server.listening_address)
        self.slots, self._slots = slots, Slots(slots)
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="gguf")
        self._look(name)

    def _look(self, name: str) -> None:
        """What the chat template does with a system message and with history."""
        user: Message = {"role": "user", "content": "ask one"}
        system: Message = {"role": "system", "content": "rules"}
        try:
            self.system_role = "rules" in self._rendered([system, user])
        except OSError:  # some templates refuse the role
            self.system_role = False
        start = [system, user] if self.system_role else [user]
        answered: list[Message] = [*start, {"role": "assistant", "content": "one"}, {"role": "user", "content": "two"}]
        try:
            self.prefix_stable = self._rendered(answered).startswith(self._rendered(start) + "one")
        except OSError as error:
            raise UsageError(f"the chat template of {name} cannot render a dialogue") from error

    async def call(self, work: Callable[[], Any], order: int) -> Any:
        """Run `work` on a thread once a slot is free. A call that is cancelled keeps its slot until it ends."""
        await self._slots.enter(order)
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BaseException:
            self._slots.leave()
            raise
        future.add_done_callback(lambda _: self._slots.leave())
        return await asyncio.shield(future)

    def answer(
        self, said: Sequence[Message], body: Mapping[str, Any], *, with_ids: bool
    ) -> dict[str, Any] | BaseException:
        """One completion, on a worker thread. llama.cpp returns some errors and raises others."""
        messages = self._with_system(said)
        is_written = self._control is not None and any(self._control.search(m["content"]) for m in messages)
        try:
            if not is_written:
                reply: dict[str, Any] = self._server.handle_chat_completions({**body, "messages": messages})
                return reply | ({"prompt_ids": self._ids(messages, body)} if with_ids else {})
            ids = self._ids(messages, body)
            return self._from_text(self._server.handle_completions(_as_completion(body, ids)), ids)
        except Exception as error:
            return error

    def _with_system(self, messages: Sequence[Message]) -> list[Message]:
        """An explicit system message: some templates put their own in the place of a missing one."""
        if not self.system_role or (messages and messages[0]["role"] == "system"):
            return list(messages)
        return [{"role": "system", "content": ""}, *messages]

    def _ids(self, messages: list[Message], body: Mapping[str, Any]) -> list[int]:
        """The prompt as token ids; texts of control tokens that a message holds are encoded as text."""
        marks: dict[str, str] = {}

        def mark(found: re.Match[str]) -> str:
            return marks.setdefault(found[0], f"\ue000{secrets.token_hex(8)}\ue001")

        if self._control is not None:
            messages = [m | {"content": self._control.sub(mark, m["content"])} for m in messages]
        texts = {made: text for text, made in marks.items()}
        rendered = self._rendered(messages, body.get("chat_template_kwargs"))
        parts = re.split("(" + "|".join(map(re.escape, texts)) + ")", rendered) if texts else [rendered]
        ids: list[int] = []
        for number, part in enumerate(part for part in parts if part):
            wanted = {
                "content": texts.get(part, part),
                "parse_special": part not in texts,
                "add_special": number == 0,
            }
            ids += self._ask("/tokenize", wanted)["tokens"]
        return ids

    def _rendered(self, messages: list[Message], switch: Any = None) -> str:
        wanted = {"messages": messages} | ({"chat_template_kwargs": switch} if switch else {})
        return str(self._ask("/apply-template", wanted)["prompt"])

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask llama.cpp's own server on this machine; what is asked here has no function of its own."""
        from urllib.request import ProxyHandler, Request, build_opener

        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._secret}"}
        request = Request(self._url + path, json.dumps(body).encode(), headers)  # noqa: S310  # our own loopback URL
        with build_opener(ProxyHandler({})).open(request, timeout=60) as reply:
            found: dict[str, Any] = json.load(reply)
            return found

    @staticmethod
    def _from_text(reply: dict[str, Any], ids: list[int]) -> dict[str, Any]:
        """A text completion in the form of a chat completion."""
        for choice in reply.get("choices") or []:
            choice["message"] = {"role": "assistant", "content": choice.get("text")}
        return reply | {"prompt_ids": ids}

    def close(self) -> None:
        self._pool.shutdown(wait=False)
        self._server = None


def _as_completion(body: Mapping[str, Any], ids: list[int]) -> dict[str, Any]:
    """The same call over token ids, in the words of llama.cpp's plain completions."""
    found = {**body, "prompt": ids}
    if found.pop("logprobs", False):
        found["n_probs"] = found.pop("top_logprobs")
    found.pop("chat_template_kwargs", None)
    return found


def _start(path: Path, ctx: int, slots: int, threads: int | None, secret: str) -> Any:
    import xllamacpp

    count = threads or thread_count(0.5)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = ctx * slots  # it is divided among the slots
    params.n_parallel = slots
    params.cpuparams.n_threads = count
    params.cpuparams_batch.n_threads = count
    params.verbosity = -1  # silent
    params.hostnames = ["127.0.0.1"]
    params.api_keys = [secret]
    params.ui = False
    params.cache_ram_mib = _CACHE_MIB
    try:
        return xllamacpp.Server(params)
    except Exception as error:
        raise UsageError(f"llama.cpp cannot load {path}: {error}") from error
