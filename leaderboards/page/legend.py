"""What every column of a board says, in a line: for the page and for the docs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

MEANINGS = {
    "rank": "place by rating within the pool, 1 = best; empty where nothing is rated",
    "rank_lb": "best place that is not excluded: 1 + those surely above (95 %)",
    "rank_ub": "worst place that is not excluded: all but those surely below (95 %)",
    "agent": "who decided: a bot, or a model with its method",
    "model": "the model behind it, as the provider names it",
    "provider": "the part of the model's name before the first slash",
    "model_revision": "the dated id that the provider returned; several stand side by side",
    "base_model": "the model that an adapter was trained on",
    "adapter_sha256": "hash of the adapter's weights",
    "rating": "strength: 400 points are odds of ten to one; the mean of the pool is 1500, or the anchor is",
    "rating_lo": "lower end of its 95 % interval; empty where a single deal is all there is",
    "rating_hi": "upper end of its 95 % interval",
    "rating_se": "standard error of the rating, clustered by deal",
    "p_top1": "share of bootstrap resamples in which the agent is the best of its pool",
    "provisional": "few matches (min_matches), few of a composite's games, or no interval",
    "regularised": "the ratings have no maximum without help: a prior, or an offset pinned at 0, is in them",
    "method": "the method that gave the rating",
    "anchor": "the agent set to 1500, if one was",
    "n_matches": "finished matches that the agent was in",
    "n_wins": "contests that it won alone",
    "n_ties": "contests in which it shared the top",
    "n_losses": "the other contests",
    "win_rate": "mean over contests: 1 for a win, a share of 1 for a shared top",
    "win_rate_sem": "standard error of the win rate, over deal means",
    "pool": "ratings and ranks compare within a pool only",
    "rating_clean": "the rating on matches in which nobody's answer was replaced by a fallback",
    "rating_clean_lo": "lower end of its interval",
    "rating_clean_hi": "upper end of its interval",
    "n_clean": "how many such matches the agent was in",
    "elo": "sequential Elo over the matches in order; no interval",
    "alpharank_mass": "share of the long run that alpha-Rank's evolution spends at the agent, at infinite alpha",
    "alpharank_lo": "lower end of its 95 % interval over deals",
    "alpharank_hi": "upper end of its 95 % interval over deals",
    "p_in_sink": "share of resamples in which the agent is in a sink class: a set that evolution does not leave",
    "nash_mass": "weight of the agent in the maximum-entropy equilibrium of the game of picking agents",
    "nash_lo": "lower end of its 95 % interval",
    "nash_hi": "upper end of its 95 % interval",
    "cyclic_share": "part of the differences that no ladder explains: 0 a ladder, 1 rock-paper-scissors",
    "n_games": "games (with presets) of the composite that the agent was in",
    "illegal_rate": "turns whose answer was unusable and replaced by the fallback, of all its turns",
    "repaired_rate": "turns that were legal after a second ask",
    "refused_rate": "turns that the model refused",
    "timeout_rate": "turns that took too long",
    "forfeit_rate": "matches that it forfeited",
    "payoff": "mean payoff of its seats; empty where the payoffs are in several units",
    "tokens_in_per_match": "tokens read in a match",
    "tokens_out_per_match": "tokens written in a match",
    "cost_usd_per_match": "dollars in a match; empty where a price is unknown",
    "seconds_per_match": "seconds of model time in a match",
    "temperature": "sampling temperature that was asked for",
    "reasoning_effort": "reasoning effort that was asked for",
    "license": "licence of the model's weights",
    "open_weights": "whether they can be had",
    "first_match_at": "start of its first match, UTC",
    "last_match_at": "start of its last match, UTC",
    "matches_sha256": "hash of the match file that all this is computed from",
    "config_sha256": "hashes of the games' configurations",
    "code_version": "version of this software",
}  # fmt: skip
OF_MATCH = "of the whole match, the same for everybody in it: mean over the agent's matches"


def meanings(columns: Iterable[str], of_matches: Collection[str]) -> Iterator[tuple[str, str]]:
    """A line for each column, standard errors and interval ends of figures left to their figure."""
    there = list(columns)
    for name in there:
        if name in MEANINGS:
            yield name, MEANINGS[name]
        elif name.startswith("rating_") and not name.endswith(("_lo", "_hi")):
            yield name, "the rating in this role, with its interval in _lo and _hi"
        elif name.startswith("payoff_") and not name.endswith("_sem"):
            yield name, "mean payoff on this side; sides are paid in different units"
        elif name.startswith("win_rate_") and not name.endswith("_sem"):
            yield name, "the win rate on this side"
        elif f"{name}_sem" in there:
            yield name, f"a figure of the game, {OF_MATCH if name in of_matches else 'of the agent'}"
