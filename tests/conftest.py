"""Fixtures for every test: a tiny corpus on disk, without a line of preparation."""

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus
from spider.corpus.document import Document, PassageBounds
from spider.corpus.splitting import WordSplitter
from spider.corpus.writer import CorpusWriter

# a deadline is a timing assertion: it fails on a busy machine and says nothing about the code
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


#: its fixtures make a workspace of every verb, and start a process that has imported everything
SHARED = "tests/integration/"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Stop coverage, here and in children, where it costs half of the time and finds nothing new.

    That is so in tests marked ``untraced``, in hypothesis's and in those of long texts, which
    repeat the same lines.
    """
    repeats = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    repeats |= "no_hang" in getattr(item, "fixturenames", ())
    tracer = sys.gettrace()
    if tracer is None or not (repeats or item.get_closest_marker("untraced")):
        return (yield)
    # coverage starts in a child that finds this variable
    told = os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
        if told is not None:
            os.environ["COVERAGE_PROCESS_CONFIG"] = told


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let processes of tests begin with slow files, so that all of them end at the same time."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process whole files, and one of them all files that share a made workspace."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduler(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return SHARED if file.startswith(SHARED) else file

    return Scheduler(config, log) if config.option.dist == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def _no_flush() -> Iterator[None]:
    """Write without flushing to disk, which takes 6 ms a file: no test loses its power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


#: seconds of processor time. What is quadratic takes minutes; what is linear takes 0.1 to 3, ten
#: times as much on a slow machine
PATIENCE = 40


@contextmanager
def _patience(seconds: float = PATIENCE, *, where: str = "") -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise TimeoutError(f"{where or 'it'} did not end within {seconds} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.fixture
def patience() -> Callable[..., AbstractContextManager[None]]:
    """Return a context manager that stops what does not end in any useful time."""
    return _patience


@pytest.fixture
def no_hang() -> Iterator[None]:
    """Stop a test whose code does not end in any useful time; this measures no speed."""
    with _patience():
        yield


MakeCorpus = Callable[..., Corpus]


def to_document(number: int, source: Document | tuple[str, Sequence[str]]) -> Document:
    """Turn (title, passage texts) into a document; a Document without passages is split."""
    if isinstance(source, Document):
        return WordSplitter().split(source)
    title, texts = source
    bounds, start = [], 0
    for place, text in enumerate(texts):
        bounds.append(PassageBounds(f"d{number}#{place}", start, start + len(text)))
        start += len(text) + 1
    return Document(id=f"d{number}", title=title, text="\n".join(texts), passages=tuple(bounds))


@pytest.fixture(scope="session", autouse=True)
def state_of_this_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give commands a place to note the last workspace that is not in a person's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _environment_of_a_new_user() -> Iterator[None]:
    """Take away what a developer's shell may say to Python and to the commands."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name == "PYTHONSAFEPATH" or name.startswith("SPIDER_"):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _restored_environment() -> Iterator[None]:
    """Give each test the same environment: a command in this process sets variables for good."""
    before = dict(os.environ)
    yield
    if before != dict(os.environ):
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@pytest.fixture
def make_corpus(tmp_path: Path) -> MakeCorpus:
    """Return a function that writes a corpus under ``tmp_path`` and opens it.

    ``make_corpus(documents, name="corpus", last_passage_padded=False)``; each document is a
    Document or a pair (title, list of passage texts), whose ids are then ``d0``, ``d1`` … and
    ``d0#0``, ``d0#1`` …
    """

    def make(
        documents: Sequence[Document] | Sequence[tuple[str, Sequence[str]]],
        *,
        name: str = "corpus",
        last_passage_padded: bool = False,
    ) -> Corpus:
        stage = Stage(
            verb="prepare",
            kind="corpus",
            output=tmp_path / name,
            config={"last_passage_padded": last_passage_padded},
            inputs={},
            overwrite=True,
        )
        with stage.writing() as folder:
            writer = CorpusWriter(folder)
            for number, source in enumerate(documents):
                writer.add(to_document(number, source))
            stage.finish(
                counts=writer.close(), details={"last_passage_padded": last_passage_padded}
            )
        return Corpus.open(tmp_path / name)

    return make


@pytest.fixture
def product_types() -> Callable[[], AbstractContextManager[set[Any]]]:
    """Return a context manager whose value is the set of types that matrix products had."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        def __init__(self, found: set[Any]):
            super().__init__()
            self.found = found

        def __torch_dispatch__(
            self, function: Any, types: Any, given: Any = (), named: Any = None
        ) -> Any:
            name = function.overloadpacket.__name__
            if name in ("mm", "addmm", "bmm", "baddbmm") or "attention" in name:
                self.found |= {value.dtype for value in given[:3] if hasattr(value, "dtype")}
            return function(*given, **(named or {}))

    @contextmanager
    def watch() -> Iterator[set[Any]]:
        found: set[Any] = set()
        with Watch(found):
            yield found

    return watch
