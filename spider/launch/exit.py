"""How a command ends: one line on standard error, an exit code, and no lost output."""

import logging
import os
import sys
import traceback
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

from spider.errors import SpiderError
from spider.launch.storage import storage_error
from spider.printable import LINE_FEED, TAB, printable

CTRL_C = 130


def guard(act: Callable[[], None], *, name: str) -> int:
    """Call ``act`` and return the exit code; an error becomes one line on standard error.

    Args:
        act: the command. Its output is flushed here, so that a closed pipe or a full disk is
            noticed here and not by the interpreter at exit.
        name: the command's name in the line.
    """
    try:
        _settle_output()
        act()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _complain(name, "interrupted; run the same command again to continue", CTRL_C)
    except BrokenPipeError:
        # the process that read our output has ended
        _flush_or_discard()
        return 0
    except SpiderError as error:
        _debug()
        return _complain(name, str(error), error.exit_code)
    except Exception as error:
        _debug()
        if isinstance(error, OSError):
            _flush_or_discard()
        found = storage_error(error)
        if found is not None:
            return _complain(name, str(found), found.exit_code)
        described = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        return _complain(name, f"{described} (SPIDER_DEBUG=1 shows where)", 1)
    return 0


def _debug() -> None:
    if os.environ.get("SPIDER_DEBUG") == "1":
        sys.stderr.write(printable(traceback.format_exc(), keep=TAB + LINE_FEED))


def _settle_output() -> None:
    """Make standard output accept any text, also where it is closed or Latin-1."""
    if sys.stdout is None:
        # otherwise the first file that is opened would get its file descriptor
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    elif isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def _flush_or_discard() -> None:
    """Flush standard output and ignore errors, so that the interpreter reports none at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(name: str, message: str, code: int) -> int:
    logging.shutdown()
    single = " ".join(message.split("\n"))
    sys.stderr.write(f"{name}: {printable(single)}\n")
    return code
