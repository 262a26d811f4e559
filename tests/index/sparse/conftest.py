"""A corpus in memory, built-in English text, and the one JVM of the session."""

import ast
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from index.sparse.jvm import JvmPlan, plan_jvm, preflight, start_jvm


class Passages:
    """What sparse indexing reads of a corpus, from a list of (title, text)."""

    def __init__(self, pairs: Sequence[tuple[str, str]]):
        self.pairs = list(pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def titles(self, positions: range) -> list[str]:
        return [self.pairs[position][0] for position in positions]

    def texts(self, positions: range) -> list[str]:
        return [self.pairs[position][1] for position in positions]


@pytest.fixture(scope="session")
def passages() -> Callable[[Sequence[tuple[str, str]]], Passages]:
    return Passages


@pytest.fixture(scope="session")
def docstrings() -> list[tuple[str, str]]:
    """Docstrings of the standard library, cut into passages of 60 words."""
    folder = Path(sysconfig.get_path("stdlib"))
    pairs = []
    for file in sorted(folder.glob("[a-t]*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                words = (ast.get_docstring(node) or "").split()
                for start in range(0, len(words), 60):
                    pairs.append((file.stem, " ".join(words[start : start + 60])))
        if len(pairs) > 2_500:
            break
    return pairs


@pytest.fixture(scope="session")
def jvm() -> JvmPlan:
    """The JVM of this process: one for the session, since a process has only one."""
    obstacle = preflight(plan_jvm(heap="512m"))
    if obstacle:
        pytest.skip(obstacle)
    return start_jvm(heap="512m")
