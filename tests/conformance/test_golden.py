"""Golden playthroughs: their form, where they lie, and what a changed one says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from arena.testing.conformance import Fault, check_golden
from arena.testing.golden import golden_file, playthrough, write_goldens

CHATTER = Path(__file__).parents[1] / "prompt" / "chatter"


@pytest.fixture
def chatter(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CHATTER, tmp_path / "chatter_copy"))


def test_a_playthrough_of_kuhn() -> None:
    assert playthrough("kuhn") == (
        "# kuhn-v1 default  seed 7\n"
        "player_0 *  card card=K\n"
        "player_1 *  card card=J\n"
        "player_0 ?  move: check bet\n"
        "player_0 >  bet\n"
        "everyone *  action seat=player_0 move=bet\n"
        "player_1 ?  move: fold call\n"
        "player_1 >  fold\n"
        "everyone *  action seat=player_1 move=fold\n"
        "view player_0: card · action 2\n"
        "view player_1: card · action 2\n"
        "payoffs     player_0 +1   player_1 -1\n"
        "record      a529b5d8a7891f478c4b45f4fd50c8525cc083a8a40c22c92731a2d676ed538d\n"
    )


def test_the_goldens_of_our_games_lie_in_their_tests() -> None:
    root = Path(__file__).parents[2]

    assert golden_file("kuhn") == root / "tests" / "games" / "kuhn" / "golden" / "default-7.txt"


def test_goldens_are_written_for_every_preset_beside_a_game_from_outside(chatter: Path) -> None:
    files = write_goldens([str(chatter)])

    assert [file.relative_to(chatter).as_posix() for file in files] == [
        "tests/golden/default-7.txt",
        "tests/golden/named-7.txt",
        "tests/golden/insisting-7.txt",
    ]
    check_golden(f"{chatter}/named")
    assert "said seat=player_0 speech=" in files[0].read_text(encoding="utf-8")


def test_a_changed_playthrough_names_file_line_and_both_versions(chatter: Path) -> None:
    file, *_ = write_goldens([f"{chatter}/default"])
    file.write_text(file.read_text(encoding="utf-8").replace("role=speaker", "role=talker"), encoding="utf-8")

    with pytest.raises(Fault, match=r"default-7\.txt:2: the game now plays 'player_0 \*  role role=speaker', not"):
        check_golden(str(chatter))


def test_a_golden_that_lost_its_end_is_found(chatter: Path) -> None:
    file, *_ = write_goldens([f"{chatter}/default"])
    file.write_text(file.read_text(encoding="utf-8").rsplit("record", 1)[0].rstrip("\n"), encoding="utf-8")

    with pytest.raises(Fault, match="lines are now"):
        check_golden(str(chatter))


def test_a_long_playthrough_leaves_out_its_middle_and_keeps_its_hash(chatter: Path) -> None:
    game = chatter / "game.py"
    game.write_text(game.read_text().replace('"rounds of talk", low=1', '"rounds", low=1').replace("(3, ", "(60, "))
    lines = playthrough(str(chatter)).splitlines()

    assert len(lines) < 210
    assert sum("lines are left out here" in line for line in lines) == 1
    assert lines[-1].startswith("record      ")
