"""The choice of a workspace when none is named."""

import hashlib
import logging
import os
import re
from pathlib import Path

from spider.artifacts.atomic_files import write_text

ROOT = Path("spider-work")
POINTER = ".last"
DEFAULT = "default"
QUICKSTART = "quickstart"

logger = logging.getLogger(__name__)


def remember(workspace: Path) -> None:
    """Record a workspace as the last one used, for commands run from this folder."""
    try:
        ROOT.mkdir(exist_ok=True)
        write_text(ROOT / POINTER, f"{workspace}\n")
    except OSError as error:
        # not an error: the artifacts are in the workspace
        logger.warning(
            "cannot record the last workspace in this folder (%s): give --workspace to search",
            error.strerror,
        )


def last_workspace() -> str:
    """Return the workspace used last from this folder, or the default one."""
    pointer = ROOT / POINTER
    if pointer.is_file():
        return pointer.read_text(encoding="utf-8").strip()
    return str(ROOT / DEFAULT)


def workspace_of(data: str | None) -> str:
    """Return the quickstart's workspace for a folder of documents, or for Python's documentation.

    It is named after the folder, with a digest of its path, since many folders are called notes.
    """
    if not data:
        return str(ROOT / QUICKSTART)
    # Path.expanduser raises where ~NAME is no user; the setting's own check then says so
    folder = Path(os.path.expanduser(data)).resolve()  # noqa: PTH111
    name = re.sub(r"[^\w.-]+", "-", folder.name).strip("-") or "documents"
    digest = hashlib.blake2b(str(folder).encode(errors="replace"), digest_size=2).hexdigest()
    return str(ROOT / f"{name}-{digest}")
