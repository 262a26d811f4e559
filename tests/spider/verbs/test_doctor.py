"""``spider doctor``: a line for each finding, its fix below, and code 4 where a verb is broken."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from spider.errors import ConfigError, MissingDependencyError
from spider.health.finding import Finding
from spider.launch.composition import compose_verb, plain
from spider.launch.configuration import typed_settings
from spider.verbs.doctor import DoctorSettings, main


class Fixed:
    def __init__(self, *findings: Finding):
        self.found = findings

    def findings(self) -> Iterator[Finding]:
        yield from self.found


OK = Finding("ok", "python", "3.11")
WARN = Finding("warn", "disk", "0.5 GiB free here", "choose another disk")
FAIL = Finding("fail", "torch", "not installed", "pip install torch")


def test_lines_are_in_the_order_of_the_checks(capsys: pytest.CaptureFixture[str]) -> None:
    main(DoctorSettings(checks=(Fixed(OK, WARN), Fixed(), Fixed(OK))))
    assert capsys.readouterr().out.splitlines() == [
        "ok    python   3.11",
        "warn  disk     0.5 GiB free here",
        "               fix: choose another disk",
        "ok    python   3.11",
    ]


def test_all_checks_are_done_before_a_broken_one_is_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = FAIL._replace(subject="faiss")
    with pytest.raises(MissingDependencyError, match=r"^broken: torch, faiss$") as caught:
        main(DoctorSettings(checks=(Fixed(FAIL), Fixed(other), Fixed(OK))))
    assert caught.value.exit_code == 4
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == "ok    python   3.11"
    assert said.count("fix: pip install torch") == 2


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(DoctorSettings(checks=(Fixed(OK, WARN),), json=True))
    found = [Finding(**json.loads(line)) for line in capsys.readouterr().out.splitlines()]
    assert found == [OK, WARN]


def test_warnings_alone_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    main(DoctorSettings(checks=(Fixed(WARN),)))
    main(DoctorSettings(checks=()))
    assert capsys.readouterr().out.count("\n") == 2


def test_every_configured_check_finds_something() -> None:
    settings = typed_settings(DoctorSettings, plain(compose_verb("doctor", ["workspace=nowhere"])))
    assert len(settings.checks) >= 6
    for check in settings.checks:
        found = list(check.findings())
        assert found, type(check).__name__
        for finding in found:
            assert finding.subject
            assert finding.text
            # what is wrong can be mended
            assert (finding.level == "ok") == (finding.fix == "")


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ([{"_target_": "spider.health.checks.NoCheck"}], "checks"),
        ([{"_target_": "spider.health.checks.PythonCheck", "x": 1}], "unknown setting checks"),
        (3, r"setting checks\[0\]: got 3, expected a variant"),
    ],
)
def test_a_bad_list_of_checks_is_one_line(checks: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        typed_settings(DoctorSettings, {"checks": checks})
    assert "\n" not in str(caught.value)
