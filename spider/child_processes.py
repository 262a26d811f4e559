"""Child processes end together with the process that started them, even if that one is killed.

A killed process stops nothing: its children would write on, and collide with the next run of the
same command. On Linux the kernel kills them (``PR_SET_PDEATHSIG``), also within native code that
holds Python's lock. On every system, a thread in the child waits until the parent's end of a pipe
closes, which the system does when the parent ends. A parent that ended before the child asked for
the signal is no longer the child's parent, so the child looks after asking.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.reduction import DupFd
from signal import SIGKILL
from threading import Thread
from typing import Any

#: in a child's environment: the parent's process number, and the child's end of the pipe
PARENT = "SPIDER_PARENT"
PR_SET_PDEATHSIG = 1

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
    """
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
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
