"""Packages: one list of them, and what a package must have."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from jaxtyping import TypeCheckError

from spider.launch.log import LOGGED
from spider.launch.verbs import options

#: packages that hold no code of their own and are imported by no rule of import-linter
CONFIGURATION = {"conf"}
#: the only package whose __init__ holds more than a docstring
PUBLIC = "spider_odqa"
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "base", "manager"}


def test_every_folder_of_code_is_in_the_list(root: Path, packages: list[str]) -> None:
    found = {folder.name for folder in root.iterdir() if (folder / "__init__.py").is_file()}
    assert found == set(packages), (
        "add each package to tool.hatch.build.targets.wheel.packages in pyproject.toml"
    )


def test_lists_that_cannot_be_derived_name_every_package(
    project: dict[str, Any], packages: list[str]
) -> None:
    code = set(packages) - CONFIGURATION
    linter = project["tool"]["importlinter"]
    by_type: dict[str, list[dict[str, Any]]] = {}
    for contract in linter["contracts"]:
        by_type.setdefault(contract["type"], []).append(contract)
    layers = next(found for found in by_type["layers"] if "containers" not in found)
    siblings = {name for found in by_type["acyclic_siblings"] for name in found["ancestors"]}
    named = {
        "root_packages of [tool.importlinter] in pyproject.toml": set(linter["root_packages"]),
        "layers of the first contract in pyproject.toml, without parentheses": {
            name.strip() for layer in layers["layers"] for name in layer.split("|")
        },
        "ancestors of the contract acyclic_siblings in pyproject.toml": siblings,
        "LOGGED in spider/launch/log.py": set(LOGGED),
    }
    lacking = {place: sorted(code - names) for place, names in named.items() if code - names}
    assert not lacking, f"add to each of these places: {lacking}"


def test_packages_are_typed(root: Path, packages: list[str]) -> None:
    for package in set(packages) - CONFIGURATION:
        assert (root / package / "py.typed").is_file(), f"touch {package}/py.typed"


def test_init_files_hold_a_docstring_only(modules: list[Any]) -> None:
    for module in modules:
        if module.is_package and module.name != PUBLIC:
            (statement,) = module.tree.body
            assert isinstance(statement.value.value, str), module.file


def test_no_module_has_a_forbidden_or_third_party_name(
    modules: list[Any], project: dict[str, Any], packages: list[str]
) -> None:
    wanted = project["project"]
    lines = chain(wanted["dependencies"], *wanted["optional-dependencies"].values())
    declared = {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in lines}  # type: ignore[index]
    third_party = {name.replace("-", "_") for name in declared}
    for name, distributions in packages_distributions().items():
        if {found.lower().replace("_", "-") for found in distributions} & declared:
            third_party.add(name)
    assert {"torch", "yaml", "faiss", "numba"} <= third_party
    for module in modules:
        taken = set(module.name.split(".")) & (third_party | FORBIDDEN_NAMES)
        assert not taken, f"{module.file}: {taken} is a library or says nothing"


def test_tests_are_no_package(root: Path) -> None:
    assert not list((root / "tests").rglob("__init__.py"))


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from spider.cli import main; main(['--help']);"
        "heavy = {'torch', 'numpy', 'hydra', 'transformers', 'faiss', 'numba', 'jnius'};"
        "loaded = sorted(heavy & set(sys.modules)); sys.exit(str(loaded) if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.untraced
def test_importing_any_module_opens_no_socket(modules: list[Any]) -> None:
    names = [module.name for module in modules]
    code = (
        "import importlib, socket, sys\n"
        "def refuse(*a, **k): raise RuntimeError('network at import')\n"
        "socket.socket.connect = refuse\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_annotations_are_checked_in_tests() -> None:
    """The root's conftest.py does it; without it this call would fail by another error."""
    with pytest.raises(TypeCheckError):
        options(3)  # type: ignore[arg-type]
