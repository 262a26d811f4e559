"""Handlers for a verb's process. The library itself only gets loggers and adds no handler."""

import logging
import os
import sys
import warnings
from typing import Any

from spider.printable import LINE_FEED, TAB, printable

#: the packages whose log is shown, and the running module; tests/architecture checks the list
LOGGED = ("spider", "pretrain", "index", "eval", "jamba_reader", "spider_odqa", "__main__")


class OneLine(logging.Formatter):
    """Writes one line for each message, whatever the text in it; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line of a record."""
        return printable(super().formatMessage(record).rstrip())

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return a traceback."""
        return printable(super().formatException(ei), keep=TAB + LINE_FEED)

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """Return a stack."""
        return printable(super().formatStack(stack_info), keep=TAB + LINE_FEED)


def configure_logging() -> None:
    """Send our log to standard error, and limit third parties to warnings.

    ``SPIDER_LOG=debug`` shows more, ``SPIDER_LOG=warning`` less.
    """
    level = getattr(logging, os.environ.get("SPIDER_LOG", "info").upper(), logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for package in LOGGED:
        logging.getLogger(package).setLevel(level)
    logging.captureWarnings(True)
    if level > logging.DEBUG:
        warnings.simplefilter("ignore")
    # libraries show no progress bar and no advice, and make no request unless a hub name is given
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
