"""The reply cache: what a key is made of, what is kept, and what happens when the file is no good."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from arena.models.cache import ReplyCache, model_key, open_cache, reply_key
from arena.models.names import ModelName
from arena.models.types import Request, Response, Sampling, Tokens, Usage
from arena.prompt.shape import Shape

REQUEST = Request(
    messages=({"role": "system", "content": "rules"}, {"role": "user", "content": "move?"}),
    shape=Shape("options", options=("a", "b")),
    sampling=Sampling(temperature=0.5, seed=3),
    sample_key="m/player_0/3/r0/act/0/0",
    call_key="k",
    order=7,
)
REPLY = Response(
    "a",
    finish="stop",
    parsed={"move": "a"},
    reasoning="hm",
    usage=Usage(10, 2, 3, None, 0.25),
    model="m-1",
    request_id="r",
    latency_s=0.5,
    tokens=Tokens((1, 2), (3,), (-0.5,), "sampled", ((1, 2), None)),
    params={"seed": 3},
    headers={"retry-after": "1"},
)


Open = Callable[[Path], ReplyCache]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Makes caches, and closes them."""
    made: list[ReplyCache] = []

    def make(path: Path) -> ReplyCache:
        made.append(ReplyCache(path))
        return made[-1]

    yield make
    for cache in made:
        cache.close()


def test_a_reply_comes_back_as_it_was_but_for_its_headers(tmp_path: Path, opened: Open) -> None:
    cache = opened(tmp_path / "c.sqlite")
    cache.put("k", REPLY)

    assert cache.get("k") == replace(REPLY, headers={})
    cache.close()
    assert opened(tmp_path / "c.sqlite").get("k") == replace(REPLY, headers={})


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, sample_key="m/player_1/3/r0/act/0/0"),
        replace(REQUEST, messages=(*REQUEST.messages[:1], {"role": "user", "content": "move!"})),
        replace(REQUEST, messages=(*REQUEST.messages[:1], {"role": "assistant", "content": "move?"})),
        replace(REQUEST, shape=Shape("options", options=("a", "c"))),
        replace(REQUEST, shape=None),
        replace(REQUEST, sampling=Sampling(temperature=0.5, seed=4)),
        replace(REQUEST, sampling=Sampling(temperature=0.5, seed=3, max_tokens=512)),
        replace(REQUEST, want_logprobs=True),
    ],
)
def test_what_changes_a_reply_changes_its_key(other: Request) -> None:
    assert reply_key("m", other) != reply_key("m", REQUEST)


def test_what_does_not_change_a_reply_does_not_change_its_key() -> None:
    other = replace(REQUEST, call_key="other", order=99, timeout_s=1.0)
    sampled = replace(REQUEST, shape=Shape("options", options=("a", "b"), sample=lambda rng: "a"))

    assert reply_key("m", other) == reply_key("m", sampled) == reply_key("m", REQUEST)


def test_two_spellings_of_one_text_are_one_text() -> None:
    one = replace(REQUEST, messages=({"role": "user", "content": "caf\u00e9"},))
    two = replace(REQUEST, messages=({"role": "user", "content": "cafe\u0301"},))

    assert reply_key("m", one) == reply_key("m", two)


def test_the_model_its_place_and_its_weights_are_part_of_the_key() -> None:
    name = ModelName("hf", "x")
    keys = [
        model_key(name, {"weights": "1"}),
        model_key(name, {"weights": "2"}),
        model_key(ModelName("hf", "y"), {"weights": "1"}),
        model_key(ModelName("hf", "x", adapter="a"), {"weights": "1"}),
        model_key(ModelName("openai", "x", url="http://h"), {"weights": "1"}),
        model_key(ModelName("hf", "x", options={"revision": "1"}), {"weights": "1"}),
    ]

    assert len(set(keys)) == len(keys)
    assert model_key(name, {"weights": "1", "served": "dated-id"}) == keys[0]


def test_the_environment_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    usual, folder, file = (
        open_cache({}),
        open_cache({"ARENA_CACHE": str(tmp_path / "d")}),
        open_cache({"ARENA_CACHE": str(tmp_path / "f.sqlite")}),
    )

    assert open_cache({"ARENA_CACHE": "off"}) is None
    assert usual is not None
    assert not usual.is_asked_for
    assert usual.path.name == "replies.sqlite"
    assert folder is not None
    assert folder.is_asked_for
    assert folder.path == tmp_path / "d" / "replies.sqlite"
    assert file is not None
    assert file.path == tmp_path / "f.sqlite"


def test_a_file_that_is_no_cache_turns_it_off(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"not a database" * 100)

    cache = opened(path)

    assert cache.get("k") is None
    cache.put("k", REPLY)
    assert cache.get("k") is None
    assert cache.trouble is not None
    assert "c.sqlite is off" in cache.trouble
    assert path.read_bytes().startswith(b"not a database")
    cache.close()


def test_a_folder_that_cannot_be_made_turns_it_off(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "file").write_text("")

    cache = opened(tmp_path / "file" / "c.sqlite")

    assert cache.get("k") is None
    assert cache.trouble is not None


def test_a_cache_that_nobody_asks_makes_no_file(tmp_path: Path, opened: Open) -> None:
    opened(tmp_path / "d" / "c.sqlite").close()

    assert list(tmp_path.iterdir()) == []


def test_a_file_in_use_is_written_later(tmp_path: Path, opened: Open) -> None:
    cache = opened(tmp_path / "c.sqlite")
    assert cache.get("k") is None
    other = sqlite3.connect(tmp_path / "c.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    cache.put("k", REPLY)
    cache.flush()

    assert cache.trouble is None
    assert cache.get("k") is not None
    other.execute("ROLLBACK")
    other.close()
    cache.close()
    assert opened(tmp_path / "c.sqlite").get("k") is not None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"text": 3}', '{"text":"a","usage":{"new":1},"tokens":null}'])
def test_what_another_release_stored_otherwise_is_no_reply(tmp_path: Path, opened: Open, text: str) -> None:
    cache = opened(tmp_path / "c.sqlite")
    assert cache.get("k") is None
    other = sqlite3.connect(tmp_path / "c.sqlite")
    other.execute("INSERT INTO replies VALUES ('k', ?)", (text,))
    other.commit()
    other.close()

    assert cache.get("k") is None
    assert cache.trouble is None
