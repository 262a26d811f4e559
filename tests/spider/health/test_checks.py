import importlib.metadata
import importlib.util
from collections.abc import Iterator

import pytest

from spider.errors import MissingDependencyError
from spider.health.checks import (
    FaissCheck,
    FormatsCheck,
    MemoryCheck,
    PythonCheck,
    TorchCheck,
)
from spider.health.finding import Finding, HealthCheck
from spider.verbs.doctor import DoctorSettings, main


class FixedCheck:
    def __init__(self, *findings: Finding):
        self._findings = findings

    def findings(self) -> Iterator[Finding]:
        yield from self._findings


def test_doctor_prints_findings_with_their_fix(capsys: pytest.CaptureFixture[str]) -> None:
    check = FixedCheck(
        Finding("ok", "java", "21"), Finding("warn", "disk", "low", "free some space")
    )
    main(DoctorSettings(checks=(check,)))
    said = capsys.readouterr().out
    assert "ok    java     21" in said
    assert "fix: free some space" in said


def test_doctor_ends_with_code_four_when_something_is_broken() -> None:
    check = FixedCheck(Finding("fail", "faiss", "two builds", "remove one"))
    with pytest.raises(MissingDependencyError, match="broken: faiss"):
        main(DoctorSettings(checks=(check,)))


@pytest.mark.parametrize(
    "check", [PythonCheck(), TorchCheck(), FaissCheck(), FormatsCheck(), MemoryCheck()]
)
def test_checks_find_something_here_and_nothing_broken(check: HealthCheck) -> None:
    found = list(check.findings())
    assert found
    assert all(finding.level != "fail" for finding in found)


@pytest.mark.parametrize(
    ("installed", "level"),
    [([], "warn"), (["faiss-cpu"], "ok"), (["faiss-cpu", "faiss-gpu"], "fail")],
)
def test_two_builds_of_faiss_are_found(
    installed: list[str], level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name in installed:
            return "1.0"
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    (finding,) = FaissCheck().findings()
    assert finding.level == level


def test_missing_torch_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (finding,) = TorchCheck().findings()
    assert finding.level == "fail"
    (formats,) = FormatsCheck().findings()
    assert formats.text == "cannot be read: docx, pdf, zst"
    assert formats.fix == "pip install 'spider-odqa[documents,zst]'"
