from pathlib import Path
from typing import Any

import pytest

from jamba_reader.generation.console_settings import MOST_THREADS, ConsoleSettings
from spider.errors import ConfigError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threads": 0}, "threads: got 0, expected 1 to"),
        ({"threads": MOST_THREADS + 1}, "threads: got 1025"),
        ({"fewest_characters": 0}, "fewest_characters: got 0, expected at least 1"),
        ({"opening": "<"}, "give documents=FILE"),
        ({"closing": ">"}, "give documents=FILE"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        ConsoleSettings(model="x", **changes)


def test_markers_go_with_documents() -> None:
    settings = ConsoleSettings(model="x", documents=(Path("a"),), opening="<", closing=">")
    assert settings.generation.max_new_tokens == 256
    assert ConsoleSettings(model="x", threads=MOST_THREADS).threads == MOST_THREADS
