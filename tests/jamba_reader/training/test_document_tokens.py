from pathlib import Path

import numpy as np

from jamba_reader.tokenization.vocabulary import train_vocabulary
from jamba_reader.training.document_tokens import (
    build_document_tokens,
    document_text,
)


def test_tokens_are_the_documents(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus(
        [("Cats", ["the cat sat", "on the mat"]), ("", ["naïve 12"]), ("Dogs", ["the dog sat"])]
    )
    texts = [document_text(corpus, number) for number in range(3)]
    assert texts == ["Cats\n\nthe cat sat\non the mat", "naïve 12", "Dogs\n\nthe dog sat"]
    vocabulary = train_vocabulary(texts, vocabulary_size=280)
    tokens = build_document_tokens(corpus, vocabulary, tmp_path / "tokens", shard_size=2)
    assert [vocabulary.decode(tokens.document(number).tolist()) for number in range(3)] == texts
    assert tokens.lengths.tolist() == [len(tokens.document(number)) for number in range(3)]
    assert tokens.byte_counts.tolist() == [len(text.encode()) for text in texts]
    assert (tokens.begin_id, tokens.end_id) == (1, 2)
    # what is there is kept: a second call tokenises nothing
    shards = sorted((tmp_path / "tokens").rglob("ids.npy"))
    before = [shard.stat().st_mtime_ns for shard in shards]
    again = build_document_tokens(corpus, vocabulary, tmp_path / "tokens", shard_size=2)
    assert [shard.stat().st_mtime_ns for shard in shards] == before
    assert np.array_equal(again.lengths, tokens.lengths)
