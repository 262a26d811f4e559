"""A file that takes too much time or memory costs itself, and nothing else."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from spider.errors import SpiderError
from spider.sources.extraction import isolation
from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.file_types import file_types
from spider.sources.extraction.isolation import Isolation
from spider.sources.files.limits import ExtractionLimits

HTML = next(kind for kind in file_types() if kind.name == "html_text")


def parser_that(does: str) -> str:
    """Return the start of a process in which the parser of pages does something else."""
    return (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
        "from spider.sources.extraction import html_text, worker, file_types\n"
        "from spider.sources.extraction.extracted import Extracted\n"
        "def extract(data):\n"
        "    if data == b'fine': return Extracted('', 'fine')\n"
        f"    {does}\n"
        "html_text.extract = extract\n"
        "worker.main()"
    )


def outcome(limits: ExtractionLimits) -> tuple[str, str]:
    """Extract a bad file between two good ones, and return why it was skipped."""
    with Isolation(limits) as running:
        assert running.extract(HTML, b"fine").text == "fine"
        with pytest.raises(NotExtractedError) as caught:
            running.extract(HTML, b"bad")
        assert running.extract(HTML, b"fine").text == "fine"
    return caught.value.reason, caught.value.hint


@pytest.mark.parametrize(
    ("does", "reason", "hint"),
    [
        ("while True: pass", "over_time", "source.limits.seconds"),
        ("'a' * 10**6 + re_(data)", "not_extracted", "NameError"),
        ("return Extracted('', 'a' * (2 << 20))", "over_size", "source.limits.largest_mib"),
        ("return Extracted('', 'a' * (1 << 40))", "over_memory", "source.limits.memory_mib"),
        ("import os; os._exit(3)", "extraction_crashed", "exit code 3"),
        ("import os; os.kill(os.getpid(), 11)", "extraction_crashed", "exit code -11"),
        ("print('x' * 10**6); raise KeyError('\\udcff')", "not_extracted", "KeyError"),
        ("extract(data)", "not_extracted", "RecursionError"),
    ],
)
def test_a_bad_file_is_skipped_with_its_reason(
    does: str, reason: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "START", parser_that(does))
    limits = ExtractionLimits(seconds=0.2, memory_mib=512, largest_mib=1)
    begin = time.monotonic()
    found = outcome(limits)
    assert found[0] == reason
    assert hint in found[1]
    assert time.monotonic() - begin < 20


def test_a_process_that_does_not_start_stops_the_run_with_its_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolation, "START", "import no_such_module")
    with (
        Isolation(ExtractionLimits()) as running,
        pytest.raises(SpiderError, match=r"did not start .*no_such_module"),
    ):
        running.extract(HTML, b"fine")


def test_no_process_starts_for_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "START", "import no_such_module")
    plain = next(kind for kind in file_types() if kind.name == "plain_text")
    with Isolation(ExtractionLimits()) as running:
        assert running.extract(plain, b"word").text == "word"


def test_the_process_ends_with_the_folder(word: Callable[..., bytes]) -> None:
    kind = next(kind for kind in file_types() if kind.name == "docx_text")
    with Isolation(ExtractionLimits()) as running:
        assert running.extract(kind, word("one")).text == "one"
        process = running._process
        assert process is not None
        assert process.poll() is None
    assert process.poll() == 0


def test_a_module_in_the_current_folder_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: Callable[..., bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("docx", "json", "spider"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w')")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    kind = next(kind for kind in file_types() if kind.name == "docx_text")
    with Isolation(ExtractionLimits()) as running:
        assert running.extract(kind, word("one")).text == "one"
    assert not (tmp_path / "imported").exists()
