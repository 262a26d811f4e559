"""Lines that a person types, or that another program pipes into standard input."""

import logging
import sys
from collections.abc import Iterator

from spider.errors import DataError
from spider.prompt.history import line_history
from spider.reading import reading

logger = logging.getLogger(__name__)

PLACE = "standard input"


def typed_lines(what: str) -> Iterator[str]:
    """Yield the lines of standard input without their line breaks; blank ones are left out.

    At a terminal each line is asked for, and an empty line ends them.

    Args:
        what: the word for a line in the prompt (``question``).

    Raises:
        DataError: a line is not UTF-8.
    """
    if sys.stdin is None:
        # closed by the caller
        return
    if sys.stdin.isatty():
        logger.info("type a %s; an empty line or Ctrl-D ends", what)
        yield from _asked(what)
    else:
        yield from _piped()


def _asked(what: str) -> Iterator[str]:
    with line_history(what):
        yield from _until_empty(what)


def _until_empty(what: str) -> Iterator[str]:
    while True:
        try:
            line = input(f"{what}> ")
        except EOFError:
            return
        except UnicodeDecodeError as error:
            raise DataError("not UTF-8; set the terminal to UTF-8", path=PLACE) from error
        if not line.strip():
            return
        yield line


def _piped() -> Iterator[str]:
    # bytes, where there are some: Python decodes blocks of many lines, or accepts any byte
    with reading(PLACE) as place:
        for number, raw in enumerate(getattr(sys.stdin, "buffer", sys.stdin), start=1):
            place.line = number
            line = raw.decode("utf-8") if isinstance(raw, bytes) else raw
            if line.strip():
                yield line.rstrip("\r\n").removeprefix("\ufeff" if number == 1 else "")
