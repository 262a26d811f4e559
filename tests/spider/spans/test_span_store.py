import numpy as np
import pytest

from spider.artifacts.atomic_files import save_array
from spider.corpus.split import NOT_USABLE, TEST, TRAIN
from spider.errors import ArtifactError, DataError
from spider.spans.clusters import Clusters, Occurrences
from spider.spans.span_store import SpanStore
from spider.spans.writer import SpanStoreWriter


def clusters(sizes, first_position=0):
    total = sum(sizes)
    return Clusters(
        np.full(len(sizes), 2, dtype=np.uint8),
        np.array(sizes, dtype=np.int64),
        Occurrences(
            np.arange(first_position, first_position + total, dtype=np.int64),
            np.arange(total, dtype=np.int32),
            np.arange(total, dtype=np.int32) + 5,
        ),
    )


def write(folder, documents, split=None):
    folder.mkdir()
    writer = SpanStoreWriter(folder)
    for number, candidates, found in documents:
        writer.add(number, candidates, found)
    writer.close()
    if split is not None:
        save_array(folder / "split.npy", np.array(split, dtype=np.uint8))


DOCUMENTS = [
    (0, range(5), clusters([2, 3])),
    (1, range(5, 6), None),
    (2, range(6, 9), clusters([2], first_position=6)),
]


def test_reads_what_was_written(tmp_path):
    write(tmp_path / "spans", DOCUMENTS, split=[TRAIN, NOT_USABLE, TEST])
    store = SpanStore(tmp_path / "spans")
    assert len(store) == 3
    assert store.documents.tolist() == [0, 0, 2]
    assert store.offsets.tolist() == [0, 2, 5, 7]
    assert store.occurrences(1).positions.tolist() == [2, 3, 4]
    assert store.occurrences(2).ends.tolist() == [5, 6]
    assert store.candidates(2) == range(6, 9)
    assert store.clusters_of(0) == range(2)
    assert store.clusters_of(1) == range(2, 2)
    assert store.train_clusters().tolist() == [0, 1]
    assert isinstance(store.positions.base, np.memmap)


def test_empty_store_is_valid(tmp_path):
    write(tmp_path / "spans", [(0, range(1), None)], split=[NOT_USABLE])
    store = SpanStore(tmp_path / "spans")
    assert len(store) == 0
    assert store.train_clusters().tolist() == []
    with pytest.raises(DataError, match="question set"):
        store.heldout("test")


def test_damage_is_told(tmp_path):
    write(tmp_path / "spans", DOCUMENTS)
    with pytest.raises(ArtifactError, match=r"split\.npy: no such file"):
        SpanStore(tmp_path / "spans")
    save_array(tmp_path / "spans" / "split.npy", np.zeros(2, dtype=np.uint8))
    with pytest.raises(ArtifactError, match="differ in length"):
        SpanStore(tmp_path / "spans")
    (tmp_path / "spans" / "words.npy").unlink()
    with pytest.raises(ArtifactError, match=r"words\.npy: no such file"):
        SpanStore(tmp_path / "spans")
