"""``guard``: one line and an exit code for each kind of ending."""

import errno
import io
import sys
from collections.abc import Callable

import pytest

from spider import errors
from spider.launch.exit import guard

ERRORS = [
    found
    for found in vars(errors).values()
    if isinstance(found, type)
    and issubclass(found, errors.SpiderError)
    and found is not errors.SettingError
]


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_a_finished_act_returns_zero_and_says_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done: list[int] = []
    assert guard(lambda: done.append(1), name="spider x") == 0
    assert done == [1]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_every_error_of_ours_ends_with_its_own_code(
    cls: type[errors.SpiderError], capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(raising(cls("it went wrong")), name="spider x") == cls.exit_code
    assert capsys.readouterr().err == "spider x: it went wrong\n"


def test_a_setting_error_is_a_configuration_error(capsys: pytest.CaptureFixture[str]) -> None:
    error = errors.SettingError("training.steps", 0, "at least 1")
    assert guard(raising(error), name="spider train") == 2
    assert (
        capsys.readouterr().err
        == "spider train: setting training.steps: got 0, expected at least 1\n"
    )


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; run the same command again to continue"),
        (ValueError("odd"), 1, "ValueError: odd (SPIDER_DEBUG=1 shows where)"),
        (RuntimeError("a\nb\nc"), 1, "RuntimeError: a b c (SPIDER_DEBUG=1 shows where)"),
        (
            OSError(errno.ENOSPC, "No space left on device", "x/a.npy"),
            74,
            "x/a.npy: the disk is full: free some space, or choose another place with "
            "workspace=FOLDER; the same command then continues",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file", "notes.txt"),
            1,
            "[Errno 2] No such file: 'notes.txt' (SPIDER_DEBUG=1 shows where)",
        ),
    ],
)
def test_other_errors_are_one_line(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(raising(error), name="spider x") == code
    assert capsys.readouterr().err == f"spider x: {said}\n"


@pytest.mark.parametrize(
    "error", [errors.DataError("bad"), OSError("disk"), ZeroDivisionError("division")]
)
@pytest.mark.parametrize("debug", ["1", "0", ""])
def test_a_traceback_is_shown_only_on_request(
    error: Exception,
    debug: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SPIDER_DEBUG", debug)
    guard(raising(error), name="x")
    said = capsys.readouterr().err
    assert ("Traceback" in said) == (debug == "1")
    assert said.splitlines()[-1].startswith("x: ")


def test_system_exit_is_left_to_the_interpreter() -> None:
    with pytest.raises(SystemExit):
        guard(raising(SystemExit(3)), name="x")


class Pipe(io.StringIO):
    """Standard output whose buffer cannot be written."""

    def __init__(self, error: OSError):
        super().__init__()
        self.error = error
        self.flushed = 0

    def flush(self) -> None:
        self.flushed += 1
        if self.flushed == 1:
            raise self.error


@pytest.mark.parametrize(
    ("error", "code"), [(BrokenPipeError(), 0), (OSError(errno.ENOSPC, "full"), 74)]
)
def test_what_the_buffer_still_holds_is_flushed_by_guard(
    error: OSError, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Pipe(error)
    monkeypatch.setattr(sys, "stdout", out)
    assert guard(lambda: None, name="x") == code
    assert out.flushed == 2


def test_a_missing_standard_output_is_replaced_before_a_file_takes_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    seen: list[object] = []
    assert guard(lambda: seen.append(sys.stdout), name="x") == 0
    assert seen != [None]
    sys.stdout.close()


@pytest.mark.parametrize(
    ("encoding", "errors_given", "written"),
    [
        ("ascii", "strict", b"Gr??e"),
        ("latin-1", "strict", b"Gr\xf6\xdfe"),
        ("ascii", "backslashreplace", b"Gr\\xf6\\xdfe"),
    ],
)
def test_letters_that_an_encoding_lacks_are_replaced_unless_it_was_told_otherwise(
    encoding: str, errors_given: str, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, errors=errors_given)
    monkeypatch.setattr(sys, "stdout", out)
    assert guard(lambda: sys.stdout.write("Größe") and None, name="x") == 0
    assert raw.getvalue() == written


@pytest.mark.parametrize("debug", ["0", "1"])
def test_a_text_in_an_error_controls_no_terminal(
    debug: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIDER_DEBUG", debug)

    def fail() -> None:
        raise errors.DataError("no text", path="a\x1b]52;c;aGk=\x07\rb\u202e\udcff.md")

    assert guard(fail, name="spider prepare") == 3
    said = capsys.readouterr().err
    # white space in an error becomes a blank: an error is one line
    expected = r"a\x1b]52;c;aGk=\x07 b\u202e\xff.md: no text"
    assert said.splitlines()[-1] == f"spider prepare: {expected}"
    assert said.count(expected) == 1 + int(debug)
    assert not set(said) & {"\x1b", "\x07", "\r", "\u202e"}
