import numpy as np
import pytest

from spider.spans.clusters import Clusters, Occurrences
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


def write(folder, documents):
    folder.mkdir()
    writer = SpanStoreWriter(folder)
    for number, candidates, found in documents:
        writer.add(number, candidates, found)
    writer.close()


DOCUMENTS = [
    (0, range(5), clusters([2, 3])),
    (1, range(5, 6), None),
    (2, range(6, 9), clusters([2], first_position=6)),
]


def test_shards_merge_to_the_same_bytes(tmp_path):
    write(tmp_path / "whole", DOCUMENTS)
    write(tmp_path / "a", DOCUMENTS[:2])
    write(tmp_path / "b", DOCUMENTS[2:])
    (tmp_path / "merged").mkdir()
    writer = SpanStoreWriter(tmp_path / "merged")
    writer.add_shard(tmp_path / "a")
    writer.add_shard(tmp_path / "b")
    writer.close()
    for file in sorted((tmp_path / "whole").iterdir()):
        assert file.read_bytes() == (tmp_path / "merged" / file.name).read_bytes(), file.name


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_clusters_of_a_document_are_replaced(number, tmp_path):
    other = clusters([2, 2], first_position=DOCUMENTS[number][1].start)
    changed = [(n, bounds, other if n == number else own) for n, bounds, own in DOCUMENTS]
    write(tmp_path / "whole", changed)
    write(tmp_path / "a", DOCUMENTS[:2])
    write(tmp_path / "b", DOCUMENTS[2:])
    (tmp_path / "merged").mkdir()
    writer = SpanStoreWriter(tmp_path / "merged")
    writer.add_shard(tmp_path / "a", 0, {number: other})
    writer.add_shard(tmp_path / "b", 2, {number: other})
    writer.close()
    for file in sorted((tmp_path / "whole").iterdir()):
        assert file.read_bytes() == (tmp_path / "merged" / file.name).read_bytes(), file.name
