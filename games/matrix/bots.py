"""The scripted players of every matrix game, by name. What they share is in memory.py."""

from __future__ import annotations

from arena.core import Answer, Ask, Rng, View
from arena.games.matrix import dilemmas, learners
from arena.games.matrix.memory import Memory, bot, remember
from arena.games.matrix.rules import Action


def bandit_governor(view: View, ask: Ask, rng: Rng, *, epsilon: float = 0.1) -> Answer:
    """Governs: learns how many nodes to open from the welfare of the next round; as a node, it cooperates."""
    if ask.name != "visibility":
        return dilemmas.always_cooperate(view, ask, rng)
    memory = remember(view)
    arms = range(min(memory.config.governor_budget, len(memory.seats)) + 1)
    worth = _arm_values(view, memory)
    untried = [arm for arm in arms if arm not in worth]
    if untried:
        arm = untried[0]
    elif rng.random() < epsilon:
        arm = rng.choice(arms)
    else:
        arm = max(arms, key=lambda a: worth[a])
    return {"open": sorted(_by_examples(memory)[:arm], key=memory.seats.index)}


def _arm_values(view: View, memory: Memory) -> dict[int, float]:
    """Number of open nodes -> mean welfare of the rounds that followed such an opening."""
    n = len(memory.seats)
    events = [event.facts["open"] for event in view.of_kind("visibility")]
    opened = [sum(events[i : i + n]) for i in range(0, len(events), n)]
    found: dict[int, list[float]] = {}
    for arm, after in zip(opened, memory.rounds[1:], strict=False):
        found.setdefault(arm, []).append(sum(after["payoffs"].values()))
    return {arm: sum(values) / len(values) for arm, values in found.items()}


def _by_examples(memory: Memory) -> list[str]:
    """The nodes, those with the most cooperating neighbours last round first."""

    def examples(seat: str) -> int:
        near = memory.near[memory.seats.index(seat)]
        return sum(memory.cooperated(1, memory.seats[j]) for j in near)

    return sorted(memory.seats, key=lambda seat: -examples(seat))


@bot
def best_reply(memory: Memory, rng: Rng) -> Action:
    """The best reply to what the others did last."""
    if not memory.rounds or len(memory.rounds[-1]["actions"]) < len(memory.seats):
        return memory.game.friendly[memory.player]
    played = memory.rounds[-1]["actions"]
    replies = memory.game.replies(memory.player, tuple(played[seat] for seat in memory.seats))
    return memory.actions[replies.index(max(replies))]


BOTS = {
    "always-cooperate": dilemmas.always_cooperate,
    "always-defect": dilemmas.always_defect,
    "tit-for-tat": dilemmas.tit_for_tat,
    "suspicious-tit-for-tat": dilemmas.suspicious_tit_for_tat,
    "tit-for-two-tats": dilemmas.tit_for_two_tats,
    "generous-tit-for-tat": dilemmas.generous_tit_for_tat,
    "grim-trigger": dilemmas.grim_trigger,
    "win-stay-lose-shift": dilemmas.win_stay_lose_shift,
    "alternate": dilemmas.alternate,
    "take-turns": dilemmas.take_turns,
    "random-cooperate": dilemmas.random_cooperate,
    "zero-determinant": dilemmas.zero_determinant,
    "best-reply": best_reply,
    "follow-the-leader": learners.follow_the_leader,
    "follow-the-perturbed-leader": learners.follow_the_perturbed_leader,
    "fictitious-play": learners.fictitious_play,
    "hedge": learners.hedge,
    "exp3": learners.exp3,
    "minimax": learners.minimax,
    "nash": learners.nash,
    "leader": learners.leader,
    "bandit-governor": bandit_governor,
}

ALIASES = {
    "allc": "always-cooperate",
    "alld": "always-defect",
    "tft": "tit-for-tat",
    "suspicious": "suspicious-tit-for-tat",
    "tf2t": "tit-for-two-tats",
    "gtft": "generous-tit-for-tat",
    "grim": "grim-trigger",
    "pavlov": "win-stay-lose-shift",
    "zd": "zero-determinant",
    "ftl": "follow-the-leader",
    "ftpl": "follow-the-perturbed-leader",
    "fictitious": "fictitious-play",
    "bandit_governor": "bandit-governor",
}
