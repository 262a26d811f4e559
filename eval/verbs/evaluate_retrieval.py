"""Verb ``evaluate-retrieval``: runs of one question set → report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from eval.reports.report import ReportSettings
from spider.artifacts.records.report import ReportRecord
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class EvaluateRetrievalSettings(ReportSettings, StageSettings):
    """Settings of ``spider evaluate-retrieval``.

    Attributes:
        runs: run folders, all of the same question set.
        corpus: the corpus that the runs were searched in; null takes the one that they record.
        top_k: values of k of the top-k accuracies; the largest cuts the lists.
        systems: systems to report, in this order; empty reports all.
        answer_rule: how answers are found in passages; dpr reproduces DPR's has_answer, characters
            cuts text without spaces (Chinese, Japanese, Korean, Thai, Lao, Khmer, Myanmar) into
            characters, as MLQA's evaluation does for Chinese.
        trec: write TREC run files too.
        dpr: write DPR's retrieval results too.
        plot: draw the top-k curves (needs the extra eval); auto draws them where it is installed.
        require: least values, as in require.hybrid.top_20=0.5; if one is missed, the exit code is
            6.
        json: print one JSON object a line for each system, instead of the table.
    """

    runs: Execution[tuple[Path, ...]]
    corpus: Execution[Path | None] = None
    top_k: tuple[int, ...] = (1, 5, 20, 100)
    systems: tuple[str, ...] = ()
    answer_rule: Literal["dpr", "characters"] = "dpr"
    trec: bool = False
    dpr: bool = False
    plot: Literal["auto", True, False] = False
    # requirements do not change the numbers
    require: Execution[dict[str, float | dict[str, float]]] = field(default_factory=dict)
    json: Execution[bool] = False


def main(settings: EvaluateRetrievalSettings) -> None:
    """Write the report if it is missing or stale, show its table, and check the requirements."""
    from eval.metrics.measures import check_top_k, measure_names
    from eval.reports.requirements import check_requirements, parse_requirements
    from eval.reports.retrieval.evaluation import RetrievalEvaluation
    from eval.reports.retrieval.runs import load_runs
    from spider.artifacts.artifact import open_artifact
    from spider.artifacts.chain import find_input
    from spider.artifacts.stage import Stage
    from spider.corpus.corpus import Corpus
    from spider.errors import ArtifactError
    from spider.reading import read_json_object

    top_k = check_top_k(settings.top_k)
    run_artifacts = [open_artifact(path, kind="run") for path in settings.runs]
    through = run_artifacts[0] if run_artifacts else None
    corpus = Corpus(
        find_input("corpus", settings.corpus, through=through, workspace=settings.workspace)
    )
    runs = load_runs(run_artifacts, corpus, settings.systems)
    measures = measure_names(top_k, graded_by_passage=runs.question_set.match == "passage")
    systems = list(runs.hits)
    settings.check(measures, systems)
    requirements = parse_requirements(settings.require, systems, measures)
    stage = Stage(
        verb="evaluate-retrieval",
        kind="report",
        output=settings.output,
        config=settings.resolved,
        inputs={"corpus": corpus.artifact, **_named(run_artifacts)},
        overwrite=settings.overwrite,
    )
    if not stage.up_to_date():
        with stage.writing(resumes=False) as folder:
            evaluation = RetrievalEvaluation(runs, corpus, top_k, settings.answer_rule)
            written = evaluation.report(settings, stage.config)
            evaluation.write(folder, written, settings, plot=_draws(settings.plot))
            evaluation.export(folder, trec=settings.trec, dpr=settings.dpr)
            record = ReportRecord(question_set=runs.question_set.name, systems=tuple(systems))
            stage.finish(counts=evaluation.counts(), details=record)
    report = read_json_object(settings.output / "report.json", error=ArtifactError)
    if settings.json:
        _write_json(report)
    else:
        _show(report, settings.output)
    check_requirements(requirements, report)


def _draws(plot: Literal["auto", True, False]) -> bool:
    return find_spec("matplotlib") is not None if plot == "auto" else plot


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


def _write_json(report: dict[str, Any]) -> None:
    from spider.console import say_json

    for system, measures in report["systems"].items():
        compared = [one for one in report["comparisons"] if one["system"] == system]
        say_json(
            {
                "question_set": report["question_set"]["name"],
                "system": system,
                "measures": measures,
                "comparisons": compared,
                "notes": report["notes"],
            }
        )


if __name__ == "__main__":
    launch(main, verb="evaluate-retrieval")
