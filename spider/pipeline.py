"""``spider pipeline``: run a list of stages, doing only what is missing or stale."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spider.launch.entrypoint import launch
from spider.launch.typed import build
from spider.pipeline_stages import StageSpec, run_stages
from spider.workspace import remember


@dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """What to run and where.

    Attributes:
        workspace: where the artifacts lie.
        pipeline: the stages and the settings that they refer to.
        retrain: train again where an encoder would be kept although documents changed.
    """

    workspace: Path
    pipeline: dict[str, Any]
    retrain: bool = False


def main(config: PipelineConfig) -> None:
    """Run the stages."""
    stages = [
        build(StageSpec, stage, where=f"pipeline.stages[{number}]")
        for number, stage in enumerate(config.pipeline["stages"])
    ]
    run_stages(stages, workspace=config.workspace, retrain=config.retrain)
    remember(config.workspace)


if __name__ == "__main__":
    launch(main, verb="pipeline")
