"""The answers of the process that extracts text."""

import subprocess
import sys

import pytest

from spider.sources.extraction import worker
from spider.sources.extraction.worker import answer


def test_answers() -> None:
    page = "<title>T</title>café".encode("cp1252")
    assert answer("html_text", page, 100) == {"title": "T", "text": "café", "encoding": "cp1252"}
    assert answer("html_text", b"<p>" + b"a" * 101, 100) == {"reason": "over_size"}
    said = answer("pdf_text", b"no pdf", 100)
    assert said["reason"] == "damaged_pdf"
    assert said["hint"]


def test_a_lack_of_memory_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def extract(data: bytes) -> None:
        raise MemoryError

    kinds = [kind._replace(extract=extract) for kind in worker.file_types()]
    monkeypatch.setattr(worker, "file_types", lambda: kinds)
    assert answer("html_text", b"", 1) == {"reason": "over_memory"}


def test_memory_is_limited() -> None:
    if sys.platform != "linux":
        pytest.skip("the system has no such limit")
    code = f"from {worker.__name__} import limit_memory; limit_memory(300 << 20); bytes(1 << 30)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("MemoryError")
