"""Checks with PettingZoo's own tests, unchanged."""

from __future__ import annotations

import warnings
from contextlib import redirect_stdout
from functools import partial
from io import StringIO

from arena.core.errors import IllegalAnswer
from arena.core.record import record_hash
from arena.testing.playing import fault, play, start

# Advice that does not fit answers and text, given for every env that is not on PettingZoo's own lists of names.
_ADVICE = (
    "Observation is not a NumPy array",
    "Observation space for each agent probably should be gymnasium.spaces.box",
    "Action space for each agent probably should be gymnasium.spaces.box",
)


def check_pettingzoo(name: str, cycles: int = 40) -> None:
    """`api_test`, `parallel_api_test`, `seed_test` and `parallel_seed_test` pass; a warning of theirs is a fault too,
    except the advice to use arrays and numbered actions. `cycles` is theirs: rounds for each seat."""
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

    import arena.envs

    aec, parallel = partial(arena.envs.env, name), partial(arena.envs.parallel_env, name)
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(StringIO()):  # their tests print
        warnings.simplefilter("always")
        api_test(aec(), num_cycles=cycles)
        api_test(arena.envs.raw_env(name), num_cycles=cycles)
        parallel_api_test(parallel(), num_cycles=cycles)
        seed_test(aec, num_cycles=cycles)
        parallel_seed_test(parallel, num_cycles=cycles)
    for warning in caught:
        if not str(warning.message).startswith(_ADVICE):
            fault(name, "PettingZoo", str(warning.message))


def check_env_is_the_match(name: str, seed: int = 30, asks: int = 200) -> None:
    """Both views play the very match that `arena.match` plays: same record, same rewards; an illegal action changes
    nothing."""
    import arena.envs

    wanted = play(start(name, seed), seed, asks=asks)
    aec, parallel = arena.envs.raw_env(name), arena.envs.parallel_env(name)
    aec.reset(seed=seed)
    parallel.reset(seed=seed)
    rewards: dict[str, float] = {}
    turns = iter(wanted.turns)
    for turn in turns:
        batch = [turn, *(next(turns) for _ in range(len(parallel.match.pending()) - 1))]
        for asked in batch:
            if aec.agent_selection != asked.seat:
                fault(name, f"turn {asked.turn}", f"the AEC view asks {aec.agent_selection}, not {asked.seat}")
            aec.step(asked.answer)
        _, rewards, *_ = parallel.step({asked.seat: asked.answer for asked in batch})
    for view in (aec, parallel):
        if record_hash(view.match) != record_hash(wanted):
            fault(name, f"seed {seed}", f"{type(view).__name__} played another match")
    if wanted.payoffs is not None and not (aec.rewards == rewards == wanted.payoffs):
        fault(name, f"seed {seed}", f"rewards {aec.rewards} and {rewards} are not the payoffs {wanted.payoffs}")
    _check_illegal_action(name, seed)


def _check_illegal_action(name: str, seed: int) -> None:
    import arena.envs

    aec, parallel = arena.envs.raw_env(name), arena.envs.parallel_env(name)
    wrong = object()
    for view in (aec, parallel):
        view.reset(seed=seed)
        before = record_hash(view.match)
        try:
            view.step(dict.fromkeys(view.agents, wrong) if view is parallel else wrong)  # type: ignore[arg-type]
        except IllegalAnswer:
            if record_hash(view.match) == before:
                continue
        fault(name, f"seed {seed}", "an illegal action must raise IllegalAnswer and change nothing")
