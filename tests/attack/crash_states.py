"""Every state in which a kill or a power failure can leave an artifact's writer.

A writer runs once. Before each of its file-system calls the folder is copied: this is what a kill
at that moment leaves. A power failure may also lose what was not flushed, so each copy is taken
again with those files empty, and with half of them. The same writer then runs in each copy.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder import generation
from spider.errors import SpiderError

#: audit events of calls that change a folder, or open a file in it
EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink"}
Writer = Callable[[Path], None]
Tree = dict[str, bytes | None]


class State(NamedTuple):
    """What a kill leaves.

    Attributes:
        folder: the copy.
        unflushed: files whose content may be lost.
    """

    folder: Path
    unflushed: tuple[str, ...]


class Outcome(NamedTuple):
    """What came of one state.

    Attributes:
        lost: a file of a person is missing or changed.
        different: the next run ended with other bytes, or left something behind.
        untyped: the next run, or a reader, failed in a way that is no error of the tree.
        served: a reader changed the folder, or saw neither the old nor the new artifact.
    """

    lost: bool = False
    different: bool = False
    untyped: bool = False
    served: bool = False


class _Recorder:
    """Copies a folder before each call that may change it."""

    def __init__(self) -> None:
        self.active = False
        self.source = self.target = Path()
        self.states: list[State] = []
        self.last: object = None
        self.flushed: set[tuple[int, int, int]] = set()
        sys.addaudithook(self._event)

    @contextmanager
    def recording(self, source: Path, target: Path) -> Iterator[list[State]]:
        self.source, self.target, self.states, self.last = source, target, [], None
        self.flushed = {_identity(file) for file in _files(source)}
        self.active = True
        try:
            with patch("os.fsync", self._flushed):
                yield self.states
            self._copy()
        finally:
            self.active = False

    def _event(self, event: str, _: Any) -> None:
        if self.active and event in EVENTS:
            self._copy()

    def _flushed(self, descriptor: int) -> None:
        self._copy()
        self.active = False
        self.flushed.add(_identity(Path(f"/proc/self/fd/{descriptor}")))
        self.active = True

    def _copy(self) -> None:
        self.active = False
        try:
            now = [(str(file), _identity(file)) for file in sorted(self.source.rglob("*"))]
            unflushed = tuple(
                str(file.relative_to(self.source))
                for file in _files(self.source)
                if _identity(file) not in self.flushed
            )
            if (now, unflushed) != self.last:
                self.last = (now, unflushed)
                folder = self.target / str(len(self.states))
                shutil.copytree(self.source, folder, symlinks=True)
                self.states.append(State(folder, unflushed))
        finally:
            self.active = True


def _identity(file: Path) -> tuple[int, int, int]:
    status = file.stat()
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


_recorder: list[_Recorder] = []


def enumerate_states(write: Writer, start: Path, scratch: Path) -> list[State]:
    """Return every state of a writer that begins in a copy of ``start``."""
    if not _recorder:
        # an audit hook stays until the process ends
        _recorder.append(_Recorder())
    desk = Path(shutil.copytree(start, scratch / "desk", symlinks=True))
    (scratch / "states").mkdir()
    with _recorder[0].recording(desk, scratch / "states") as states:
        write(desk)
    return states


def tears(state: State) -> Iterator[tuple[str, ...]]:
    """Yield the ways in which a state can be torn: whole, and with content that was lost."""
    yield ()
    if state.unflushed:
        yield ("empty", *state.unflushed)
        yield ("half", *state.unflushed)
        if len(state.unflushed) > 1:
            yield ("empty", state.unflushed[-1])


def tree(folder: Path, *, volatile: bool = False) -> Tree:
    """Return the content of every file; manifests only on request, since they hold the time."""
    return {
        str(file.relative_to(folder)): file.read_bytes() if file.is_file() else None
        for file in folder.rglob("*")
        if volatile or file.name != "manifest.json"
    }


def attack(
    state: State, tear: tuple[str, ...], pid: int, write: Writer, start: Path, whole: Path
) -> Outcome:
    """Read, and run the writer again, in one state; return what went wrong.

    Args:
        state: the state.
        tear: one of :func:`tears`.
        pid: the process number of the next run.
        write: the writer.
        start: the folder in which it began.
        whole: the folder after a run without a kill.
    """
    desk = Path(shutil.copytree(state.folder, state.folder.with_name("attacked"), symlinks=True))
    try:
        for name in tear[1:]:
            content = (desk / name).read_bytes()
            (desk / name).write_bytes(b"" if tear[0] == "empty" else content[: len(content) // 2])
        try:
            served = _misread(desk, start, whole)
            with patch("os.getpid", lambda: pid):
                write(desk)
        except Exception as error:
            return Outcome(different=True, untyped=not isinstance(error, SpiderError))
        persons = {name: text for name, text in tree(start).items() if name.startswith("mine")}
        found = tree(desk)
        return Outcome(
            lost=any(found.get(name, b"?") != text for name, text in persons.items()),
            different=found != tree(whole)
            or open_artifact(desk / "made").content_hash
            != open_artifact(whole / "made").content_hash,
            served=served,
        )
    finally:
        shutil.rmtree(desk)


def _misread(desk: Path, start: Path, whole: Path) -> bool:
    before = tree(desk, volatile=True)
    allowed = {
        open_artifact(place / "made").content_hash
        for place in (start, whole)
        if (place / "made").exists()
    }
    wrong = False
    with patch.object(generation, "PATIENCE", 0.0), suppress(SpiderError):
        wrong = open_artifact(desk / "made").content_hash not in allowed
    return wrong or tree(desk, volatile=True) != before
