"""Kuhn's tree: exact values, best replies and exploitability of any policy; the equilibrium family as policies.

A policy maps what a player knows ("K:pass bet": holds K, the betting so far) to the probabilities of (pass, bet).
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from arena.games._poker import Policy, Tree, grow, information_sets
from arena.games.kuhn import rules
from arena.games.kuhn.bots import bet_probability


@cache
def tree() -> Tree:
    return grow(
        {deal: Fraction(1, len(rules.DEALS)) for deal in rules.DEALS},
        legal=rules.legal,
        after=lambda history, move: (*history, rules.plain(move)),
        is_over=rules.is_over,
        to_act=rules.to_act,
        won=rules.won,
        key=lambda deal, history, player: f"{deal[player]}:{' '.join(history)}",
    )


def equilibrium(alpha: Fraction) -> Policy:
    """The member `alpha` (0 to 1/3) of the equilibrium family."""
    found: dict[str, tuple[Fraction, Fraction]] = {}
    for name in information_sets(tree()):
        card, _, past = name.partition(":")
        bets = bet_probability(card, tuple(past.replace(rules.PASS, "check").split()), alpha)
        found[name] = (1 - bets, bets)
    return found
