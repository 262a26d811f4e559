"""The line of ``spider doctor`` about Java and Lucene."""

from collections.abc import Iterator

from index.sparse.jvm import FIX, plan_jvm, preflight
from spider.health.finding import Finding


class JavaCheck:
    """Checks whether Lucene can run here, and with which Java."""

    def findings(self) -> Iterator[Finding]:
        """Find a Java and a jar, and start them in a child process."""
        plan = plan_jvm()
        obstacle = plan.obstacle or preflight(plan)
        if obstacle:
            text = f"{obstacle}; sparse=auto takes bm25s"
            yield Finding("warn", "lucene", text, FIX.removeprefix("fix: "))
        else:
            yield Finding("ok", "lucene", plan.describe())
        for note in plan.notes:
            yield Finding("ok", "java", note)
