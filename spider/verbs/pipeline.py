"""``spider pipeline``: runs those stages of a list whose outputs are missing or stale.

Without ``pipeline=NAME`` it lists the pipelines and runs none.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spider.artifacts.workspace import remember
from spider.console import say, say_json
from spider.encoders.start.names import check_start_name
from spider.encoders.starting import check_start
from spider.launch.entrypoint import launch
from spider.launch.settings import WorkspaceSettings
from spider.launch.stages import build_stages, run_stages
from spider.launch.verbs import options
from spider.training.settings import check_minutes


@dataclass(frozen=True, kw_only=True)
class PipelineSettings(WorkspaceSettings):
    """Settings of ``spider pipeline``.

    Attributes:
        pipeline: the stages; null lists the pipelines.
        data: the folder of the pipeline's documents and questions, for pipelines that need it.
        start: the encoder to begin with, in a pipeline that uses it: auto, static, or a
            transformer's folder or name.
        minutes: training time, in a pipeline that uses it; null takes its number of steps.
        full: take whole question sets where the pipeline would take a sample.
        retrain: train again where an encoder would be kept although documents changed.
        json: list the pipelines as JSON, one object a line.
    """

    numbered: ClassVar = "workspace"

    pipeline: dict[str, Any] | None = None
    data: Path | None = None
    start: str = "auto"
    minutes: float | None = 15
    full: bool = False
    retrain: bool = False
    json: bool = False

    def __post_init__(self) -> None:
        """Refuse a training time that is not above 0, and a start without a name."""
        check_minutes(self.minutes)
        check_start_name(self.start)


def main(settings: PipelineSettings) -> None:
    """Run the stages, or list the pipelines."""
    if settings.pipeline is None:
        _list(as_json=settings.json)
        return
    check_start(settings.start)
    stages = build_stages(settings.pipeline["stages"], where="pipeline.stages")
    run_stages(stages, workspace=settings.workspace, retrain=settings.retrain)
    remember(settings.workspace)


def _list(*, as_json: bool) -> None:
    found = options("pipeline")
    if as_json:
        for name, summary in found.items():
            say_json({"pipeline": name, "summary": summary})
        return
    width = max(map(len, found))
    for name, summary in found.items():
        say(f"{name:<{width}}  {summary}")
    say()
    say("To run one: spider pipeline pipeline=NAME [data=FOLDER] [workspace=FOLDER]")


if __name__ == "__main__":
    launch(main, verb="pipeline")
