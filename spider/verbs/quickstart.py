"""``spider quickstart``: from documents to answered questions in one command.

Without a folder it takes the documentation that every Python has; with one, the user's files.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spider.artifacts.artifact import open_artifact
from spider.artifacts.records.index import IndexRecord
from spider.artifacts.workspace import remember
from spider.console import say
from spider.errors import DataError
from spider.launch.entrypoint import launch
from spider.launch.settings import WorkspaceSettings
from spider.launch.stages import build_stages, run_stages
from spider.training.settings import check_minutes

INDEX = "index"


@dataclass(frozen=True, kw_only=True)
class QuickstartSettings(WorkspaceSettings):
    """Settings of ``spider quickstart``.

    Attributes:
        data: a folder of your documents (txt, md, rst, html, pdf, docx); null takes Python's own
            documentation.
        minutes: training time on your own files; null takes 200 steps.
        retrain: train again where the encoder would be kept although documents changed.
        documentation: the pipeline for Python's own documentation.
        own_files: the pipeline for a folder.
    """

    positionals: ClassVar = ("data",)
    numbered: ClassVar = "workspace"

    data: Path | None = None
    minutes: float | None = None
    retrain: bool = False
    documentation: dict[str, Any]
    own_files: dict[str, Any]

    def __post_init__(self) -> None:
        """Refuse a training time that is not above 0."""
        check_minutes(self.minutes)


def main(settings: QuickstartSettings) -> None:
    """Run the pipeline that fits.

    Raises:
        DataError: the folder is not there.
    """
    if settings.data is not None and not settings.data.exists():
        raise DataError("no such folder", path=settings.data)
    pipeline = settings.documentation if settings.data is None else settings.own_files
    stages = build_stages(pipeline["stages"], where="stages")
    run_stages(stages, workspace=settings.workspace, retrain=settings.retrain)
    remember(settings.workspace)
    say()
    if IndexRecord.from_manifest(open_artifact(settings.workspace / INDEX)).dense is None:
        say("These documents are too few or too short to train an encoder, so BM25 is used alone.")
    say(f"Everything is in {settings.workspace}. To ask a question:")
    say('  spider search "your question"')


if __name__ == "__main__":
    launch(main, verb="quickstart")
