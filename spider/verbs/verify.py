"""``spider verify``: reads every byte of artifacts and compares it with their manifests."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from spider.console import say, say_json
from spider.errors import ArtifactError
from spider.health.artifacts import MIB, Verification, artifacts_below, verify
from spider.launch.entrypoint import launch
from spider.printable import counted
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class VerifySettings:
    """Settings of ``spider verify``.

    Attributes:
        folder: a workspace, a folder of workspaces, or one artifact; null takes ``workspace``.
        workspace: the workspace; by default the one used last.
        json: print one JSON object a line for each artifact.
    """

    positionals: ClassVar[tuple[str, ...]] = ("folder",)

    folder: Path | None = None
    workspace: Path = Path("spider-work/default")
    json: Execution[bool] = False


def main(settings: VerifySettings) -> None:
    """Print one line for each artifact, and one for each difference.

    Raises:
        ArtifactError: an artifact is damaged, a folder cannot be looked into, or there is none.
    """
    place = settings.workspace if settings.folder is None else settings.folder
    started, size = time.monotonic(), 0
    damaged: list[Path] = []
    unread: list[Path] = []
    places = artifacts_below(place)
    for path in places:
        found = verify(path)
        size += found.size
        if found.damage:
            (damaged if found.readable else unread).append(path)
        if settings.json:
            say_json({**asdict(found), "path": str(path)})
        else:
            _show(found)
    if not settings.json:
        seconds = time.monotonic() - started
        n_artifacts = len(places) - len(unread)
        say(f"artifacts: {n_artifacts}, {size / MIB:,.1f} MiB read in {seconds:.1f} s")
    what = []
    if damaged:
        n_artifacts = len(places) - len(unread)
        what.append(
            f"damaged: {len(damaged)} of {counted(n_artifacts, 'artifact')}: "
            f"{', '.join(map(str, damaged))}"
        )
    if unread:
        what.append(f"folders that cannot be looked into: {', '.join(map(str, unread))}")
    if what:
        raise ArtifactError(f"{'; '.join(what)}; the lines above name each file and its fix")


def _show(found: Verification) -> None:
    state = "DAMAGED" if found.damage else "ok"
    if found.readable:
        say(f"{state:<8} {found.path}: {counted(found.files, 'file')}, {found.size / MIB:,.1f} MiB")
    else:
        say(f"{'UNREAD':<8} {found.path}")
    for line in found.damage:
        say(f"{'':<8} {line}")
    for line in found.notes:
        say(f"{'':<8} note: {line}")
    if found.damage:
        say(f"{'':<8} fix: {found.remedy}")


if __name__ == "__main__":
    launch(main, verb="verify")
