"""Removes measures of documents that have changed since: a run or a report of an earlier index."""

import logging
from contextlib import suppress
from pathlib import Path, PurePosixPath

from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder.manifest import MANIFEST
from spider.errors import ArtifactError

KINDS = ("run", "report")

logger = logging.getLogger(__name__)


def remove_stale_measure(output: Path, workspace: Path) -> bool:
    """Remove a run or a report, but only files that its manifest lists.

    What a person put beside them stays, with the folder.

    Args:
        output: the artifact; another kind of artifact, and anything else, is left alone.
        workspace: the folder that has to hold it.

    Returns:
        Whether there was one.
    """
    if output.parent != workspace or output.is_symlink() or not (output / MANIFEST).is_file():
        return False
    try:
        artifact = open_artifact(output)
    except ArtifactError:
        return False
    if artifact.kind not in KINDS:
        return False
    names = [PurePosixPath(name) for name in artifact.manifest["files"]]
    if any(name.is_absolute() or ".." in name.parts for name in names):
        return False
    # the manifest first: after a kill, what is left is no artifact
    (output / MANIFEST).unlink()
    folders = {output}
    for name in names:
        parents = [output.joinpath(*name.parts[:depth]) for depth in range(1, len(name.parts))]
        if not any(parent.is_symlink() for parent in parents):
            (output / name).unlink(missing_ok=True)
            folders.update(parents)
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        with suppress(OSError):  # it holds something else
            folder.rmdir()
    logger.info("removed %s, which was about earlier documents", output)
    return True
