"""A report as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from eval.metrics.measures import measure_label
from eval.reports.report import Report
from eval.reports.tables import (
    difference,
    outcome,
    p_value,
    percent,
    summary_columns,
    summary_rows,
    summary_title,
    top_measures,
    verdicts,
)
from spider.printable import markdown_text


def markdown(report: Report) -> str:
    """Return the report as Markdown that can follow another report."""
    method = report["method"]
    level = f"{100 * method['confidence']:g} %"
    lines = [
        f"## {_cell(summary_title(report))}",
        "",
        f"In brackets: {level} interval, {method['intervals']}, {method['resamples']} resamples, "
        f"seed {method['seed']}.",
        "",
        *_markdown_table(summary_columns(report), summary_rows(report)),
        "",
    ]
    lines += _markdown_others(report)
    if report["comparisons"]:
        lines += ["### Paired comparisons", "", *(f"- {_cell(v)}." for v in verdicts(report)), ""]
        rows = [_comparison_row(c) for c in report["comparisons"]]
        heads = ["systems", "measure", "difference", "better / worse", "p", "p Holm", "verdict"]
        lines += [*_markdown_table(heads, rows), ""]
        lines += [
            f"Test: {method['test']}; {method['correction']}. Below {1 - method['confidence']:.2g} "
            "the systems are called distinguishable.",
            "",
        ]
    lines += _markdown_breakdowns(report)
    if notes := report.get("notes"):
        lines += [*(f"- {_cell(note)}" for note in notes), ""]
    # the report does not contain these values, so that another commit or date does not change it
    lines += ["Commit, date, hardware and command: `manifest.json`."]
    return "\n".join(lines).rstrip() + "\n"


def _comparison_row(comparison: Mapping[str, Any]) -> list[str]:
    c = comparison
    return [
        f"{c['system']} vs {c['reference']}",
        measure_label(c["measure"]),
        difference(c),
        f"{c['questions_better']} / {c['questions_worse']}",
        p_value(c["p"]),
        p_value(c["p_holm"]),
        outcome(c),
    ]


def _markdown_others(report: Report) -> list[str]:
    others = [name for name in report["measures"] if name not in top_measures(report)]
    rows = [
        [system, *(percent(numbers[name]) for name in others)]
        for system, numbers in report["systems"].items()
    ]
    return [*_markdown_table(["system", *map(measure_label, others)], rows), ""]


def _markdown_breakdowns(report: Report) -> list[str]:
    lines: list[str] = []
    primary = report["primary"]
    for key in dict.fromkeys(part["by"] for part in report["breakdowns"]):
        parts = [part for part in report["breakdowns"] if part["by"] == key]
        rows = [
            [
                part["value"],
                str(part["questions"]),
                *(percent(part["systems"][system][primary]) for system in report["systems"]),
            ]
            for part in parts
        ]
        lines += [f"### {_cell(measure_label(primary))} by {_cell(key)}", ""]
        lines += [*_markdown_table([key, "questions", *report["systems"]], rows), ""]
    return lines


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(map(_cell, columns))} |",
        f"|---|{'---:|' * (len(columns) - 1)}",
        *(f"| {' | '.join(map(_cell, row))} |" for row in rows),
    ]


def _cell(text: str) -> str:
    # "<0.001" is not a tag, so it needs no backslash
    return markdown_text(text).replace(r"\<0", "<0")
