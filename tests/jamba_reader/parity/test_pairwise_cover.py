"""The shapes that parity is checked on hold every pair of settings that matters."""

from itertools import product

import pytest

from benchmarks.jamba.grid import (
    FACTORS,
    allowed,
    cases,
    config_values,
    idle,
    pairs_of,
    pairwise_cover,
    required_pairs,
)
from jamba_reader.config import JambaConfig


def test_every_pair_is_in_use_somewhere() -> None:
    found = {pair for case in cases() for pair in pairs_of(case, idle)}
    required = required_pairs(FACTORS, allowed, idle)
    assert len(required) > 1500
    assert set(required) <= found


def test_few_cases_and_always_the_same() -> None:
    assert cases() == cases()
    assert 40 <= len(cases()) <= 60


def test_pairs_of_a_small_cover_counted_by_hand() -> None:
    factors = {"a": (0, 1), "b": (0, 1), "c": (0, 1)}
    rows = pairwise_cover(factors, lambda row: True, lambda row: set())
    assert len(rows) == 4
    for first, second in ("ab", "ac", "bc"):
        assert {(row[first], row[second]) for row in rows} == set(product((0, 1), repeat=2))


def test_an_idle_setting_is_not_tried() -> None:
    factors = {"switch": ("off", "on"), "dial": (1, 2, 3)}
    rows = pairwise_cover(
        factors, lambda row: True, lambda row: {"dial"} if row.get("switch") == "off" else set()
    )
    assert {row["dial"] for row in rows if row["switch"] == "on"} == {1, 2, 3}


def test_a_pair_that_no_row_allows_is_said() -> None:
    factors = {"a": (0, 1), "b": (0, 1), "c": (0,)}
    with pytest.raises(ValueError, match="no value of c"):
        pairwise_cover(
            factors, lambda row: sum(row.values()) < 2 or "c" not in row, lambda row: set()
        )


def test_every_case_is_a_model() -> None:
    configs = [
        JambaConfig.from_mapping({"model_type": "jamba", **config_values(case)}) for case in cases()
    ]
    mixers = {mixer for config in configs for mixer in config.mixers}
    assert mixers == {"mamba", "attention"}
    assert {len(set(config.mixers)) for config in configs} == {1, 2}
    assert {(config.num_experts > 1, any(config.routed)) for config in configs} == {
        (False, False),
        (True, True),
    }
