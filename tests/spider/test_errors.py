"""The error tree: exit codes, and the place that a message begins with."""

import pytest

from spider import errors
from spider.errors import (
    ArtifactError,
    CheckpointError,
    ConfigError,
    DataError,
    InterruptedRunError,
    MetricMissedError,
    MissingDependencyError,
    SettingError,
    SpiderError,
    StorageError,
)

CODES = {
    SpiderError: 1,
    ConfigError: 2,
    SettingError: 2,
    DataError: 3,
    MissingDependencyError: 4,
    ArtifactError: 5,
    CheckpointError: 5,
    MetricMissedError: 6,
    StorageError: 74,
    InterruptedRunError: 75,
}


def test_every_error_has_its_exit_code() -> None:
    found = {
        value: value.exit_code
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, SpiderError)
    }
    assert found == CODES


@pytest.mark.parametrize(("error", "parent"), [(ConfigError, ValueError), (DataError, ValueError)])
def test_wrong_values_are_value_errors_for_callers_from_python(
    error: type[SpiderError], parent: type[Exception]
) -> None:
    assert issubclass(error, parent)


def test_a_data_error_begins_with_its_place() -> None:
    assert str(DataError("bad")) == "bad"
    assert str(DataError("bad", path="a.jsonl")) == "a.jsonl: bad"
    assert str(DataError("bad", path="a.jsonl", line=3)) == "a.jsonl:3: bad"


def test_a_missing_dependency_says_how_to_get_it() -> None:
    error = MissingDependencyError("faiss is not installed", extra="cpu")
    assert str(error) == "faiss is not installed; fix: pip install 'spider-odqa[cpu]'"
    assert str(MissingDependencyError("no Java")) == "no Java"
