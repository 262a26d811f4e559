"""Bits flipped in a corpus; ``make attack`` flips them in every artifact."""

import random
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.folder import file_table
from spider.health.artifacts import verify
from tests.attack import bit_flips

FLIPS = 60


@pytest.mark.parametrize("small", [file_table.SMALL, -1], ids=["as shipped", "every file is large"])
def test_no_flip_is_served_that_opening_and_verifying_do_not_find(
    small: int, make_corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_corpus([("A fox", ["The fox sleeps.", "It wakes."]), ("An ox", ["The ox eats."])])
    monkeypatch.setattr(file_table, "SMALL", small)
    path = tmp_path / "corpus"
    expected = bit_flips.served(path)
    rng = random.Random(small)  # noqa: S311
    outcomes = []
    for file, bit in bit_flips.choose(tmp_path, FLIPS, rng):
        bit_flips.flip(tmp_path / file, bit)
        outcome = bit_flips.judge(path, expected)
        outcomes.append(outcome)
        assert outcome != bit_flips.UNTYPED, (file, bit)
        if outcome == bit_flips.SERVED:
            assert verify(path).damage, (file, bit)
        bit_flips.flip(tmp_path / file, bit)
    if small > 0:
        assert bit_flips.SERVED not in outcomes
    else:
        # the attack itself can fail
        assert bit_flips.SERVED in outcomes
