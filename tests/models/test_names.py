"""Names: the grammar to the letter, one canonical spelling, lists, and what each name means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from arena.core.errors import UsageError
from arena.models.grammar import Kind, Parts, Target, join, parse_list, split
from arena.models.names import AgentName, ModelName, find_bot, parse_name, resolve
from arena.models.options import Duration
from arena.registry import load_game

KUHN = load_game("kuhn")
METHODS = {
    "klevel": SimpleNamespace(options={"k": (int, 2), "memo": (bool, False)}),
    "reflect": SimpleNamespace(options={"every": (str, "round")}),
    "vote": SimpleNamespace(options={"k": (int, 3), "temperature": (float, 1.0)}),
}


@pytest.fixture(autouse=True)
def _methods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.models.names.methods", lambda: METHODS)


def model(name: str, provider: str = "openai", **more: Any) -> Target:
    return Target("model", name, provider, **more)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("human", Parts((), Target("human"), ())),
        ("bot/tit-for-tat", Parts((), Target("bot", "tit-for-tat"), ())),
        ("bot/a/b", Parts((), Target("bot", "a/b"), ())),
        ("@my-agent", Parts((), Target("file", "my-agent"), ())),
        ("league/nyc-blue-k3", Parts((), Target("league", "nyc-blue-k3"), ())),
        ("openai/gpt-5-mini", Parts((), model("gpt-5-mini"), ())),
        ("ollama/llama3:8b", Parts((), model("llama3:8b", "ollama"), ())),
        ("cloudflare/@cf/x", Parts((), model("@cf/x", "cloudflare"), ())),
        ("openai/Qwen/Qwen3-0.6B", Parts((), model("Qwen/Qwen3-0.6B"), ())),
        ("openai/m@http://h:1/v1", Parts((), model("m", url="http://h:1/v1"), ())),
        ("openai/m@http://h:1/v1/", Parts((), model("m", url="http://h:1/v1"), ())),
        ("vllm/@cf/m@v2@https://h", Parts((), model("@cf/m@v2", "vllm", url="https://h"), ())),
        ("openai/a@http://b@http://c", Parts((), model("a@http://b", url="http://c"), ())),
        ("hf/a/b+c/d", Parts((), model("a/b", "hf", adapter="c/d"), ())),
        ("hf/a+b+c", Parts((), model("a+b", "hf", adapter="c"), ())),
        ("hf/a%2Bb", Parts((), model("a+b", "hf"), ())),
        ("hf//data/models/m", Parts((), model("/data/models/m", "hf"), ())),
        ("gguf//data/m.gguf", Parts((), model("/data/m.gguf", "gguf"), ())),
        ("klevel:openai/x?k=2", Parts(("klevel",), model("x"), (("k", "2"),))),
        ("reflect:klevel:@x", Parts(("reflect", "klevel"), Target("file", "x"), ())),
        ("cot:ollama/llama3:8b", Parts(("cot",), model("llama3:8b", "ollama"), ())),
        ("openai/x?a=1&b.c=2", Parts((), model("x"), (("a", "1"), ("b.c", "2")))),
        ("openai/x?memory=window=3", Parts((), model("x"), (("memory", "window=3"),))),
        ("openai/x?stop=a%26b%3Fc%25d", Parts((), model("x"), (("stop", "a&b?c%d"),))),
        ("openai/x?stop=", Parts((), model("x"), (("stop", ""),))),
        ("openai/x?a=b?c", Parts((), model("x"), (("a", "b?c"),))),
        ("openai/m%C3%BCller", Parts((), model("müller"), ())),
        ("openai/müller", Parts((), model("müller"), ())),
    ],
)
def test_every_name_has_one_reading(text: str, parts: Parts) -> None:
    assert split(text) == parts
    assert split(join(*parts)) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gpt-5",
        "openai/",
        "openai",
        "OpenAI/x",
        "bot/",
        "bot/a//b",
        "@",
        "@a/b",
        "@../x",
        "league/a/b",
        "openai/x?",
        "openai/x?a",
        "openai/x?=1",
        "openai/x?a=1&",
        "openai/x?a..b=1",
        ":openai/x",
        "a b:openai/x",
        "-x:openai/x",
        "cot:",
        "openai/%zz",
        "openai/%4",
        "openai/%FF",
        "openai/a b",
        "openai/a\tb",
        "openai/a%0Ab",
        "openai/a%E2%80%8Bb",
        "openai/a%E2%80%AEb",
        "openai/a\u202eb",
        "openai/%ED%A0%80",
        "openai/m@http://",
        "openai/@http://h",
        "openai/m@http://h:port/v1",
        "openai/m@http://h:99999/v1",
        "hf/m+",
        "hf/+a",
        "openai/a+b",
        "bot/" + "x" * 65,
        "a" * 65 + ":openai/x",
    ],
)
def test_what_is_no_name_is_refused_with_the_name_in_the_message(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        split(text)

    assert "\u202e" not in str(caught.value)
    assert "\t" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("bot/a", [(None, "bot/a")]),
        ("bot/a,bot/b", [(None, "bot/a"), (None, "bot/b")]),
        ("bot/a, bot/b", [(None, "bot/a"), (None, "bot/b")]),
        ("blue=bot/a,player_0=human", [("blue", "bot/a"), ("player_0", "human")]),
        ("klevel:x/y?k=2,openai/x?k=2", [(None, "klevel:x/y?k=2"), (None, "openai/x?k=2")]),
        ("human?x=1", [(None, "human?x=1")]),
        ('"openai/a,b"', [(None, "openai/a,b")]),
        ('blue="openai/a,b" ,bot/c', [("blue", "openai/a,b"), (None, "bot/c")]),
        ('"say ""hi""",x', [(None, 'say "hi"'), (None, "x")]),
        ('openai/a"b,bot/c', [(None, 'openai/a"b'), (None, "bot/c")]),
        (["bot/a,bot/b", "red=bot/c"], [(None, "bot/a"), (None, "bot/b"), ("red", "bot/c")]),
    ],
)
def test_lists_split_at_commas_outside_quotes(text: Any, items: list[tuple[str | None, str]]) -> None:
    assert parse_list(text) == items


@pytest.mark.parametrize("text", ["", "a,,b", ",a", "a,", "a, ", 'a,"b', '"a"b,c', "blue=", 'blue="",x'])
def test_a_broken_list_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="list of agents"):
        parse_list(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("openai/x?temperature=0.70", "openai/x?temperature=0.7"),
        ("openai/x?timeout=120s", "openai/x"),
        ("openai/x?timeout=60s&seed=1", "openai/x?seed=1&timeout=1m"),
        ("klevel:openai/x?k=2&memo=true", "klevel:openai/x?memo=true"),
        ("klevel:vote:openai/x?vote.k=5&klevel.k=2", "klevel:vote:openai/x?vote.k=5"),
        ("vote:openai/x?model.temperature=0", "vote:openai/x?model.temperature=0"),
        ("openai/x?memory=full", "openai/x"),
        ("openai/x?memory=window=3", "openai/x?memory=window=3"),
        ("openai/a,b", "openai/a%2Cb"),
        ("openai/a%2520b", "openai/a%2520b"),
        ('openai/a"b(c)', "openai/a%22b%28c%29"),
        ("openai/m%C3%BCller", "openai/müller"),
        ("openai/mu%CC%88ller", "openai/mu%CC%88ller"),  # not composed: it must not look like another name
        ("openai/x@HTTP://h", "openai/x@HTTP://h"),  # a URL's scheme is lower case: this is an id
        ("openai/x@http://[::1]:80/v1", "openai/x@http://%5B::1%5D:80/v1"),
        ("bot/nash", "bot/kuhn-nash"),
        ("bot/kuhn-nash", "bot/kuhn-nash"),
        ("bot/nash?alpha=0.250", "bot/kuhn-nash?alpha=0.25"),
        ("bot/random", "bot/random"),
        ("human", "human"),
    ],
)
def test_a_canonical_name_has_only_what_is_needed(text: str, canonical: str) -> None:
    assert parse_name(text, KUHN).canonical == canonical
    assert parse_name(canonical, KUHN).canonical == canonical


def test_a_models_name_carries_typed_options_with_defaults() -> None:
    agent = parse_name("klevel:openai/x@http://h/v1?k=3&temperature=1&timeout=2s&memory=notes")

    assert agent.kind == "model"
    assert agent.methods == (("klevel", {"k": 3, "memo": False}),)
    assert agent.memory == "notes"
    assert agent.model is not None
    assert (agent.model.provider, agent.model.model, agent.model.url) == ("openai", "x", "http://h/v1")
    assert agent.model.options["temperature"] == 1.0
    assert agent.model.options["timeout"] == Duration(2)
    assert agent.model.options["max_tokens"] is None
    assert "memory" not in agent.model.options
    assert "k" not in agent.model.options


@pytest.mark.parametrize(
    ("text", "client"),
    [
        ("openai/x", "openai"),
        ("openai/x@http://h", "openai"),
        ("vllm/x@http://h", "openai"),
        ("hosted_vllm/x@http://h", "openai"),
        ("llamacpp/x@http://h", "openai"),
        ("tgi/x@http://h", "openai"),
        ("openrouter/a/b", "openai"),
        ("ollama/x", "openai"),
        ("ollama/x?client=litellm", "litellm"),
        ("openai/x?client=litellm", "litellm"),
        ("anthropic/x", "litellm"),
        ("gemini/x", "litellm"),
        ("bedrock/a.b-v1:0", "litellm"),
        ("mock/legal", "mock"),
    ],
)
def test_each_target_has_its_client(text: str, client: str) -> None:
    agent = parse_name(text)

    assert agent.model is not None
    assert agent.model.client == client


def test_a_home_folder_is_expanded_and_variables_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    pytest.importorskip("arena.models.hf_client")

    agent = parse_name("hf/~/m+~/$A")

    assert agent.model is not None
    assert (agent.model.model, agent.model.adapter) == ("/home/me/m", "/home/me/$A")
    assert agent.canonical == "hf//home/me/m+/home/me/%24A"


def test_equal_names_are_equal_models_whatever_their_spelling() -> None:
    one, two = parse_name("openai/x?seed=1&top_p=0.50").model, parse_name("openai/x?top_p=.5&seed=01").model

    assert one == two
    assert hash(one) == hash(two)


def test_a_bots_name_is_found_from_anywhere() -> None:
    name, bot = find_bot("kuhn-nash")

    assert name == "kuhn-nash"
    assert find_bot("nash", KUHN) == (name, bot)
    with pytest.raises(UsageError, match="plays kuhn, not leduc"):
        find_bot("kuhn-nash", load_game("leduc"))


def test_resolve_keeps_selectors_and_order() -> None:
    specs = resolve(["blue=bot/nash,bot/random", ("player_1", "mock/legal")], KUHN)

    assert [(spec.selector, spec.agent.canonical) for spec in specs] == [
        ("blue", "bot/kuhn-nash"),
        (None, "bot/random"),
        ("player_1", "mock/legal"),
    ]


def test_an_agent_survives_the_record() -> None:
    agent = parse_name("klevel:openai/x?k=3&memory=notes")

    assert AgentName.from_json(agent.as_json()) == agent


def test_a_bare_model_name_needs_no_options() -> None:
    assert ModelName("mock", "legal").canonical == "mock/legal"
    assert (
        ModelName("openai", "a b", url="http://h/v1", options={"seed": 3}).canonical
        == "openai/a%20b@http://h/v1?seed=3"
    )


# --- properties -----------------------------------------------------------------------------------------------------

KINDS: tuple[Kind, ...] = ("human", "bot", "file", "league", "model")
IDENT = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True)
PART = st.text(
    st.one_of(st.sampled_from('ab09:/@?&=+,%"~.-_ #[]'), st.characters(codec="utf-8")), min_size=1, max_size=20
)
NOISE = st.text(st.one_of(st.sampled_from('abm09:/@?&=+,%".-_ 2F'), st.characters()), max_size=40)


@st.composite
def parts(draw: st.DrawFn) -> Parts:
    kind = draw(st.sampled_from(KINDS))
    target = Target(kind, "" if kind == "human" else draw(IDENT))
    if kind == "model":
        provider = draw(st.sampled_from(("openai", "hf", "vllm", "mock")))
        adapter = draw(st.none() | PART) if provider == "hf" else None
        url = draw(st.sampled_from((None, "http://h", "https://h:1/v1/a%20b", "http://h/x,y"))) if not adapter else None
        target = Target("model", draw(PART), provider, adapter, url)
    options = draw(st.dictionaries(st.sampled_from(("k", "a.b", "seed")), PART, max_size=3))
    return Parts(tuple(draw(st.lists(IDENT, max_size=2))), target, tuple(sorted(options.items())))


@given(parts())
def test_parts_survive_being_written(whole: Parts) -> None:
    text = join(*whole)
    try:
        again = split(text)
    except UsageError as error:  # a part that no name may hold
        assert any(word in str(error) for word in ("invisible", "password"))
        assume(False)

    assert again == whole
    assert join(*again) == text
    assert parse_list(text) == [(None, text)]


@given(st.lists(parts().map(lambda whole: join(*whole)), min_size=1, max_size=4))
def test_canonical_names_need_no_quotes_in_a_list(names: list[str]) -> None:
    assert parse_list(",".join(names)) == [(None, name) for name in names]


@given(NOISE)
def test_noise_is_refused_or_has_a_canonical_form(text: str) -> None:
    try:
        agent = parse_name(text, KUHN)
    except UsageError as error:
        assert "\n" not in str(error)
        return

    assert parse_name(agent.canonical, KUHN).canonical == agent.canonical
    assert agent.canonical.isprintable()


@given(NOISE)
def test_a_noisy_list_is_refused_or_read(text: str) -> None:
    try:
        items = parse_list(text)
    except UsageError:
        return

    assert all(name for _, name in items)


@given(
    st.lists(st.sampled_from(sorted(METHODS)), max_size=3, unique=True),
    st.sampled_from(("openai/x", "anthropic/c@http://h", "mock/legal", "vllm/m@https://h/v1")),
    st.dictionaries(
        st.sampled_from(
            ("model.temperature", "seed", "timeout", "stop", "memory", "klevel.k", "vote.k", "every", "top_p")
        ),
        st.sampled_from(("1", "0.5", "2s", "notes", "window=3", "a,b c", "100%", "30000ms")),
        max_size=5,
    ),
)
def test_the_canonical_name_of_a_canonical_name_is_itself(
    methods: list[str], target: str, options: dict[str, str]
) -> None:
    text = join(methods, split(target).target, list(options.items()))
    try:
        agent = parse_name(text)
    except UsageError:
        assume(False)

    again = parse_name(agent.canonical)

    assert again == agent
    assert parse_name(agent.expanded) == agent
