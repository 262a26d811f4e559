from eval.reports.tables import (
    p_value,
    percent,
    summary_columns,
    summary_rows,
    summary_title,
    verdicts,
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


def test_the_summary_shows_the_primary_measure(report) -> None:
    by_rank = {**report, "primary": "mrr"}
    assert summary_columns(by_rank) == ["system", "top-1", "top-20", "MRR", "p vs bm25 (MRR, Holm)"]
    assert all(len(row) == 5 for row in summary_rows(by_rank))


def test_what_is_not_significant_is_said_plainly(report) -> None:
    by_system = dict(zip(["better", "a bit"], verdicts(report), strict=True))
    assert by_system["better"].endswith(": better")
    assert "+16.7 [" in by_system["better"]
    assert by_system["a bit"].endswith(": not distinguishable")


def test_words() -> None:
    assert percent({"value": 0.629, "low": 0.6, "high": 0.65}) == "62.9 [60.0, 65.0]"
    assert [p_value(p) for p in (0.0001, 0.001, 0.0494, 1.0)] == [
        *["<0.001", "0.001", "0.049", "1.000"]
    ]
