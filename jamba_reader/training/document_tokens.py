"""Tokens of the texts of a corpus that a language model reads, computed once and memory-mapped."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import tokenizers
from jaxtyping import Int64, Integer

from jamba_reader.tokenization.vocabulary import BEGIN, END, token_number
from spider.artifacts.shards import run_shards
from spider.corpus.corpus import Corpus
from spider.corpus.split import SECTIONS, SPLIT_NAMES, DocumentSplit
from spider.progress import Progress
from spider.text.token_shards import TokenShards, number_ranges, write_token_shard

SHARD_DOCUMENTS = 20_000
ENCODED_AT_ONCE = 256


class ModelTexts:
    """The texts of a corpus, each of one part of the split: documents, and parts of large ones.

    The first numbers are those of the documents. A document that is split by sections is empty
    there; the stretches of its sections follow, each with the document's title.

    Args:
        corpus: the documents.
        split: their parts.
    """

    def __init__(self, corpus: Corpus, split: DocumentSplit):
        self._corpus = corpus
        self._split = split
        self._stretches = split.sections.stretches()
        self._document = lru_cache(maxsize=1)(corpus.document)

    def __len__(self) -> int:
        return self._corpus.n_documents + len(self._stretches)

    def numbers(self, name: str) -> Int64[np.ndarray, " texts"]:
        """Return the numbers of the texts of ``train``, ``validation`` or ``test``, ascending."""
        whole = self._split.training if name == "train" else self._split.held_out(name)
        parts = np.flatnonzero(self._stretches[:, 3] == SPLIT_NAMES[name])
        return np.concatenate([whole, self._corpus.n_documents + parts]).astype(np.int64)

    def text(self, number: int) -> str:
        """Return a text for the model: title, blank line, text."""
        if number < self._corpus.n_documents:
            if self._split.parts[number] == SECTIONS:
                return ""
            document = self._corpus.document(number)
            return _titled(document.title, document.text)
        owner, first, after, _ = self._stretches[number - self._corpus.n_documents].tolist()
        document = self._document(owner)
        start = self._corpus.document_passages(owner).start
        bounds = (document.passages or ())[first - start : after - start]
        return _titled(document.title, document.text[bounds[0].start : bounds[-1].end])


class DocumentTokens:
    """The token ids of all texts.

    Attributes:
        lengths: number of tokens of each text, without special tokens.
        byte_counts: size of each text in UTF-8.
        begin_id: the token that begins a text.
        end_id: the token that ends a text.
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
    texts: ModelTexts,
    vocabulary: tokenizers.Tokenizer,
    folder: Path,
    *,
    shard_size: int = SHARD_DOCUMENTS,
) -> DocumentTokens:
    """Tokenise the texts into ``folder``; existing shards are kept."""
    tasks = number_ranges(len(texts), shard_size)
    with Progress(total=len(texts), unit="documents", label="tokenise") as progress:
        run_shards(
            folder,
            tasks,
            lambda task, target: _write(task, target, texts, vocabulary),
            on_done=lambda _, counts: progress.advance(counts["documents"]),
        )
    return DocumentTokens(
        folder,
        shards=len(tasks),
        shard_size=shard_size,
        begin_id=token_number(vocabulary, BEGIN),
        end_id=token_number(vocabulary, END),
    )


def _titled(title: str, text: str) -> str:
    return f"{title}\n\n{text}" if title else text


def _write(
    task: range, target: Path, source: ModelTexts, vocabulary: tokenizers.Tokenizer
) -> dict[str, int]:
    parts: list[np.ndarray] = []
    lengths, byte_counts = [], []
    for texts in _blocks(task, source):
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


def _blocks(task: range, source: ModelTexts) -> Iterator[list[str]]:
    for start in range(task.start, task.stop, ENCODED_AT_ONCE):
        numbers = range(start, min(start + ENCODED_AT_ONCE, task.stop))
        # a lone surrogate has no UTF-8 form, and the tokenizers library refuses it
        yield [source.text(number).encode("utf-8", "replace").decode("utf-8") for number in numbers]
