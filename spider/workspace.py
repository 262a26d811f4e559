"""The workspace that was used last, so that ``spider search`` need not be told."""

from pathlib import Path

from spider.atomic_files import write_text

ROOT = Path("spider-work")
POINTER = ".last"
DEFAULT = "default"


def remember(workspace: Path) -> None:
    """Note a workspace as the last one used, for commands run from this folder."""
    ROOT.mkdir(exist_ok=True)
    write_text(ROOT / POINTER, f"{workspace}\n")


def last_workspace() -> str:
    """Return the workspace used last from this folder, or the default one."""
    pointer = ROOT / POINTER
    if pointer.is_file():
        return pointer.read_text(encoding="utf-8").strip()
    return str(ROOT / DEFAULT)
