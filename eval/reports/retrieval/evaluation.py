"""The evaluation of retrieval runs: scores every system and writes the files of the report."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.matching.answer_matching import AnswerRule
from eval.matching.first_hits import NO_HIT, HitFinder
from eval.metrics.measures import ScoredSystem, measure_names, score_system
from eval.reports.latex import latex
from eval.reports.markdown import markdown
from eval.reports.report import Report, ReportSettings, build_report
from eval.reports.retrieval.plots import write_top_k_curves
from eval.reports.retrieval.runs import RetrievalRuns
from eval.reports.retrieval.trec import write_dpr_results, write_qrels, write_trec_run
from eval.reports.significance import Sampling
from spider.artifacts.atomic_files import save_array, write_json, write_text
from spider.corpus.corpus import Corpus
from spider.errors import DataError
from spider.printable import counted, printable, spreadsheet_cell
from spider.question import QuestionSet

# with fewer clusters, the coverage of percentile intervals is clearly below the stated one
FEW_CLUSTERS = 20

PLOT = "top_k.svg"

_logger = logging.getLogger(__name__)


class RetrievalEvaluation:
    """Scores several systems on one question set, and writes the report in several formats.

    Args:
        runs: the question set and the hits of each system.
        corpus: the passages, numbered by the positions of the hits.
        top_k: cut-offs, ascending.
        answer_rule: how answers that are strings are matched.

    Raises:
        DataError: there is no question, or one names a passage that the corpus does not have.
    """

    def __init__(
        self,
        runs: RetrievalRuns,
        corpus: Corpus,
        top_k: Sequence[int],
        answer_rule: AnswerRule = "dpr",
    ):
        if not runs.question_set.questions:
            raise DataError(
                f"question set {runs.question_set.name!r} has no questions: nothing to evaluate"
            )
        self.question_set: QuestionSet = runs.question_set
        self.corpus = corpus
        self.made = runs.notes
        self.top_k = tuple(top_k)
        finder = HitFinder(runs.question_set, corpus, answer_rule)
        self.systems: dict[str, ScoredSystem] = {}
        slow = -1
        # a pattern that turns out to be too slow matches nothing, in the lists judged before too
        while slow < len(finder.too_slow):
            slow = len(finder.too_slow)
            self.systems = {
                name: score_system(hits, finder, top_k) for name, hits in runs.hits.items()
            }
        self.question_counts = dict(finder.counts())

    @property
    def measures(self) -> list[str]:
        """Names of the measures."""
        by_passage = self.question_set.match == "passage"
        return measure_names(self.top_k, graded_by_passage=by_passage)

    def counts(self) -> dict[str, int]:
        """Return the counts for the manifest."""
        return {
            "questions": len(self.question_set.questions),
            "systems": len(self.systems),
            "excluded_passages_dropped": sum(s.ranked.dropped for s in self.systems.values()),
            **self.question_counts,
        }

    def report(self, settings: ReportSettings, config: Mapping[str, Any]) -> Report:
        """Compute the report.

        Args:
            settings: the statistics and the comparisons.
            config: the resolved configuration of the verb, kept in the report.
        """
        facts = {
            "counts": self.counts(),
            "runs": {
                name: {"depth": s.run_depth, "mean_length": s.mean_length}
                for name, s in self.systems.items()
            },
            "notes": self._notes(),
            "config": dict(config),
        }
        values = {name: system.values for name, system in self.systems.items()}
        return build_report(self.question_set, self.measures, values, settings, facts=facts)

    def write(self, folder: Path, report: Report, settings: ReportSettings, *, plot: bool) -> None:
        """Write the files of the report, and the first hit of each question."""
        write_json(folder / "report.json", report)
        drawn = f"\n![Top-k accuracy of each system]({PLOT})\n" if plot else ""
        write_text(folder / "report.md", markdown(report) + drawn)
        write_text(folder / "report.tex", latex(report))
        write_text(folder / "first_hits.csv", self._first_hits_csv())
        ranks = np.stack([system.judged.ranks for system in self.systems.values()])
        save_array(folder / "first_hits.npy", ranks)
        if plot:
            write_top_k_curves(
                folder / PLOT,
                {name: system.judged.ranks for name, system in self.systems.items()},
                Sampling.of(self.question_set.questions, self.question_set.averaging),
                depth=min(self.top_k[-1], max(s.run_depth for s in self.systems.values())),
                confidence=settings.confidence,
                seed=settings.seed,
                title=self.question_set.name,
            )

    def export(self, folder: Path, *, trec: bool, dpr: bool) -> None:
        """Write the lists in the formats of other evaluators, one file for each system."""
        questions = self.question_set.questions
        for kind, wanted in (("trec", trec), ("dpr", dpr)):
            if wanted:
                (folder / kind).mkdir(exist_ok=True)
        for name, system in self.systems.items():
            stem = printable(name, keep="").replace("/", "_")
            if trec:
                path = folder / "trec" / f"{stem}.run"
                write_trec_run(path, questions, system.ranked, self.corpus, name)
            if dpr:
                path = folder / "dpr" / f"{stem}.json"
                write_dpr_results(
                    path, questions, system.ranked, system.judged.relevance, self.corpus
                )
        if trec and self.question_set.match == "passage":
            write_qrels(folder / "trec" / "qrels.txt", questions)

    def _first_hits_csv(self) -> str:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["question_id", *map(spreadsheet_cell, self.systems)])
        columns = [system.judged.ranks.tolist() for system in self.systems.values()]
        for question, *ranks in zip(self.question_set.questions, *columns, strict=True):
            name = spreadsheet_cell(question.id)
            rows.writerow([name, *("" if rank == NO_HIT else rank for rank in ranks)])
        return text.getvalue()

    def _notes(self) -> list[str]:
        notes = list(self.made)
        clusters = Sampling.of(self.question_set.questions, "micro").n_clusters
        if clusters < FEW_CLUSTERS:
            notes.append(
                f"only {counted(clusters, 'independent cluster')} of questions: intervals are too "
                f"narrow, and no test can give a p below {min(1.0, 2 / 2**clusters):.2g}"
            )
        for name, system in self.systems.items():
            # a run as deep as the corpus is whole
            if system.run_depth < min(self.top_k[-1], len(self.corpus)):
                depth = counted(system.run_depth, "passage")
                notes.append(
                    f"{name}: the run holds at most {depth} a question, so measures at a larger k "
                    "are lower bounds"
                )
        words = {
            "questions_without_answers": ("question", "without an answer: never a hit"),
            "questions_without_relevant": ("question", "without a relevant passage: never a hit"),
            "relevant_not_in_corpus": (
                "relevant passage",
                "not in the corpus: counted as not found, as in trec_eval",
            ),
            "questions_with_empty_answer": (
                "question",
                "with an answer without a letter or sign, which matches every passage (as in DPR)",
            ),
            "answers_too_slow": ("answer", "with a pattern that takes over a second: never a hit"),
            "answers_not_a_pattern": ("answer", "with a wrong pattern: never a hit (as in DPR)"),
            "questions_with_answer_without_spaces": (
                "question",
                "with an answer in a script without spaces, which DPR's rule hardly ever finds; "
                "answer_rule=characters does",
            ),
        }
        for key, (noun, meaning) in words.items():
            if number := self.question_counts.get(key, 0):
                notes.append(f"{counted(number, noun)} {meaning}")
        for note in notes:
            _logger.info("%s", note)
        return notes
