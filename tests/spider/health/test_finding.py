"""A health check is anything that yields findings."""

from collections.abc import Iterator

from spider.health.finding import Finding, HealthCheck


class Always:
    def findings(self) -> Iterator[Finding]:
        yield Finding("ok", "disk", "40 GiB free")


def test_a_finding_without_a_fix_needs_none() -> None:
    check: HealthCheck = Always()
    assert isinstance(check, HealthCheck)
    assert not isinstance(object(), HealthCheck)
    (found,) = check.findings()
    assert found == ("ok", "disk", "40 GiB free", "")
