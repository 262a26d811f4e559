"""``spider verify``: reads every byte of artifacts and compares it with their manifests."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from spider.console import say
from spider.errors import ArtifactError
from spider.health.artifacts import MIB, artifacts_below, verify
from spider.launch.entrypoint import launch


@dataclass(frozen=True, kw_only=True)
class VerifySettings:
    """Settings of ``spider verify``.

    Attributes:
        folder: a workspace, a folder of workspaces, or one artifact; null takes ``workspace``.
        workspace: the workspace; by default the one used last.
    """

    positionals: ClassVar[tuple[str, ...]] = ("folder",)

    folder: Path | None = None
    workspace: Path = Path("spider-work/default")


def main(settings: VerifySettings) -> None:
    """Print one line for each artifact, and one for each difference.

    Raises:
        ArtifactError: an artifact is damaged, or there is none.
    """
    place = settings.workspace if settings.folder is None else settings.folder
    started, damaged, size = time.monotonic(), [], 0
    places = artifacts_below(place)
    for path in places:
        found = verify(path)
        size += found.size
        state = "DAMAGED" if found.damage else "ok"
        say(f"{state:<8} {path}: {found.files} files, {found.size / MIB:,.1f} MiB")
        for line in found.damage:
            say(f"{'':<8} {line}")
        for line in found.notes:
            say(f"{'':<8} note: {line}")
        if found.damage:
            damaged.append(path)
            say(f"{'':<8} fix: {found.remedy}")
    seconds = time.monotonic() - started
    say(f"artifacts: {len(places)}, {size / MIB:,.1f} MiB read in {seconds:.1f} s")
    if damaged:
        raise ArtifactError(
            f"{len(damaged)} of {len(places)} artifacts are damaged: "
            f"{', '.join(map(str, damaged))}; the lines above name each file and its fix"
        )


if __name__ == "__main__":
    launch(main, verb="verify")
