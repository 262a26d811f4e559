"""Child processes end together with the process that started them, even if that one is killed.

A killed process stops nothing: its children would write on, and collide with the next run of the
same command. On Linux the kernel kills them (``PR_SET_PDEATHSIG``), also within native code that
holds Python's lock. On every system, a thread in the child waits until the parent's end of a pipe
closes, which the system does when the parent ends. A parent that ended before the child asked for
the signal is no longer the child's parent, so the child looks after asking.
"""

import ctypes
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from multiprocessing import (
    parent_process,
    popen_spawn_posix,
    resource_tracker,
    spawn,
    util,
)
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess, set_spawning_popen
from multiprocessing.reduction import DupFd, dump
from pathlib import Path
from signal import SIGKILL
from threading import Thread
from typing import Any

#: in a child's environment: the parent's process number, and the child's end of the pipe
PARENT = "SPIDER_PARENT"
PR_SET_PDEATHSIG = 1
#: the folder that our packages are imported from
OURS = Path(__file__).resolve().parents[1]

_locks: ContextVar[tuple[int, ...]] = ContextVar("_locks", default=())


@contextmanager
def held_by_workers(descriptor: int) -> Iterator[None]:
    """Let worker processes that start in the body hold a lock (``flock``) until they end, too.

    Args:
        descriptor: the open file that is locked.
    """
    token = _locks.set((*_locks.get(), descriptor))
    try:
        yield
    finally:
        _locks.reset(token)


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of spawned processes that end when this process does.

    They are never forked: numba's threads and the JVM do not survive a fork. The thread that
    creates the pool has to live as long as the pool, since Linux sends the signal when it ends.

    The workers import no module from the current folder, where a file ``random.py`` would hide the
    library's. The environment of this process stays as it is.
    """
    return ProcessPoolExecutor(
        workers,
        mp_context=_Context(),
        initializer=partial(_begin_worker, os.getpid(), _InheritedFiles(_locks.get())),
    )


@contextmanager
def child(command: Sequence[str], *, quiet: bool = False) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command that calls :func:`end_with_parent`, and so ends when this process does.

    Args:
        command: the program and its arguments.
        quiet: show only its warnings, errors and progress bars, unless ``SPIDER_LOG`` is set.
    """
    theirs, ours = os.pipe()
    try:
        environment = {**os.environ, PARENT: f"{os.getpid()} {theirs}"}
        if quiet:
            environment.setdefault("SPIDER_LOG", "warning")
        output = subprocess.DEVNULL if quiet else None
        with subprocess.Popen(
            command, env=environment, stdout=output, pass_fds=(theirs,)
        ) as process:
            yield process
    finally:
        os.close(theirs)
        os.close(ours)


def end_with_parent() -> None:
    """End when the process ends that started this one with :func:`child`, if one did."""
    words = os.environ.pop(PARENT, "").split()
    if len(words) != 2 or not all(word.isdigit() for word in words):
        return
    parent, pipe = map(int, words)
    os.set_inheritable(pipe, False)
    _end_with(parent, pipe)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class _Popen(popen_spawn_posix.Popen):
    """Starts Python with ``-P``, for which the class of the library has no setting."""

    def _launch(self, process_obj: Any) -> None:
        tracker = resource_tracker.getfd()
        self._fds: list[int]
        self._fds.append(tracker)
        about = spawn.get_preparation_data(process_obj.name)
        if "" in sys.path and not {"init_main_from_path", "init_main_from_name"} & about.keys():
            # a prompt or a notebook: no module of the person's is needed in a worker
            about["sys_path"] = [place for place in sys.path if place or Path.cwd() == OURS]
        message = io.BytesIO()
        set_spawning_popen(self)
        try:
            dump(about, message)
            dump(process_obj, message)
        finally:
            set_spawning_popen(None)
        opened: list[int] = []
        kept: list[int] = []
        try:
            self.sentinel, child_end = os.pipe()
            kept.append(self.sentinel)
            opened.append(child_end)
            child_reads, writes = os.pipe()
            kept.append(writes)
            opened.append(child_reads)
            command = spawn.get_command_line(tracker_fd=tracker, pipe_handle=child_reads)
            self._fds.extend(opened)
            safe: Any = [command[0], "-P", *command[1:]]
            program: Any = spawn.get_executable()
            self.pid = util.spawnv_passfds(program, safe, self._fds)
            with open(writes, "wb", closefd=False) as stream:
                stream.write(message.getbuffer())
        finally:
            self.finalizer = util.Finalize(self, _close, kept)
            _close(*opened)


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - the name in the class above
        return _Popen(process_obj)


class _Context(SpawnContext):
    Process = _Process


class _InheritedFiles:
    """Descriptors that a spawned process gets copies of; they close when it ends."""

    def __init__(self, descriptors: Sequence[int]):
        self._descriptors = tuple(descriptors)

    def __reduce__(self) -> tuple[Any, ...]:
        return _receive, tuple(DupFd(descriptor) for descriptor in self._descriptors)


def _receive(*copies: Any) -> list[int]:
    return [copy.detach() for copy in copies]


def _begin_worker(parent: int, locks: object) -> None:
    process = parent_process()
    if process is not None:
        _end_with(parent, process.sentinel)


def _end_with(parent: int, pipe: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(SIGKILL))
    if os.getppid() != parent:
        os._exit(1)
    Thread(target=_wait_and_end, args=(pipe,), name="end with parent", daemon=True).start()


def _wait_and_end(pipe: int) -> None:
    wait([pipe])
    os._exit(1)
