"""What a verb's process logs, and how loudly."""

import logging
import os
import warnings
from collections.abc import Iterator

import pytest

from spider.launch.log import LOGGED, configure_logging


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in LOGGED}
    for name in ("SPIDER_LOG", "TOKENIZERS_PARALLELISM", "HF_HUB_DISABLE_TELEMETRY"):
        # set first, so that what configure_logging writes is undone
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with warnings.catch_warnings():
        yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, saved in levels.items():
        logging.getLogger(name).setLevel(saved)
    logging.captureWarnings(False)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (None, {"info", "warning"}),
        ("debug", {"debug", "info", "warning"}),
        ("warning", {"warning"}),
        ("WARNING", {"warning"}),
        ("nonsense", {"info", "warning"}),
    ],
)
def test_the_level_of_our_own_packages(
    asked: str | None,
    shown: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if asked is not None:
        monkeypatch.setenv("SPIDER_LOG", asked)
    configure_logging()
    for level in ("debug", "info", "warning"):
        getattr(logging.getLogger("index.dense.exact"), level)(f"<{level}>")
    said = capsys.readouterr()
    assert said.out == ""
    assert {level for level in ("debug", "info", "warning") if f"<{level}>" in said.err} == shown


def test_third_parties_may_only_warn(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("something to know")
    said = capsys.readouterr().err
    assert "chatter" not in said
    assert "something to know" in said


def test_a_second_call_does_not_write_each_line_twice(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    configure_logging()
    logging.getLogger("spider").info("once")
    assert capsys.readouterr().err.count("once") == 1


def test_a_line_begins_with_the_time_of_day(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    logging.getLogger("eval").info("hello")
    time, _, text = capsys.readouterr().err.partition(" ")
    assert text == "hello\n"
    assert [len(part) for part in time.split(":")] == [2, 2, 2]


@pytest.mark.parametrize(("asked", "shown"), [("info", False), ("debug", True)])
def test_warnings_are_shown_only_when_debugging(
    asked: str,
    shown: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SPIDER_LOG", asked)
    warnings.simplefilter("default")
    configure_logging()
    warnings.warn("deprecated thing", DeprecationWarning, stacklevel=1)
    assert ("deprecated thing" in capsys.readouterr().err) == shown


def test_what_a_person_set_for_the_hub_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    configure_logging()
    assert os.environ["TOKENIZERS_PARALLELISM"] == "false"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_a_text_in_a_message_forges_no_line_and_controls_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging()
    logging.getLogger("spider").warning("skipped %s", "a\x1b]0;t\x07\n12:00:00 all is well\x9b2J")
    said = capsys.readouterr().err
    assert said.endswith(r"skipped a\x1b]0;t\x07\n12:00:00 all is well\x9b2J" + "\n")
    assert said.count("\n") == 1


def test_a_logged_traceback_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    try:
        raise ValueError("name\x1b[2J")
    except ValueError:
        logging.getLogger("spider").exception("failed")
    said = capsys.readouterr().err
    assert said.endswith("ValueError: name\\x1b[2J\n")
    assert said.count("\n") >= 4
