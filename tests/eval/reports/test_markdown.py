"""The Markdown of a report: its tables are tables, whatever a name holds."""

from eval.reports.markdown import markdown
from eval.reports.report import Report


def test_markdown(report: Report) -> None:
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


def test_a_lonely_system_has_no_comparison(report: Report) -> None:
    alone = {
        **report,
        "reference": None,
        "comparisons": [],
        "breakdowns": [],
        "systems": {"bm25": report["systems"]["bm25"]},
        "notes": [],
    }
    text = markdown(alone)
    assert "Paired comparisons" not in text
    assert "| system | top-1 | top-20 |" in text
    assert "| system | MRR |" in text
