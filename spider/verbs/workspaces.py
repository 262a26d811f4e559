"""``spider workspaces``: lists the workspaces of a folder, or removes one."""

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from spider.artifacts.folder.file_table import is_plain_name
from spider.artifacts.inventory import Workspace, removable, remove, workspaces_in
from spider.artifacts.workspace import ROOT, forget
from spider.console import say, say_json
from spider.errors import ConfigError
from spider.launch.entrypoint import launch
from spider.printable import printable
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class WorkspacesSettings:
    """Settings of ``spider workspaces``.

    Attributes:
        root: the folder of the workspaces.
        remove: name of the workspace in it that is removed.
        yes: remove it without asking.
        json: print one JSON object a line for each workspace.
    """

    root: Execution[Path] = ROOT
    remove: Execution[str | None] = None
    yes: Execution[bool] = False
    json: Execution[bool] = False


def main(settings: WorkspacesSettings) -> None:
    """List the workspaces, or remove one."""
    if settings.remove is not None:
        _remove(settings, settings.remove)
        return
    found = workspaces_in(settings.root)
    for workspace in found:
        if settings.json:
            say_json(_record(workspace))
        else:
            _show(workspace)
    if not settings.json:
        if found:
            say("To remove one: spider workspaces --remove NAME")
        else:
            say(f"no workspace in {settings.root}; spider quickstart [FOLDER] makes one")


def _remove(settings: WorkspacesSettings, name: str) -> None:
    if not is_plain_name(name) or not name.strip():
        raise ConfigError(
            f"remove={name!r}: expected the name of a workspace in {settings.root}; root=FOLDER "
            "names another folder of workspaces"
        )
    path = settings.root / name
    found = removable(path)
    if not settings.yes:
        _show(found)
        if not sys.stdin.isatty():
            raise ConfigError(f"{path} is removed only with --yes, since nobody can be asked here")
        if input(printable(f"remove {path}? type yes: ")).strip().lower() != "yes":
            say("nothing was removed")
            return
    left = remove(path)
    say(f"removed the artifacts in {path}" if left else f"removed {path}")
    for file in left:
        say(f"  left, since this program did not write it: {file}")
    if (last := forget(path)) is not None:
        say(f"{last} is the last workspace now: search takes it where none is named")


def _show(workspace: Workspace) -> None:
    changed = datetime.fromtimestamp(workspace.changed).strftime("%Y-%m-%d %H:%M")
    say(f"{workspace.path.name}  {_size(workspace.size)}  {changed}  {workspace.source}")
    say(f"    {', '.join(map(_described, workspace.artifacts)) or 'no artifact'}")
    if workspace.foreign:
        say(f"    not written by this program: {', '.join(workspace.foreign)}")


def _described(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    state = {"partial": "unfinished", "old": "replaced"}.get(suffix) if dot else None
    return f"{stem} ({state})" if state else name


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 50_000 else f"{size / 1e3:,.1f} kB"


def _record(workspace: Workspace) -> dict[str, object]:
    return {
        "name": workspace.path.name,
        "path": str(workspace.path),
        "bytes": workspace.size,
        "changed": datetime.fromtimestamp(workspace.changed).astimezone().isoformat(),
        "source": workspace.source,
        "artifacts": list(workspace.artifacts),
        "foreign": list(workspace.foreign),
    }


if __name__ == "__main__":
    launch(main, verb="workspaces")
