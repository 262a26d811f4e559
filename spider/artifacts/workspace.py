"""The choice of a workspace when none is named."""

import hashlib
import logging
import os
import re
from pathlib import Path

from spider.artifacts.atomic_files import write_text
from spider.artifacts.inventory import workspaces_in
from spider.errors import SpiderError
from spider.reading import read_text

ROOT = Path("spider-work")
POINTER = ".last"
DEFAULT = "default"
QUICKSTART = "quickstart"
INDEX = "index"

logger = logging.getLogger(__name__)


def remember(workspace: Path) -> None:
    """Record a workspace as the last one used: from this folder, and by this user anywhere."""
    try:
        ROOT.mkdir(exist_ok=True)
        write_text(ROOT / POINTER, f"{workspace}\n")
    except OSError as error:
        # not an error: the artifacts are in the workspace
        logger.warning(
            "cannot record the last workspace in this folder (%s): give --workspace to search",
            error.strerror,
        )
    try:
        pointer = user_pointer()
        pointer.parent.mkdir(parents=True, exist_ok=True)
        write_text(pointer, f"{workspace.absolute()}\n")
    except (OSError, RuntimeError) as error:
        logger.debug("cannot record the last workspace of this user: %s", error)


def last_workspace() -> str:
    """Return the workspace used last: from this folder, else anywhere by this user.

    One without an index is passed over, so that a folder that was deleted, or a run that failed
    before it had an index, does not hide another.
    """
    here = _noted(ROOT / POINTER)
    default = str(ROOT / DEFAULT)
    try:
        anywhere = _noted(user_pointer())
    except RuntimeError:  # there is no home
        anywhere = None
    for candidate in (here, default, anywhere):
        if candidate is not None and (Path(candidate) / INDEX).is_dir():
            return candidate
    return here or default


def forget(workspace: Path) -> str | None:
    """Put another workspace in the place of one that was removed, where that was used last.

    Returns:
        The workspace in the same folder that changed last and has an index, if it is the last one
        now.
    """
    others = [one for one in workspaces_in(workspace.parent) if INDEX in one.artifacts]
    newest = max(others, key=lambda one: one.changed, default=None)
    noted = False
    for pointer, absolute in _pointers():
        name = _noted(pointer)
        if name is None or Path(name).absolute() != workspace.absolute():
            continue
        noted = True
        try:
            if newest is None:
                pointer.unlink()
            else:
                write_text(pointer, f"{newest.path.absolute() if absolute else newest.path}\n")
        except OSError as error:
            # not an error: a workspace without an index is passed over
            logger.debug("cannot update %s: %s", pointer, error)
    return str(newest.path) if noted and newest is not None else None


def _pointers() -> list[tuple[Path, bool]]:
    """Return the files that name the last workspace, and whether by an absolute path."""
    try:
        return [(ROOT / POINTER, False), (user_pointer(), True)]
    except RuntimeError:  # there is no home
        return [(ROOT / POINTER, False)]


def user_pointer() -> Path:
    """Return the file that names the workspace that this user used last."""
    return user_state() / "last-workspace"


def user_state() -> Path:
    """Return the folder for what is kept of a user (XDG base directory specification).

    Raises:
        RuntimeError: there is no home.
    """
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    # the specification: a relative path is ignored
    base = state if state.is_absolute() else Path.home() / ".local" / "state"
    return base / "spider-odqa"


def _noted(pointer: Path) -> str | None:
    if not pointer.is_file():
        return None
    try:
        return read_text(pointer).strip() or None
    except SpiderError as error:
        logger.warning("%s", error)
        return None


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
