"""Settings of a language model's training are refused under the names that a person types."""

import math
from typing import Any

import pytest

from jamba_reader.config import JambaConfig
from jamba_reader.training.settings import LanguageModelSettings
from spider.errors import SettingError
from spider.launch.typed.schema import settings_of
from spider.training.settings import TrainingSettings

SHAPE = JambaConfig()


def made(**values: Any) -> LanguageModelSettings:
    return LanguageModelSettings(reader_size=SHAPE, **values)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("vocabulary_documents", 0, "at least 1"),
        ("batch_size", 0, "at least 1"),
        ("chunk_tokens", -8, "at least 1"),
        ("chunks_per_step", 0, "at least 1"),
        ("attention_memory", -1, "0 or more"),
        ("validation_tokens", -1, "0 or more"),
        ("weight_decay", -0.1, "0 or more"),
        ("weight_decay", math.inf, "0 or more"),
        ("weight_decay", math.nan, "0 or more"),
        ("beta2", 1.0, "0 to less than 1"),
        ("beta2", -0.1, "0 to less than 1"),
        ("beta2", math.nan, "0 to less than 1"),
    ],
)
def test_values_out_of_range_are_refused(name: str, value: float, expected: str) -> None:
    with pytest.raises(SettingError) as caught:
        made(**{name: value})
    assert caught.value.key == name
    assert caught.value.expected == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 1),
        ("chunk_tokens", 1),
        ("chunks_per_step", 1),
        ("vocabulary_documents", 1),
        ("attention_memory", 0),
        ("validation_tokens", 0),
        ("weight_decay", 0.0),
        ("beta2", 0.0),
    ],
)
def test_the_least_of_each_range_is_taken(name: str, value: float) -> None:
    assert getattr(made(**{name: value}), name) == value


def test_only_float32_trains() -> None:
    with pytest.raises(SettingError, match=r"training\.precision: got 'bf16', expected no"):
        made(training=TrainingSettings(precision="bf16"))


def test_where_training_begins_is_no_content_since_its_files_are_hashed() -> None:
    settings = settings_of(LanguageModelSettings)
    marked = {name for name, setting in settings.items() if setting.execution}
    assert marked == {"start", "start_tokenizer"}
