"""Settings of the choice of a weight out of range are refused with their names."""

import pytest

from index.engines.tuning import Tuning
from spider.errors import ConfigError


@pytest.mark.parametrize("name", ["queries", "fewest"])
def test_numbers_below_one_are_refused(name: str) -> None:
    assert getattr(Tuning(**{name: 1}), name) == 1
    with pytest.raises(ConfigError, match=rf"{name}: got 0, expected at least 1"):
        Tuning(**{name: 0})
