"""Health checks: what works on this machine, and the command that fixes what does not."""

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from spider.health.finding import Finding
from spider.memory import available_memory
from spider.sources.extraction.file_types import file_types
from spider.sources.files.compression import ZSTANDARD

GIB = 1 << 30


class PythonCheck:
    """The interpreter's version."""

    def findings(self) -> Iterator[Finding]:
        """Compare the interpreter with the tested versions."""
        version = ".".join(map(str, sys.version_info[:3]))
        supported = (3, 11) <= sys.version_info[:2] < (3, 14)
        yield Finding(
            "ok" if supported else "warn",
            "python",
            f"{version} at {sys.executable}",
            "" if supported else "use Python 3.11, 3.12 or 3.13",
        )


class TorchCheck:
    """PyTorch and its devices."""

    def findings(self) -> Iterator[Finding]:
        """Say which device training and encoding would use."""
        if importlib.util.find_spec("torch") is None:
            yield Finding("fail", "torch", "not installed", "pip install torch")
            return
        import torch

        if torch.cuda.is_available():
            yield Finding("ok", "torch", f"{torch.__version__}, {torch.cuda.get_device_name(0)}")
        else:
            threads = torch.get_num_threads()
            yield Finding("ok", "torch", f"{torch.__version__}, CPU with {threads} threads")


class FaissCheck:
    """FAISS: exactly one of its two builds may be installed."""

    def findings(self) -> Iterator[Finding]:
        """Look for the two distributions that write the same files."""
        builds = [name for name in ("faiss-cpu", "faiss-gpu") if _version(name)]
        if not builds:
            fix = "pip install 'spider-odqa[cpu]'"
            yield Finding("warn", "faiss", "not installed: only dense=exact works", fix)
        elif len(builds) == 2:
            fix = "pip uninstall -y faiss-cpu faiss-gpu && pip install faiss-cpu"
            yield Finding("fail", "faiss", "faiss-cpu and faiss-gpu overwrite each other", fix)
        else:
            yield Finding("ok", "faiss", f"{builds[0]} {_version(builds[0])}")


class FormatsCheck:
    """Optional packages that sources need for further file formats."""

    def findings(self) -> Iterator[Finding]:
        """Name the extra of each missing package."""
        types = file_types()
        needs = {"zst": ZSTANDARD} | {
            kind.suffixes[0][1:]: kind.package for kind in types if kind.package is not None
        }
        missing = {name: package for name, package in needs.items() if not package.installed}
        if missing:
            extras = ",".join(sorted({package.extra for package in missing.values()}))
            fix = f"pip install 'spider-odqa[{extras}]'"
            yield Finding("warn", "formats", f"cannot be read: {', '.join(sorted(missing))}", fix)
        else:
            yield Finding("ok", "formats", f"{', '.join(sorted(needs))} can be read")


class MemoryCheck:
    """Cores, memory, and free disk space."""

    def findings(self) -> Iterator[Finding]:
        """Report cores and free memory and disk space."""
        yield Finding("ok", "cores", str(os.cpu_count()))
        available = available_memory()
        if available is not None:
            level: Literal["ok", "warn"] = "ok" if available >= 2 * GIB else "warn"
            fix = "" if level == "ok" else "close other programs: training needs about 2 GiB"
            yield Finding(level, "memory", f"{available / GIB:.1f} GiB available", fix)
        free = shutil.disk_usage(Path.cwd()).free
        enough = free >= GIB
        yield Finding(
            "ok" if enough else "warn",
            "disk",
            f"{free / GIB:.1f} GiB free here",
            "" if enough else "choose a workspace on another disk: workspace=FOLDER",
        )


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
