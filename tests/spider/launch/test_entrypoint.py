import logging
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spider.errors import ArtifactError, DataError, InterruptedRunError
from spider.launch.entrypoint import run
from spider.verbs.doctor import DoctorSettings


@pytest.fixture(autouse=True)
def restored_process_state() -> Iterator[None]:
    handlers = logging.getLogger().handlers[:]
    level = logging.getLogger().level
    stop = signal.getsignal(signal.SIGTERM)
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    logging.captureWarnings(False)
    signal.signal(signal.SIGTERM, stop)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("empty", path="notes", line=3), 3),
        (ArtifactError("of other inputs"), 5),
        (InterruptedRunError("later"), 75),
        (KeyboardInterrupt(), 130),
        (RuntimeError("surprise"), 1),
        (None, 0),
    ],
)
def test_error_becomes_one_line_and_its_exit_code(
    error: BaseException | None, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(config: DoctorSettings) -> None:
        if error is not None:
            raise error

    assert run(main, verb="doctor", words=[]) == code
    said = capsys.readouterr().err
    assert said.count("\n") == (0 if error is None else 1)
    assert "Traceback" not in said


@pytest.mark.parametrize("turn", [1, 2])
def test_a_command_leaves_no_variable_to_the_next_test(turn: int) -> None:
    def main(config: DoctorSettings) -> None:
        assert os.environ["PYTHONSAFEPATH"] == "1"

    assert "PYTHONSAFEPATH" not in os.environ
    assert run(main, verb="doctor", words=[]) == 0


def test_traceback_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(config: DoctorSettings) -> None:
        raise DataError("empty")

    monkeypatch.setenv("SPIDER_DEBUG", "1")
    assert run(main, verb="doctor", words=[]) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chekcs=[]"], "unknown setting chekcs; did you mean checks?"),
        (["+other=1"], "unknown setting other"),
        (["checks=[{"], ""),
        (["--nope"], "unknown flag --nope"),
        (["--checks"], "--checks needs a value"),
        (["--config-dir", "nowhere"], "no such folder"),
    ],
)
def test_bad_command_line_is_one_line_and_code_two(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(config: DoctorSettings) -> None: ...

    assert run(main, verb="doctor", words=words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_help_and_configuration_are_printed_without_running(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def main(config: DoctorSettings) -> None:
        raise AssertionError

    assert run(main, verb="doctor", words=["--help"]) == 0
    assert "checks=[PythonCheck, " in capsys.readouterr().out
    assert run(main, verb="doctor", words=["--cfg"]) == 0
    assert "_target_: spider.health.checks.PythonCheck" in capsys.readouterr().out


def test_unknown_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    from spider.cli import main

    assert main(["docter"]) == 2
    assert "did you mean doctor?" in capsys.readouterr().err
    assert main(["--version"]) == 0


CONSOLE_SCRIPT = "import sys; from spider.cli import main; sys.exit(main())"


@pytest.mark.parametrize("words", [["doctor"], ["--help"]])
@pytest.mark.parametrize(("closed", "code"), [("pipe", 0), ("full", 74)])
def test_output_that_nobody_takes_ends_without_a_traceback(
    words: list[str], closed: str, code: int
) -> None:
    if closed == "pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open("/dev/full", os.O_WRONLY)
    try:
        done = subprocess.run(
            [sys.executable, "-c", CONSOLE_SCRIPT, *words],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == (closed == "full")


# A shell without job control starts background commands with SIGINT ignored, and children
# inherit that. The script takes it back, so that the test passes there too.
WAITING = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from spider.launch import entrypoint
from spider.verbs.doctor import DoctorSettings
def main(config: DoctorSettings) -> None:
    sys.stdout.write("ready\\n"); sys.stdout.flush()
    threading.Event().wait(60)
sys.exit(entrypoint.run(main, verb="doctor", words=[]))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_signals_end_a_verb_with_their_codes(number: int, code: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        os.kill(child.pid, number)
        assert child.wait(timeout=30) == code


def test_jobs_that_fail_leave_the_others_to_run_and_end_with_one_line(tmp_path: Path) -> None:
    words = ["--multirun", f"workspace={tmp_path}", "split.seed=1,2"]
    done = subprocess.run(
        [sys.executable, "-c", CONSOLE_SCRIPT, "mine", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert "job 1:" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("spider mine: ")


def test_a_closed_standard_output_is_none_of_an_error() -> None:
    script = f"{shlex.quote(sys.executable)} -c {shlex.quote(CONSOLE_SCRIPT)} --help >&-"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_text_that_standard_output_has_no_letters_for_is_shown_with_question_marks() -> None:
    script = "from spider.launch.exit import guard; guard(lambda: print('Größe'), name='x')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "Gr??e\n", "")


def test_processes_of_a_verb_import_nothing_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("import pathlib; pathlib.Path('ran').write_text('')")
    script = (
        "import subprocess, sys; from spider.launch.entrypoint import run; "
        "from spider.verbs.doctor import DoctorSettings\n"
        "def main(settings: DoctorSettings) -> None:\n"
        "    subprocess.run([sys.executable, '-c', 'import random'], check=True)\n"
        "sys.exit(run(main, verb='doctor', words=[]))"
    )
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert not (tmp_path / "ran").exists()
