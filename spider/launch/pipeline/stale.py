"""Removes measures of documents that have changed since: a run or a report of an earlier index."""

import logging
from pathlib import Path

from spider.artifacts.folder.manifest import MANIFEST, read_manifest
from spider.artifacts.inventory import remove_files
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
        manifest = read_manifest(output)
    except ArtifactError:
        return False
    if manifest["kind"] not in KINDS:
        return False
    remove_files(output, manifest)
    logger.info("removed %s, which was about earlier documents", output)
    return True
