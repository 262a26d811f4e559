"""``spider pipeline``: runs those stages of a list whose outputs are missing or stale."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spider.artifacts.workspace import remember
from spider.launch.entrypoint import launch
from spider.launch.settings import WorkspaceSettings
from spider.launch.stages import build_stages, run_stages
from spider.training.settings import check_minutes


@dataclass(frozen=True, kw_only=True)
class PipelineSettings(WorkspaceSettings):
    """Settings of ``spider pipeline``.

    Attributes:
        pipeline: the stages.
        data: the folder of the pipeline's documents and questions, for pipelines that need it.
        minutes: training time, in a pipeline that uses it; null takes its number of steps.
        full: take whole question sets where the pipeline would take a sample.
        retrain: train again where an encoder would be kept although documents changed.
    """

    pipeline: dict[str, Any]
    data: Path | None = None
    minutes: float | None = 15
    full: bool = False
    retrain: bool = False

    def __post_init__(self) -> None:
        """Refuse a training time that is not above 0."""
        check_minutes(self.minutes)


def main(settings: PipelineSettings) -> None:
    """Run the stages."""
    stages = build_stages(settings.pipeline["stages"], where="pipeline.stages")
    run_stages(stages, workspace=settings.workspace, retrain=settings.retrain)
    remember(settings.workspace)


if __name__ == "__main__":
    launch(main, verb="pipeline")
