"""Published boards: columns, equal bytes, what is excluded and said, and checking a board against its matches."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import bt, elo, leaderboard, matches, matchfile
from tests.leaderboards.boards import meta_of, rows

Tables = Callable[..., Any]

ORDER = """
rank rank_lb rank_ub agent model provider model_revision base_model adapter_sha256 rating rating_lo rating_hi
rating_se p_top1 provisional regularised method anchor n_matches n_wins n_ties n_losses win_rate win_rate_sem
rating_clean rating_clean_lo rating_clean_hi n_clean rating_seer rating_seer_lo rating_seer_hi rating_villager
rating_villager_lo rating_villager_hi rating_wolf rating_wolf_lo rating_wolf_hi elo alpharank_mass alpharank_lo
alpharank_hi p_in_sink nash_mass nash_lo nash_hi cyclic_share illegal_rate repaired_rate refused_rate
timeout_rate forfeit_rate payoff payoff_sem vote_accuracy vote_accuracy_sem win_rate_village
win_rate_village_sem win_rate_wolves win_rate_wolves_sem tokens_in_per_match tokens_out_per_match
cost_usd_per_match seconds_per_match temperature reasoning_effort license open_weights first_match_at
last_match_at matches_sha256 config_sha256 code_version
"""


# --- the table ------------------------------------------------------------------------------------------------------


def test_columns_stand_in_the_published_order(villages: Tables) -> None:
    found = leaderboard(villages(4, 60), "all", bootstrap=20)

    assert list(found.table.columns) == ORDER.split()
    assert rows(found.csv())[0].keys() == set(ORDER.split())
    assert found.table["rank"].tolist() == [1, 2, 3, 4]


def test_columns_of_a_method_are_there_only_when_it_ran(duels: Tables) -> None:
    found = leaderboard(duels(4, 40), bootstrap=20)

    assert "rating" in found.table
    assert not {"elo", "alpharank_mass", "nash_mass", "cyclic_share", "rating_wolf"} & set(found.table.columns)


def test_ratings_are_those_of_the_method(duels: Tables) -> None:
    table = duels(4, 40)

    found = leaderboard(table, ("bt", "elo"), bootstrap=50)

    by_agent = found.table.set_index("agent")
    assert by_agent["rating"].to_dict() == pytest.approx(bt.fit(table).table.set_index("agent")["rating"].to_dict())
    assert by_agent["elo"].to_dict() == pytest.approx(elo.run(table).set_index("agent")["rating"].to_dict())
    assert (by_agent["rating_lo"] < by_agent["rating"]).all()
    assert (by_agent["method"] == "bt").all()
    assert by_agent["p_top1"].sum() == pytest.approx(1)


def test_games_with_roles_are_headed_by_the_role_conditional_fit(villages: Tables) -> None:
    table = villages(4, 60)

    found = leaderboard(table, bootstrap=20)

    fit = bt.fit(table, roles="conditional").table.set_index("agent")
    by_agent = found.table.set_index("agent")
    assert by_agent["rating"].to_dict() == pytest.approx(fit["rating"].to_dict())
    assert np.allclose(by_agent["rating_wolf"], 1500 + 400 / np.log(10) * fit["theta_wolf"].reindex(by_agent.index))
    assert set(meta_of(found)["offsets"]) == {"side=village", "side=wolves"}


def test_agents_under_the_minimum_are_provisional_and_stay(duels: Tables) -> None:
    table = duels(4, 60)
    late = table.iloc[:2].assign(match_id="late", deal_id="late", agent=["agent-0", "newcomer"])

    found = leaderboard(pd.concat([table, late]), bootstrap=20, min_matches=10).table.set_index("agent")

    assert found["provisional"].to_dict() == {
        **dict.fromkeys([f"agent-{i}" for i in range(4)], False),
        "newcomer": True,
    }


def test_the_rating_without_fallbacks_stands_beside(villages: Tables) -> None:
    table = villages(4, 60)
    checked = matches.checked(table)

    found = leaderboard(table, bootstrap=50)

    clean = bt.fit(checked[checked["clean"]], roles="conditional").table.set_index("agent")["rating"]
    by_agent = found.table.set_index("agent")
    assert by_agent["rating_clean"].to_dict() == pytest.approx(clean.to_dict())
    assert (by_agent["n_clean"] < by_agent["n_matches"]).all()
    assert (by_agent["rating_clean_lo"] < by_agent["rating_clean_hi"]).all()


def test_a_clean_board_repeats_its_rating_and_an_unknown_one_is_empty(duels: Tables) -> None:
    known = leaderboard(duels(4, 40), bootstrap=20).table
    unknown = leaderboard(duels(4, 40).drop(columns=[*matchfile.TURNS]), bootstrap=20).table

    assert np.allclose(known["rating_clean_lo"], known["rating_lo"])
    assert unknown["rating_clean"].isna().all()
    assert unknown["n_clean"].isna().all()


def test_an_anchor_is_named_and_stands_at_1500(duels: Tables) -> None:
    found = leaderboard(duels(4, 40), bootstrap=20, anchor="agent-1")

    assert found.table.set_index("agent").loc["agent-1", "rating"] == 1500
    assert (found.table["anchor"] == "agent-1").all()
    assert meta_of(found)["gauge"] == "agent-1 at 1500"


def test_elo_alone_ranks_nobody(duels: Tables) -> None:
    found = leaderboard(duels(4, 40), ("elo",))

    assert found.table["rank"].isna().all()
    assert "rating" not in found.table


def test_alpha_rank_alone_ranks_by_mass_unless_its_signs_are_unsure(duels: Tables) -> None:
    sure = leaderboard(duels(3, 200, theta=[-2, 0, 2]), ("alpharank",), bootstrap=50)
    noise = leaderboard(duels(3, 20, theta=[0, 0, 0], seed=3), ("alpharank",), bootstrap=50)

    assert sure.table["agent"].iloc[0] == "agent-2"
    assert sure.table["rank"].iloc[0] == 1
    assert meta_of(noise)["methods"]["alpharank"]["unsure_edges"] > 0


def test_several_games_are_headed_by_the_composite_under_all(duels: Tables, villages: Tables) -> None:
    found = leaderboard(pd.concat([duels(5, 50), villages(5, 50)]), "all", bootstrap=20)

    assert meta_of(found)["method"] == "composite"
    assert "alpharank" in meta_of(found)["skipped"]
    assert (found.table["n_games"] == 2).all()


def test_an_adaptive_schedule_publishes_anytime_intervals(duels: Tables) -> None:
    table = duels(4, 60)
    fixed = leaderboard(table, bootstrap=50)
    table.attrs["facts"] = {"schedule": "adaptive", "stop": "p_top1 >= .95", "planned_matches": 120}
    adaptive = leaderboard(table, bootstrap=50)

    width = (adaptive.table["rating_hi"] - adaptive.table["rating_lo"]) / (2 * adaptive.table["rating_se"])
    assert width.min() > 2.4
    assert meta_of(adaptive)["interval"].startswith("anytime")
    assert meta_of(fixed)["interval"].startswith("bootstrap")
    assert meta_of(adaptive)["stop"] == "p_top1 >= .95"


# --- what meta says -------------------------------------------------------------------------------------------------


def test_meta_counts_what_was_not_rated(duels: Tables) -> None:
    table = duels(4, 40)
    ids = table["match_id"].unique()
    table["status"] = table["match_id"].map({ids[0]: "void", ids[1]: "failed"}).fillna("done")
    table["reason"] = table["match_id"].map({ids[0]: "context_length", ids[1]: "crash"})
    table.loc[table["match_id"] == ids[1], "payoff"] = np.nan

    meta = meta_of(leaderboard(table, bootstrap=10))

    excluded = meta["excluded"]
    assert (excluded["done"], excluded["void"], excluded["failed"]) == (78, 1, 1)
    assert excluded["by_reason"] == {"context_length": 1, "crash": 1}
    assert sum(c.get("void", 0) for c in excluded["by_agent"].values()) == 2


def test_meta_warns_of_priors_groups_and_changed_models(duels: Tables) -> None:
    table: Any = pd.concat(
        [duels(2, 20), duels(2, 20, prefix="other").replace({"agent-0": "far-0", "agent-1": "far-1"})]
    )
    table.loc[table.index[:2], "revision"] = "2026-02-02"

    warnings = " / ".join(meta_of(leaderboard(table, bootstrap=10))["warnings"])

    assert "prior of 3 nats" in warnings
    assert "2 groups that never met" in warnings
    assert "changed within the board: agent-0, agent-1" in warnings


def test_prompts_are_not_pooled_in_silence(duels: Tables) -> None:
    table = duels(3, 20).assign(game="kuhn-v1", prompt_sha256="a")
    mixed = table.assign(prompt_sha256=["b", *["a"] * (len(table) - 1)])

    same, changed = (leaderboard(one, bootstrap=5).meta["warnings"] for one in (table, mixed))

    assert not any("prompts" in warning for warning in same)
    assert "prompts changed within the board, in kuhn-v1" in changed


def test_meta_names_settings_hash_and_software(duels: Tables) -> None:
    found = leaderboard(duels(4, 20), ("bt", "pl"), seed=3, bootstrap=10)

    meta = meta_of(found)
    assert meta["settings"] == {"methods": ["bt", "pl"], "seed": 3, "bootstrap": 10, "min_matches": 30, "anchor": None}
    assert meta["matches_sha256"] == sha256(found.match_file).hexdigest()
    assert meta["matches_lines"] == 40
    assert set(meta["methods"]) == {"bt", "pl"}
    assert set(meta["methods"]["pl"]["ratings"]) == {f"agent-{i}" for i in range(4)}
    assert {"numpy", "scipy", "pandas", "parley-arena", "python"} == set(meta["software"])


def test_controls_are_named(duels: Tables) -> None:
    table = duels(4, 20)

    assert meta_of(leaderboard(table.assign(control=table["agent"] == "agent-2"), bootstrap=10))["controls"] == [
        "agent-2"
    ]


# --- equal bytes ----------------------------------------------------------------------------------------------------


def test_the_same_matches_give_the_same_bytes(villages: Tables, tmp_path: Path) -> None:
    first = leaderboard(villages(4, 40), "all", bootstrap=30)
    second = leaderboard(villages(4, 40), "all", bootstrap=30)

    one = [path.read_bytes() for path in first.write(tmp_path / "one", "board")]
    other = [path.read_bytes() for path in second.write(tmp_path / "other", "board")]

    assert one == other


def test_the_order_of_rows_changes_nothing(villages: Tables) -> None:
    table = villages(4, 40)

    found = leaderboard(table, "all", bootstrap=30)
    shuffled = leaderboard(table.sample(frac=1, random_state=5), "all", bootstrap=30)

    assert shuffled.csv() == found.csv()
    assert meta_of(shuffled) == meta_of(found)


def test_the_order_of_lines_and_seats_changes_nothing_but_the_hash(villages: Tables, tmp_path: Path) -> None:
    found = leaderboard(villages(4, 30), "all", bootstrap=20)
    lines = [json.loads(line) for line in found.match_file.splitlines()]
    for line in lines:
        line["seats"].reverse()
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in reversed(lines)))

    again = leaderboard(matches.read(path), "all", bootstrap=20)

    assert again.table.drop(columns="matches_sha256").equals(found.table.drop(columns="matches_sha256"))


def test_another_seed_moves_intervals_and_nothing_else(duels: Tables) -> None:
    one, other = leaderboard(duels(4, 40), bootstrap=50), leaderboard(duels(4, 40), bootstrap=50, seed=1)

    assert one.table["rating"].equals(other.table["rating"])
    assert not one.table["rating_lo"].equals(other.table["rating_lo"])


def test_other_methods_on_the_board_do_not_move_the_intervals(duels: Tables) -> None:
    one, other = leaderboard(duels(4, 40), bootstrap=50), leaderboard(duels(4, 40), ("nash", "bt"), bootstrap=50)

    assert one.table["rating_lo"].equals(other.table["rating_lo"])


def test_the_hash_is_that_of_the_file_that_was_read(duels: Tables, tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_bytes(leaderboard(duels(4, 20), bootstrap=5).match_file.replace(b",", b", "))
    table = matches.read(path)

    found = leaderboard(table, bootstrap=5)
    changed = leaderboard(table[table["match_id"] != table["match_id"].iloc[0]], bootstrap=5)

    assert found.meta["matches_sha256"] == sha256(path.read_bytes()).hexdigest()
    assert (found.table["matches_sha256"] == found.meta["matches_sha256"]).all()
    assert changed.meta["matches_sha256"] != found.meta["matches_sha256"]
    assert len(changed.match_file.splitlines()) == 39
