"""The report of one question set: the numbers of each system with intervals, and paired tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from eval.reports.significance import (
    Sampling,
    bootstrap_means,
    holm,
    mean,
    percentile_interval,
    sign_flip_test,
)
from spider.errors import SettingError
from spider.question import Question, QuestionSet

SCHEMA = 1

# a tag with many values, or few questions for each, is a name (the text of a span), not a group
MAX_BREAKDOWN = 50
MIN_QUESTIONS = 5

_INTERVALS = {
    "micro": "percentile bootstrap over clusters",
    "macro": "percentile bootstrap over clusters within each group",
}

Report = dict[str, Any]
Values = Mapping[str, Float64[np.ndarray, "questions measures"]]


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """The statistics of a report, and the comparisons that it makes.

    Attributes:
        primary: the measure whose comparisons are the main family of tests.
        reference: the system that the others are compared with; None means ``bm25`` where there
            is one, else the first.
        comparisons: ``reference`` compares each system with the reference, ``all`` every pair.
        resamples: bootstrap resamples, and sign patterns of a test.
        seed: seed of the resampling.
        confidence: confidence of the intervals; a test's level is 1 - confidence.
    """

    primary: str = "top_20"
    reference: str | None = None
    comparisons: Literal["reference", "all"] = "reference"
    resamples: int = 10_000
    seed: int = 0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence < 1.0:
            raise SettingError("confidence", self.confidence, "0.5 to below 1")
        if self.resamples < 100:
            raise SettingError("resamples", self.resamples, "at least 100")

    def check(self, measures: Sequence[str], systems: Sequence[str]) -> str | None:
        """Return the reference system; None where there is nothing to compare.

        Raises:
            ConfigError: the primary measure or the reference is not in the report.
        """
        if self.primary not in measures:
            raise SettingError("primary", self.primary, f"one of {list(measures)}")
        if self.reference is not None and self.reference not in systems:
            raise SettingError("reference", self.reference, f"one of {list(systems)}")
        if len(systems) < 2:
            return None
        return self.reference or ("bm25" if "bm25" in systems else systems[0])


def build_report(
    question_set: QuestionSet,
    measures: Sequence[str],
    values: Values,
    settings: ReportSettings,
    *,
    facts: Mapping[str, Any] | None = None,
) -> Report:
    """Compute a report from the values of every question.

    Args:
        question_set: the questions, in the order of the values.
        measures: names of the columns of the values.
        values: the values of each system, by its name.
        settings: the statistics and the comparisons.
        facts: further top-level entries (depths, counts, notes), which are copied.

    Returns:
        A JSON-able mapping; shares are fractions, differences are "system minus reference".
    """
    systems = list(values)
    reference = settings.check(measures, systems)
    sampling = Sampling.of(question_set.questions, question_set.averaging)
    stacked = _stack(values, len(question_set.questions), len(measures))
    samples = bootstrap_means(stacked, sampling, resamples=settings.resamples, seed=settings.seed)
    return {
        "schema": SCHEMA,
        "question_set": {
            "name": question_set.name,
            "match": question_set.match,
            "averaging": question_set.averaging,
            "questions": len(question_set.questions),
            "clusters": sampling.n_clusters,
            "groups": sampling.n_groups if question_set.averaging == "macro" else 0,
        },
        "measures": list(measures),
        "primary": settings.primary,
        "reference": reference,
        "systems": _numbers(systems, measures, mean(stacked, sampling), samples, settings),
        "comparisons": _comparisons(values, measures, sampling, samples, reference, settings),
        "breakdowns": _breakdowns(question_set.questions, measures, values, settings),
        "method": {
            "intervals": _INTERVALS[question_set.averaging],
            "test": "two-sided paired sign flip over clusters",
            "correction": "Holm within a family; families: the primary measure, the others",
            "resamples": settings.resamples,
            "seed": settings.seed,
            "confidence": settings.confidence,
        },
        **(facts or {}),
    }


def _stack(values: Values, questions: int, measures: int) -> Float64[np.ndarray, "questions all"]:
    for system, columns in values.items():
        if columns.shape != (questions, measures):
            raise ValueError(
                f"{system}: values of shape {columns.shape}, expected {(questions, measures)}"
            )
    return np.concatenate(list(values.values()), axis=1)


def _numbers(
    systems: Sequence[str],
    measures: Sequence[str],
    means: Float64[np.ndarray, " all"],
    samples: Float64[np.ndarray, "resamples all"],
    settings: ReportSettings,
) -> dict[str, dict[str, dict[str, float]]]:
    low, high = percentile_interval(samples, settings.confidence)
    cells = [
        {"value": _rounded(v), "low": _rounded(a), "high": _rounded(b)}
        for v, a, b in zip(means, low, high, strict=True)
    ]
    width = len(measures)
    return {
        system: dict(zip(measures, cells[i * width : (i + 1) * width], strict=True))
        for i, system in enumerate(systems)
    }


def _rounded(value: float | np.floating[Any]) -> float:
    # the last digits of a sum depend on the number of threads, but the bytes of a report must not
    return round(float(value), 10)


def _comparisons(
    values: Values,
    measures: Sequence[str],
    sampling: Sampling,
    samples: Float64[np.ndarray, "resamples all"],
    reference: str | None,
    settings: ReportSettings,
) -> list[dict[str, Any]]:
    if reference is None:
        return []
    systems = list(values)
    order = [reference] + [name for name in systems if name != reference]
    pairs = (
        list(combinations(order, 2))
        if settings.comparisons == "all"
        else [(reference, s) for s in order[1:]]
    )
    compared = []
    for column, measure in enumerate(measures):
        for base, system in pairs:
            difference = values[system][:, column] - values[base][:, column]
            at, base_at = (systems.index(name) * len(measures) + column for name in (system, base))
            low, high = percentile_interval(
                samples[:, [at]] - samples[:, [base_at]], settings.confidence
            )
            compared.append(
                {
                    "system": system,
                    "reference": base,
                    "measure": measure,
                    "family": "primary" if measure == settings.primary else "secondary",
                    "difference": _rounded(mean(difference[:, None], sampling)[0]),
                    "low": _rounded(low[0]),
                    "high": _rounded(high[0]),
                    "questions_better": int(np.sum(difference > 0)),
                    "questions_worse": int(np.sum(difference < 0)),
                    "p": sign_flip_test(
                        difference, sampling, resamples=settings.resamples, seed=settings.seed
                    ),
                }
            )
    _correct(compared, 1.0 - settings.confidence)
    return compared


def _correct(compared: Sequence[dict[str, Any]], level: float) -> None:
    for family in ("primary", "secondary"):
        members = [comparison for comparison in compared if comparison["family"] == family]
        for member, adjusted in zip(members, holm([m["p"] for m in members]), strict=True):
            member["p_holm"] = adjusted
            # rounded: 1 - 0.95 is a little more than 0.05
            member["distinguishable"] = adjusted < round(level, 12)


def _breakdowns(
    questions: Sequence[Question],
    measures: Sequence[str],
    values: Values,
    settings: ReportSettings,
) -> list[dict[str, Any]]:
    parts = []
    for key, labels in _labels(questions).items():
        for label in sorted(set(labels) - {""}):
            rows = np.flatnonzero(np.array([own == label for own in labels]))
            chosen = {system: columns[rows] for system, columns in values.items()}
            sampling = Sampling.of([questions[row] for row in rows.tolist()], "micro")
            stacked = _stack(chosen, len(rows), len(measures))
            samples = bootstrap_means(
                stacked, sampling, resamples=settings.resamples, seed=settings.seed
            )
            parts.append(
                {
                    "by": key,
                    "value": label,
                    "questions": len(rows),
                    "clusters": sampling.n_clusters,
                    "systems": _numbers(
                        list(values), measures, mean(stacked, sampling), samples, settings
                    ),
                }
            )
    return parts


def _labels(questions: Sequence[Question]) -> dict[str, list[str]]:
    keys = sorted({key for question in questions for key in question.tags})
    labels = {key: [str(q.tags.get(key, "")) for q in questions] for key in keys}
    labels["group"] = [q.group for q in questions]
    return {key: own for key, own in labels.items() if _breaks_down(own)}


def _breaks_down(labels: Sequence[str]) -> bool:
    labelled = [label for label in labels if label]
    values = len(set(labelled))
    return 2 <= values <= MAX_BREAKDOWN and len(labelled) >= MIN_QUESTIONS * values
