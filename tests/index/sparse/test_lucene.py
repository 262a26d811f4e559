"""The Lucene engine: settings, order of merged segments, and an index of another size."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.sparse import lucene
from index.sparse.contract import load_made_with
from spider.errors import ArtifactError, ConfigError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k1": -1.0}, "k1: got -1.0"),
        ({"b": 1.5}, "b: got 1.5"),
        ({"threads": 0}, "threads: got 0"),
        ({"heap": "lots"}, "heap: got 'lots'"),
    ],
)
def test_settings_out_of_range(settings, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        lucene.Lucene(**settings)


@pytest.mark.jvm
def test_many_merged_segments_keep_the_order_of_the_passages(
    jvm, passages, docstrings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = passages(docstrings[:120])
    questions = [text[:80] for _, text in docstrings[:40]]
    at_once = lucene.load(tmp_path / "a", lucene.Lucene().build(corpus, tmp_path / "a"))
    monkeypatch.setattr(lucene, "LEAST_BUFFER_MB", 0.02)
    details = lucene.Lucene(heap="1k").build(corpus, tmp_path / "b")
    assert load_made_with(tmp_path / "b")["segments"] > 1
    in_pieces = lucene.load(tmp_path / "b", details)
    one, two = at_once.search(questions, 100), in_pieces.search(questions, 100)
    np.testing.assert_array_equal(one.positions, two.positions)
    np.testing.assert_array_equal(one.scores, two.scores)
    at_once.close()
    in_pieces.close()


@pytest.mark.jvm
@pytest.mark.usefixtures("jvm")
def test_an_index_of_another_size_is_refused(passages: Any, tmp_path: Path) -> None:
    details = lucene.Lucene(heap="512m").build(passages([("", "cat"), ("", "dog")]), tmp_path / "l")
    assert len(lucene.load(tmp_path / "l", details)) == 2
    with pytest.raises(ArtifactError, match="Lucene holds 2 passages, expected 3"):
        lucene.load(tmp_path / "l", {**details, "passages": 3})


@pytest.mark.jvm
@pytest.mark.usefixtures("jvm")
def test_a_relative_path_is_resolved_where_the_process_is_now(
    passages: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the JVM runs already, in another folder
    monkeypatch.chdir(tmp_path)
    corpus = passages([("", "a heron"), ("", "a ferry")])
    details = lucene.Lucene(heap="512m").build(corpus, Path("here/sparse"))
    with closing(lucene.load(Path("here/sparse"), details)) as index:
        assert index.search(["ferry"], 1).positions.tolist() == [[1]]
    assert list((tmp_path / "here" / "sparse").glob("segments_*"))
