"""The plot of top-k curves: an SVG of the same bytes each time, with every system in it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from eval.reports.retrieval.plots import write_top_k_curves
from eval.reports.significance import Sampling
from spider.errors import MissingDependencyError
from spider.question import Question

QUESTIONS = [Question(id=str(n), text="q") for n in range(12)]
RANKS = {"bm25": np.arange(12), "hybrid": np.ones(12, dtype=np.int64)}


def draw(path: Path, title: str = "costs $5") -> bytes:
    sampling = Sampling.of(QUESTIONS, "micro")
    write_top_k_curves(path, RANKS, sampling, depth=10, confidence=0.95, seed=0, title=title)
    return path.read_bytes()


def test_equal_arguments_draw_equal_bytes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first = draw(tmp_path / "one.svg")
    assert first == draw(tmp_path / "two.svg")
    assert first != draw(tmp_path / "three.svg", title="another")
    assert b"</svg>" in first
    for text in (b"bm25", b"hybrid"):
        assert text in first


def test_a_missing_matplotlib_names_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"spider-odqa\[eval\]"):
        draw(tmp_path / "plot.svg")


def test_a_name_is_drawn_as_it_is(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    ranks = {"_a$x$ <b> \x1b": np.ones(12, dtype=np.int64)}
    sampling = Sampling.of(QUESTIONS, "micro")
    path = tmp_path / "odd.svg"
    write_top_k_curves(
        path, ranks, sampling, depth=2, confidence=0.95, seed=0, title="$\\frac$ \x1b & <"
    )
    drawn = path.read_text()
    assert "\x1b" not in drawn
    # matplotlib writes a text as a comment beside its outlines
    assert r"_a$x$ &lt;b&gt; \x1b" in drawn
    assert r"$\frac$ \x1b &amp; &lt;" in drawn
