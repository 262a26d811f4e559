"""One shard: its vectors, the reused ones, and the cache of a process."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.embeddings import shards
from index.embeddings.embeddings import Embeddings
from index.embeddings.shards import ShardEncoder, forget
from spider.artifacts.artifact import open_artifact
from spider.encoders.loading import load_encoder


@pytest.fixture
def work(undertaking: Any) -> ShardEncoder:
    encoder = open_artifact(undertaking.folder / "encoder")
    forget()
    return ShardEncoder(
        corpus=(undertaking.corpus.path, undertaking.corpus.artifact.content_hash),
        encoder=(encoder.path, encoder.content_hash),
        batch=4,
    )


def test_a_shard_holds_the_encoders_vectors_of_its_range(
    work: ShardEncoder, undertaking: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "shard"
    folder.mkdir()
    assert work((7, 20), folder) == {"passages": 13}
    corpus, positions = undertaking.corpus, range(7, 20)
    encoder = load_encoder(undertaking.folder / "encoder")
    expected = encoder.encode_passages(corpus.titles(positions), corpus.texts(positions))
    stored = np.load(folder / "vectors.npy")
    assert stored.dtype == np.float16
    np.testing.assert_allclose(stored, expected, atol=1e-3)
    hashes = np.load(folder / "passage_hashes.npy")
    np.testing.assert_array_equal(hashes, corpus.passage_hashes[7:20])


def test_known_vectors_are_taken_over_and_counted(
    work: ShardEncoder, undertaking: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = Embeddings.open(undertaking.folder / "embeddings")
    key = (older.artifact.path, older.artifact.content_hash)
    known = ShardEncoder(corpus=work.corpus, encoder=work.encoder, previous=key, batch=7)

    class Refusing:
        dimension = older.dimension

        def encode_passages(self, titles: Any, texts: Any) -> None:
            raise AssertionError("every vector was known")

    monkeypatch.setattr(shards, "_encoder", lambda *_: Refusing())
    folder = tmp_path / "shard"
    folder.mkdir()
    known((0, 60), folder)
    np.testing.assert_array_equal(np.load(folder / "vectors.npy"), older.take(range(60)))
    assert known.count_reused() == 60
    assert work.count_reused() == 0


def test_a_process_loads_each_artifact_once_until_it_forgets(
    work: ShardEncoder, undertaking: Any
) -> None:
    first = shards._corpus(work.corpus)
    assert shards._corpus(work.corpus) is first
    forget()
    assert shards._corpus(work.corpus) is not first
    forget()
