"""From names to games: folders, presets, versions, paths; and what an unknown name is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

import arena
from arena.core import ConfigError, UnknownName, UsageError, record
from arena.core.errors import nearest
from arena.registry import (
    find_game,
    game_bots,
    game_folder,
    game_names,
    game_package,
    load_game,
    make_game,
    package_file,
    prompt_folders,
)

TOSS = '''"""A coin is tossed."""

from typing import ClassVar

from arena.core import EVERYONE, Choice, Config, Game, Payoffs, Table, option

from .rules import SIDES


class TossConfig(Config):
    tosses: int = option(1, "how often", low=1)


class Toss(Game):
    """Call it."""

    seats, config_type = 1, TossConfig
    presets: ClassVar = {"default": {}, "best/of/three": {"tosses": 3}}

    async def play(self, table: Table) -> Payoffs:
        won = 0
        for _ in range(self.config.tosses):
            call = await table.ask("player_0", Choice("call", SIDES))
            side = table.rng("deal").choice(SIDES)
            table.tell(EVERYONE, "landed", side=side)
            won += call == side
        return Payoffs({"player_0": won})
'''


def make_toss(folder: Path, name: str = "toss", sides: str = '("heads", "tails")') -> Path:
    game = folder / name
    (game / "prompts").mkdir(parents=True)
    (game / "game.py").write_text(TOSS)
    (game / "rules.py").write_text(f"SIDES = {sides}\n")
    (game / "bots.py").write_text("BOTS = {'heads': lambda view, ask, rng: 'heads'}\n")
    return game


def test_every_folder_of_games_with_a_game_in_it_is_a_game() -> None:
    folders = {f.name for f in package_file("games").iterdir() if (f / "game.py").is_file()}

    assert {name for name in folders if not name.startswith("_")} <= set(game_names())
    assert game_names() == sorted(game_names())
    assert not any(name.startswith("_") for name in game_names())


def test_a_bare_name_means_the_first_preset() -> None:
    assert find_game("kuhn") == find_game("kuhn/default") == find_game("kuhn-v1")._replace(where="kuhn")
    assert find_game("kuhn-v1/default").preset == "default"


def test_a_game_knows_its_name_and_where_it_lies() -> None:
    cls = load_game("kuhn")

    assert cls.name == "kuhn"
    assert cls().full_name == "kuhn-v1"
    assert game_package(cls) == "arena.games.kuhn"
    assert (game_folder(cls) / "game.py").is_file()
    assert [folder.name for folder in prompt_folders(cls)] == ["kuhn"]
    assert "nash" in game_bots(cls)


def test_an_unknown_game_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        find_game("khun")

    assert caught.value.message == "there is no game 'khun'. Did you mean kuhn?"
    assert caught.value.kind == "unknown_game"
    assert caught.value.hint == "`arena games` lists what there is"


def test_an_unknown_preset_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        find_game("kuhn/defualt")

    assert caught.value.message == "there is no preset of kuhn 'defualt'. Did you mean default?"


def test_another_version_is_not_silently_replaced() -> None:
    with pytest.raises(UsageError, match=r"kuhn-v9 is not installed; this is kuhn-v1"):
        find_game("kuhn-v9")


def test_a_wrong_config_value_names_game_and_preset() -> None:
    with pytest.raises(ConfigError, match=r"^kuhn/default: deal must be one of"):
        make_game("kuhn", {"deal": "QQ"})
    with pytest.raises(ConfigError, match=r"there is no config field 'dael'\. Nearest: deal"):
        make_game("kuhn", {"dael": "QK"})


def test_a_folder_is_a_game_and_its_presets_may_hold_slashes(tmp_path: Path) -> None:
    folder = make_toss(tmp_path)
    match = arena.match(f"{folder}/best/of/three", seed=1)

    assert find_game(str(folder)).preset == "default"
    assert match.preset == "best/of/three"
    assert match.game.full_name == "toss-v1"
    assert match.game.config.tosses == 3
    assert prompt_folders(type(match.game)) == [folder / "prompts"]
    assert list(game_bots(type(match.game))) == ["heads"]


def test_a_record_of_a_folder_game_replays_with_the_folder(tmp_path: Path) -> None:
    folder = make_toss(tmp_path)
    match = arena.match(str(folder), seed=1)
    match.submit("player_0", "heads")

    assert arena.match(str(folder), record=record(match)).payoffs == match.payoffs


def test_a_record_of_a_folder_game_is_forked_with_the_folder(tmp_path: Path) -> None:
    folder = make_toss(tmp_path)
    match = arena.match(str(folder), seed=1)
    match.submit("player_0", "heads")
    branch = arena.fork(record(match), 0, name=str(folder))

    assert list(branch.pending()) == ["player_0"]


def test_folders_of_arena_path_are_games_by_their_bare_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_toss(tmp_path, "toss_on_path")
    monkeypatch.setenv("ARENA_PATH", str(tmp_path))

    assert "toss_on_path" in game_names()
    assert arena.match("toss_on_path", seed=1).game.full_name == "toss_on_path-v1"


def test_a_folder_without_a_game_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no game\.py"):
        find_game(str(tmp_path))


def test_a_file_with_two_games_says_so(tmp_path: Path) -> None:
    folder = make_toss(tmp_path, "two_games")
    (folder / "game.py").write_text(TOSS + "\n\nclass Second(Game):\n    pass\n")

    with pytest.raises(UsageError, match="must define exactly one Game; it defines 2"):
        find_game(str(folder))


def test_a_broken_import_inside_a_game_is_not_taken_for_a_missing_file(tmp_path: Path) -> None:
    folder = make_toss(tmp_path, "broken_bots")
    (folder / "bots.py").write_text("import no_such_module_anywhere\n")

    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        game_bots(load_game(str(folder)))


def test_a_relative_folder_means_the_one_below_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = []
    for number, place in enumerate(("one", "two")):
        make_toss(tmp_path / place, "mygame", f'("side {number}",)')
        monkeypatch.chdir(tmp_path / place)
        sides.append(arena.match("./mygame", seed=1).pending()["player_0"].options)

    assert sides == [("side 0",), ("side 1",)]


def test_names_near_a_name() -> None:
    known = ["werewolf/makto9g", "werewolf/makto9h", "kuhn", "leduc"]

    assert nearest("werewolf/makto9", known)[:2] == ["werewolf/makto9h", "werewolf/makto9g"]
    assert nearest("KUHN", known) == ["kuhn"]
    assert nearest("zzzz", known) == []
