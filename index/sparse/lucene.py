"""BM25 by Lucene, through Anserini's indexer.

Anserini's analyzer runs in Java. The ``folded`` one runs in Python, and Lucene gets its terms with
spaces between them, so that both engines have the same terms.

One thread writes the index, and the merge policy merges neighbours only, so the document numbers of
Lucene are passage positions. Searching therefore reads no table of ids, and equal scores come in
ascending position. An index that is built again differs in its bytes but gives the same results.
"""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.sparse.analyzers import (
    FOLDED,
    AnalyzerName,
    check_analyzer,
    choose_analyzer,
    load_analyzer,
    recorded_analyzer,
)
from index.sparse.contract import (
    Needs,
    PassageTexts,
    check_bm25,
    indexed_blocks,
    load_made_with,
    save_made_with,
)
from index.sparse.jvm import java_class, start_jvm
from index.sparse.lucene_searcher import LuceneIndex, java_errors, open_searcher
from spider.artifacts.record import DetailsRecord
from spider.errors import ArtifactError, SettingError, SpiderError
from spider.progress import Progress
from spider.settings import Execution

# a stop word: it keeps the position of an empty passage and matches nothing
EMPTY_CONTENTS = "the"
# Anserini drops a passage that is blank for Java's trim(); this blank is none, yet gives no term
NO_TERMS = "\u2003"
JAVA_BLANK = "".join(map(chr, range(33)))
WRITE_BUFFER_SHARE = 8
LEAST_BUFFER_MB = 8.0
ORDER_CHECKS = 200
THREADS = 2
HEAP = "2g"
#: 0.19 on 113,898 passages of Wikipedia, tripled for the space that merging takes
DISK_PER_TEXT_BYTE = 0.6
#: 3.9 there, until the heap has its largest size
MEMORY_PER_TEXT_BYTE = 4.0
UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True, kw_only=True)
class LuceneRecord(DetailsRecord):
    """The manifest's details of a sparse part that Lucene searches.

    Attributes:
        variant: the file in ``index/sparse`` that loads it.
        k1: saturation of the term frequency.
        b: strength of the length normalisation.
        analyzer: name of the analyzer.
        passages: number of passages.
        empty_passages: number of passages without a term.
    """

    variant: str
    k1: float
    b: float
    analyzer: str
    passages: int
    empty_passages: int


class Lucene:
    """Build BM25 indexes with Lucene.

    Args:
        k1: saturation of the term frequency.
        b: strength of the length normalisation, 0 to 1.
        threads: questions searched at a time.
        heap: the largest heap of the Java virtual machine, such as "2g".
        analyzer: ``folded`` takes spellings of one word as one term, ``anserini`` gives published
            scores; null takes anserini for BEIR and psgs_w100, and folded for other documents.
    """

    variant = "lucene"

    def __init__(
        self,
        *,
        k1: float = 0.9,
        b: float = 0.4,
        threads: Execution[int] = THREADS,
        heap: Execution[str] = HEAP,
        analyzer: AnalyzerName | None = None,
    ):
        check_bm25(k1, b)
        check_analyzer(analyzer)
        if threads < 1:
            raise SettingError("threads", threads, "at least 1")
        if not re.fullmatch(r"[1-9]\d*[kmgKMG]", heap):
            raise SettingError("heap", heap, "a size such as 2g or 512m")
        self.k1 = k1
        self.b = b
        self.threads = threads
        self.heap = heap
        self.analyzer = analyzer

    def needs(self, text_bytes: int) -> Needs:
        """Estimate what building an index of that much text takes."""
        heap = int(self.heap[:-1]) * UNITS[self.heap[-1].lower()]
        memory = min(heap, int(text_bytes * MEMORY_PER_TEXT_BYTE))
        return Needs(int(text_bytes * DISK_PER_TEXT_BYTE), memory)

    def build(
        self, corpus: PassageTexts, folder: Path, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Index a corpus; the content of the folder is replaced.

        Returns:
            Settings and counts, for :func:`load` and the manifest.

        Raises:
            MissingDependencyError: no JVM can run here.
            SpiderError: Lucene did not accept every passage.
        """
        analyzer = choose_analyzer(self.analyzer, corpus)
        plan = start_jvm(heap=self.heap)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        with java_errors("indexing", folder):
            empty = self._write(corpus, folder, analyzer, progress)
            searcher = open_searcher(folder, self.k1, self.b)
            reader = searcher.getIndexReader()
            _check_order(folder, reader, len(corpus))
            segments = reader.leaves().size()
            reader.close()
        version = java_class("org.apache.lucene.util.Version").LATEST
        made_with = {
            "threads": self.threads,
            "heap": self.heap,
            "anserini_version": plan.anserini_version,
            "lucene_version": str(version.toString()),
            "java_version": plan.java_version,
            "segments": segments,
        }
        save_made_with(folder, made_with)
        return LuceneRecord(
            variant=self.variant,
            k1=self.k1,
            b=self.b,
            analyzer=analyzer,
            passages=len(corpus),
            empty_passages=empty,
        ).to_details()

    def _write(
        self,
        corpus: PassageTexts,
        folder: Path,
        analyzer: AnalyzerName,
        progress: Progress | None,
    ) -> int:
        contents = _folded_contents() if analyzer == FOLDED else _plain_contents
        indexer, writer = self._open_writer(folder, analyzer)
        empty = 0
        try:
            for first, texts in indexed_blocks(corpus):
                batch = []
                for position, text in enumerate(texts, start=first):
                    indexed = contents(text)
                    empty += not indexed
                    filled = indexed or (NO_TERMS if analyzer == FOLDED else EMPTY_CONTENTS)
                    batch.append(json.dumps({"id": str(position), "contents": filled}))
                if indexer.addRawDocuments(batch) != len(batch):
                    raise SpiderError(f"{folder}: Lucene refused passages from {first} on")
                if progress is not None:
                    progress.advance(len(batch))
            # SimpleIndexer.close hides errors of a commit (a full disk), so commit before it
            writer.commit()
        finally:
            indexer.close()
        return empty

    def _open_writer(self, folder: Path, analyzer: AnalyzerName) -> tuple[Any, Any]:
        # Java resolves a relative path against the folder that its JVM was started in
        place = str(folder.absolute())
        settings = ["-collection", "JsonCollection", "-input", place, "-index", place]
        settings += ["-threads", "1", "-quiet"]
        settings += ["-pretokenized"] if analyzer == FOLDED else []
        indexer = java_class("io.anserini.index.SimpleIndexer")(settings)
        field = indexer.getClass().getDeclaredField("writer")
        field.setAccessible(True)
        arguments = java_class("java.util.Collections").singletonList(indexer)
        lookup = java_class("java.lang.invoke.MethodHandles").publicLookup()
        writer = lookup.unreflectGetter(field).invokeWithArguments(arguments)
        config = writer.getConfig()
        config.setMergePolicy(java_class("org.apache.lucene.index.LogByteSizeMergePolicy")())
        heap = int(self.heap[:-1]) * _UNITS[self.heap[-1].lower()]
        config.setRAMBufferSizeMB(max(LEAST_BUFFER_MB, heap / WRITE_BUFFER_SHARE / _UNITS["m"]))
        return indexer, writer


def _plain_contents(text: str) -> str:
    """Return the text that Anserini analyses; empty where Java finds it blank."""
    return text if text.strip(JAVA_BLANK) else ""


def _folded_contents() -> Callable[[str], str]:
    analyze = load_analyzer(FOLDED)
    return lambda text: " ".join(analyze(text))


def load(folder: Path, details: Mapping[str, Any]) -> LuceneIndex:
    """Open what :meth:`Lucene.build` wrote.

    Args:
        folder: the index.
        details: what ``build`` returned.

    Raises:
        ArtifactError: the folder holds no index that this Lucene reads.
        MissingDependencyError: no JVM can run here.
    """
    record = LuceneRecord.from_details(details, where=folder)
    made_with = load_made_with(folder)
    index = LuceneIndex(
        folder,
        k1=record.k1,
        b=record.b,
        threads=made_with.get("threads", THREADS),
        heap=made_with.get("heap", HEAP),
        analyzer=recorded_analyzer(record.analyzer, where=folder),
    )
    if len(index) != record.passages:
        index.close()
        raise ArtifactError(
            f"{folder}: Lucene holds {len(index)} passages, expected {record.passages}"
        )
    return index


def _check_order(folder: Path, reader: Any, passages: int) -> None:
    """Check the ids of some documents: searching uses document numbers as positions."""
    if reader.maxDoc() != passages:
        raise SpiderError(f"{folder}: Lucene holds {reader.maxDoc()} passages, expected {passages}")
    stored = reader.storedFields()
    for position in range(0, passages, max(1, passages // ORDER_CHECKS)):
        document = stored.document(position)
        if document.get("id") != str(position):
            raise SpiderError(
                f"{folder}: Lucene has passage {document.get('id')} at position {position}; this "
                "Anserini merges out of order: use sparse=bm25s and report it"
            )
