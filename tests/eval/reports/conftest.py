"""A report of three systems, small enough to be looked at."""

import numpy as np
import pytest

from eval.reports.report import Report, ReportSettings, build_report
from spider.question import Question, QuestionSet


@pytest.fixture(scope="package")
def report() -> Report:
    """Return a report: bm25, a better system whose name needs escaping, and one hardly better."""
    questions = tuple(
        Question(id=str(i), text="q", cluster=f"c{i // 3}", tags={"span": "ab"[i % 2]})
        for i in range(90)
    )
    column = np.arange(90)
    bm25 = np.stack([column % 10 == 0, column % 2 == 0, column % 2 == 0], axis=1) * 1.0
    better = np.maximum(bm25, (np.stack([column % 3 == 0] * 3, axis=1)) * 1.0)
    a_bit = bm25.copy()
    a_bit[1] = 1.0
    return build_report(
        QuestionSet(name="held-out", questions=questions),
        ["top_1", "top_20", "mrr"],
        {"bm25": bm25, "hy_brid|&": better, "a bit": a_bit},
        ReportSettings(resamples=500),
        facts={"notes": ["mind the gap"]},
    )
