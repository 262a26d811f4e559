"""Runs commands in forked children of a process that has already imported the program.

A test reads one line of JSON per command from this process: first the child's process id, then its
exit code. Importing torch takes 2 s and forking takes 10 ms, so hundreds of commands stay cheap.
The process starts no thread, hence a fork is safe here.

Usage: warm_server.py MODULE...
"""

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from typing import Any

CAPABILITIES_VERSION = 0x20080522


def obey_permissions() -> None:
    """Drop all capabilities, so that the bits of a folder bind root as they bind anyone."""
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset")


def become(request: dict[str, Any]) -> None:
    """Turn a forked child into the process that the request describes."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(request[name], flags, 0o600), number)
    os.chdir(request["cwd"])
    os.environ.update(request["env"])
    if request["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"],) * 2)
    if request["obey_permissions"]:
        obey_permissions()
    sys.argv = ["spider", *request["words"]]


def child(request: dict[str, Any], *, heavy: tuple[str, ...]) -> int:
    """Run one command and report which heavy libraries it loaded."""
    from spider.cli import main

    become(request)
    code = main(request["words"])
    if request["loaded"]:
        with open(request["loaded"], "w", encoding="utf-8") as file:  # noqa: PTH123
            json.dump(sorted(set(heavy) & set(sys.modules)), file)
    return code


def serve(modules: list[str]) -> None:
    """Answer requests from standard input until it ends."""
    for name in modules:
        importlib.import_module(name)
    threads = os.listdir("/proc/self/task")  # noqa: PTH208
    if len(threads) > 1:
        sys.exit(f"warm_server: {len(threads)} threads, so that no fork is safe")
    heavy = ("torch", "faiss", "transformers", "numba", "jnius", "bm25s", "scipy", "matplotlib")
    # no buffer: a child would inherit what was read ahead
    with os.fdopen(os.dup(0), "rb", buffering=0) as requests:
        for line in iter(requests.readline, b""):
            request = json.loads(line)
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    code = child(request, heavy=heavy)
                except BaseException:
                    traceback.print_exc()
                finally:
                    sys.stdout.flush()
                    sys.stderr.flush()
                    os._exit(code)
            answer("pid", pid)
            answer("code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def answer(kind: str, number: int) -> None:
    """Write one line."""
    os.write(1, f"{kind} {number}\n".encode())


if __name__ == "__main__":
    serve(sys.argv[1:])
