"""The error tree: exit codes, and the place that a message begins with."""

import pickle

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


@pytest.mark.parametrize("error", CODES)
def test_a_message_is_one_line_of_bounded_length(error: type[SpiderError]) -> None:
    name = "a\nb\r\nc\u2028d\x85" + "e" * 100_000
    made = error(name, name, name) if error is SettingError else error(name)  # type: ignore[call-arg]
    assert len(str(made).splitlines()) == 1
    assert len(str(made)) < 2_100


def test_the_end_of_a_long_message_stays() -> None:
    assert str(DataError("x" * 5_000 + "; do this", path="a")).startswith("a: xxx")
    assert str(DataError("x" * 5_000 + "; do this")).endswith("xxx; do this")
    assert str(SpiderError()) == ""


@pytest.mark.parametrize("error", CODES)
def test_a_worker_process_can_raise_it(error: type[SpiderError]) -> None:
    made = error("k", 3, "e") if error is SettingError else error("it")  # type: ignore[call-arg]
    copy = pickle.loads(pickle.dumps(made))
    assert type(copy) is error
    assert str(copy) == str(made)
