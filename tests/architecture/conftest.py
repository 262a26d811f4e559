"""What the rules of DESIGN are checked on: the project's settings, its packages, its modules."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


class Module:
    """One file of our packages: where it is, what it is called, its text and its syntax tree."""

    def __init__(self, file: Path, root: Path) -> None:
        self.file = file.relative_to(root)
        self.name = ".".join(self.file.with_suffix("").parts).removesuffix(".__init__")
        self.package = self.file.parts[0]
        self.text = file.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)

    @property
    def is_package(self) -> bool:
        return self.file.name == "__init__.py"

    def imports(self) -> Iterator[tuple[str, int]]:
        """Yield the names of imported modules, and ``module.name`` for from-imports."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, node.lineno
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield f"{'.' * node.level}{node.module or ''}.{alias.name}", node.lineno


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def packages(project: dict[str, Any]) -> list[str]:
    """Return our packages, ``conf`` included: the one list, which the wheel is built from."""
    return list(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


@pytest.fixture(scope="session")
def modules(root: Path, packages: list[str]) -> list[Module]:
    files = sorted(file for package in packages for file in (root / package).rglob("*.py"))
    return [Module(file, root) for file in files]
