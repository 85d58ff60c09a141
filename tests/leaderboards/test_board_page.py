"""The page of a board: what it shows, that nothing of others runs in it, and that both themes can be read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from arena.cli import leaderboard as command
from arena.leaderboards import Board, columns, csvfile, leaderboard
from arena.leaderboards.page import HERE, legend, standing
from arena.leaderboards.page.svg import shorten

Tables = Callable[..., Any]

HOSTILE = [
    "<script>window.hit=1</script>",
    "</script><script>window.hit=1</script>",
    '"><img src=x onerror=window.hit=1>',
    "</title><svg onload=window.hit=1>",
    "{{ 7 * 7 }}",
    "</style><base href=http://x.invalid/>",
    "a\u202eb\u2028c\x00",
    "<!--",
]


SVG_TAGS = {"svg", "style", "title", "text", "line", "rect", "circle", "path", "defs", "pattern"}


class Page(HTMLParser):
    """Tags with their attributes, the text of scripts and styles, and the cells of tables by id."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.tables: dict[str, list[list[str]]] = {}
        self.text: list[str] = []
        self._inside, self._table = "", ""
        self._cell: list[str] | None = None
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.raw:
            self._inside = tag
            self.raw[tag].append("")
        if tag == "table":
            self._table = dict(attrs).get("id") or f"table {len(self.tables)}"
            self.tables[self._table] = []
        if tag == "tr":
            self.tables[self._table].append([])
        if tag in ("td", "th"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside
        if tag in ("td", "th") and self._cell is not None:
            self.tables[self._table][-1].append("".join(self._cell))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.raw[self._inside][-1] += data
        else:
            self.text.append(data)
            if self._cell is not None:
                self._cell.append(data)


@pytest.fixture(scope="module")
def published(villages: Tables) -> Board:
    return leaderboard(villages(4, 60), "all", bootstrap=30)


@pytest.fixture(scope="module")
def hostile(villages: Tables) -> Board:
    table = villages(8, 80).replace({f"agent-{i}": text for i, text in enumerate(HOSTILE)})
    table = table.replace({"wolf": "<b>wolf", "wolves": "<i>wolves", "werewolf-v1": "</h1><u>game"})
    table["revision"] = "<a href=javascript:window.hit=1>"
    table["</td><img src=x onerror=window.hit=1>"] = table["vote_accuracy"]
    table.attrs["facts"] = {"illegal_policy": "<script>1</script>", "runs": ["<b>run"], "schedule": "<i>"}
    return leaderboard(table, "all", bootstrap=10)


def test_the_page_is_one_file_without_remote_parts_or_inline_handlers(published: Board, hostile: Board) -> None:
    for board in (published, hostile):
        page = Page(board.page("board"))

        for tag, attributes in page.tags:
            assert tag not in ("link", "iframe", "object", "embed", "base", "form", "img", "audio", "video"), tag
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "href")], tag
        assert [len(page.raw["script"]), len(page.raw["style"])] == [1, 1]


def test_the_policy_names_the_hash_of_the_one_script_and_the_one_style(published: Board) -> None:
    content = published.page("board")
    page = Page(content)
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "Content-Security-Policy" in str(a))

    def named(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src {named(page.raw['script'][0])};" in policy
    assert f"style-src {named(page.raw['style'][0])};" in policy
    assert "unsafe" not in policy
    assert [tag for tag, _ in page.tags[:5]] == ["html", "head", "meta", "meta", "meta"]


def test_what_others_wrote_is_text(hostile: Board) -> None:
    page = Page(hostile.page("board"))
    text = "".join(page.text)

    assert page.raw["script"] == [(HERE / "board.js").read_text("utf-8")]
    assert not {tag for tag, _ in page.tags} & {"b", "i", "u", "a", "img"}
    for name in HOSTILE[:6]:
        assert name in text
    assert "49" not in text.split("{{ 7 * 7 }}")[0][-3:]
    assert not re.search("[\u202e\u2028\u200b\x00]", text)


def test_the_table_of_the_page_is_that_of_the_csv(published: Board) -> None:
    page = Page(published.page("board"))

    rows = csvfile.read(published.csv())
    assert page.tables["csv"][0] == list(rows[0])
    assert page.tables["csv"][1:] == [list(row.values()) for row in rows]
    first = page.tables["table 0"][1]
    for column in ("rating", "n_matches", "win_rate", "illegal_rate"):
        assert any(cell.startswith(f"{float(rows[0][column]):.4g}") for cell in first), column


def test_every_chart_has_its_numbers_beside_it_and_a_label(published: Board) -> None:
    page = Page(published.page("board"))
    keys = [a["data-key"] for t, a in page.tags if t == "figure"]

    assert keys == ["ratings", "wins", "response", "cost", "roles", "behaviour"]
    assert len(page.tables) >= len(keys) + 2
    for tag, attributes in page.tags:
        if tag == "svg":
            assert attributes["role"] == "img"
            assert attributes["aria-label"]


def test_charts_are_well_formed_svg_files_too(published: Board, hostile: Board) -> None:
    for board in (published, hostile):
        for key, svg in board.plots().items():
            root = ElementTree.fromstring(svg)

            assert root.tag == "{http://www.w3.org/2000/svg}svg", key
            assert "<style>" in svg
            for element in root.iter():
                assert element.tag.rpartition("}")[2] in SVG_TAGS, element.tag
                assert not [name for name in element.attrib if name.startswith("on") or name in ("style", "href")]


def test_trained_policies_get_a_learning_curve(duels: Tables) -> None:
    table = duels(4, 60).replace({f"agent-{i}": f"league/blue-k{i}" for i in range(3)})

    plots = leaderboard(table, bootstrap=10).plots()

    assert "learning" in plots
    assert "league/blue" in plots["learning"]


def test_pages_of_equal_boards_are_equal(villages: Tables, published: Board) -> None:
    assert leaderboard(villages(4, 60), "all", bootstrap=30).page("x") == published.page("x")


def test_a_board_of_counts_alone_has_a_page(duels: Tables) -> None:
    page = Page(leaderboard(duels(3, 10), ("plain",)).page("counts"))

    assert "win rate" in "".join(page.text)


def test_fifty_agents_fit_in_half_a_megabyte(duels: Tables) -> None:
    board = leaderboard(duels(50, 1500, seed=2), ("bt", "elo", "pl"), bootstrap=10)

    assert len(board.page("fifty").encode()) < 500_000


# --- contrast -------------------------------------------------------------------------------------------------------


def themes() -> Iterator[dict[str, str]]:
    style = (HERE / "board.css").read_text("utf-8")
    blocks = [
        dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", b)) for b in re.findall(r"\{([^{}]*--paper:[^{}]*)\}", style)
    ]
    light, dark, by_preference = blocks
    assert dark == by_preference
    yield light
    yield {**light, **dark}


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_has_contrast_in_both_themes() -> None:
    pairs = [(ink, ground) for ink in ("ink", "soft") for ground in ("paper", "ground", "band")]
    pairs += [("link", "paper"), ("warn", "warnbg")]
    pairs += [("on-strong" if k in (0, 1, 9, 10) else "on-weak", f"d{k}") for k in range(11)]
    for theme in themes():
        for text, ground in pairs:
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
        for k in range(8):
            assert contrast(theme[f"c{k}"], theme["paper"]) >= 3, k


# --- in a browser ----------------------------------------------------------------------------------------------------

NAMES = (os.environ.get("ARENA_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if name and (found := shutil.which(name))), None)


def browse(path: Path, *flags: str) -> Any:
    """What Chromium makes of a page: the document after its scripts, and the console."""
    profile = f"--user-data-dir={path.parent / 'profile'}"
    common = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", profile]
    command = [str(CHROMIUM), *common, *flags, "--virtual-time-budget=1500", "--dump-dom", path.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_runs_our_script_and_nothing_else(hostile: Board, tmp_path: Path) -> None:
    path = tmp_path / "board.html"
    path.write_text(hostile.page("board"), "utf-8")

    done = browse(path, "--enable-logging=stderr", "--v=0", "--window-size=360,3000")

    dom = Page(done.stdout)
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    assert sum(t == "button" for t, _ in dom.tags) > 20  # our script ran: it makes the headings sort
    assert not [a for _, a in dom.tags if "data-needs-script" in a and "hidden" in a]
    assert len([a for t, a in dom.tags if "data-view" in a and "hidden" not in a]) == 1
    assert "window.hit" not in "".join(dom.raw["script"])
    assert not {tag for tag, _ in dom.tags} & {"b", "i", "u", "img"}


CLICKS = """
const table = document.querySelector("table.sortable");
const rows = () => [...table.tBodies[0].rows].filter((r) => !r.hidden).map((r) => r.cells[1].textContent).join(",");
const seen = [rows()];
const agent = table.querySelectorAll("th button")[1];
agent.click(); seen.push(rows());
agent.click(); seen.push(rows());
const filter = document.getElementById("filter");
filter.value = "AGENT-2"; filter.dispatchEvent(new Event("input")); seen.push(rows());
const view = document.getElementById("view");
view.value = "role-wolf"; view.dispatchEvent(new Event("change"));
seen.push([...document.querySelectorAll("[data-view]")].filter((v) => !v.hidden).map((v) => v.dataset.view).join());
document.getElementById("theme").click(); seen.push(document.documentElement.dataset.theme);
document.title = seen.join("|");
"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_table_sorts_and_filters_and_views_are_chosen(published: Board, tmp_path: Path) -> None:
    """On a copy without the policy, which would not let the test click."""
    path = tmp_path / "board.html"
    content = re.sub("<meta http-equiv[^>]*>", "", published.page("board"))
    path.write_text(content.replace("</body>", f"<script>{CLICKS}</script></body>"), "utf-8")

    dom = browse(path).stdout

    title = re.search("<title>([^<]*)</title>", dom)
    assert title is not None
    ranked = ",".join(published.table["agent"])
    ascending = "agent-0,agent-1,agent-2,agent-3"
    descending = "agent-3,agent-2,agent-1,agent-0"
    assert title[1].split("|") == [ranked, descending, ascending, "agent-2", "role-wolf", "dark"]


def test_names_are_cut_where_that_keeps_them_apart() -> None:
    alike = ["organisation/model-1-instruct", "organisation/model-2-instruct"]

    assert shorten("bot/random", 100) == "bot/random"
    assert shorten("organisation/model-1-instruct", 140) == "organisation/model-…"
    assert [shorten(name, 140, alike) for name in alike] == ["organi…el-1-instruct", "organi…el-2-instruct"]
    assert shorten("名前" * 20, 70) == "名前名前…"  # wide characters take two places


# --- what columns mean ----------------------------------------------------------------------------------------------


def test_every_column_is_explained_on_the_page_and_in_the_docs(published: Board) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "leaderboards.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", guide, re.MULTILINE))
    explained = {name for name, _ in legend.meanings(map(str, published.table), ["vote_accuracy"])}
    told = {c for c in map(str, published.table) if not c.endswith("_sem") and not re.fullmatch("rating_.+_(lo|hi)", c)}

    assert rows == legend.MEANINGS
    assert {*standing.SHOWN, *command.SHOWN} <= legend.MEANINGS.keys()
    assert set(legend.MEANINGS) >= columns.RESERVED
    assert told - explained <= {"rating_clean"}
    assert dict(legend.meanings(["a", "a_sem"], ["a"]))["a"].startswith("a figure of the game, of the whole match")


def test_a_board_of_several_games_has_each_by_itself(duels: Tables, villages: Tables) -> None:
    wolves = villages(5, 30).replace({"agent-3": "wolf-3", "agent-4": "wolf-4"})
    found = leaderboard(pd.concat([duels(4, 30), wolves]), "all", bootstrap=10)

    page = Page(found.page("b"))

    keys = [a["data-panel"] for _, a in page.tags if "data-panel" in a]
    assert keys == [a["data-tab"] for _, a in page.tags if "data-tab" in a]
    assert keys == ["game-duel-v1/default", "game-werewolf-v1/five"]
    first = [row[1] for row in page.tables["table 0"][1:]]
    assert sorted(name.removesuffix("provisional") for name in first) == ["agent-0", "agent-1", "agent-2"]


def test_charts_leave_room_for_long_names(duels: Tables) -> None:
    names = {f"agent-{i}": f"openai/some-organisation-model-{i}-instruct" for i in range(3)}
    found = leaderboard(duels(3, 40).replace(names), "all", bootstrap=10)

    plots = found.plots()

    assert "response" in plots
    for key, svg in plots.items() - {("cost", plots["cost"])}:  # where a name that would cover another is left out
        drawn = re.sub("<title>.*?</title>", "", svg)
        assert all(f">{name}<" in drawn for name in names.values()), key
