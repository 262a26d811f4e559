"""``spider quickstart``: from documents to answered questions in one command.

Without a folder it takes the documentation that every Python has; with one, the user's files.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spider.artifacts.workspace import remember
from spider.console import say, table
from spider.encoders.start.names import check_start_name
from spider.encoders.starting import check_start
from spider.errors import DataError
from spider.launch.entrypoint import launch
from spider.launch.pipeline.summary import (
    DEPTHS,
    describe_choice,
    describe_documents,
    describe_index,
    describe_measures,
)
from spider.launch.settings import WorkspaceSettings
from spider.launch.stages import build_stages, run_stages
from spider.training.settings import check_minutes


@dataclass(frozen=True, kw_only=True)
class QuickstartSettings(WorkspaceSettings):
    """Settings of ``spider quickstart``.

    Attributes:
        data: a folder of your documents (txt, md, rst, html, pdf, docx); null takes Python's own
            documentation.
        start: the encoder to begin with: auto takes the one of the extra ``pretrained`` where that
            is installed, else trains one from scratch; static trains one from scratch; or a
            transformer's folder or name.
        minutes: training time on your own files, and the longest time for embedding them with a
            transformer, whose faster student does it otherwise; null takes steps that suit the
            documents, and 4 minutes.
        retrain: train again where the encoder would be kept although documents changed.
        verbose: show what every stage prints and logs, with the tables of the reports.
        documentation: the pipeline for Python's own documentation.
        own_files: the pipeline for a folder.
    """

    positionals: ClassVar = ("data",)
    numbered: ClassVar = "workspace"

    data: Path | None = None
    start: str = "auto"
    minutes: float | None = None
    retrain: bool = False
    verbose: bool = False
    documentation: dict[str, Any]
    own_files: dict[str, Any]

    def __post_init__(self) -> None:
        """Refuse a training time that is not above 0, and a start without a name."""
        check_minutes(self.minutes)
        check_start_name(self.start)


def main(settings: QuickstartSettings) -> None:
    """Run the pipeline that fits.

    Raises:
        DataError: the folder is not there.
        SpiderError: the encoder to begin with cannot be used.
    """
    if settings.data is not None and not settings.data.exists():
        raise DataError("no such folder", path=settings.data)
    check_start(settings.start)
    pipeline = settings.documentation if settings.data is None else settings.own_files
    stages = build_stages(pipeline["stages"], where="stages")
    run_stages(
        stages,
        workspace=settings.workspace,
        retrain=settings.retrain,
        verbose=settings.verbose,
    )
    remember(settings.workspace)
    _summarise(settings.workspace)
    say(f"Everything is in {settings.workspace}. To ask a question:")
    say('  spider search "your question"')


def _summarise(workspace: Path) -> None:
    say()
    say(describe_documents(workspace))
    say(describe_index(workspace))
    if chosen := describe_choice(workspace):
        say(chosen)
    measured = describe_measures(workspace)
    say(measured.sentence)
    if measured.rows:
        heads = ["of 100 questions, right passage", *(f"in first {depth}" for depth in DEPTHS)]
        table("", heads, measured.rows)
    say()


if __name__ == "__main__":
    launch(main, verb="quickstart")
