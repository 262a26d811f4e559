"""Parts of an index that do not fit together are refused before anything is built."""

from dataclasses import replace
from typing import Any

import pytest

from index.dense.exact import Exact
from index.embeddings.embeddings import Embeddings
from index.engines.parts import IndexParts, check_parts
from index.fusion.weighted_sum import WeightedSum
from index.sparse.bm25s_index import Bm25s
from spider.errors import ArtifactError, ConfigError
from spider.spans.span_store import SpanStore


@pytest.fixture
def parts(undertaking: Any) -> IndexParts:
    return IndexParts(
        corpus=undertaking.corpus,
        embeddings=Embeddings.open(undertaking.folder / "embeddings"),
        spans=SpanStore.open(undertaking.folder / "spans"),
        dense=Exact(),
        sparse=Bm25s(),
        fusion=WeightedSum(),
    )


def test_parts_of_one_corpus_fit(parts: IndexParts) -> None:
    check_parts(parts)
    assert list(parts.inputs()) == ["corpus", "embeddings", "spans"]
    check_parts(replace(parts, embeddings=None, dense=None))
    assert list(replace(parts, embeddings=None, spans=None).inputs()) == ["corpus"]


def test_what_cannot_be_built(parts: IndexParts, make_corpus: Any) -> None:
    with pytest.raises(ConfigError, match="nothing to build"):
        check_parts(replace(parts, embeddings=None, sparse=None))
    with pytest.raises(ConfigError, match="dense=faiss_sqfp16"):
        check_parts(replace(parts, dense=None))
    other = make_corpus([("Other", ["Something else."])], name="other")
    with pytest.raises(ArtifactError, match=other.artifact.content_hash):
        check_parts(replace(parts, corpus=other))
    with pytest.raises(ArtifactError, match="make the spans again"):
        check_parts(replace(parts, corpus=other, embeddings=None))


def test_only_the_dense_weight_can_be_chosen(parts: IndexParts) -> None:
    fusion = WeightedSum(weights={"dense": 1.0, "bm25": None})
    with pytest.raises(ConfigError, match=r"fusion\.weights\.bm25 is null"):
        check_parts(replace(parts, fusion=fusion))
