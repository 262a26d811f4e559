"""The rules that make the house legible, checked."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("spider", "pretrain", "index", "eval", "jamba_reader")
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "base", "manager"}
FORBIDDEN_WORDS = re.compile(r"\b(ctx|psg|psgs|ctxs)\b")
#: names of file formats and of their fields, which are not ours to choose
FORMAT_WORDS = re.compile(r"psgs_w100|positive_ctxs|negative_ctxs|\"ctxs\"|'ctxs'|`ctxs`")


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_package_is_packed_and_layered() -> None:
    settings = project()
    tool = settings["tool"]
    assert isinstance(tool, dict)
    packages = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").is_file()}
    assert packages == set(tool["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert packages - {"conf"} == set(tool["importlinter"]["root_packages"])


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_init_files_hold_a_docstring_only() -> None:
    for file in MODULES:
        if file.name == "__init__.py":
            body = ast.parse(file.read_text(encoding="utf-8")).body
            assert len(body) == 1, file
            assert isinstance(body[0], ast.Expr), file


def test_no_module_has_a_forbidden_or_third_party_name() -> None:
    third_party = {"torch", "faiss", "transformers", "datasets", "hydra", "numba", "tokenizers"}
    for file in MODULES:
        assert file.stem not in FORBIDDEN_NAMES | third_party, file


def test_forbidden_words_stay_out_of_the_code() -> None:
    for file in MODULES:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            assert not FORBIDDEN_WORDS.search(FORMAT_WORDS.sub("", line)), f"{file}:{number}"


def test_tests_are_no_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_nouns_do_not_import_verbs() -> None:
    verbs = {
        re.search(r"^verb_module: (\S+)", file.read_text(encoding="utf-8"), re.M)[1]  # type: ignore[index]
        for file in (ROOT / "conf").glob("*.yaml")
    }
    for file in MODULES:
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in verbs:
                pytest.fail(f"{name} imports the verb {node.module}")


def test_no_pickle_and_no_eval_of_data() -> None:
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & {"pickle", "dill"}, file
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, f"{file}:{node.lineno}"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from spider.cli import main; main(['--help']);"
        "heavy = {'torch', 'numpy', 'hydra', 'transformers', 'faiss', 'numba', 'jnius'};"
        "loaded = sorted(heavy & set(sys.modules)); sys.exit(str(loaded) if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_any_module_opens_no_socket() -> None:
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in MODULES
    ]
    code = (
        "import importlib, socket, sys\n"
        "def refuse(*a, **k): raise RuntimeError('network at import')\n"
        "socket.socket.connect = refuse\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_changelog_names_this_version() -> None:
    settings = project()["project"]
    assert isinstance(settings, dict)
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in text or f"## {settings['version']}" in text


def test_only_the_module_of_compilation_takes_the_compiler_from_numba() -> None:
    compilers = {"jit", "njit", "vectorize", "guvectorize", "generated_jit", "stencil", "cfunc"}
    benchmarks = sorted((ROOT / "benchmarks").rglob("*.py"))
    for file in [*MODULES, *benchmarks]:
        if file == ROOT / "spider" / "compilation.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "numba":
                taken = {alias.name for alias in node.names} & compilers
            elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "numba":
                taken = {node.attr} & compilers
            else:
                continue
            assert not taken, f"{file}:{node.lineno} imports {taken}; take spider.compilation.njit"
