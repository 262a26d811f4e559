"""The LaTeX of a report: balanced, escaped, one row for each system."""

from eval.reports.latex import latex
from eval.reports.report import Report


def test_latex(report: Report) -> None:
    text = latex(report)
    assert r"\toprule" in text
    assert r"hy\_brid|\& & " in text
    assert text.count(r" \\") == 4
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_every_special_character_is_escaped(report: Report) -> None:
    special = {**report, "question_set": {**report["question_set"], "name": "a~b^c\\d{e}$f#g"}}
    text = latex(special)
    expected = r"a\textasciitilde{}b\textasciicircum{}c\textbackslash{}d\{e\}\$f\#g: top-k"
    assert expected in text
    assert r"accuracy in \%" in text
