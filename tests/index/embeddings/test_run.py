"""Embedding a corpus: the record, the reused vectors, and the refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from index.embeddings.embeddings import Embeddings
from index.embeddings.run import embed_corpus
from index.embeddings.settings import EmbeddingSettings
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.records.embeddings import EmbeddingsRecord
from spider.encoders.table.inference import StaticEncoder


@pytest.fixture
def embed(undertaking: Any) -> Any:
    def run(output: Path, **changes: Any) -> Artifact:
        overwrite = changes.pop("overwrite", False)
        return embed_corpus(
            EmbeddingSettings(**{"shard_size": 16, "device": "cpu", **changes}),
            corpus=undertaking.corpus.path,
            encoder=undertaking.folder / "encoder",
            output=output,
            overwrite=overwrite,
        )

    return run


def test_details_are_the_encoders_and_counts_add_up(embed: Any, undertaking: Any) -> None:
    made = embed(undertaking.folder / "again")
    encoder = open_artifact(undertaking.folder / "encoder").details
    assert made.details == {
        **{name: encoder[name] for name in ("dimension", "similarity", "score_scale")},
        "dtype": "float16",
        "passages": 60,
        "shard_size": 16,
    }
    assert made.counts == {"passages": 60, "encoded": 60, "reused": 0}


def test_passages_beyond_the_window_are_counted_and_said(
    embed: Any, undertaking: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def count(self: StaticEncoder, titles: list[str], texts: list[str]) -> int:
        return sum("1907" in text for text in texts)

    monkeypatch.setattr(StaticEncoder, "count_truncated", count, raising=False)
    made = embed(undertaking.folder / "again")
    assert made.counts == {"passages": 60, "encoded": 60, "reused": 0, "passages_truncated": 10}
    assert "longer than the encoder reads: 10 of 60 passages" in caplog.text


@pytest.mark.parametrize("shard_size", [1000, 7])
def test_the_size_of_a_shard_changes_no_vector(
    shard_size: int, embed: Any, undertaking: Any
) -> None:
    embed(undertaking.folder / "other", shard_size=shard_size)
    one, two = (Embeddings.open(undertaking.folder / name) for name in ("embeddings", "other"))
    np.testing.assert_array_equal(one.take(range(60)), two.take(range(60)))


def test_what_is_there_is_returned_and_what_is_known_is_taken_over(
    embed: Any, undertaking: Any
) -> None:
    output = undertaking.folder / "embeddings"
    before = open_artifact(output)
    assert embed(output).content_hash == before.content_hash
    again = embed(output, shard_size=20, overwrite=True)
    assert again.counts == {"passages": 60, "encoded": 0, "reused": 60}


def test_the_chosen_precision_is_recorded_and_other_vectors_are_not_taken_over(
    embed: Any, undertaking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = undertaking.folder / "precise"
    monkeypatch.setattr(StaticEncoder, "precision", torch.float32, raising=False)
    made = embed(output)
    assert EmbeddingsRecord.from_manifest(made).precision == "float32"
    assert embed(output, overwrite=True, shard_size=7).counts["encoded"] == 0
    monkeypatch.setattr(StaticEncoder, "precision", torch.bfloat16, raising=False)
    again = embed(output, overwrite=True, shard_size=9)
    assert EmbeddingsRecord.from_manifest(again).precision == "bfloat16"
    assert again.counts["reused"] == 0


def test_damaged_embeddings_are_not_taken_over(embed: Any, undertaking: Any) -> None:
    output = undertaking.folder / "embeddings"
    vectors = output / "shard-00001" / "vectors.npy"
    vectors.write_bytes(b"x" * vectors.stat().st_size)
    again = embed(output, shard_size=20, overwrite=True)
    assert again.counts["reused"] == 0
