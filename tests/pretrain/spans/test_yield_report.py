"""The yield of a span store, computed by hand, and how it is shown."""

import json
from pathlib import Path

import numpy as np
import pytest

from pretrain.spans.yield_report import measure_yield, say_yield, write_yield, yield_rows
from spider.corpus.split import NOT_USABLE, TEST, TRAIN, DocumentSplit
from spider.question import Question, QuestionSet
from spider.spans.clusters import Clusters, Occurrences
from spider.spans.span_store import SpanStore
from spider.spans.writer import SpanStoreWriter


def _clusters(*positions: list[int]) -> Clusters:
    joined = np.array([p for cluster in positions for p in cluster], dtype=np.int64)
    return Clusters(
        np.full(len(positions), 2, dtype=np.uint8),
        np.array([len(cluster) for cluster in positions], dtype=np.int64),
        Occurrences(joined, np.zeros(len(joined), np.int32), np.ones(len(joined), np.int32)),
    )


@pytest.fixture
def store(tmp_path: Path) -> SpanStore:
    writer = SpanStoreWriter(tmp_path)
    # two occurrences in passage 1 are one passage; 3 passages give 6 ordered pairs, 2 give 2
    writer.add(0, range(4), _clusters([0, 1, 1, 2], [0, 3]))
    writer.add(1, range(4, 5), None)
    writer.add(2, range(5, 9), _clusters([5, 6]))
    writer.close()
    DocumentSplit(np.array([TRAIN, NOT_USABLE, TEST], dtype=np.uint8)).save(tmp_path)
    return SpanStore(tmp_path)


QUERIES = {
    "test": QuestionSet(
        name="held-out test",
        questions=(
            Question(id="a", text="a|b", tags={"span": "kept", "recurring_span": "red fox"}),
            Question(id="b", text="c", tags={"span": "removed", "recurring_span": "red fox"}),
        ),
        match="passage",
    )
}
COUNTS = {"documents": 3, "passages": 9, "clusters": 3, "occurrences": 8, "words": 1234}


def test_numbers_computed_by_hand(store: SpanStore) -> None:
    found = measure_yield(store, COUNTS, QUERIES)
    assert found["documents_usable"] == 2
    assert found["documents_by_split"] == {"train": 1, "validation": 0, "test": 1}
    assert found["spans_per_usable_document"] == {"mean": 1.5, "median": 1.5, "most": 2}
    assert found["span_words"] == {"2": 3}
    assert found["training_pairs"] == 2
    assert found["training_passage_pairs"] == 8
    assert found["heldout_queries"] == {"test": 2}
    assert found["heldout_share_kept"] == 0.5
    assert [example["query"] for example in found["examples"]] == ["a|b", "c"]


def test_the_files_hold_the_yield(store: SpanStore, tmp_path: Path) -> None:
    found = measure_yield(store, COUNTS, QUERIES)
    write_yield(tmp_path, found)
    assert json.loads((tmp_path / "yield.json").read_text()) == found
    text = (tmp_path / "yield.md").read_text()
    assert "| documents usable | 2 |" in text
    # a bar would open a column
    assert "**red fox** (kept): a\\|b\n" in text


def test_a_person_sees_every_row(store: SpanStore, capsys: pytest.CaptureFixture[str]) -> None:
    found = measure_yield(store, COUNTS, QUERIES)
    say_yield(found, words_per_second=5_000_000)
    shown = capsys.readouterr().out
    for name, value in yield_rows(found):
        assert name in shown
        assert value in shown
    assert "5,000,000" in shown


def test_nothing_found_is_no_error(tmp_path: Path) -> None:
    writer = SpanStoreWriter(tmp_path)
    writer.add(0, range(1), None)
    writer.close()
    DocumentSplit(np.array([NOT_USABLE], dtype=np.uint8)).save(tmp_path)
    found = measure_yield(SpanStore(tmp_path), {}, {"test": QuestionSet(name="", questions=())})
    assert found["documents_usable"] == 0
    assert found["spans_per_usable_document"] == {"mean": 0.0, "median": 0.0, "most": 0}
    assert found["examples"] == []
    write_yield(tmp_path, found)
    assert "none" in (tmp_path / "yield.md").read_text()
