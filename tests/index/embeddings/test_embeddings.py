import numpy as np
import pytest

from index.embeddings.embeddings import Embeddings, KnownVectors, save_shard, to_float16
from spider.artifacts.records.embeddings import EmbeddingsRecord
from spider.artifacts.shards import shard_folder
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError, DataError

DIMENSION, SHARD = 4, 3


def hashes_of(numbers):
    hashes = np.zeros((len(numbers), 16), dtype=np.uint8)
    hashes[:, 15] = numbers  # equal first halves: only the whole hash tells them apart
    return hashes


@pytest.fixture
def make_embeddings(tmp_path):
    def make(vectors, hashes, *, passages=None, name="embeddings"):
        stage = Stage(verb="embed", kind="embeddings", output=tmp_path / name, config={}, inputs={})
        with stage.writing() as folder:
            for number, start in enumerate(range(0, len(vectors), SHARD)):
                (shard := shard_folder(folder, number)).mkdir()
                save_shard(shard, vectors[start : start + SHARD], hashes[start : start + SHARD])
            stage.finish(
                counts={},
                details=EmbeddingsRecord(
                    dimension=DIMENSION,
                    similarity="dot",
                    score_scale="unit",
                    dtype="float16",
                    passages=len(vectors) if passages is None else passages,
                    shard_size=SHARD,
                ),
            )
        return tmp_path / name

    return make


VECTORS = np.random.default_rng(0).standard_normal((7, DIMENSION)).astype(np.float16)


def test_blocks_and_take_are_in_corpus_order(make_embeddings):
    embeddings = Embeddings.open(make_embeddings(VECTORS, hashes_of(range(7))))
    assert len(embeddings) == 7
    assert embeddings.dimension == DIMENSION
    starts, blocks = zip(*embeddings.blocks(), strict=True)
    assert starts == (0, 3, 6)
    assert np.concatenate(blocks).tobytes() == VECTORS.tobytes()
    wanted = [6, 0, 3, 3]
    taken = embeddings.take(wanted)
    assert taken.dtype == np.float32
    np.testing.assert_array_equal(taken, VECTORS[wanted].astype(np.float32))
    assert embeddings.take([]).shape == (0, DIMENSION)
    np.testing.assert_array_equal(embeddings.passage_hashes(), hashes_of(range(7)))
    with pytest.raises(IndexError, match="0 to 6"):
        embeddings.take([7])


def test_manifest_and_shards_have_to_agree(make_embeddings):
    path = make_embeddings(VECTORS, hashes_of(range(7)), passages=8)
    with pytest.raises(ArtifactError, match="7 vectors, the manifest says 8"):
        Embeddings.open(path)


def test_a_damaged_shard_is_named(make_embeddings):
    path = make_embeddings(VECTORS, hashes_of(range(7)))
    vectors = shard_folder(path, 1) / "vectors.npy"
    vectors.write_bytes(b"x" * vectors.stat().st_size)
    with pytest.raises(ArtifactError, match=r"shard-00001/vectors\.npy is damaged: blake2b"):
        Embeddings.open(path)


def test_known_vectors_are_found_by_the_whole_hash(make_embeddings):
    order = [5, 2, 9, 1, 7, 3, 0]
    older = Embeddings.open(make_embeddings(VECTORS, hashes_of(order)))
    # all keys share their first half, so whichever place the search hits has to be compared whole
    found, places = KnownVectors(older).find(hashes_of([100]))
    assert found.tolist() == [False]
    distinct = np.random.default_rng(1).integers(0, 256, (7, 16)).astype(np.uint8)
    older = Embeddings.open(make_embeddings(VECTORS, distinct, name="distinct"))
    known = KnownVectors(older)
    asked = np.concatenate([distinct[[4, 0]], hashes_of([1])])
    found, places = known.find(asked)
    assert found.tolist() == [True, True, False]
    assert places[:2].tolist() == [4, 0]
    assert known.take(places[:2]).astype(np.float16).tobytes() == VECTORS[[4, 0]].tobytes()


def test_empty_embeddings(make_embeddings):
    empty = Embeddings.open(make_embeddings(VECTORS[:0], hashes_of([])))
    assert len(empty) == 0
    assert list(empty.blocks()) == []
    found, _ = KnownVectors(empty).find(hashes_of([1, 2]))
    assert found.tolist() == [False, False]


def test_numbers_that_float16_cannot_hold_are_named():
    vectors = np.ones((3, 2), dtype=np.float32)
    assert to_float16(vectors, str).dtype == np.float16
    vectors[1, 0] = 1e6
    with pytest.raises(DataError, match=r"passage id-1 has a number beyond"):
        to_float16(vectors, "id-{}".format)
    vectors[1, 0] = np.nan
    with pytest.raises(DataError, match="passage id-1 is not finite"):
        to_float16(vectors, "id-{}".format)
