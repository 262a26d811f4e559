"""``spider doctor``: what works on this machine, and the command that fixes what does not."""

from dataclasses import dataclass

from spider.console import say
from spider.errors import MissingDependencyError
from spider.health.finding import HealthCheck
from spider.launch.entrypoint import launch


@dataclass(frozen=True, kw_only=True)
class DoctorSettings:
    """Settings of ``spider doctor``.

    Attributes:
        checks: health checks, in the order of their lines.
    """

    checks: tuple[HealthCheck, ...]


def main(settings: DoctorSettings) -> None:
    """Print one line for each finding.

    Raises:
        MissingDependencyError: something that a verb cannot do without is broken.
    """
    failed = []
    for check in settings.checks:
        for finding in check.findings():
            say(f"{finding.level:<5} {finding.subject:<8} {finding.text}")
            if finding.fix:
                say(f"{'':<14} fix: {finding.fix}")
            if finding.level == "fail":
                failed.append(finding.subject)
    if failed:
        raise MissingDependencyError(f"broken: {', '.join(failed)}")


if __name__ == "__main__":
    launch(main, verb="doctor")
