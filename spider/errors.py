"""The error classes. A message says what happened, where, got, expected, and how to fix it.

SpiderError                       1   a bug, or an error without a narrower class
├── ConfigError                   2   a value that a person wrote in yaml or on the command line
├── DataError                     3   a document, corpus, question or run file is malformed
├── MissingDependencyError        4   an optional package, a JVM or a device is missing
├── ArtifactError                 5   an artifact is missing, unfinished, or made from other inputs
│   └── CheckpointError           5   weights and model disagree
├── MetricMissedError             6   an asserted metric was not reached
├── StorageError                 74   a disk is full, read-only or failing, or refuses access
└── InterruptedRunError          75   stopped on request; the same command resumes

The number is the exit code. ``spider.launch.exit`` prints the error as one line and exits with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: characters of the longest message; more are left out in its middle, since its end says the repair
LONGEST = 2_000


class SpiderError(Exception):
    """An error whose one-line message is written for the user.

    Args:
        message: the message. Line breaks in it, which the names and values of somebody's file may
            hold, become spaces.
    """

    exit_code = 1

    def __init__(self, message: object = ""):
        line = " ".join(str(message).splitlines())
        if len(line) > LONGEST:
            line = f"{line[: LONGEST - 500]} [...] {line[-500:]}"
        super().__init__(line)


def first_line(error: BaseException) -> str:
    """Return the first line of another library's error, without its advice."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class ConfigError(SpiderError, ValueError):
    """A value that a person wrote in yaml or on the command line is not usable."""

    exit_code = 2


class SettingError(ConfigError):
    """A setting has a value that the class which takes it cannot use.

    A constructor names its own argument. The caller that knows the object's path in the
    configuration adds it, so that the message names the key that a person types.

    Args:
        key: the argument, or a path such as ``training.steps``.
        got: the value.
        expected: a description of the usable values.
    """

    def __init__(self, key: str, got: object, expected: str):
        super().__init__(f"setting {key}: got {got!r}, expected {expected}")
        self.key = key
        self.got = got
        self.expected = expected

    def __reduce__(self) -> tuple[type["SettingError"], tuple[str, object, str]]:
        """Pickle as the arguments, so that a worker process can raise it."""
        return SettingError, (self.key, self.got, self.expected)

    def within(self, path: str) -> "SettingError":
        """Return the same error for a setting below ``path``."""
        return SettingError(f"{path}.{self.key}" if path else self.key, self.got, self.expected)


@contextmanager
def settings_within(path: str) -> Iterator[None]:
    """Name settings by their full path in errors that the body raises.

    Args:
        path: the place of the object that the body makes, in the configuration (``architecture``).
    """
    try:
        yield
    except SettingError as error:
        raise error.within(path) from error


class DataError(SpiderError, ValueError):
    """A document, corpus, question or run file is malformed.

    Args:
        message: what is wrong, got and expected.
        path: the file.
        line: its line, from 1.
    """

    exit_code = 3

    def __init__(self, message: str, *, path: Path | str | None = None, line: int | None = None):
        where = "" if path is None else f"{path}: " if line is None else f"{path}:{line}: "
        super().__init__(f"{where}{message}")
        self.path = path
        self.line = line


class MissingDependencyError(SpiderError, RuntimeError):
    """An optional package, a Java runtime or a device is missing.

    Args:
        message: what is missing and what needs it.
        extra: the extra of this distribution that installs it.
    """

    exit_code = 4

    def __init__(self, message: str, *, extra: str | None = None):
        fix = "" if extra is None else f"; fix: pip install 'spider-odqa[{extra}]'"
        super().__init__(f"{message}{fix}")
        self.extra = extra


class ArtifactError(SpiderError):
    """An artifact folder is missing, unfinished, of another schema, or made from other inputs."""

    exit_code = 5


class CheckpointError(ArtifactError):
    """A checkpoint's weights and the model that should hold them disagree."""


class MetricMissedError(SpiderError):
    """A metric that the caller asserted was not reached."""

    exit_code = 6


class StorageError(SpiderError):
    """A disk is full, read-only or failing, or refuses access; the same command resumes later.

    The exit code is that of BSD's ``sysexits.h`` for errors of input and output.
    """

    exit_code = 74


class InterruptedRunError(SpiderError):
    """The run received a request to stop and has saved its state; the same command resumes it."""

    exit_code = 75
