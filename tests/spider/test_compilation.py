"""The cache of kernels follows content: imported helpers, environment, and nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numba
import pytest

from spider import compilation

pytestmark = pytest.mark.slow

ROOT = Path(compilation.__file__).parents[1]

HELPER = '''"""A helper."""
from spider.compilation import njit
from tiny.constants import FACTOR

@njit
def scaled(x):
    """Scale."""
    # a comment
    return x * FACTOR
'''
KERNEL = """from spider.compilation import njit
from tiny.helper import scaled

@njit(error_model="numpy")
def plus_one(x):
    return scaled(x) + 1

def report(x):
    print(plus_one(x), sum(plus_one.stats.cache_hits.values()))
"""


class Package:
    """A package with a kernel, a helper and a constant, and a folder for its machine code."""

    def __init__(self, folder: Path, cache: Path):
        self.folder, self.cache = folder, cache
        (folder / "tiny").mkdir(parents=True)
        self.write("__init__", "")
        self.write("constants", "FACTOR = 10\n")
        self.write("helper", HELPER)
        self.write("kernel", KERNEL)

    def write(self, module: str, text: str) -> None:
        file = self.folder / "tiny" / f"{module}.py"
        file.write_text(text)
        os.utime(file, (time.time() - 100,) * 2)

    def run(self, code: str = "report(4)", **variables: str) -> list[str]:
        """Call the kernel in a new process; returns its result and the number of cache hits."""
        done = subprocess.run(
            [sys.executable, "-c", f"from tiny.kernel import *; {code}"],
            capture_output=True,
            text=True,
            check=True,
            env={**self.environment(), **variables},
        )
        return done.stdout.split()

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": f"{self.folder}:{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": str(self.cache),
        }

    def entries(self, suffix: str = "nbc") -> list[Path]:
        return sorted(self.cache.rglob(f"*.{suffix}"))


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package(tmp_path / "first", tmp_path / "cache")


def test_a_changed_helper_changes_the_kernel(package: Package) -> None:
    assert package.run() == ["41", "0"]
    assert package.run() == ["41", "1"]
    package.write("helper", HELPER.replace("x * FACTOR", "x * FACTOR + 100"))
    assert package.run() == ["141", "0"]


def test_a_changed_constant_of_an_import_of_an_import_changes_the_kernel(package: Package) -> None:
    assert package.run() == ["41", "0"]
    package.write("constants", "FACTOR = 100\n")
    assert package.run() == ["401", "0"]
    package.write("constants", "FACTOR = 10\n")
    assert package.run() == ["41", "1"], "the first content is still there"


def test_prose_and_positions_compile_nothing(package: Package) -> None:
    package.run()
    package.write("helper", "\n\n" + HELPER.replace("a comment", "better").replace("Scale", "S"))
    package.write("kernel", "# moved down\n\n\n" + KERNEL)
    assert package.run() == ["41", "1"]


def test_a_second_checkout_starts_warm_and_stays_apart(package: Package, tmp_path: Path) -> None:
    package.run()
    other = Package(tmp_path / "second", package.cache)
    assert other.run() == ["41", "1"]
    other.write("constants", "FACTOR = 2\n")
    assert other.run() == ["9", "0"]
    assert package.run() == ["41", "1"]


def test_compiler_options_and_processors_have_their_own_entries(package: Package) -> None:
    package.run()
    assert package.run(NUMBA_OPT="1") == ["41", "0"]
    assert package.run(NUMBA_CPU_NAME="generic") == ["41", "0"]
    assert package.run() == ["41", "1"]


def test_signatures_have_their_own_files(package: Package) -> None:
    package.run()
    before = set(package.entries())
    assert package.run("report(0.5)") == ["6.0", "0"]
    assert before < set(package.entries())
    assert package.run("report(4); report(0.5)") == ["41", "1", "6.0", "2"]


def test_processes_that_compile_at_once_agree(package: Package) -> None:
    # the order of signatures differs: numba's own index could give one the code of the other
    code = ["report(4); report(0.5)", "report(0.5); report(4)"]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", f"from tiny.kernel import *; {code[number % 2]}"],
            env=package.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for child in children:
        child.communicate()
        assert child.returncode == 0
    assert package.run("report(4); report(0.5)") == ["41", "1", "6.0", "2"]


def test_a_torn_file_is_compiled_again(package: Package) -> None:
    package.run()
    for entry in [*package.entries(), *package.entries("nbi")]:
        entry.write_bytes(entry.read_bytes()[:20])
    assert package.run() == ["41", "0"]
    assert package.run() == ["41", "1"]


def test_a_folder_that_cannot_be_written_costs_a_compilation_only(
    package: Package, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    assert package.run(NUMBA_CACHE_DIR=str(blocked)) == ["41", "0"]


def test_without_compilation_the_function_stays_python(package: Package) -> None:
    code = "print(plus_one(4), plus_one.__class__.__name__)"
    assert package.run(code, NUMBA_DISABLE_JIT="1") == ["41", "function"]
    assert package.entries() == []


def test_a_source_that_changed_after_the_import_is_not_cached(package: Package) -> None:
    edit = (
        "import pathlib, time, tiny.helper; time.sleep(0.1);"
        "file = pathlib.Path(tiny.helper.__file__);"
        "file.write_text(file.read_text().replace('x * FACTOR', 'x * FACTOR + 100'));"
        "report(4)"
    )
    assert package.run(edit) == ["41", "0"]
    assert package.run() == ["141", "0"], "old code must not carry the key of the new source"


def test_the_function_is_compiled_with_its_options() -> None:
    @compilation.njit(error_model="numpy")
    def divided(x: float) -> float:
        return x / 0.0

    assert divided(1.0) == float("inf")
    assert divided.stats.cache_path is None, "a module outside of a package has no key"  # type: ignore[attr-defined]


def test_a_function_with_a_closure_is_not_cached() -> None:
    offset = 3

    @compilation.njit
    def moved(x: int) -> int:
        return x + offset

    assert moved(1) == 4
    assert not isinstance(moved._cache, compilation.KernelCache)  # type: ignore[attr-defined]


def test_old_generations_go(tmp_path: Path) -> None:
    now = time.time()
    ages = {f"recent{number}": number for number in range(compilation.GENERATIONS + 2)}
    for name, days in ages.items():
        folder = tmp_path / "module" / name
        folder.mkdir(parents=True)
        (folder / "kernel.nbc").write_bytes(b"code")
        os.utime(folder, (now - days * 24 * 3600,) * 2)
    unused = tmp_path / "gone" / "old"
    unused.mkdir(parents=True)
    os.utime(unused, (now - (compilation.UNUSED_DAYS + 1) * 24 * 3600,) * 2)
    compilation.remove_old_generations(tmp_path)
    kept = {folder.name for folder in (tmp_path / "module").iterdir()}
    assert kept == {f"recent{number}" for number in range(compilation.GENERATIONS)}
    assert not unused.exists()


def test_the_fingerprint_covers_what_a_kernel_imports() -> None:
    name = "spider.text.words"
    __import__(name)
    assert compilation.fingerprint(name) is not None
    assert compilation.fingerprint("no_such_package.module") is None
    assert numba.__version__ in compilation.environment()


def test_a_user_without_a_home_gets_no_folder_of_that_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    # what Python returns for a user id without an entry and without HOME
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    found = compilation.cache_root.__wrapped__()
    assert found is None or found.is_absolute()
    assert not list(tmp_path.iterdir())


def test_a_machine_without_a_folder_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(blocked))
    assert compilation.cache_root.__wrapped__() is None
    assert "set NUMBA_CACHE_DIR to a folder that can" in caplog.text
