"""Inputs that nobody named: the manifest of an artifact names what the artifact was made from."""

from pathlib import Path

from spider.artifacts.artifact import Artifact, open_artifact


def find_input(
    name: str, given: Path | None, *, through: Artifact | None, workspace: Path
) -> Artifact:
    """Open an input of a verb.

    Args:
        name: the input's name in manifests and workspaces, which is also its kind.
        given: the folder that a person named; it comes first.
        through: an artifact that the verb reads too. The input that it was made from comes next,
            wherever that is.
        workspace: holds the input where neither says more.

    Raises:
        ArtifactError: the input is missing, of another kind, or changed since ``through`` was made.
    """
    if given is not None:
        return open_artifact(given, kind=name)
    if through is not None and name in through.manifest["inputs"]:
        return through.parent(name)
    return open_artifact(workspace / name, kind=name)
