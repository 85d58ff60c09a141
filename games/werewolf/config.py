"""What a Werewolf rulebook leaves open, field by field; `presets.py` names published choices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

from arena.core import Config, ConfigError, option
from arena.core.config import Frozen
from arena.core.errors import nearest
from arena.games.werewolf.rules import GODS, KIND, ROLES, side

# Shown to models in place of seat ids. No English word is among them: a name in a speech counts as a mention.
FIRST_NAMES = (
    *("Ada", "Ben", "Cleo", "Dan", "Emma", "Finn", "Gina", "Hugo", "Iris", "Jack", "Kate", "Leo", "Mia"),
    *("Noah", "Olga", "Paul", "Quinn", "Rosa", "Sam", "Tina", "Uma", "Vera", "Walt", "Yara", "Zoe"),
)


class WerewolfConfig(Config):
    roles: Mapping[str, int] = option(
        Frozen({"wolf": 3, "seer": 1, "witch": 1, "guard": 1, "villager": 3}), "how many seats hold each role"
    )
    deal: tuple[str, ...] | None = option(None, "a fixed deal: the role of each seat, in seat order", secret=True)
    names: Literal["numbers", "first_names"] = option("numbers", "seats are called by id, or by shuffled first names")

    first_night_kill: bool = option(True, "wolves kill in night 0")
    first_night_seer: bool = option(True, "seers check in night 0")
    wolf_decision: Literal["sequential", "single_random", "revote"] = option(
        "sequential", "wolves pick one after another, one drawn wolf decides, or all pick at once and a tie is repeated"
    )
    wolf_order: Literal["index", "random"] = option("index", "order of the wolves' sequential picks")
    wolf_tie: Literal["last", "random", "none"] = option(
        "last", "tied sequential picks: the highest-index wolf's, a drawn one, or no kill"
    )
    wolf_abstain: bool = option(True, "wolves may pick nobody")
    wolf_self_kill: bool = option(True, "wolves may pick wolves")
    wolf_chat: int = option(0, "utterances of each wolf in the night's private talk", low=0, high=100)
    seer_info: Literal["alignment", "role"] = option("alignment", "a seer learns wolf/good, or the exact role")
    guard_self: bool = option(True, "a guard may protect itself")
    guard_repeat: bool = option(False, "a guard may protect the same seat two nights running")
    guard_none: bool = option(True, "a guard may protect nobody")
    guard_heal_clash: Literal["dies", "saved"] = option("dies", "what becomes of a target both guarded and healed")
    witch_self_heal: Literal["never", "first_night", "always"] = option("always", "when a witch may heal itself")
    witch_both: bool = option(False, "a witch may heal and poison in one night")
    witch_sees: bool = option(True, "a witch learns the wolves' target also when its heal is spent")
    hunter_before_check: bool = option(False, "a dead hunter shoots before it is checked who has won")
    hunter_poisoned_shoots: bool = option(False, "a poisoned hunter shoots too")
    compat_no_kill: bool = option(
        False, "foreign logs only, unrated: no kill in a night without living guard and seer (a defect elsewhere)"
    )

    speech: Literal["rotate", "shuffle", "bidding", "talk"] = option("rotate", "who speaks when")
    rounds: int = option(1, "speeches of each seat a day (rotate, shuffle); 0 = no speech", low=0, high=20)
    turns: int = option(8, "speeches a day (bidding)", low=0, high=100)
    talk_limit: int = option(10, "utterances of each seat a day (talk)", low=0, high=100)
    talk_turns: int = option(20, "turns of a day (talk) and of the wolves' chat", low=0, high=100)
    max_skip: int = option(2, "skips in a row; one more counts as over (talk)", low=0, high=100)
    max_chars: int = option(600, "characters of a speech", low=10, high=4000)
    show_intent: bool = option(False, "others read the claim, reports and vote call of a speech's form")
    last_words: bool = option(False, "an exiled seat speaks once more")

    vote_mode: Literal["simultaneous", "secret", "sequential"] = option(
        "simultaneous", "all at once and then revealed, only the outcome public, or one after another in public"
    )
    vote_self: bool = option(True, "a seat may vote for itself")
    vote_abstain: bool = option(True, "a seat may abstain")
    threshold: Literal["plurality", "majority"] = option("plurality", "ballots that exile; majority = of the living")
    vote_tie: Literal["none", "pk", "revote", "random"] = option(
        "pk", "a tie: nobody, the tied speak and the others (if none, all) choose, one more vote, or a draw"
    )
    reveal_role: Literal["never", "exile", "death"] = option("never", "whose role is made public: exiled, all dead")
    announce_cause: bool = option(False, "the cause of a death in the night is public")
    win: Literal["parity", "side_kill", "all_dead"] = option(
        "side_kill", "wolves win as many as the others, with all villagers or all gods dead, or with all others dead"
    )
    max_days: int = option(20, "a match without winner is a draw after this day", low=1, high=200)
    summaries: bool = option(False, "each living seat writes itself a summary after the vote")
    probe_votes: bool = option(False, "log only: after each speech the others say whom they would vote for")
    elicit_beliefs: bool = option(False, "log only: after each day the living say P(wolf) of each other")

    def check(self) -> None:
        for role, number in self.roles.items():
            if role not in KIND:
                near = nearest(role, KIND)
                raise ConfigError(f"roles: there is no role {role!r}." + (f" Nearest: {', '.join(near)}." * bool(near)))
            if number < 0:
                raise ConfigError(f"roles: {role} must be at least 0, not {number}")
        held = Counter({role: self.roles[role] for role in ROLES if self.roles.get(role)})
        object.__setattr__(self, "roles", Frozen(held))  # in one order, whatever the order it came in
        kinds = {KIND[role] for role in held}
        if "wolf" not in kinds:
            raise ConfigError("roles: there is no wolf")
        if not any(side(role) == "village" for role in held):
            raise ConfigError("roles: nobody is on the village's side")
        if held.total() > len(FIRST_NAMES):
            raise ConfigError(f"roles: {held.total()} seats, but names for {len(FIRST_NAMES)} only")
        if self.win == "side_kill" and not (kinds & GODS and "villager" in kinds):
            raise ConfigError("win: side_kill needs a villager and a god (seer, witch, guard, hunter, medium)")
        if self.vote_tie == "pk" and self.vote_mode == "secret":
            raise ConfigError("vote_tie: pk names the tied seats, so vote_mode cannot be secret")
        if self.speech == "bidding" and held.total() < 3:
            raise ConfigError("speech: bidding needs at least 3 seats")
        wolves = sum(n for role, n in held.items() if KIND[role] == "wolf")
        if 2 * wolves >= held.total():
            raise ConfigError(f"roles: wolves must be fewer than half of the seats, not {wolves} of {held.total()}")
        if self.deal is not None and Counter(self.deal) != held:
            raise ConfigError(f"deal must hold exactly the cards of roles: {dict(held)}")
