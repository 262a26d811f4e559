"""Mining by shards: where shards are cut, and one store whatever the shards."""

from pathlib import Path

import numpy as np
import pytest

from pretrain.spans.span_filters import SpanFilter
from pretrain.spans.span_shards import SHARDS, cut_shards, drops_last, mine_corpus
from spider.corpus.corpus import Corpus
from spider.corpus.split import SplitRule
from spider.errors import ConfigError

DOCUMENTS = [
    ("a", ["red fox one", "the red fox", "two three"]),
    ("b", ["red fox", "red fox"]),
    ("c", ["blue moon rose", "a blue moon", "four", "blue moon , blue moon"]),
]
PARTS = ("documents", "words", "offsets", "positions", "starts", "ends", "candidate_bounds")


def mined(corpus: Corpus, folder: Path, *, shard_passages: int = 100, **settings: bool) -> dict:
    folder.mkdir(exist_ok=True)
    return mine_corpus(
        corpus,
        folder,
        span_filter=SpanFilter(),
        rule=SplitRule(),
        drop_last=settings.get("drop_last", False),
        shard_passages=shard_passages,
        processes=1,
    )


def test_shards_are_whole_documents_of_so_many_passages(make_corpus) -> None:
    corpus = make_corpus(DOCUMENTS)
    assert cut_shards(corpus, 1) == [range(1), range(1, 2), range(2, 3)]
    assert cut_shards(corpus, 4) == [range(2), range(2, 3)]
    assert cut_shards(corpus, 100) == [range(3)]
    assert cut_shards(make_corpus([], name="empty"), 4) == []
    with pytest.raises(ConfigError, match="shard_passages 0"):
        cut_shards(corpus, 0)


def test_counts_and_clusters_computed_by_hand(make_corpus, tmp_path: Path) -> None:
    counts = mined(make_corpus(DOCUMENTS), tmp_path / "spans")
    counts.pop("milliseconds")
    # a document of two passages has no negative; a comma is a token of 20
    assert counts == {
        "documents": 3, "documents_too_short": 1, "passages": 9, "words": 20, "clusters": 2,
        "occurrences": 6,
    }  # fmt: skip
    load = {name: np.load(tmp_path / "spans" / f"{name}.npy") for name in PARTS}
    assert load["documents"].tolist() == [0, 2]
    assert load["offsets"].tolist() == [0, 2, 6]
    assert load["positions"].tolist() == [0, 1, 5, 6, 8, 8]
    assert load["candidate_bounds"].tolist() == [[0, 3], [3, 5], [5, 9]]


def test_the_store_is_the_same_for_any_shards(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus(DOCUMENTS)
    for size in (1, 4, 100):
        mined(corpus, tmp_path / str(size), shard_passages=size)
    for name in PARTS:
        bytes_of = {(tmp_path / str(size) / f"{name}.npy").read_bytes() for size in (1, 4, 100)}
        assert len(bytes_of) == 1, name


def test_whole_shards_are_not_mined_again(
    make_corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = make_corpus(DOCUMENTS)
    first = mined(corpus, tmp_path / "spans", shard_passages=1)
    assert (tmp_path / "spans" / SHARDS).is_dir()

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a shard was mined again")

    monkeypatch.setattr("pretrain.spans.span_shards.find_clusters", fail)
    assert mined(corpus, tmp_path / "spans", shard_passages=1) == first


def test_the_last_passage_is_dropped_where_the_corpus_pads_it(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus(DOCUMENTS, last_passage_padded=True)
    assert drops_last("auto", corpus)
    assert not drops_last(False, corpus)
    assert not drops_last("auto", make_corpus(DOCUMENTS, name="plain"))
    counts = mined(corpus, tmp_path / "spans", drop_last=True)
    assert counts["documents_too_short"] == 2
    bounds = np.load(tmp_path / "spans" / "candidate_bounds.npy")
    assert bounds.tolist() == [[0, 2], [3, 4], [5, 8]]
