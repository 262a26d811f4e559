"""``spider doctor``: what works on this machine, and the command that fixes what does not."""

from dataclasses import dataclass
from pathlib import Path

from spider.console import say, say_json
from spider.errors import ArtifactError, MissingDependencyError
from spider.health.finding import HealthCheck
from spider.launch.entrypoint import launch
from spider.printable import counted
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class DoctorSettings:
    """Settings of ``spider doctor``.

    Attributes:
        checks: health checks, in the order of their lines.
        json: print one JSON object a line for each finding.
        workspace: a workspace whose artifacts are verified too, every byte of them.
    """

    checks: tuple[HealthCheck, ...]
    json: Execution[bool] = False
    workspace: Path | None = None


def main(settings: DoctorSettings) -> None:
    """Print one line for each finding.

    Raises:
        ArtifactError: an artifact of the workspace is damaged.
        MissingDependencyError: something that a verb cannot do without is broken.
    """
    failed = []
    for check in settings.checks:
        for finding in check.findings():
            if settings.json:
                say_json(finding._asdict())
            else:
                say(f"{finding.level:<5} {finding.subject:<8} {finding.text}")
            if finding.fix and not settings.json:
                say(f"{'':<14} fix: {finding.fix}")
            if finding.level == "fail":
                failed.append(finding.subject)
    if set(failed) == {"artifact"}:
        raise ArtifactError(
            f"{settings.workspace}: damaged or not readable: "
            f"{counted(len(failed), 'file or folder', 'files or folders')}"
        )
    if failed:
        raise MissingDependencyError(f"broken: {', '.join(failed)}")


if __name__ == "__main__":
    launch(main, verb="doctor")
