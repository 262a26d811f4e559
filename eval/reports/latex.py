"""A report's summary as LaTeX."""

from eval.reports.report import Report
from eval.reports.tables import summary_columns, summary_rows, summary_title
from spider.printable import printable

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def latex(report: Report) -> str:
    """Return the summary as a LaTeX table in the style of booktabs."""
    columns = summary_columns(report)
    rows = [" & ".join(map(_tex, row)) + r" \\" for row in summary_rows(report)]
    method = report["method"]
    caption = (
        f"{summary_title(report)}. In brackets: {100 * method['confidence']:g} % interval, "
        f"{method['intervals']}."
    )
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{{_tex(caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
            r"\toprule",
            " & ".join(map(_tex, columns)) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _tex(text: str) -> str:
    return "".join(
        _LATEX.get(character, character) for character in printable(" ".join(text.split()))
    )
