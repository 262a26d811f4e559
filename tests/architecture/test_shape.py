"""The size and the shape of folders and files, and a test for every module.

Numbers in capitals are ratchets: they count what is left to mend, and only ever shrink (the share
of tests only grows). Each failure lists what it counted.
"""

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

FILES_IN_A_FOLDER = 15
LINES_IN_A_FILE = 250
FILES_WITH_ONE_PREFIX = 2

LONG_FILES = 25
CROWDED_FOLDERS = 0
REPEATED_PREFIXES = 3
MODULES_WITHOUT_A_TEST = 1
#: lines of tests to a line of code
SHARE_OF_TESTS = 0.81


def listed(found: list[str], allowed: int, rule: str) -> str:
    return "\n".join([f"{len(found)} where {allowed} are allowed: {rule}", *found])


def test_files_are_short(modules: list[Any]) -> None:
    long = [
        f"{module.file}: {lines}"
        for module in modules
        if (lines := len(module.text.splitlines())) > LINES_IN_A_FILE
    ]
    assert len(long) <= LONG_FILES, listed(long, LONG_FILES, "split at a seam of the subject")


def test_folders_are_small(modules: list[Any]) -> None:
    sizes = Counter(str(module.file.parent) for module in modules if not module.is_package)
    crowded = [f"{folder}: {n}" for folder, n in sizes.items() if n > FILES_IN_A_FOLDER]
    assert len(crowded) <= CROWDED_FOLDERS, listed(
        crowded, CROWDED_FOLDERS, f"more than {FILES_IN_A_FOLDER} modules: make sub-packages"
    )


def test_a_repeated_prefix_is_a_folder(modules: list[Any]) -> None:
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for module in modules:
        prefix, _, rest = module.file.stem.strip("_").partition("_")
        if rest:
            names[str(module.file.parent), prefix].append(module.file.name)
    repeated = [
        f"{folder}/{prefix}_: {', '.join(files)}"
        for (folder, prefix), files in names.items()
        if len(files) > FILES_WITH_ONE_PREFIX
    ]
    assert len(repeated) <= REPEATED_PREFIXES, listed(
        repeated, REPEATED_PREFIXES, "three files with one prefix are a folder of that name"
    )


def test_every_module_has_a_test(modules: list[Any], root: Path) -> None:
    missing = [
        f"{module.file}: write {test}"
        for module in modules
        if module.package != "conf" and not exempt(module)
        for test in [Path("tests", module.file.parent, f"test_{module.file.name}")]
        if not (root / test).is_file() and not covered_by_its_operation(module, root)
    ]
    assert len(missing) <= MODULES_WITHOUT_A_TEST, listed(
        missing, MODULES_WITHOUT_A_TEST, "a module has a test of its name"
    )


def exempt(module: Any) -> bool:
    """Say whether there is nothing to run: a docstring, an entry point, or protocols alone."""
    if module.is_package or module.file.name == "__main__.py":
        return True
    kinds = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign, ast.AnnAssign)
    rest = [node for node in module.tree.body if not isinstance(node, kinds)]
    return bool(rest) and all(
        isinstance(node, ast.ClassDef)
        and any("Protocol" in ast.unparse(base) for base in node.bases)
        for node in rest
    )


def covered_by_its_operation(module: Any, root: Path) -> bool:
    """Say whether a kernel has a parity test: one that imports it, or its operation's ``op``."""
    found = re.fullmatch(r"(jamba_reader\.ops\.\w+)\.(cpu|gpu)(\.\w+)+", module.name)
    if found is None:
        return False
    folder = root / "tests" / found[1].replace(".", "/")
    wanted = re.compile(rf"\b({re.escape(module.name)}|{re.escape(found[1])}\.op)\b")
    return any(
        wanted.search(file.read_text(encoding="utf-8")) for file in folder.rglob("test_*.py")
    )


def test_there_are_enough_tests(modules: list[Any], root: Path) -> None:
    code = sum(len(module.text.splitlines()) for module in modules)
    tests = sum(
        len(file.read_text(encoding="utf-8").splitlines())
        for file in (root / "tests").rglob("*.py")
    )
    assert tests / code >= SHARE_OF_TESTS, f"{tests} lines of tests to {code} of code"
