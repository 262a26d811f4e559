from pathlib import Path

import numpy as np

from jamba_reader.tokenization.vocabulary import train_vocabulary
from jamba_reader.training.document_tokens import (
    ModelTexts,
    build_document_tokens,
)
from spider.corpus.split import SECTIONS, DocumentSplit, SplitRule, split_documents


def test_tokens_are_the_documents(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus(
        [("Cats", ["the cat sat", "on the mat"]), ("", ["naïve 12"]), ("Dogs", ["the dog sat"])]
    )
    source = ModelTexts(corpus, split_documents(corpus, SplitRule()))
    texts = [source.text(number) for number in range(len(source))]
    assert texts == ["Cats\n\nthe cat sat\non the mat", "naïve 12", "Dogs\n\nthe dog sat"]
    vocabulary = train_vocabulary(texts, vocabulary_size=280)
    tokens = build_document_tokens(source, vocabulary, tmp_path / "tokens", shard_size=2)
    assert [vocabulary.decode(tokens.document(number).tolist()) for number in range(3)] == texts
    assert tokens.lengths.tolist() == [len(tokens.document(number)) for number in range(3)]
    assert tokens.byte_counts.tolist() == [len(text.encode()) for text in texts]
    assert (tokens.begin_id, tokens.end_id) == (1, 2)
    # what is there is kept: a second call tokenises nothing
    shards = sorted((tmp_path / "tokens").rglob("ids.npy"))
    before = [shard.stat().st_mtime_ns for shard in shards]
    again = build_document_tokens(source, vocabulary, tmp_path / "tokens", shard_size=2)
    assert [shard.stat().st_mtime_ns for shard in shards] == before
    assert np.array_equal(again.lengths, tokens.lengths)


def test_a_document_that_is_split_by_sections_is_read_in_parts(make_corpus) -> None:
    corpus = make_corpus(
        [("Note", ["a short note"]), ("Book", [f"passage {number}" for number in range(40)])]
    )
    split = split_documents(corpus, SplitRule())
    assert split.parts.tolist() == [0, SECTIONS]
    texts = ModelTexts(corpus, split)
    assert texts.text(1) == ""
    read = {
        name: [texts.text(number) for number in texts.numbers(name).tolist()]
        for name in ("train", "validation", "test")
    }
    assert read["train"][0] == "Note\n\na short note"
    lines = {name: {line for text in read[name] for line in text.split("\n")} for name in read}
    own = {name: {line for line in lines[name] if line.startswith("passage ")} for name in read}
    assert set.union(*own.values()) == {f"passage {number}" for number in range(40)}
    assert sum(len(part) for part in own.values()) == 40
    held = [p for _, first, after, _ in split.sections_of("test") for p in range(first, after)]
    assert own["test"] == {corpus.text(position) for position in held}
    assert all(text.startswith("Book\n\npassage") for name in read for text in read[name][-1:])


def test_without_sections_the_numbers_are_those_of_the_documents(make_corpus) -> None:
    corpus = make_corpus([("a", ["x"]), ("b", ["y"]), ("c", ["z"])])
    split = DocumentSplit(split_documents(corpus, SplitRule()).parts)
    texts = ModelTexts(corpus, split)
    assert texts.numbers("train").tolist() == split.training.tolist()
    assert texts.numbers("test").tolist() == split.test.tolist()
