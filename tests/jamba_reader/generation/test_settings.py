"""Settings of text generation: ranges, and what contradicts each other."""

from typing import Any

import pytest

from jamba_reader.generation.settings import GenerationSettings
from spider.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens: got 0, expected at least 1"),
        ({"temperature": -1.0}, "temperature: got -1.0, expected at least 0"),
        ({"temperature": float("nan")}, "temperature: got nan"),
        ({"top_p": 1.1}, "top_p: got 1.1, expected 0 to 1"),
        ({"repetition_penalty": 0.0}, "repetition_penalty: got 0.0, expected 0.001 to 1000"),
        ({"beams": 2, "temperature": 1.0}, "does not sample"),
        ({"samples": 2}, "would all be equal"),
        ({"stop": ("",)}, "stop string is empty"),
        ({"min_new_tokens": 9, "max_new_tokens": 8}, "min_new_tokens: got 9, expected no more"),
    ],
)
def test_settings_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GenerationSettings(**options)


def test_the_bounds_themselves_are_allowed() -> None:
    """What a person may write without an error."""
    GenerationSettings(max_new_tokens=1, min_new_tokens=1, top_p=0.0, temperature=0.0, top_k=0)
    GenerationSettings(top_p=1.0, repetition_penalty=1e3, length_penalty=-10.0)
    GenerationSettings(samples=3, beams=3)
    GenerationSettings(samples=3, temperature=0.5)


@pytest.mark.parametrize("samples", [2, 3])
def test_more_samples_than_beams_are_refused(samples: int) -> None:
    with pytest.raises(ConfigError, match=f"samples={samples} would all be equal"):
        GenerationSettings(samples=samples, beams=samples - 1)
