"""The picture: one well-formed, self-contained SVG, the same for the same match, safe with hostile words."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import arena
import arena.games.nyc.plot
from arena.core import Match, record
from arena.core.seeds import stream
from arena.games.nyc.ledger import read
from arena.games.nyc.scripted import scripted
from arena.games.nyc.svg import Box, Point, place_label, spread, wrap

SVG = "{http://www.w3.org/2000/svg}"


def drawing(match: Match) -> ElementTree.Element:
    return ElementTree.fromstring(match.game.plot(match) or "")


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("preset", ["nyc/small", "nyc/tiny", "nyc/midtown", "nyc/city", "nyc/city-talk"])
def test_every_place_traveller_and_red_is_in_the_picture(preset: str) -> None:
    match = scripted(arena.match(preset, seed=5), "bayes-open", "greedy-red")
    root, deal = drawing(match), match.events[0].facts

    assert root.tag == f"{SVG}svg"
    assert set(deal["places"]) | set(deal["names"].values()) <= set(texts(root))
    boards = [r for r in root.iter(f"{SVG}rect") if r.get("width") == "11" and r.get("height") == "7.5"]
    assert len(boards) == sum(street[3] for street in deal["streets"]) + 1  # and one in the legend


def test_who_deceived_whom_is_told_with_the_words() -> None:
    match = scripted(arena.match("nyc/small", seed=7), "always", "greedy-red")
    ledger = read(match)
    deceived = [m for m in ledger.moves if m.harmful and m.followed and m.adviser_colour == "red"]
    shown = texts(drawing(match))

    assert len(deceived) == 3
    for move in deceived:
        names = ledger.names
        assert f"{names[move.adviser or '']} sent {names[move.seat]} to {ledger.places[move.to or 0]}" in shown
    assert any(text.startswith("“") for text in shown)


def test_a_deception_s_headline_is_whole_and_does_not_run_into_its_cost() -> None:
    """At .6 of the font size for a letter, as wide fonts have it."""
    heads = []
    for seed in range(6):
        shown = list(drawing(scripted(arena.match("nyc/city", seed=seed), "always")).iter(f"{SVG}text"))
        for head, cost in pairwise(shown):
            if " sent " in (head.text or ""):
                heads.append(head)
                free = float(cost.get("x") or 0) - float(head.get("x") or 0)
                used = [0.6 * float(one.get("font-size") or 0) * len(one.text or "") for one in (head, cost)]
                assert sum(used) <= free, head.text

    assert max(len(head.text or "") for head in heads) > 36
    assert not any("…" in (head.text or "") for head in heads)


def test_a_match_without_deceit_says_so() -> None:
    match = scripted(arena.match("nyc/small", seed=7), "oracle", "silent-red")

    assert "Nobody was led astray." in texts(drawing(match))


def test_the_same_match_gives_the_same_bytes_also_replayed() -> None:
    match = scripted(arena.match("nyc/city", seed=3), "always", "bait-red")

    assert match.game.plot(match) == match.game.plot(arena.match(record=record(match)))


def test_a_match_that_has_just_begun_can_be_drawn() -> None:
    assert "on the way" in " ".join(texts(drawing(arena.match("nyc/small", seed=1))))


def test_hostile_words_stay_words() -> None:
    payload = '</text><script>alert(1)</script><a href="javascript:x">&\x1b[2J\u202e\x00' + "x" * 50
    match = arena.match("nyc/small", seed=7, p_meet=100, red_rate=100)
    rng = stream(1, "drawn")
    while not match.done:
        for seat, ask in dict(match.pending()).items():
            answer: Any = ask.sample(rng)
            if ask.name == "advise":
                answer["text"] = payload
            match.submit(seat, answer)
    text = match.game.plot(match) or ""
    root = drawing(match)

    assert any(move.harmful and move.followed for move in read(match).moves)
    allowed = {"svg", "title", "defs", "linearGradient", "stop", "rect", "text", "path", "circle", "g"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= allowed
    assert not re.search(r"<script|href|\x1b|\u202e|\x00|onload", text.replace("href=&quot;", ""))
    assert any("</text><script>alert(1)" in shown for shown in texts(root))


def test_the_picture_in_the_readme_is_of_this_version() -> None:
    match = scripted(arena.match("nyc/small", seed=7), "always")
    shown = Path(arena.games.nyc.plot.__file__).with_name("match.svg").read_text(encoding="utf-8")

    assert shown == f"{match.game.plot(match)}\n"


def test_nothing_is_fetched() -> None:
    match = scripted(arena.match("nyc/tiny", seed=5), "always")

    assert re.findall(r"https?://[^\"]*", match.game.plot(match) or "") == ["http://www.w3.org/2000/svg"]


def test_places_keep_their_order_and_their_distance() -> None:
    points = spread([(0, 0), (1, 0), (100, 50), (50, 50)], 400, 300, gap=60)

    assert points[0].x < points[3].x < points[2].x
    assert points[0].y > points[3].y  # north is up
    assert min(a.distance(b) for i, a in enumerate(points) for b in points[:i]) >= 59


def test_a_label_keeps_away_from_what_is_there() -> None:
    frame, wall = Box(0, 0, 400, 400), Box(205, 190, 400, 210)
    placed = place_label("Plaza", Point(200, 200), 13, [wall], [], frame)

    assert placed.box.overlap(wall) == 0


def test_long_words_are_broken_and_long_texts_end_in_an_ellipsis() -> None:
    assert wrap("to be or not to be", 8, 5) == ["to be or", "not to", "be"]
    assert wrap("abcdefghij", 4, 3) == ["abcd", "efgh", "ij"]
    assert wrap("one two three four", 5, 2) == ["one", "two…"]
