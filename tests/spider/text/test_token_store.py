from collections.abc import Callable
from pathlib import Path

import numpy as np

from spider.corpus.corpus import Corpus
from spider.text.token_store import build_token_store
from spider.text.vocabulary import train_tokenizer

TEXTS = ["the red house stands by the red river", "no end", "red again"]


def test_ids_titles_and_lengths_cross_shards(
    make_corpus: Callable[..., Corpus], tmp_path: Path
) -> None:
    corpus = make_corpus([("House", TEXTS), ("", ["end of the river"]), ("Red end", ["no", "red"])])
    tokenizer = train_tokenizer(TEXTS, vocabulary_size=1000, min_frequency=1)
    tokens = build_token_store(corpus, tokenizer, tmp_path / "tokens", shard_size=2)
    for position in range(len(corpus)):
        expected = tokenizer.encode([corpus.text(position)]).of(0)
        assert np.array_equal(tokens.passage(position), expected)
        assert tokens.length(position) == len(expected)
    for document in range(corpus.n_documents):
        title = corpus.title(corpus.document_passages(document)[0])
        assert np.array_equal(tokens.title(document), tokenizer.encode([title]).of(0))
    assert tokens.passage(0).dtype == np.uint16


def test_code_points_become_the_tokens_that_cover_them(
    make_corpus: Callable[..., Corpus], tmp_path: Path
) -> None:
    corpus = make_corpus([("", TEXTS)])
    tokenizer = train_tokenizer(TEXTS, vocabulary_size=1000, min_frequency=1)
    store = build_token_store(corpus, tokenizer, tmp_path / "tokens")
    for phrase in ("red house", "the red river", "stands", TEXTS[0]):
        start = TEXTS[0].index(phrase)
        first, last = store.token_range(0, start, start + len(phrase))
        expected = tokenizer.encode([phrase]).of(0)
        assert np.array_equal(store.passage(0)[first:last], expected)
    assert store.token_range(0, 3, 4) == (1, 1)  # white space: no token


def test_inverse_passage_frequency_counts_passages(
    make_corpus: Callable[..., Corpus], tmp_path: Path
) -> None:
    corpus = make_corpus([("", TEXTS)])
    tokenizer = train_tokenizer(TEXTS, vocabulary_size=1000, min_frequency=1)
    store = build_token_store(corpus, tokenizer, tmp_path / "tokens", shard_size=2)
    frequency = store.inverse_passage_frequency()
    red, absent = int(tokenizer.encode(["red"]).ids[0]), tokenizer.mask_id
    assert frequency[red] == np.log(4 / 3)  # two of three passages, twice in the first
    assert frequency[absent] == np.log(4)


def test_finished_shards_are_kept(make_corpus: Callable[..., Corpus], tmp_path: Path) -> None:
    corpus = make_corpus([("", TEXTS)])
    tokenizer = train_tokenizer(TEXTS, vocabulary_size=1000, min_frequency=1)
    build_token_store(corpus, tokenizer, tmp_path / "tokens", shard_size=1)
    kept = tmp_path / "tokens" / "passages" / "shard-00001" / "ids.npy"
    before = kept.stat().st_mtime_ns
    build_token_store(corpus, tokenizer, tmp_path / "tokens", shard_size=1)
    assert kept.stat().st_mtime_ns == before
