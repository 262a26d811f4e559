"""Tokens of every document of a corpus, computed once and memory-mapped."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tokenizers
from jaxtyping import Int64, Integer

from jamba_reader.tokenization.vocabulary import BEGIN, END, token_number
from spider.artifacts.shards import run_shards
from spider.corpus.corpus import Corpus
from spider.progress import Progress
from spider.text.token_shards import TokenShards, number_ranges, write_token_shard

SHARD_DOCUMENTS = 20_000
ENCODED_AT_ONCE = 256


class DocumentTokens:
    """The token ids of all documents.

    Attributes:
        lengths: number of tokens of each document, without special tokens.
        byte_counts: size of each document's text in UTF-8.
        begin_id: the token that begins a document.
        end_id: the token that ends a document.
    """

    def __init__(self, folder: Path, *, shards: int, shard_size: int, begin_id: int, end_id: int):
        self.begin_id = begin_id
        self.end_id = end_id
        self._shards = TokenShards(folder, shard_size=shard_size)
        empty = np.zeros(0, dtype=np.int64)
        numbers = range(shards)
        self.lengths: Int64[np.ndarray, " documents"] = np.concatenate(
            [empty, *(np.diff(self._shards.array("offsets", number)) for number in numbers)]
        )
        self.byte_counts: Int64[np.ndarray, " documents"] = np.concatenate(
            [empty, *(self._shards.array("bytes", number) for number in numbers)]
        )

    def document(self, number: int) -> Integer[np.ndarray, " tokens"]:
        """Return the tokens of a document, without special tokens."""
        return self._shards.tokens(number)


def build_document_tokens(
    corpus: Corpus,
    vocabulary: tokenizers.Tokenizer,
    folder: Path,
    *,
    shard_size: int = SHARD_DOCUMENTS,
) -> DocumentTokens:
    """Tokenise a corpus into ``folder``; existing shards are kept."""
    tasks = number_ranges(corpus.n_documents, shard_size)
    with Progress(total=corpus.n_documents, unit="documents", label="tokenise") as progress:
        run_shards(
            folder,
            tasks,
            lambda task, target: _write(task, target, corpus, vocabulary),
            on_done=lambda _, counts: progress.advance(counts["documents"]),
        )
    return DocumentTokens(
        folder,
        shards=len(tasks),
        shard_size=shard_size,
        begin_id=token_number(vocabulary, BEGIN),
        end_id=token_number(vocabulary, END),
    )


def document_text(corpus: Corpus, number: int) -> str:
    """Return the text of a document for the model: title, blank line, text."""
    document = corpus.document(number)
    return f"{document.title}\n\n{document.text}" if document.title else document.text


def _write(
    task: range, target: Path, corpus: Corpus, vocabulary: tokenizers.Tokenizer
) -> dict[str, int]:
    parts: list[np.ndarray] = []
    lengths, byte_counts = [], []
    for texts in _blocks(task, corpus):
        encodings = vocabulary.encode_batch_fast(texts, add_special_tokens=False)
        parts += [np.array(encoding.ids, dtype=np.uint32) for encoding in encodings]
        lengths += [len(encoding.ids) for encoding in encodings]
        byte_counts += [len(text.encode()) for text in texts]
    ids = np.concatenate([np.zeros(0, dtype=np.uint32), *parts])
    write_token_shard(
        target,
        ids,
        np.array(lengths, dtype=np.int64),
        vocabulary_size=vocabulary.get_vocab_size(with_added_tokens=True),
        columns={"bytes": np.array(byte_counts, dtype=np.int64)},
    )
    return {"documents": len(task), "tokens": len(ids)}


def _blocks(task: range, corpus: Corpus) -> Iterator[list[str]]:
    for start in range(task.start, task.stop, ENCODED_AT_ONCE):
        numbers = range(start, min(start + ENCODED_AT_ONCE, task.stop))
        # a lone surrogate has no UTF-8 form, and the tokenizers library refuses it
        yield [
            document_text(corpus, number).encode("utf-8", "replace").decode("utf-8")
            for number in numbers
        ]
