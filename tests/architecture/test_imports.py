"""How modules import each other, beyond what import-linter checks."""

import ast
from typing import Any

#: modules that can run code found in data
UNSAFE = {"pickle", "dill", "marshal", "shelve"}


def test_imports_are_absolute_and_name_what_they_take(modules: list[Any]) -> None:
    for module in modules:
        for name, line in module.imports():
            assert not name.startswith("."), f"{module.file}:{line}: a relative import"
            assert not name.endswith(".*"), f"{module.file}:{line}: a star import"


def test_nothing_imports_a_command(modules: list[Any]) -> None:
    """Commands are the modules in ``PACKAGE/verbs``; the console script starts them by name."""
    ours = {module.package for module in modules}
    for module in modules:
        for name, line in module.imports():
            package, _, rest = name.partition(".")
            assert not (package in ours and rest.split(".")[0] == "verbs"), (
                f"{module.file}:{line} imports the command {name}: move what it needs out of verbs/"
            )


def test_no_pickle_and_no_eval_of_data(modules: list[Any]) -> None:
    for module in modules:
        for name, line in module.imports():
            assert name.split(".")[0] not in UNSAFE, f"{module.file}:{line} imports {name}"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, f"{module.file}:{node.lineno}"


def test_only_the_compilation_module_takes_a_compiler_from_numba(modules: list[Any]) -> None:
    """Its ``njit`` keys the cache by content; numba's own returns stale code (see there)."""
    compilers = {"jit", "njit", "vectorize", "guvectorize", "stencil", "cfunc"}
    for module in modules:
        if module.name == "spider.compilation":
            continue
        taken = {name.removeprefix("numba.") for name, _ in module.imports()}
        taken |= {
            node.attr
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "numba"
        }
        assert not taken & compilers, f"{module.file}: import njit from spider.compilation"
