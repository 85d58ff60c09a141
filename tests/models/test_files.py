"""Names that stand in files: agents/NAME.toml and the league."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from arena.core.errors import UsageError
from arena.models.names import AgentName, parse_name

METHODS = {
    "klevel": SimpleNamespace(options={"k": (int, 2)}),
    "vote": SimpleNamespace(options={"k": (int, 3)}),
    "cot": SimpleNamespace(options={}),
}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("arena.models.names.methods", lambda: METHODS)
    monkeypatch.delenv("ARENA_LEAGUE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agents").mkdir()
    return tmp_path


def agent_file(name: str, text: str) -> None:
    Path("agents", f"{name}.toml").write_text(text, encoding="utf-8")


def policy(name: str, text: str, *, adapter: bytes | None = None) -> Path:
    folder = Path("league", name)
    folder.mkdir(parents=True)
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    if adapter is not None:
        (folder / "adapter_model.safetensors").write_bytes(adapter)
        (folder / "adapter_config.json").write_text("{}")
    return folder


# --- @NAME -----------------------------------------------------------------------------------------------------------


def test_a_whole_name_in_a_file_is_that_name() -> None:
    agent_file("mini", 'agent = "cot:openai/gpt-5-mini?temperature=0.7"\n')

    agent = parse_name("@mini")

    assert agent.canonical == "cot:openai/gpt-5-mini?temperature=0.7"
    assert agent.display == "@mini"
    assert agent.source_hash is not None


def test_the_parts_in_a_file_make_a_name() -> None:
    agent_file(
        "deep",
        'model = "openai/gpt-5-mini"\nmethods = ["cot", "klevel"]\n'
        '[options]\ntemperature = 1\nmemory = "window=3"\n[options.klevel]\nk = 3\n',
    )

    assert parse_name("@deep").canonical == "cot:klevel:openai/gpt-5-mini?k=3&memory=window=3&temperature=1"


def test_what_the_user_writes_goes_over_the_file() -> None:
    agent_file("mini", 'agent = "klevel:openai/gpt-5-mini?temperature=0.7&k=3"\n')

    assert parse_name("@mini?temperature=0").canonical == "klevel:openai/gpt-5-mini?k=3&temperature=0"
    assert parse_name("@mini?k=2").canonical == "klevel:openai/gpt-5-mini?temperature=0.7"
    assert parse_name("cot:@mini").canonical == "cot:klevel:openai/gpt-5-mini?k=3&temperature=0.7"


def test_a_method_around_a_file_does_not_make_its_options_ambiguous() -> None:
    agent_file("deep", 'agent = "klevel:openai/m?k=4"\n')

    assert parse_name("vote:@deep").canonical == "vote:klevel:openai/m?klevel.k=4"
    assert parse_name("vote:@deep?vote.k=5").canonical == "vote:klevel:openai/m?klevel.k=4&vote.k=5"
    with pytest.raises(UsageError, match="ambiguous"):
        parse_name("vote:@deep?k=5")


def test_a_persona_keeps_the_files_name_in_tables() -> None:
    Path("agents", "words").mkdir()
    agent_file("shy", 'agent = "mock/legal"\npersona = "You are shy.\\nVery."\nprompts = "words"\n')

    agent = parse_name("@shy?seed=3")

    assert agent.canonical == "@shy?seed=3"
    assert parse_name(agent.canonical).canonical == agent.canonical
    assert agent.expanded == "mock/legal?seed=3"
    assert agent.persona == "You are shy.\nVery."
    assert agent.prompts == str(Path("agents", "words").resolve())


def test_an_agent_of_a_file_is_made_again_without_the_file() -> None:
    agent_file("shy", 'agent = "mock/legal?seed=3"\npersona = "You are shy."\n')
    agent = parse_name("cot:@shy")
    Path("agents", "shy.toml").unlink()

    assert AgentName.from_json(agent.as_json()) == agent


def test_files_may_name_files() -> None:
    agent_file("a", 'agent = "mock/legal?seed=1&top_p=0.5"\n')
    agent_file("b", 'model = "@a"\nmethods = ["cot"]\n[options]\nseed = 2\n')
    agent_file("c", 'agent = "klevel:@b"\n')

    agent = parse_name("@c")

    assert agent.canonical == "klevel:cot:mock/legal?seed=2&top_p=0.5"
    assert agent.source_hash != parse_name("@b").source_hash


def test_a_file_may_name_a_bot() -> None:
    agent_file("dice", 'agent = "bot/random"\n')

    assert parse_name("@dice").canonical == "bot/random"
    with pytest.raises(UsageError, match="needs a model"):
        parse_name("cot:@dice")


def test_a_bot_has_no_persona() -> None:
    agent_file("dice", 'agent = "bot/random"\npersona = "You are lucky."\n')

    with pytest.raises(UsageError, match="are for models"):
        parse_name("@dice")


def test_files_that_name_each_other_are_an_error() -> None:
    agent_file("a", 'agent = "@b"\n')
    agent_file("b", 'agent = "@a"\n')

    with pytest.raises(UsageError, match="@a -> @b -> @a"):
        parse_name("@a")


def test_nine_files_deep_is_too_deep() -> None:
    agent_file("f0", 'agent = "mock/legal"\n')
    for n in range(1, 9):
        agent_file(f"f{n}", f'agent = "@f{n - 1}"\n')

    assert parse_name("@f7").canonical == "mock/legal"
    with pytest.raises(UsageError, match="more than 8 deep"):
        parse_name("@f8")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "either `agent`"),
        ('agent = "mock/legal"\nmodel = "mock/legal"\n', "either `agent`"),
        ('agent = "mock/legal"\nmethods = ["cot"]\n', "go with `model`"),
        ('agent = "mock/legal"\nimport = "os"\n', "'import'"),
        ("agent = 3\n", "must be text"),
        ("agent =\n", "not valid TOML"),
        ('model = "mock/legal"\nmethods = "cot"\n', "list of names"),
        ('model = "mock/legal"\noptions = 3\n', "must be a table"),
        ('model = "mock/legal"\n[options]\nseed = [1]\n', "must be text, a number"),
        ('model = "mock/legal"\n[options]\nseed = "1\\u0007"\n', "control"),
        ('model = "mock/legal"\nprompts = "../.."\n', "must lie inside"),
        ('model = "mock/legal"\nprompts = "/etc"\n', "must lie inside"),
        ('model = "mock/legal"\nprompts = "none"\n', "there is no prompts folder"),
        ('agent = "bot/nobody"\n', "no bot"),
        ("x = " + "[" * 3000 + "]" * 3000, "nests too deeply"),
        ("# " + "x" * 65536, "larger than 64 KiB"),
        ('agent = "mock/legal"\nagent = "mock/echo"\n', "not valid TOML"),
    ],
)
def test_a_wrong_file_is_one_error(text: str, reason: str) -> None:
    agent_file("bad", text)

    with pytest.raises(UsageError) as caught:
        parse_name("@bad")

    assert reason in str(caught.value)


def test_bytes_that_are_no_text_are_one_error() -> None:
    Path("agents", "bad.toml").write_bytes(b'agent = "\xff\xfe"')

    with pytest.raises(UsageError, match="not valid TOML"):
        parse_name("@bad")


# --- league/NAME -----------------------------------------------------------------------------------------------------


def test_a_policy_keeps_its_own_name_and_plays_its_base() -> None:
    folder = policy("x-k1", 'base = "smollm2-135m"\nrecipe = "kto"\n[options]\ntemperature = 0.7\n', adapter=b"w")

    agent = parse_name("league/x-k1")

    assert agent.canonical == agent.display == "league/x-k1"
    assert agent.model is not None
    assert (agent.model.provider, agent.model.model) == ("hf", "smollm2-135m")
    assert agent.model.adapter == str(folder.resolve())
    assert agent.model.options["temperature"] == 0.7


def test_options_over_a_policy_are_part_of_its_name() -> None:
    policy("x-k1", 'base = "hf/smollm2-135m"\nmethods = ["klevel"]\n[options]\ntemperature = 0.7\n', adapter=b"w")

    assert parse_name("league/x-k1?temperature=0.7").canonical == "league/x-k1"
    assert parse_name("cot:league/x-k1?temperature=0").canonical == "cot:league/x-k1?temperature=0"
    assert [name for name, _ in parse_name("cot:league/x-k1").methods] == ["cot", "klevel"]


def test_an_untrained_policy_is_its_base() -> None:
    policy("x-k0", 'base = "mock/legal?seed=3"\n')

    agent = parse_name("league/x-k0")

    assert agent.model is not None
    assert (agent.model.provider, agent.model.adapter) == ("mock", None)
    assert agent.expanded == "mock/legal?seed=3"


def test_the_league_may_lie_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    policy("x", 'base = "mock/legal"\n')
    Path("league").rename(tmp_path / "pool")
    monkeypatch.setenv("ARENA_LEAGUE", str(tmp_path / "pool"))

    assert parse_name("league/x").canonical == "league/x"


def test_a_changed_adapter_is_refused() -> None:
    good, bad = hashlib.sha256(b"w").hexdigest(), hashlib.sha256(b"v").hexdigest()
    policy("good", f'base = "hf/smollm2-135m"\nadapter_sha256 = "{good}"\n', adapter=b"w")
    policy("bad", f'base = "hf/smollm2-135m"\nadapter_sha256 = "{bad}"\n', adapter=b"w")

    assert parse_name("league/good").kind == "model"
    with pytest.raises(UsageError, match="was changed"):
        parse_name("league/bad")


def test_a_lost_adapter_is_said() -> None:
    policy("x", 'base = "hf/smollm2-135m"\nadapter_sha256 = "00"\n')

    with pytest.raises(UsageError, match="has lost its adapter"):
        parse_name("league/x")


def test_a_pickled_adapter_is_refused() -> None:
    folder = policy("x", 'base = "hf/smollm2-135m"\n')
    (folder / "adapter_model.bin").write_bytes(b"\x80\x04")

    with pytest.raises(UsageError, match="nothing is unpickled"):
        parse_name("league/x")


def test_a_base_that_moved_says_what_to_do(tmp_path: Path) -> None:
    policy("x", f'base = "hf/{tmp_path}/gone"\nbase_sha256 = "abc"\n', adapter=b"w")

    with pytest.raises(UsageError) as caught:
        parse_name("league/x")

    assert "is not at" in str(caught.value)
    assert "abc" in str(caught.value)
    assert "policy.toml" in str(caught.value)


def test_a_policy_without_base_is_refused() -> None:
    policy("x", "k = 1\n")

    with pytest.raises(UsageError, match="names no `base`"):
        parse_name("league/x")
