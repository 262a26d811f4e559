"""Stages of a pipeline: each is one verb run as a child process, in order.

Each stage gets its own process because Hydra does not nest, and because a JVM, a thread pool and
memory of one stage must not remain in the next. Every verb checks whether its output is up to date,
so a second run of a pipeline does only what is missing or stale.
"""

import json
import logging
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spider.artifacts.artifact import open_artifact
from spider.artifacts.workspace import remember
from spider.child_processes import child
from spider.errors import ArtifactError, ConfigError, InterruptedRunError, SpiderError
from spider.launch.command_line import quote
from spider.launch.pipeline.conditions import Condition, Count, first_unmet
from spider.launch.pipeline.stale import remove_stale_measure
from spider.launch.typed.objects import build
from spider.launch.typed.schema import settings_of
from spider.launch.verbs import groups, main_of, module_of, settings_class, verbs

INTERRUPTED = InterruptedRunError.exit_code
CTRL_C = 130

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class StageSpec:
    """One stage.

    Attributes:
        verb: the verb that is run.
        title: the text that is printed before the stage runs.
        settings: overrides; a key may be a path such as ``source.folder`` or a group.
        only_if: the stage is skipped unless all conditions hold. What it wrote earlier about
            questions, a run or a report, is removed then: it would describe other documents.
        keep_despite: name of an input. A complete output is kept if that input changed since,
            whatever the settings are now (an encoder, after documents were edited).
        output: the output's name in the workspace; needed with ``keep_despite``.
        skip_when_kept: skip the stage if an earlier stage's output was kept, and remove what it
            wrote earlier.
        shown: what the stage prints and logs is shown even if little is.
    """

    verb: str
    title: str
    settings: dict[str, Any] = field(default_factory=dict)
    only_if: tuple[Condition, ...] = ()
    keep_despite: str | None = None
    output: str | None = None
    skip_when_kept: bool = False
    shown: bool = False


def build_stages(stages: Mapping[str, Any], *, where: str) -> list[StageSpec]:
    """Make stages from a mapping, so that another yaml can change one of them.

    A stage that is null is left out; a stage's name is its title unless it has another. One
    condition needs no list.
    """
    made = []
    for name, stage in stages.items():
        if stage is None:
            continue
        values = {"title": name.replace("_", " "), **stage}
        if isinstance(values.get("only_if"), Mapping):
            values["only_if"] = [values["only_if"]]
        made.append(build(StageSpec, values, where=f"{where}.{name}"))
    return made


def run_stages(
    stages: Sequence[StageSpec],
    *,
    workspace: Path,
    retrain: bool = False,
    in_process: bool = False,
    verbose: bool = True,
) -> None:
    """Run the stages in order, and note the workspace as the last one once it has an index.

    Args:
        stages: the stages, in order.
        workspace: passed to every stage.
        retrain: run stages whose output would otherwise be kept.
        in_process: run the verbs in this process (for the Python API), so that their errors and
            their progress reach the caller; nothing is noted then.
        verbose: show what every stage prints and logs, not only its warnings.

    Raises:
        SpiderError: a stage failed. A child process has printed its message, and the exit code is
            the child's.
    """
    for stage in stages:
        if stage.verb not in verbs():
            raise ConfigError(f"pipeline stage {stage.verb!r}: no such verb")
    kept: list[str] = []
    skipped: dict[str, list[str]] = {}
    started = time.monotonic()
    for number, stage in enumerate(stages, start=1):
        reason = _reason_to_skip(stage, workspace, kept, retrain)
        head = f"[{number}/{len(stages)}] {stage.title}"
        if reason is not None:
            if reason:
                skipped.setdefault(reason, []).append(stage.title)
            if "output" in stage.settings and not _writes_another(stage, stages, workspace):
                remove_stale_measure(Path(stage.settings["output"]), workspace)
            continue
        logger.info("%s%s", head, _reason_to_run(stage, workspace) if verbose else "")
        if in_process:
            _run_here(stage, workspace)
            continue
        _run_child(stage, workspace, shown=verbose or stage.shown)
        if stage.verb == "build":
            remember(workspace)
    for reason, titles in skipped.items():
        logger.info("skipped, since %s: %s", reason, ", ".join(titles))
    logger.info("done in %.0f s", time.monotonic() - started)


def child_command(stage: StageSpec, workspace: Path) -> list[str]:
    """Return the command line of a stage's child process."""
    # -P: a user's folder with the name of one of our packages must not shadow the package
    return [sys.executable, "-P", "-m", module_of(stage.verb), *stage_words(stage, workspace)]


def stage_words(stage: StageSpec, workspace: Path) -> list[str]:
    """Return the overrides of a stage, as on a command line."""
    overrides = {"workspace": str(workspace), **stage.settings}
    words = [_override(key, value) for key, value in overrides.items()]
    if "overwrite" in settings_of(settings_class(stage.verb)) and "overwrite" not in overrides:
        words.append("overwrite=true")
    return words


def _override(key: str, value: Any) -> str:
    if key.partition("@")[0] in groups() and isinstance(value, str):
        return f"{key}={value}"
    return f"{key}={_hydra_value(value)}"


def _hydra_value(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k}:{_hydra_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_hydra_value, value)) + "]"
    # a folder called 2024 is not a number
    return quote(str(value))


def _reason_to_skip(
    stage: StageSpec, workspace: Path, kept: list[str], retrain: bool
) -> str | None:
    """Return why a stage is skipped, "" where another one replaces it; None if it runs."""
    if stage.skip_when_kept and kept:
        return f"{kept[0]} was kept, so nothing says how well it fits the present documents"
    unmet = first_unmet(stage.only_if, workspace)
    if unmet is not None:
        return "" if unmet.condition.replaces else unmet.reason
    if stage.keep_despite and stage.output and not retrain:
        changed = _changed_input(workspace / stage.output, stage.keep_despite)
        if changed:
            kept.append(stage.output)
            return (
                f"{stage.output} kept, though {stage.keep_despite} changed since; "
                "retrain=true makes it again, with the present settings"
            )
    return None


def _writes_another(stage: StageSpec, stages: Sequence[StageSpec], workspace: Path) -> bool:
    """Return whether another stage was chosen to write what a stage would have written."""
    return any(
        other.settings.get("output") == stage.settings["output"]
        and first_unmet(other.only_if, workspace) is None
        for other in stages
        if other is not stage
    )


def _reason_to_run(stage: StageSpec, workspace: Path) -> str:
    """Return why a stage runs that replaces another one because of a small count."""
    small = [one for one in stage.only_if if isinstance(one, Count) and one.below is not None]
    return f": {small[0].describe(small[0].value(workspace))}" if small else ""


def _changed_input(output: Path, name: str) -> bool:
    try:
        artifact = open_artifact(output)
    except ArtifactError:
        return False
    try:
        artifact.parent(name)
    except ArtifactError:
        return True
    return False


def _run_here(stage: StageSpec, workspace: Path) -> None:
    # composing loads Hydra, which a pipeline of child processes does not need
    from spider.launch.composition import compose_verb, plain
    from spider.launch.configuration import typed_settings

    words = stage_words(stage, workspace)
    cls = settings_class(stage.verb)
    main_of(stage.verb)(typed_settings(cls, plain(compose_verb(stage.verb, words)), words))


def _run_child(stage: StageSpec, workspace: Path, *, shown: bool) -> None:
    with child(child_command(stage, workspace), quiet=not shown) as process:
        try:
            code = process.wait()
        except (KeyboardInterrupt, InterruptedRunError):
            # a terminal's Ctrl-C reached the child too; a SIGTERM reached only this process
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
    if code == CTRL_C:
        raise KeyboardInterrupt
    if code == INTERRUPTED:
        raise InterruptedRunError(
            f"{stage.verb} was stopped; run the same command again to continue"
        )
    if code != 0:
        failure = SpiderError(f"{stage.verb} failed with exit code {code}; its message is above")
        failure.exit_code = code if code > 0 else 1
        raise failure
