"""The compiler of every numba kernel: ``njit`` with a cache that is keyed by content.

numba's own cache watches the file of a kernel only. After an edit of a helper in another file it
returns the old machine code. Here the key of a kernel covers everything that the machine code
depends on: the kernel's module, every module of ours that it imports (transitively), the versions
of numba, llvmlite and Python, numba's compiler options, and the processor. A module counts by its
syntax tree without docstrings, comments and positions, so an edit of prose compiles nothing.

The cache is in ``NUMBA_CACHE_DIR`` if that is set, else in ``spider-odqa/kernels`` of
``$XDG_CACHE_HOME`` (``~/.cache`` by default). If that folder cannot be written, it is beside this
package. If nothing can be written, each process compiles, and a warning says so. Content is the
key, so all checkouts on a machine share the cache, and a fresh clone finds it filled. Deleting the
folder is always safe.

    KERNELS/MODULE/GENERATION/FUNCTION-OVERLOAD.nbi and .nbc

A generation is one content of a module and its imports. Each overload has its own pair of files:
processes that compile at the same time can only replace a file by an equal one. The newest
``GENERATIONS`` of a module are kept. Generations unused for ``UNUSED_DAYS`` are removed.

Importing numba takes half a second: only modules that hold kernels import this one.
"""

import ast
import functools
import hashlib
import logging
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, overload

import llvmlite
import numba
from numba.core import compiler
from numba.core.caching import IndexDataCacheFile, _Cache
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaWarning

logger = logging.getLogger(__name__)

Function = TypeVar("Function", bound=Callable[..., Any])

GENERATIONS = 6
"""How many contents of one module keep their machine code: enough for several checkouts."""

UNUSED_DAYS = 30

_IMPORTED = time.time()

_SHARED_PACKAGE = __name__.partition(".")[0]
_OPTIONS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")


@overload
def njit(function: Function, /) -> Function: ...
@overload
def njit(**options: Any) -> Callable[[Function], Function]: ...
def njit(function: Any = None, /, **options: Any) -> Any:
    """Compile a function with ``numba.njit`` and cache its machine code by content.

    The cache is always on. Two kinds of functions are compiled in each process, because their key
    cannot be computed: those with a closure, and those outside an importable package.

    Args:
        function: the kernel, where the decorator is used without parentheses.
        **options: the options of ``numba.njit``, without ``cache``.
    """
    if function is None:
        return lambda kernel: njit_with(kernel, options)
    return njit_with(function, {})


def njit_with(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Compile one function; with ``NUMBA_DISABLE_JIT=1`` numba returns it unchanged."""
    kernel = numba.njit(**options)(function)
    if isinstance(kernel, Dispatcher) and function.__closure__ is None:
        kernel._cache = KernelCache(function)  # type: ignore[attr-defined]
    return kernel


class KernelCache(_Cache):  # type: ignore[misc]
    """The machine code of one kernel on disk, one entry for each signature and processor.

    numba calls it through the interface of its own ``FunctionCache``. Nothing is hashed or read
    before the first call of the kernel. A cache that cannot be read or written costs a compilation
    and never an error.

    Args:
        function: the Python function of the kernel.
    """

    def __init__(self, function: Callable[..., Any]):
        self._function = function
        self._enabled = True

    @functools.cached_property
    def _folder(self) -> Path | None:
        generation = fingerprint(self._function.__module__)
        root = cache_root()
        if generation is None or root is None:
            return None
        return root / self._function.__module__ / generation

    @property
    def cache_path(self) -> str | None:
        """The folder of the kernel's entries; None where nothing can be cached."""
        return None if self._folder is None else str(self._folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled overload for a signature; None if it has to be compiled."""
        target_context.refresh()
        key = self._key(sig, target_context.codegen())
        if key is None:
            return None
        # incomplete or foreign files raise any error that unpickling can raise
        with suppress(Exception):
            stored = self._entry(key).load(key)
            if stored is not None:
                _mark_used(self._folder)
                return compiler.CompileResult._rebuild(target_context, *stored)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save a compiled overload."""
        key = self._key(sig, data.codegen)
        if key is None or self._folder is None:
            return
        if data.library.has_dynamic_globals or any(not code.can_cache for code in data.lifted):
            warnings.warn(
                f"{self._function.__module__}.{self._function.__qualname__} is compiled in every "
                "process: it uses addresses or large arrays as constants",
                NumbaWarning,
                stacklevel=2,
            )
            return
        # a full disk, or a folder that another process has just removed
        with suppress(OSError):
            if not self._folder.is_dir():
                self._folder.mkdir(parents=True, exist_ok=True)
                remove_old_generations(self._folder.parent.parent)
            entry = self._entry(key)
            # writes an empty index without reading the old one, which may be incomplete
            entry.flush()
            entry.save(key, data._reduce())

    def enable(self) -> None:
        """Use the cache."""
        self._enabled = True

    def disable(self) -> None:
        """Compile in this process, without the cache."""
        self._enabled = False

    def flush(self) -> None:
        """Remove the entries of this content of the module."""
        if self._folder is not None:
            for file in self._folder.glob(f"{_file_name(self._function)}-*"):
                file.unlink(missing_ok=True)

    def _key(self, signature: Any, codegen: Any) -> tuple[Any, ...] | None:
        # a type that prints an address is different in each process
        if not self._enabled or self._folder is None or " at 0x" in str(signature):
            return None
        code = hashlib.sha256(self._function.__code__.co_code).hexdigest()
        return (signature, codegen.magic_tuple(), code)

    def _entry(self, key: tuple[Any, ...]) -> Any:
        name = f"{_file_name(self._function)}-{_digest(str(key))}"
        return IndexDataCacheFile(str(self._folder), name, environment())


@functools.cache
def cache_root() -> Path | None:
    """Return the folder of all cached kernels; None where no folder can be written."""
    if numba.config.CACHE_DIR:
        candidates = [Path(numba.config.CACHE_DIR) / "spider-odqa-kernels"]
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
        beside = Path(__file__).parent / "__pycache__" / "kernels"
        # a user without a name and HOME leaves "~" as it is: not a folder of that name
        folders = [Path(home)] if Path(home).is_absolute() else []
        candidates = [*(folder / "spider-odqa" / "kernels" for folder in folders), beside]
    for folder in candidates:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
    logger.warning(
        "kernels are compiled again in each process, for some seconds: none of %s can be written; "
        "set NUMBA_CACHE_DIR to a folder that can",
        ", ".join(map(str, candidates)),
    )
    return None


@functools.cache
def environment() -> str:
    """Return the versions and options that machine code depends on."""
    options = [f"{name}={getattr(numba.config, name, None)}" for name in _OPTIONS]
    python = sys.implementation.cache_tag
    return f"{python} numba {numba.__version__} llvmlite {llvmlite.__version__} {' '.join(options)}"


@functools.cache
def fingerprint(module: str) -> str | None:
    """Return a hash of a module, of all modules of ours that it imports, and of the environment.

    Only modules of the module's own top-level package and of ``spider`` count. A package that has
    kernels imports no other package of ours (an import contract).

    Returns:
        The hash. None if the source cannot be found, or if a source has changed since this process
        began to import kernels: the running code may then differ from the files.
    """
    package = module.partition(".")[0]
    if _source(package) is None or _source(module) is None:
        return None
    packages = {package, _SHARED_PACKAGE}
    reached: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _source(name)
        if name in reached or file is None:
            continue
        if file.stat().st_mtime > _IMPORTED:
            return None
        reached[name], imported = _read_source(file)
        waiting += [other for other in imported if other.partition(".")[0] in packages]
    return _digest(environment(), *(f"{name} {reached[name]}" for name in sorted(reached)))


@functools.cache
def _read_source(file: Path) -> tuple[str, tuple[str, ...]]:
    """Return the hash of a module's meaning and the names that it imports."""
    tree = ast.parse(file.read_bytes())
    imported = tuple(sorted(set(_imported_names(tree))))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            # a string alone is documentation: of a function, a class, a module or a constant
            node.body = [line for line in node.body if not _is_string(line)]
    return _digest(ast.dump(tree)), imported


def _is_string(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imported_names(tree: ast.Module) -> Iterator[str]:
    # relative imports do not occur: ruff bans them
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            # a name may be a module of the package or an object in it; a name without a file is
            # skipped
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _source(module: str) -> Path | None:
    """Return the source file of a module, without importing it."""
    package, _, rest = module.partition(".")
    for folder in getattr(sys.modules.get(package), "__path__", ()):
        place = Path(folder, *rest.split(".")) if rest else Path(folder)
        for file in (place.with_name(place.name + ".py"), place / "__init__.py"):
            if (rest or file.name == "__init__.py") and file.is_file():
                return file
    return None


def remove_old_generations(root: Path) -> None:
    """Remove generations beyond the newest of each module, and those unused for ``UNUSED_DAYS``."""
    oldest = time.time() - UNUSED_DAYS * 24 * 3600
    for module in root.iterdir():
        used = sorted(((_last_use(folder), folder) for folder in module.iterdir()), reverse=True)
        for rank, (last_use, folder) in enumerate(used):
            if rank >= GENERATIONS or last_use < oldest:
                shutil.rmtree(folder, ignore_errors=True)


def _last_use(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


@functools.cache
def _mark_used(folder: Path | None) -> None:
    with suppress(OSError):
        if folder is not None:
            os.utime(folder)


def _file_name(function: Callable[..., Any]) -> str:
    return function.__qualname__.replace("<", "").replace(">", "")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
