"""Every regular expression takes time in proportion to the text, whatever the text is.

A pattern such as ``(.+?)[ ]*$`` tries a run of blanks from each of its blanks: one line of 100,000
blanks took minutes. Each pattern is tried here on texts that repeat one sign, after several begins.
Clocks only choose the texts that are worth trying at full size; what fails is what does not end.
"""

import importlib
import re
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import product
from typing import Any

import pytest
import regex

PATTERNS = re.Pattern, type(regex.compile("a"))
Patience = Callable[..., AbstractContextManager[None]]
#: quadratic patterns take 0.003 s and more on a small text, a minute and more on a large one;
#: others take 0.00001 to 0.002 s, which is at most 0.3 s on a large one
SMALL, SIZE, PATIENCE = 1000, 150_000, 10
#: so many texts are tried at full size, if the small ones take so many seconds
TRIED, SUSPECT = 2, 0.001
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
    "spider.parsing.nested_json._SQUAD": "it is tried once, on the bounded head of a file",
    "spider.text.words.NUMBER_PART": "it is tried once for each run of digits",
}


TEXTS = [*product(BEGINS, UNITS, ENDS)]


def at_size(parts: tuple[str, str, str], size: int, pattern: Any) -> str | bytes:
    begin, unit, end = parts
    text = begin + (unit * size)[:size] + end
    return text.encode() if isinstance(pattern.pattern, bytes) else text


def search(pattern: Any, text: str | bytes) -> None:
    deque(pattern.finditer(text), maxlen=0)


def seconds(pattern: Any, text: str | bytes) -> float:
    begin = time.process_time()
    search(pattern, text)
    return time.process_time() - begin


def suspects(pattern: Any) -> list[tuple[str, str, str]]:
    """Return the texts on which a pattern is slowest; two, since a machine may be busy."""
    taken = {parts: seconds(pattern, at_size(parts, SMALL, pattern)) for parts in TEXTS}
    slowest = sorted(taken, key=taken.__getitem__)[-TRIED:]
    return [parts for parts in slowest if taken[parts] > SUSPECT]


def test_a_quadratic_pattern_does_not_end(patience: Patience) -> None:
    quadratic = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
    parts = suspects(quadratic)[-1]
    with patience(1), pytest.raises(TimeoutError):
        search(quadratic, at_size(parts, SIZE, quadratic))
    linear = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE)
    with patience(PATIENCE):
        search(linear, at_size(parts, SIZE, linear))


@pytest.mark.parametrize("package", ["spider", "pretrain", "eval", "index"])
def test_every_pattern_is_linear(package: str, modules: list[Any], patience: Patience) -> None:
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
                    for parts in suspects(pattern):
                        with patience(PATIENCE, where=f"{module.name}.{name} on {parts}"):
                            search(pattern, at_size(parts, SIZE, pattern))
