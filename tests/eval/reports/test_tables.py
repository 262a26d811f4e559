import numpy as np
import pytest

from eval.reports.latex import latex
from eval.reports.markdown import markdown
from eval.reports.report import ReportSettings, build_report
from eval.reports.tables import (
    p_value,
    percent,
    summary_columns,
    summary_rows,
    summary_title,
    verdicts,
)
from spider.question import Question, QuestionSet

MEASURES = ["top_1", "top_20", "mrr"]


@pytest.fixture(scope="module")
def report() -> dict[str, object]:
    questions = tuple(
        Question(id=str(i), text="q", cluster=f"c{i // 3}", tags={"span": "ab"[i % 2]})
        for i in range(90)
    )
    column = np.arange(90)
    bm25 = np.stack([column % 10 == 0, column % 2 == 0, column % 2 == 0], axis=1) * 1.0
    better = np.maximum(bm25, (np.stack([column % 3 == 0] * 3, axis=1)) * 1.0)
    a_bit = bm25.copy()
    a_bit[1] = 1.0
    systems = {"bm25": bm25, "hy_brid|&": better, "a bit": a_bit}
    settings = ReportSettings(resamples=500)
    return build_report(
        QuestionSet(name="held-out", questions=questions),
        MEASURES,
        systems,
        settings,
        facts={"notes": ["mind the gap"]},
    )


def test_summary(report) -> None:
    columns, rows = summary_columns(report), summary_rows(report)
    assert columns == ["system", "top-1", "top-20", "p vs bm25 (top-20, Holm)"]
    assert [row[0] for row in rows] == ["bm25", "hy_brid|&", "a bit"]
    assert all(len(row) == len(columns) for row in rows)
    assert rows[0][1].startswith("10.0 [")
    assert rows[0][2].startswith("50.0 [")
    assert rows[1][2].startswith("66.7 [")
    assert [row[3] for row in rows] == ["reference", rows[1][3], "1.000"]
    assert float(rows[1][3].lstrip("<")) < 0.05
    assert summary_title(report) == "held-out: top-k accuracy in %, 90 questions in 30 clusters"


def test_what_is_not_significant_is_said_plainly(report) -> None:
    by_system = dict(zip(["better", "a bit"], verdicts(report), strict=True))
    assert by_system["better"].endswith(": better")
    assert "+16.7 [" in by_system["better"]
    assert by_system["a bit"].endswith(": not distinguishable")


def test_markdown(report) -> None:
    text = markdown(report)
    assert text.startswith("## held-out: top-k accuracy in %, 90 questions in 30 clusters\n")
    assert r"| hy\_brid\|& |" in text
    assert "### Paired comparisons" in text
    assert "not distinguishable" in text
    assert "### top-20 by span" in text
    assert "- mind the gap" in text
    assert text.endswith("Commit, date, hardware and command: `manifest.json`.\n")
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 4
    for table in tables:
        widths = {line.replace(r"\|", "").count("|") for line in table.splitlines()}
        assert len(widths) == 1, table


def test_latex(report) -> None:
    text = latex(report)
    assert r"\toprule" in text
    assert r"hy\_brid|\& & " in text
    assert text.count(r" \\") == 4
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_words() -> None:
    assert percent({"value": 0.629, "low": 0.6, "high": 0.65}) == "62.9 [60.0, 65.0]"
    assert [p_value(p) for p in (0.0001, 0.001, 0.0494, 1.0)] == [
        *["<0.001", "0.001", "0.049", "1.000"]
    ]
