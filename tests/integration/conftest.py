"""Commands as children, cheap enough for hundreds of them, and one tiny workspace of every kind."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
#: what a command imports only where it needs it; the server imports it once
HEAVY_MODULES = [
    "torch", "faiss", "tokenizers", "safetensors.torch", "accelerate", "numba", "bm25s",
    "spider.launch.composition", "spider.launch.help_text", "spider.launch.multirun",
    "spider.verbs.prepare", "spider.verbs.prepare_questions", "pretrain.verbs.mine",
    "pretrain.verbs.train", "pretrain.spans.mining", "pretrain.training.encoder_training",
    "index.verbs.embed", "index.verbs.build", "index.verbs.search", "index.engines.opening",
    "eval.verbs.evaluate_retrieval", "eval.reports.retrieval.evaluation",
    "jamba_reader.verbs.train_language_model", "jamba_reader.training.language_model",
    "jamba_reader.verbs.quantize_reader", "jamba_reader.verbs.generate",
]  # fmt: skip
LIGHT_MODULES = ["spider.cli", "spider.launch.composition"]
NO_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The last line on standard error: the message of a failed command."""
        assert "Traceback" not in self.err, self.err
        assert self.code != 0, self.out
        return self.err.splitlines()[-1] if self.err else ""

    def only_line(self) -> str:
        """Return the message of a command that failed before it reported anything else."""
        line = self.line
        assert self.err.count("\n") == 1, self.err
        return line


@dataclass
class Running:
    """A command that runs: ``pid`` takes signals, ``end`` waits."""

    server: "Server"
    pid: int
    folder: Path

    def end(self) -> Done:
        """Wait and return what came of it."""
        code = self.server.read("code")
        self.server.running = None
        done = Done(code, *((self.folder / name).read_text("utf-8", "replace") for name in STREAMS))
        shutil.rmtree(self.folder)
        return done

    def signalled(self, number: int) -> Done:
        """Send a signal and wait."""
        # 0 and -1 would reach the tests themselves
        assert self.pid > 1
        with suppress(ProcessLookupError):  # it has ended before
            os.kill(self.pid, number)
        return self.end()


STREAMS = ("out", "err")


class Server:
    """Starts commands, one at a time, from a process that has imported their modules already.

    Args:
        scratch: a folder for the output of commands.
        modules: what is imported once.
    """

    def __init__(self, scratch: Path, modules: list[str]):
        self.scratch = scratch
        self.count = 0
        self.running: Running | None = None
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **NO_THREADS}
        # coverage would double the time of the forked commands, and they end before it is written
        environment.pop("COVERAGE_PROCESS_CONFIG", None)
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("warm_server.py")), *modules],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def start(
        self,
        *words: str,
        cwd: Path,
        stdin: str = os.devnull,
        env: Mapping[str, str] | None = None,
        loaded: Path | None = None,
        obey_permissions: bool = False,
        largest_file: int | None = None,
    ) -> Running:
        """Start ``spider`` with these words.

        Args:
            words: the command line after ``spider``.
            cwd: the folder it runs in.
            stdin: the file that it reads.
            env: further environment variables.
            loaded: where the names of the heavy libraries that it imported are written.
            obey_permissions: run without root's right to write anywhere.
            largest_file: bytes after which a write fails.
        """
        if self.running is not None:
            # a test failed and left its command
            self.running.signalled(signal.SIGKILL)
        self.count += 1
        folder = self.scratch / str(self.count)
        folder.mkdir()
        for name in STREAMS:
            (folder / name).touch()
        request = {
            "words": [str(word) for word in words],
            "cwd": str(cwd),
            "stdin": stdin,
            "stdout": str(folder / "out"),
            "stderr": str(folder / "err"),
            "env": {"COLUMNS": "120", **(env or {})},
            "loaded": str(loaded or ""),
            "obey_permissions": obey_permissions,
            "largest_file": largest_file,
        }
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        self.running = Running(self, self.read("pid"), folder)
        return self.running

    def __call__(self, *words: str, cwd: Path, **options: Any) -> Done:
        """Run ``spider`` with these words to its end."""
        return self.start(*words, cwd=cwd, **options).end()

    def read(self, what: str) -> int:
        """Return the next number that the server writes, which has to be of this kind."""
        assert self.process.stdout is not None
        kind, _, number = self.process.stdout.readline().decode().partition(" ")
        assert kind == what, f"the server of commands answered {kind!r}, expected {what!r}"
        return int(number)

    def close(self) -> None:
        """End the server; a command that a failed test left running ends too."""
        if self.running is not None:
            self.running.signalled(signal.SIGKILL)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose process has imported everything."""
    server = Server(tmp_path_factory.mktemp("commands"), HEAVY_MODULES)
    yield server
    server.close()


@pytest.fixture(scope="session")
def run_light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose process has imported the launcher only."""
    server = Server(tmp_path_factory.mktemp("light"), LIGHT_MODULES)
    yield server
    server.close()


@dataclass(frozen=True)
class Command:
    """A verb that writes an artifact, on the tiny workspace.

    Attributes:
        verb: the verb.
        output: its artifact's name in the workspace.
        reads: what it reads there.
        words: its command line, without the workspace.
        otherwise: the same content in another way: files elsewhere, processes, devices, threads.
        change: a setting that changes the content.
    """

    verb: str
    output: str
    reads: tuple[str, ...]
    words: tuple[str, ...]
    otherwise: tuple[str, ...]
    change: str

    def line(self, workspace: Path, *more: str) -> list[str]:
        """Return the words of the command."""
        return self._line(self.words, workspace, more)

    def other_line(self, workspace: Path) -> list[str]:
        """Return the words of the command that does the same in another way."""
        return self._line(self.otherwise, workspace, ())

    def _line(self, words: Sequence[str], workspace: Path, more: Sequence[str]) -> list[str]:
        given = [word.replace("@", f"{workspace}/", 1) for word in words]
        return [
            self.verb, *given, f"--workspace={workspace}", f"--output={workspace / self.output}",
            *more,
        ]  # fmt: skip


def _commands() -> list[Command]:
    train = ("architecture.dimension=16", "batch_size=32", "training.steps=4")
    build = ("sparse=bm25s",)
    model = (
        "vocabulary_size=300", "vocabulary_documents=4", "batch_size=2", "chunk_tokens=16",
        "attention_memory=16", "validation_tokens=64", "training.steps=3",
        "reader_size.hidden_size=16", "reader_size.intermediate_size=16",
        "reader_size.num_experts=2",
    )  # fmt: skip
    table = [
        ("prepare", "corpus", (), ("notes",), ("copy of notes",), "splitter.words=50"),
        (
            "prepare-questions", "questions", (), ("questions.jsonl",), ("copy.jsonl",), "limit=2",
        ),
        ("mine", "spans", ("corpus",), (), ("processes=2",), "split.seed=1"),
        (
            "train", "encoder", ("corpus", "spans"), train,
            (*train, "training.save_every=1", "training.keep=1", "training.device=cpu"),
            "training.seed=1",
        ),
        (
            "embed", "embeddings", ("corpus", "encoder"), ("shard_size=8",),
            ("shard_size=8", "device=cpu"), "shard_size=9",
        ),
        (
            "build", "index", ("corpus", "embeddings", "spans"), build, (*build, "device=cpu"),
            "fusion.depths.bm25=7",
        ),
        (
            "search", "run", ("index", "corpus", "encoder", "questions"),
            ("--questions=@questions",), ("--questions=@questions", "device=cpu", "k=3"), "depth=7",
        ),
        (
            "evaluate-retrieval", "report", ("run", "corpus"), ("resamples=100",),
            ("resamples=100", "require.bm25.top_20=0"), "seed=1",
        ),
        (
            "train-language-model", "language-model", ("corpus", "spans"), model,
            (*model, "training.save_every=1", "training.device=cpu"), "training.seed=1",
        ),
        (
            "quantize-reader", "reader", ("language-model",), ("@language-model",),
            ("@copy of a model",), "dense_layers=true",
        ),
    ]  # fmt: skip
    return [Command(*row) for row in table]


COMMANDS = _commands()
IDS = [command.verb for command in COMMANDS]


@pytest.fixture(params=COMMANDS, ids=IDS)
def command(request: pytest.FixtureRequest) -> Command:
    """Return each verb that writes an artifact, in turn."""
    made: Command = request.param
    return made


@pytest.fixture(scope="session")
def commands() -> dict[str, Command]:
    """Return the verbs that write an artifact, in an order in which each finds what it reads."""
    return {command.verb: command for command in COMMANDS}


WriteNote = Callable[..., None]


def _write_note(path: Path, seed: int, *, paragraphs: int = 6) -> None:
    rng = random.Random(seed)  # noqa: S311
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]

    def words(count: int) -> list[str]:
        return ["".join(rng.choices(syllables, k=3)) for _ in range(count)]

    phrases = [" ".join(words(3)) for _ in range(4)]
    texts = []
    for _ in range(paragraphs):
        body = words(80)
        for phrase in phrases:
            body.insert(rng.randrange(len(body)), phrase)
        texts.append(" ".join(body) + ".")
    path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def write_note() -> WriteNote:
    """Return a function that writes a note whose paragraphs share four phrases."""
    return _write_note


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the commands read: notes, questions, and copies of both."""
    desk = tmp_path_factory.mktemp("a desk, with [notes]")
    (desk / "notes").mkdir()
    for number in range(12):
        _write_note(desk / "notes" / f"note-{number:02d}.md", seed=number)
    asked = []
    for number in range(4):
        words = (desk / "notes" / f"note-{number:02d}.md").read_text(encoding="utf-8").split()
        asked.append({"question": " ".join(words[:4]), "answer": [words[4]]})
    lines = "".join(json.dumps(question) + "\n" for question in asked)
    (desk / "questions.jsonl").write_text(lines, encoding="utf-8")
    shutil.copytree(desk / "notes", desk / "copy of notes")
    shutil.copy(desk / "questions.jsonl", desk / "copy.jsonl")
    return desk


@pytest.fixture(scope="session")
def made(desk: Path, run: Server) -> Path:
    """Return a workspace with one artifact of each verb. Tests read it and leave it as it is."""
    for command in COMMANDS:
        done = run(*command.line(desk / "made"), cwd=desk)
        assert done.code == 0, done.err
    return desk / "made"


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    """Return a copy of the workspace that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "workspace"))
