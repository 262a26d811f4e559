"""Verb ``evaluate-retrieval``: runs of one question set become one report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from spider.artifacts.records.report import ReportRecord
from spider.launch.entrypoint import launch


@dataclass(frozen=True, kw_only=True)
class EvaluateRetrievalConfig:
    """Settings of ``evaluate-retrieval``.

    Attributes:
        runs: run folders, all of the same question set
        corpus: corpus folder that the runs were searched in
        output: report folder to write
        top_k: values of k of the top-k accuracies; the largest cuts the lists
        primary: measure whose comparisons are the main family of tests
        reference: system that the others are compared with; null is bm25, else the first
        comparisons: compare each system with the reference, or all pairs
        systems: systems to report, in this order; empty is all
        resamples: bootstrap resamples, and sign patterns of a test
        seed: of the resampling
        confidence: of the intervals; tests are at 1 - confidence
        trec: write TREC run files too
        dpr: write DPR's retrieval results too
        plot: draw the top-k curves (needs the extra eval)
        require: least values, as in +require.hybrid.top_20=0.5; a missed one ends with exit code 6
        overwrite: replace a report made from other settings or runs
        resolved: filled by the launcher
    """

    runs: tuple[Path, ...]
    corpus: Path
    output: Path
    top_k: tuple[int, ...] = (1, 5, 20, 100)
    primary: str = "top_20"
    reference: str | None = None
    comparisons: Literal["reference", "all"] = "reference"
    systems: tuple[str, ...] = ()
    resamples: int = 10_000
    seed: int = 0
    confidence: float = 0.95
    trec: bool = False
    dpr: bool = False
    plot: bool = False
    require: dict[str, float | dict[str, float]] = field(default_factory=dict)
    overwrite: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)


def main(config: EvaluateRetrievalConfig) -> None:
    """Write the report if it is missing or stale, show its table, and check what is required."""
    from eval.metrics.measures import check_top_k, measure_names
    from eval.reports.report import ReportSettings
    from eval.reports.requirements import check_requirements, parse_requirements
    from eval.reports.retrieval_evaluation import RetrievalEvaluation
    from eval.reports.retrieval_runs import load_runs
    from spider.artifacts.artifact import open_artifact
    from spider.artifacts.atomic_files import read_json
    from spider.artifacts.stage import Stage
    from spider.corpus.corpus import Corpus

    settings = ReportSettings(
        primary=config.primary,
        reference=config.reference,
        all_pairs=config.comparisons == "all",
        resamples=config.resamples,
        seed=config.seed,
        confidence=config.confidence,
    )
    top_k = check_top_k(config.top_k)
    run_artifacts = [open_artifact(path, kind="run") for path in config.runs]
    corpus = Corpus.open(config.corpus)
    runs = load_runs(run_artifacts, corpus, config.systems)
    measures = measure_names(top_k, graded_by_passage=runs.question_set.match == "passage")
    systems = list(runs.hits)
    settings.check(measures, systems)
    requirements = parse_requirements(config.require, systems, measures)
    stage = Stage(
        verb="evaluate-retrieval",
        kind="report",
        output=config.output,
        # what is required of the numbers does not change them
        config={key: value for key, value in config.resolved.items() if key != "require"},
        inputs={"corpus": corpus.artifact, **_named(run_artifacts)},
        overwrite=config.overwrite,
    )
    if not stage.up_to_date():
        with stage.writing() as folder:
            evaluation = RetrievalEvaluation(runs, corpus, top_k)
            written = evaluation.report(settings, stage.config)
            evaluation.write(folder, written, settings, plot=config.plot)
            evaluation.export(folder, trec=config.trec, dpr=config.dpr)
            record = ReportRecord(question_set=runs.question_set.name, systems=tuple(systems))
            stage.finish(counts=evaluation.counts(), details=record)
    report = read_json(config.output / "report.json")
    _show(report, config.output)
    check_requirements(requirements, report)


def _named(runs: Sequence[Any]) -> dict[str, Any]:
    return {f"run-{number}": run for number, run in enumerate(runs, start=1)}


def _show(report: dict[str, Any], output: Path) -> None:
    from eval.reports.tables import summary_columns, summary_rows, summary_title, verdicts
    from spider.console import say, table

    table(summary_title(report), summary_columns(report), summary_rows(report))
    for line in verdicts(report):
        say(line)
    for note in report["notes"]:
        say(f"note: {note}")
    say(f"report: {output / 'report.md'}")


if __name__ == "__main__":
    launch(main, verb="evaluate-retrieval")
