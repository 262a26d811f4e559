"""The choice between Lucene and bm25s, and what is said about it."""

from pathlib import Path

import pytest

from index.sparse import jvm as module
from index.sparse.auto import Auto
from index.sparse.contract import SparseEngine
from index.sparse.jvm import JvmPlan
from index.sparse.lucene import Lucene
from spider.errors import ConfigError, MissingDependencyError

NOWHERE = JvmPlan(obstacle="no Java 21 or later (test)")


def test_auto_falls_back_with_one_line_and_lucene_refuses(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path, passages
) -> None:
    monkeypatch.setattr(module, "_running", None)
    monkeypatch.setattr(module, "plan_jvm", lambda heap="2g": NOWHERE)
    monkeypatch.setattr("index.sparse.auto.plan_jvm", lambda heap="2g": NOWHERE)
    engine = Auto()
    details = engine.build(passages([("", "a cat")]), tmp_path / "sparse")
    assert engine.variant == details["variant"] == "bm25s_index"
    lines = [record.getMessage() for record in caplog.records if record.name == "index.sparse.auto"]
    assert lines == ["sparse index: bm25s instead of Lucene: no Java 21 or later (test)"]
    with pytest.raises(MissingDependencyError, match=r"pip install 'spider-odqa\[lucene\]'") as got:
        Lucene().build(passages([("", "a cat")]), tmp_path / "lucene")
    assert got.value.exit_code == 4


@pytest.mark.jvm
def test_auto_takes_lucene_where_a_jvm_runs(jvm: JvmPlan) -> None:
    assert Auto(heap="512m").variant == "lucene"


def test_settings_reach_both_engines() -> None:
    engine = Auto(k1=1.2, b=0.75, threads=3, heap="512m")
    assert isinstance(engine, SparseEngine)
    assert (engine.lucene.k1, engine.lucene.b, engine.lucene.threads) == (1.2, 0.75, 3)
    assert (engine.bm25s.k1, engine.bm25s.b) == (1.2, 0.75)
    with pytest.raises(ConfigError, match="heap: got 'lots'"):
        Auto(heap="lots")
