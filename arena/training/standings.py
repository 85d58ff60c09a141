"""What policies made of each other so far: scores for `pfsp`, the meta-strategy of `psro`. Both are read from the
record, so a resumed run weighs its pool as before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from arena.store.reader import Reader
from arena.store.schema import FILE
from arena.training import population
from arena.training.evaluate import Comparison, compare
from arena.training.population import Score
from arena.training.setup import Run

DISCOUNT = 0.9  # of older iterations in pfsp's counts


def pools(run: Run, k: int, players: Mapping[str, str]) -> dict[str, Sequence[population.Opponent]]:
    """Side or role -> who may be met there."""
    spec = run.settings.opponents
    found: dict[str, Sequence[population.Opponent]] = {}
    for role in run.roles:
        found[role] = population.opponents(
            run.settings,
            type(run.game),
            role,
            k,
            players[role],
            scores=scores(run, role, k) if spec == "pfsp" else None,
            meta=meta_strategy(run, role, k) if spec == "psro" else None,
            kept=run.kept(role, k),
        )
    return found


def scores(run: Run, role: str, k: int) -> dict[str, Score]:
    """What the champions of each iteration made of the opponents that they met in its collect stage: a win 1, a tie
    one half, older iterations discounted. Against `role`'s policies the other roles' champions count. Rollouts of whole
    matches count too: the recipe group collects nothing else."""
    if not (run.folder / FILE).is_file():
        return {}
    s = run.settings
    kinds = ("collect", "rollout") if s.algorithm == "grpo" and s.params.rows == "episode" else ("collect",)
    tags = {f"{kind}/{j}": j for j in range(1, k) for kind in kinds}
    learners = [r for r in run.roles if r != role] or list(run.roles)
    mine = {j: {population.LIVE, *(run.champion(r, j) for r in learners)} for j in tags.values()}
    won: dict[str, float] = {}
    played: dict[str, float] = {}
    with Reader(run.folder) as reader:
        done = [m for m in reader.matches() if m["status"] == "done" and m["tag"] in tags]
        iteration = {m["match_id"]: tags[m["tag"]] for m in done}
        paid: dict[int, dict[str, list[float]]] = {}
        for row in reader.seats():
            if row["match_id"] in iteration:
                paid.setdefault(row["match_id"], {}).setdefault(row["agent"], []).append(row["payoff"])
    for number, by_agent in paid.items():
        j = iteration[number]
        own = [x for agent, values in by_agent.items() if agent in mine[j] for x in values]
        for other, theirs in by_agent.items():
            if own and other not in mine[j]:
                a, b = fmean(own), fmean(theirs)
                weight = DISCOUNT ** (k - 1 - j)
                won[other] = won.get(other, 0.0) + weight * (1.0 if a > b else 0.5 if a == b else 0.0)
                played[other] = played.get(other, 0.0) + weight
    return {name: Score(won[name], played[name]) for name in played}


def meta_strategy(run: Run, role: str, k: int) -> dict[str, float]:
    """The mixture of psro's pool, from a payoff matrix of paired matches; cells that are missing are played. Where
    nobody says how: by Nash if two sides share a fixed sum, else by alpha-Rank. Policies of single roles never meet
    each other, so they are weighed alike."""
    extra = [population.recorded(name, type(run.game)) for name in run.settings.params.pool]
    names = list(dict.fromkeys([*population.past(run.settings, role, k, run.kept(role, k)), *extra]))
    how = run.settings.params.meta
    how = "uniform" if how == "auto" and run.settings.roles else how
    if len(names) == 1 or how == "uniform":
        return {name: 1 / len(names) for name in names}
    payoff = cross_play(run, "psro", names, run.settings.eval_matches)
    if how == "nash" or (how == "auto" and _is_constant_sum(run, "psro")):
        from arena.leaderboards.nash import maxent

        places = range(len(names))
        weights = maxent([[(payoff[i][j] - payoff[j][i]) / 2 for j in places] for i in places]).nash
    else:
        from arena.leaderboards.alpharank import stationary

        weights = stationary([payoff], single_population=True)
    return dict(zip(names, map(float, weights), strict=True))


def _is_constant_sum(run: Run, tag: str) -> bool:
    """Whether two sides shared one sum in all matches under a tag."""
    if (len(list(run.game.sides())) or run.game.seat_count()) != 2:
        return False
    with Reader(run.folder) as reader:
        numbers = {match["match_id"] for match in reader.matches() if match["tag"] == tag}
        sums: dict[int, float] = {}
        for row in reader.seats():
            if row["match_id"] in numbers:
                sums[row["match_id"]] = sums.get(row["match_id"], 0.0) + row["payoff"]
    return max(sums.values()) - min(sums.values()) < 1e-9


def cross_play(run: Run, tag: str, names: list[str], deals: int) -> list[list[float]]:
    """What each policy is paid against each, on the same deals, meaned over seats."""
    results = [compare(run.table, Comparison(tag, "", tuple(names), (other,), deals)) for other in names]
    return [[of_other.mean(name, 0).diff for of_other in results] for name in names]
