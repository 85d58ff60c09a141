"""Chance: named streams whose draws never change, on any machine and any Python."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import Rng, derive, stream


def test_a_derived_seed_is_the_first_63_bits_of_a_hash_of_its_parts() -> None:
    # printf 'deal\0001\0000' | sha256sum  ->  869d4cd11dd924e4…
    assert derive("deal", 1, 0) == 0x869D4CD11DD924E4 >> 1 == 4849996816729281138
    assert 0 <= derive("x") < 2**63


def test_parts_are_kept_apart() -> None:
    assert derive("ab", "c") != derive("a", "bc")


def test_frozen_draws_of_a_stream() -> None:
    rng = stream(7, "deal")

    assert [rng.below(6) for _ in range(8)] == [4, 0, 2, 4, 1, 2, 4, 3]
    assert rng.choice("JQK") == "K"
    assert rng.sample(range(10), 4) == [9, 5, 4, 1]
    assert rng.randint(1, 100) == 86


def test_streams_of_different_names_are_different() -> None:
    draws = {tuple(stream(7, name).below(10**6) for _ in range(1)) for name in ("deal", "deal.cards", "noise")}

    assert len(draws) == 3


def test_a_shuffle_is_frozen() -> None:
    cards = list("abcdefgh")
    stream(7, "shuffle").shuffle(cards)

    assert "".join(cards) == "aghbfdec"


def test_below_is_uniform() -> None:
    rng = stream("uniform")
    counts = Counter(rng.below(5) for _ in range(10_000))

    assert all(1850 < counts[n] < 2150 for n in range(5))


def test_below_needs_a_positive_bound() -> None:
    with pytest.raises(ValueError, match="positive bound"):
        Rng(1).below(0)


def test_an_empty_choice_is_an_error() -> None:
    with pytest.raises(ValueError, match="positive bound"):
        Rng(1).choice([])


@given(st.integers(0, 2**64), st.integers(-100, 100), st.integers(1, 50), st.integers(1, 7))
def test_randrange_draws_what_range_holds(seed: int, start: int, width: int, step: int) -> None:
    assert Rng(seed).randrange(start, start + width, step) in range(start, start + width, step)


@given(st.integers(0, 2**64), st.lists(st.integers(), max_size=20), st.data())
def test_a_sample_holds_as_many_different_places_as_asked(
    seed: int, population: list[int], data: st.DataObject
) -> None:
    k = data.draw(st.integers(0, len(population)))
    drawn = Rng(seed).sample(population, k)

    assert len(drawn) == k
    assert not Counter(drawn) - Counter(population)
