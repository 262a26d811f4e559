"""Provenance: what a manifest says of the machine, without importing the tools it names."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from spider.artifacts import provenance as module
from spider.artifacts.provenance import commit, processor, provenance, versions


def test_it_is_json_and_says_when_and_where() -> None:
    found = json.loads(json.dumps(provenance()))
    assert datetime.fromisoformat(found["finished"]).tzinfo is not None
    assert found["cores"] >= 1
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))


def test_versions_name_installed_tools_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOOLS", ("numpy", "no-such-tool"))
    assert versions() == {"numpy": np.__version__}


def test_no_tool_is_imported() -> None:
    script = (
        "import sys; from spider.artifacts.provenance import provenance; provenance();"
        "print([name for name in ('torch', 'transformers', 'faiss') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_the_command_holds_no_folder_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/home/somebody/bin/spider", "mine", "seed=1"])
    assert provenance()["command"] == "spider mine seed=1"


def test_an_installed_package_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    assert commit() == ""


def test_git_that_fails_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(subprocess, "run", fail)
    assert commit() == ""


def test_the_processor_has_a_name_where_linux_tells() -> None:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if "model name" in text:
        assert processor() in text
