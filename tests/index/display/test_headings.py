"""The heading above a passage, in Markdown, reStructuredText and Python's documentation."""

import pytest

from index.display.headings import LONGEST, heading_above

MARKDOWN = """\
# Rules ##

A boat is booked.

```python
# a comment
```

After dusk
----------
nobody sails.

- - -
\tthe end"""
PYTHON = (
    "Tool.\n\nclass Timer(object)\nTimes it.\n\n    code()\n\nTimer.timeit(self, n=1)\nRuns.\n\nx"
)


@pytest.mark.parametrize(
    ("place", "heading"),
    [
        ("# Rules", "Rules"),
        ("A boat", "Rules"),
        ("a comment", "Rules"),
        ("After dusk", "After dusk"),
        ("nobody", "After dusk"),
        ("the end", "After dusk"),
    ],
)
def test_the_last_heading_above(place: str, heading: str) -> None:
    assert heading_above(MARKDOWN, MARKDOWN.index(place)) == heading


@pytest.mark.parametrize(
    ("place", "heading"),
    [
        ("Tool", ""),
        ("class", "class Timer(object)"),
        ("code", "class Timer(object)"),
        ("Runs", "Timer.timeit(self, n=1)"),
        ("x", "Timer.timeit(self, n=1)"),
    ],
)
def test_definitions_of_pythons_documentation(place: str, heading: str) -> None:
    found = heading_above(PYTHON, PYTHON.rindex(place), document_id="module/timeit")
    assert found == heading


def test_a_heading_is_one_short_line_that_controls_nothing() -> None:
    assert heading_above("# a\x1b[2J\n\nx", 9) == r"a\x1b[2J"
    assert len(heading_above(f"# {'long ' * 100}\n\nx", 504)) == LONGEST
    assert heading_above("no heading", 3) == heading_above("", 0) == ""


def test_reading_it_takes_linear_time() -> None:
    # a rule with two runs of blanks would need 10^10 steps
    for text in ("a" + " " * 200_000 + "b\n---", "# a" + " " * 200_000 + "#b", "```\n" * 50_000):
        heading_above(text, len(text))
