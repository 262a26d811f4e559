from pathlib import Path

import pytest

from spider.errors import ConfigError
from spider_odqa.arguments import checked_count, checked_path, checked_questions


def test_right_values_pass():
    assert checked_questions(text for text in ("a", "b")) == ["a", "b"]
    assert checked_count("k", 1, least=1) == 1
    assert checked_path("folder", "~/x") == Path.home() / "x"


@pytest.mark.parametrize("value", [True, "1", 1.0, None, 0, -1, [1]])
def test_what_is_no_count_is_named(value):
    with pytest.raises(ConfigError, match=r"k: got .*, expected a whole number of at least 1"):
        checked_count("k", value, least=1)


@pytest.mark.parametrize("value", [None, 3, "", b"x"])
def test_what_is_no_path_is_named(value):
    with pytest.raises(ConfigError, match=r"folder: got .*, expected a path"):
        checked_path("folder", value)
