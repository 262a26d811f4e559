"""Collects the measurements in a pipeline's workspace: accuracies, comparisons, seconds, memory.

    python -m benchmarks.pipeline_results WORKSPACE --name demo

reads the manifest of every artifact and every report below WORKSPACE and writes
``benchmarks/results/NAME.json``.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.atomic_files import write_json
from spider.artifacts.folder.manifest import MANIFEST
from spider.artifacts.provenance import provenance
from spider.artifacts.records.index import IndexRecord
from spider.reading import read_json

RESULTS = Path(__file__).parent / "results"


def artifacts(workspace: Path) -> Iterator[tuple[str, Artifact]]:
    """Yield the name below the workspace of every whole artifact, with the artifact."""
    for manifest in sorted(workspace.rglob(MANIFEST)):
        yield manifest.parent.relative_to(workspace).as_posix(), open_artifact(manifest.parent)


def stage_record(artifact: Artifact) -> dict[str, Any]:
    """Return what one stage cost and counted."""
    volatile = artifact.manifest["volatile"]
    return {
        "verb": artifact.manifest["verb"],
        "seconds": volatile["seconds"],
        "peak_memory_mib": volatile.get("peak_memory_mib"),
        "commit": volatile["commit"],
        "counts": artifact.counts,
    }


def report_record(report: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one report."""
    primary = report["primary"]
    return {
        "question_set": report["question_set"],
        "systems": {
            system: {measure: report["systems"][system][measure] for measure in report["measures"]}
            for system in report["systems"]
        },
        "primary": primary,
        "comparisons": [c for c in report["comparisons"] if c["measure"] == primary],
    }


def main() -> None:
    """Collect and write."""
    parser = argparse.ArgumentParser(description="collect a workspace's measurements")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--name", required=True, help="of the file in benchmarks/results")
    arguments = parser.parse_args()
    found = dict(artifacts(arguments.workspace))
    index = found.get("index")
    write_json(
        RESULTS / f"{arguments.name}.json",
        {
            **provenance(),
            "stage_commits": sorted({a.manifest["volatile"]["commit"] for a in found.values()}),
            "stages": {name: stage_record(artifact) for name, artifact in found.items()},
            "fusion": {} if index is None else IndexRecord.from_manifest(index).fusion,
            "reports": {
                name: report_record(read_json(artifact.path / "report.json"))
                for name, artifact in found.items()
                if artifact.kind == "report"
            },
        },
    )


if __name__ == "__main__":
    main()
