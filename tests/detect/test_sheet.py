"""What stands on a sheet and what does not: words said to the table, and nothing that says who said them."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arena
from arena.core import Match
from arena.core.errors import UnknownName, UsageError
from arena.core.text import has_word
from arena.detect import Drawn, draw, score, sheet
from arena.detect.sheet import MASK, MOST, blinded, names_of, public_words
from arena.leaderboards import csvfile
from arena.store.schema import FILE
from tests.cli.test_commands import Cli, cli
from tests.run.playing import rows
from tests.security.hostile import HOSTILE

__all__ = ["cli"]  # a fixture


def bots_of(*runs: Path, seed: int = 0) -> Drawn:
    """The items of runs in which a scripted player stands in for people."""
    return draw(runs, positive="bot", seed=seed)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen five-seat matches of a scripted player against a mock, each on both sides."""
    folder = tmp_path_factory.mktemp("detect") / "run"
    words = ["werewolf/mini5", "--agents", "bot/werewolf-sample,mock/legal", "--matches", "16", "--seed", "2"]
    subprocess.run([sys.executable, "-m", "arena", "tournament", *words, "-q", "--out", str(folder)], check=True)
    return folder


def texts(run: Path, agent_kind: str) -> set[str]:
    """Every speech with words in it that seats of this kind gave as their own answers, from the record's tables."""
    query = (
        "SELECT t.answer FROM turns t JOIN seats s USING (match_id, seat_no) JOIN agents a USING (agent_id) "
        f"WHERE a.kind = '{agent_kind}' AND t.ask_kind = 'speech' AND NOT t.fallback"
    )
    return {text for row in rows(run, query) if (text := json.loads(row["answer"])["text"].strip())}


# --- the draw ---------------------------------------------------------------------------------------------------


def test_a_sheet_holds_as_many_seats_of_one_kind_as_of_the_other_in_every_match(run: Path) -> None:
    drawn = bots_of(run)
    kinds = Counter((item.match, item.is_human) for item in drawn.items)

    assert drawn.items
    assert all(kinds[match, True] == kinds[match, False] for match, _ in kinds)
    assert len({item.name for item in drawn.items}) == len(drawn.items)


def test_an_item_is_what_its_seat_said(run: Path) -> None:
    of_kind = {True: texts(run, "bot"), False: texts(run, "model")}
    for item in bots_of(run).items:
        parts = re.split(r" ?\[\d+\] ", item.words)[1:]

        assert parts
        assert all(any(part == text.replace("\n", " ⏎ ") for text in of_kind[item.is_human]) for part in parts)


def test_the_same_seed_gives_the_same_sheet_and_another_seed_another(run: Path) -> None:
    first = sheet(bots_of(run, seed=1))

    assert sheet(bots_of(run, seed=1)) == first
    assert sheet(bots_of(run, seed=2)) != first


def test_the_order_says_nothing_of_the_kind(run: Path) -> None:
    """Neither the first half nor every second item is of one kind, over twenty seeds."""
    orders = [[item.is_human for item in bots_of(run, seed=seed).items] for seed in range(20)]
    half = len(orders[0]) // 2

    assert 0 < sum(sum(order[:half]) for order in orders) < 20 * half
    assert 0.3 < sum(sum(order[::2]) for order in orders) / sum(len(order[::2]) for order in orders) < 0.7


def test_a_sheet_has_no_key_and_no_name_on_it(run: Path) -> None:
    text = sheet(bots_of(run))
    keys = {row["key"] for row in rows(run, "SELECT key FROM matches")}

    assert text.split("\n")[0] == "item,words,answer"
    assert not re.search(r"mock|legal|werewolf-sample|bot/", text)
    assert all(key[:8] not in text for key in keys)
    assert all(row["answer"] == "" for row in csvfile.read(text))


def test_runs_may_come_in_any_order_but_not_twice(run: Path, tmp_path: Path, cli: Cli) -> None:
    assert cli("tournament", "werewolf/mini5", "--agents", "bot/werewolf-quiet,mock/legal", "--out", "other")[0] == 0
    other = tmp_path / "other"

    assert sheet(bots_of(run, other)) == sheet(bots_of(other, run))
    with pytest.raises(UsageError, match="same run"):
        bots_of(run, Path(str(run)))


def test_silent_seats_are_counted_and_give_no_item(cli: Cli) -> None:
    agents = "bot/werewolf-quiet,mock/legal"
    assert (
        cli("tournament", "werewolf/mini5", "--agents", agents, "--matches", "4", "--seed", "1", "--out", "r")[0] == 0
    )
    drawn = bots_of(Path("r"))

    assert drawn.items == []
    assert drawn.one_sided == 4
    bots = rows(Path("r"), "SELECT 1 FROM seats JOIN agents USING (agent_id) WHERE kind = 'bot'")
    assert drawn.silent >= len(bots) > 0
    code, _, err = cli("detect", "r", "--positive", "bot", "--out", "s.csv")
    assert (code, Path("s.csv").exists()) == (2, False)
    assert "no finished match in which both bot and model spoke to all" in err


def test_kinds_are_people_and_models_unless_others_are_named(run: Path) -> None:
    assert draw([run]).items == []  # nobody in this run is a person
    by_name = draw([run], positive="bot/werewolf-sample", negative="mock/legal")

    assert by_name == bots_of(run)
    with pytest.raises(UnknownName, match="bot/werewolf-sample"):
        draw([run], positive="bot/werewolf-sampel")
    with pytest.raises(UsageError, match="cannot be told from itself"):
        draw([run], positive="model")


# --- what counts as said ----------------------------------------------------------------------------------------


def test_whispers_summaries_reasons_and_fallbacks_are_not_said_to_the_table() -> None:
    match = arena.match("werewolf/aiwolf13", seed=1, summaries=True, speech="bidding", turns=3)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            _say(match, seat, ask.name)
    said = public_words(match)

    assert {word for words in said.values() for word in words} == {"a speech"}
    assert sum(map(len, said.values())) == sum(t.ask.name.startswith("speech") and not t.fallback for t in match.turns)
    assert any(t.fallback and t.ask.name == "speech" for t in match.turns)


def test_a_private_word_that_is_also_a_fact_is_not_said_to_the_table() -> None:
    """The living are named at dawn, and ballots name seats: whoever whispers a seat's name has not said it aloud."""
    match = arena.match("werewolf/aiwolf13", seed=1, summaries=True, speech="bidding", turns=3)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            _say(match, seat, ask.name, private="player_3")

    assert any(turn.ask.name == "whisper" and not turn.fallback for turn in match.turns)
    assert {word for words in public_words(match).values() for word in words} == {"a speech"}


def _say(match: Match, seat: str, ask: str, private: str = "in private") -> None:
    plain: dict[str, Any] = {
        "whisper": private,
        "bid": {"level": 1, "reason": private},
        "summary": private,
        "speech": {"text": "a speech"},
        "speech_pk": {"text": "a speech"},
    }
    if ask in plain and not (ask == "speech" and len(match.turns) % 3 == 0):
        match.submit(seat, plain[ask])
    else:
        match.submit_fallback(seat)


def test_the_secret_talk_of_avalon_s_evil_is_not_said_to_the_table() -> None:
    match = arena.match("avalon/p5", seed=1, evil_talk=True)
    plain: dict[str, Any] = {"speech": {"text": "aloud"}, "evil_talk": "in secret", "team_vote": "approve"}
    while not match.done:
        for seat, ask in list(match.pending().items()):
            match.submit(seat, plain.get(ask.name, ask.fallback))

    assert any(turn.ask.name == "evil_talk" for turn in match.turns)
    assert {word for words in public_words(match).values() for word in words} == {"aloud"}


def test_words_that_nobody_can_see_are_silence() -> None:
    match = arena.match("matrix/rps", seed=1, talk="simultaneous", rounds=1)
    match.submit("player_0", {"text": "\u200b \n"})
    match.submit("player_1", {"text": ""})
    for seat in list(match.pending()):
        match.submit(seat, "rock")

    assert public_words(match) == {"player_0": [], "player_1": []}


def test_two_seats_with_the_same_words_have_said_them_both() -> None:
    match = arena.match("matrix/rps", seed=1, talk="simultaneous", rounds=2)
    for _ in range(2):
        for seat in list(match.pending()):
            match.submit(seat, {"text": "rock!"})
        for seat in list(match.pending()):
            match.submit(seat, "rock")

    assert public_words(match) == {"player_0": ["rock!", "rock!"], "player_1": ["rock!", "rock!"]}


# --- blinding ---------------------------------------------------------------------------------------------------

NAMES = names_of(
    {"name": name, "spec": json.dumps({"model": model})}
    for name, model in (
        ("openai/gpt-5-mini?temperature=1", "openai/gpt-5-mini"),
        ("bot/random", None),
        ("@careful", "gguf/smollm2-135m"),
        ("human", None),
        ("league/nyc-blue-k3", "hf/Qwen/Qwen3-0.6B"),
        ("anna", "gemini/gemini-2.5-pro"),
        ("Bo", "openai/o3"),
    )
)


def test_names_of_agents_and_models_are_masked_and_words_are_not() -> None:
    assert blinded(["I am GPT-5-mini, not openai/gpt-5-mini?"], NAMES) == "[1] I am [name], not [name]?"
    assert blinded(["@careful runs smollm2\u200b-135m or Qwen3-0.6B"], NAMES) == "[1] [name] runs [name] or [name]"
    assert blinded(["a human is random, careful"], NAMES) == "[1] a human is random, careful"
    assert blinded(["one\ntwo", "three"], NAMES) == "[1] one ⏎ two [2] three"
    assert blinded(["Gemini 2.5 Pro, gemini, o3 or Qwen, say anna's annales, Bob"], NAMES) == (
        "[1] [name], [name], [name] or [name], say [name]'s annales, Bob"
    )


@pytest.mark.parametrize("text", ["x" * 600, "\\u0041" * 100, "🂡" * 300])
def test_an_item_fits_into_a_cell_of_a_spreadsheet(text: str) -> None:
    words = blinded([text] * 100, NAMES)

    assert len(csvfile.escape(words).encode("utf-16-le")) // 2 <= MOST
    assert len(words) > MOST / 4


PARTS = st.one_of(
    st.text(max_size=8), st.sampled_from([*sorted(NAMES), "=1+1", "\t@x", "\r\n", "GPT-5", "\u202e", ","])
)


@given(st.lists(st.lists(PARTS, min_size=1, max_size=6).map("".join), min_size=1, max_size=4))
def test_no_name_and_no_formula_gets_onto_a_sheet(said: list[str]) -> None:
    words = blinded(said, NAMES)
    text = csvfile.write(("item", "words", "answer"), [{"item": "q1", "words": words}])

    assert not any(name.lower() in words.lower() for name in NAMES if not name.isalpha())
    assert not any(has_word(name, words.replace(MASK, "x")) for name in NAMES if name.isalpha())
    assert csvfile.read(text) == [{"item": "q1", "words": words, "answer": ""}]
    assert text.count("\n") == 2
    assert text.split("\n")[1].startswith(("q1,[1] ", 'q1,"[1] '))


# --- on the command line ----------------------------------------------------------------------------------------


def test_a_sheet_goes_out_and_comes_back(run: Path, cli: Cli) -> None:
    words = ("detect", str(run), "--positive", "bot")
    assert cli.json(*words, "--out", "s.csv") == {"sheet": "s.csv", "items": len(bots_of(run).items)}
    truth = {item.name: "human" if item.is_human else "model" for item in bots_of(run).items}
    rows = [row | {"answer": truth[row["item"]]} for row in csvfile.read(Path("s.csv").read_text())]
    rows[0]["answer"] = "model" if rows[0]["answer"] == "human" else "human"
    Path("a.csv").write_text(csvfile.write(("item", "words", "answer"), rows))

    report = cli.json(*words, "--answers", "a.csv")
    assert report["overall"]["accuracy"] == pytest.approx(1 - 1 / len(truth))
    assert report["overall"]["low"] < report["overall"]["accuracy"]
    assert report["unanswered"] == 0
    code, out, err = cli(*words, "--answers", "a.csv")
    assert code == 0
    assert "chance: 0.500" in out
    assert "items of each kind" in err


def test_a_sheet_is_never_written_over_another_file(run: Path, cli: Cli) -> None:
    Path("s.csv").write_text("item,words,answer\nq1,x,human\n")
    code, _, err = cli("detect", str(run), "--positive", "bot", "--out", "s.csv")

    assert code == 2
    assert "may hold answers" in err
    assert "human" in Path("s.csv").read_text()


def test_a_sheet_of_other_items_is_refused(run: Path, cli: Cli) -> None:
    assert cli("detect", str(run), "--positive", "bot", "--seed", "1", "--out", "s.csv")[0] == 0
    code, _, err = cli("detect", str(run), "--positive", "bot", "--answers", "s.csv")

    assert code == 2
    assert "is not of these runs" in err
    assert "--seed that the sheet was made with" in err


def test_either_a_sheet_is_written_or_one_is_scored(run: Path, cli: Cli) -> None:
    for words in ((), ("--out", "s.csv", "--answers", "s.csv")):
        code, _, err = cli("detect", str(run), *words)

        assert code == 2
        assert "--out SHEET.csv" in err


def test_a_person_at_the_terminal_is_told_from_a_model(tmp_path: Path) -> None:
    words = ["matrix/rps", "--set", "talk=simultaneous", "--set", "rounds=1", "--agents", "human,mock/legal"]
    command = [sys.executable, "-m", "arena", "play", *words, "--seed", "3", "--out", "h"]
    typed = "I shall play rock, I promise.\n\n\nrock\n"
    subprocess.run(command, input=typed, capture_output=True, text=True, cwd=tmp_path, check=True)
    drawn = draw([tmp_path / "h"])
    answers = tmp_path / "a.csv"
    rows = [{"item": i.name, "answer": "human" if "I promise" in i.words else "model"} for i in drawn.items]
    answers.write_text(csvfile.write(("item", "answer"), rows))

    assert [item.words for item in drawn.items if item.is_human] == ["[1] I shall play rock, I promise."]
    assert score(drawn, answers).overall.accuracy == 1


def test_a_record_of_hostile_names_and_roles_is_drawn_and_scored_all_the_same(run: Path, cli: Cli) -> None:
    shutil.copytree(run, "edited")
    db = sqlite3.connect(Path("edited", FILE))
    db.execute("UPDATE agents SET name = ?1 || name", (HOSTILE,))
    db.execute("UPDATE seats SET role = ?1", (HOSTILE,))
    db.commit()
    db.close()
    words = ("detect", "edited", "--positive", "bot")

    assert len(bots_of(Path("edited")).items) == len(bots_of(run).items)
    assert cli(*words, "--out", "s.csv")[0] == 0
    Path("a.csv").write_text(Path("s.csv").read_text().replace(",\n", ",human\n"))
    code, out, err = cli(*words, "--answers", "a.csv")
    assert code == 0
    assert "[red]MODERATOR[/red]" in out  # the role, as it stands
    assert not [c for c in out + err if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
