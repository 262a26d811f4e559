"""Every regular expression takes time in proportion to the text, whatever the text is.

A pattern such as ``(.+?)[ ]*$`` tries a run of blanks from each of its blanks: one line of 100,000
blanks took minutes. Each pattern is tried here on texts that repeat one sign, after several begins.
"""

import importlib
import re
import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import regex

PATTERNS = re.Pattern, type(regex.compile("a"))
SMALL, SIZE = 1000, 8000
#: on a small text a quadratic pattern takes 0.003 s and more; what takes less is not tried further
SUSPECT = 0.002
#: quadratic patterns took 0.17 s and more, the slowest other one takes 0.03 s
SECONDS = 0.1
UNITS = [
    *(" ", "\t", "\n", ".", "a", "1", "-", "=", "#", "'", '"', "`", "~", "<", ":", "_", "\\", "*"),
    *("a ", " \n", "a\n", "a.", "' ", "<a", "``", "~~~\n", "```\n", "---\n", '<doc id="', "<meta "),
    *(":a:`", "a'", "''.", "é", "中", "_\u0301", "</p", "$"),
]
BEGINS = ["", "a", "title: a", "# a", ":a:`b", "---\n", '<doc id="1" title="']
ENDS = ["", "x"]
#: they read what is typed on a command line, or names of files of this program
SHORT_TEXTS = re.compile(r"spider\.launch\.|.*\.checkpoints\.|.*\.jvm$|.*\.workspace$")
#: patterns that are not searched, and why that is linear
MATCHED = {
    "index.display.headings._UNDERLINE": "it is tried once for each line",
    "spider.artifacts.atomic_files.TEMPORARY": "it is tried once for each name of a file",
    "spider.text.words.NUMBER_PART": "it is tried once for each run of digits",
}


def texts() -> Iterator[tuple[str, str]]:
    """Yield each text with a small and with the full size."""
    for unit, begin, end in product(UNITS, BEGINS, ENDS):
        small, large = ((unit * size)[:size] for size in (SMALL, SIZE))
        yield begin + small + end, begin + large + end


def seconds(pattern: Any, text: str | bytes) -> float:
    begin = time.process_time()
    for _ in pattern.finditer(text):
        pass
    return time.process_time() - begin


def slowest(pattern: Any) -> tuple[float, str]:
    found = (0.0, "")
    for pair in texts():
        binary = isinstance(pattern.pattern, bytes)
        small, large = (text.encode() for text in pair) if binary else pair
        if seconds(pattern, small) > SUSPECT:
            # twice, since another process may disturb a measurement
            taken = min(seconds(pattern, large), seconds(pattern, large))
            found = max(found, (taken, pair[0][:30]))
    return found


def test_a_quadratic_pattern_is_found() -> None:
    assert slowest(re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE))[0] > SECONDS
    assert slowest(re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE))[0] < SECONDS


@pytest.mark.parametrize("package", ["spider", "pretrain", "eval", "index"])
def test_every_pattern_is_linear(package: str, modules: list[Any]) -> None:
    tried: set[tuple[str | bytes, int]] = set()
    for module in modules:
        if module.package != package or "compile(" not in module.text:
            continue
        if SHORT_TEXTS.match(module.name):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            found = value if isinstance(value, tuple | list) else [value]
            for pattern in found.values() if isinstance(found, dict) else found:
                if f"{module.name}.{name}" in MATCHED or not isinstance(pattern, PATTERNS):
                    continue
                if (pattern.pattern, pattern.flags) not in tried:
                    tried.add((pattern.pattern, pattern.flags))
                    taken, text = slowest(pattern)
                    assert taken < SECONDS, f"{module.name}.{name}: {taken:.2f} s on {text!r}..."
