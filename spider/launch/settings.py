"""Settings that verbs share: folders of artifacts, and fields that the launcher fills in."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class WorkspaceSettings:
    """Settings of a verb that works in a workspace.

    Attributes:
        workspace: folder that holds the artifacts of one undertaking.
    """

    workspace: Execution[Path] = Path("spider-work/default")


@dataclass(frozen=True, kw_only=True)
class StageSettings(WorkspaceSettings):
    """Settings of a verb that writes an artifact.

    Attributes:
        output: folder of the artifact that is written.
        overwrite: replace an output that was made from other settings or inputs.
        resolved: filled by the launcher: the settings that decide the content.
        given: filled by the launcher: names of the settings that were typed.
    """

    output: Execution[Path]
    overwrite: Execution[bool] = False
    resolved: dict[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()
