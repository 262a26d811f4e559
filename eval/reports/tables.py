"""A report as rows of text, for the terminal, Markdown and LaTeX."""

from collections.abc import Mapping
from typing import Any

from eval.metrics.measures import measure_label
from eval.metrics.top_k_accuracy import METRIC as TOP_K_ACCURACY
from eval.reports.report import Report
from spider.printable import counted


def summary_columns(report: Report) -> list[str]:
    """Return the headings of :func:`summary_rows`."""
    columns = ["system", *(measure_label(name) for name in _summarised(report))]
    if report["reference"] is None:
        return columns
    return [*columns, f"p vs {report['reference']} ({measure_label(report['primary'])}, Holm)"]


def summary_rows(report: Report) -> list[list[str]]:
    """Return one row for each system: percentages with intervals, then p against the reference.

    p belongs to the primary measure, and is corrected for the number of compared systems.
    """
    tests = {
        c["system"]: c
        for c in report["comparisons"]
        if c["family"] == "primary" and c["reference"] == report["reference"]
    }
    rows = []
    for system, numbers in report["systems"].items():
        row = [system, *(percent(numbers[name]) for name in _summarised(report))]
        if report["reference"] is not None:
            row.append(p_value(tests[system]["p_holm"]) if system in tests else "reference")
        rows.append(row)
    return rows


def summary_title(report: Report) -> str:
    """Return the heading of the summary table: name, size and averaging of the question set."""
    about = report["question_set"]
    sizes = counted(about["questions"], "question")
    if about["clusters"] != about["questions"]:
        sizes += f" in {counted(about['clusters'], 'cluster')}"
    if about["averaging"] == "macro":
        sizes += f", macro average over {counted(about['groups'], 'group')}"
    return f"{about['name']}: top-k accuracy in %, {sizes}"


def verdicts(report: Report) -> list[str]:
    """Return one plain sentence for each comparison in the primary measure."""
    return [verdict(c) for c in report["comparisons"] if c["family"] == "primary"]


def verdict(comparison: Mapping[str, Any]) -> str:
    """Return a sentence that says whether two systems differ significantly."""
    c = comparison
    return (
        f"{c['system']} vs {c['reference']}, {measure_label(c['measure'])}: "
        f"{difference(c)} points, p {p_value(c['p'])}, Holm {p_value(c['p_holm'])}: {outcome(c)}"
    )


def outcome(comparison: Mapping[str, Any]) -> str:
    """Return better, worse or not distinguishable."""
    if not comparison["distinguishable"]:
        return "not distinguishable"
    return "better" if comparison["difference"] > 0 else "worse"


def percent(cell: Mapping[str, float]) -> str:
    """Return ``62.9 [61.2, 64.5]``, in per cent."""
    return f"{100 * cell['value']:.1f} [{100 * cell['low']:.1f}, {100 * cell['high']:.1f}]"


def difference(comparison: Mapping[str, Any]) -> str:
    """Return ``+2.5 [+0.9, +4.1]``, in percentage points."""
    value, low, high = (100 * comparison[key] for key in ("difference", "low", "high"))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def p_value(p: float) -> str:
    """Return a p-value with as many digits as 10,000 resamples justify."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _summarised(report: Report) -> list[str]:
    """Return the top-k accuracies, and the primary measure."""
    return list(dict.fromkeys([*top_measures(report), report["primary"]]))


def top_measures(report: Report) -> list[str]:
    """Return the names of the top-k accuracies, k ascending."""
    return [name for name in report["measures"] if TOP_K_ACCURACY.label_of(name)]
