"""BM25 by Lucene, through Anserini's indexer and analyzer.

The index is written by one thread with a merge policy that only merges neighbours, so Lucene's
document numbers are passage positions: no table of ids is read at search time, equal scores come
in ascending position, and an index built again answers the same, byte-different as it is.

Anserini's own searcher reads a stored field for each hit and alters scores to break ties; here
Lucene's searcher is called directly. Its hits cross to Python as one string, which costs 1 ms
for 1,000 hits where reading the objects one by one costs 6 ms.
"""

import json
import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from index.sparse.jvm import detach_thread, java_class, start_jvm
from index.sparse.sparse_index import PassageTexts, check_bm25, indexed_blocks, indexed_text
from spider.errors import ArtifactError, ConfigError, SpiderError
from spider.progress import Progress
from spider.ranking import Hits, pad_hits

FIELD = "contents"
ANALYZER = "anserini DefaultEnglishAnalyzer (porter)"
# a stop word: keeps the passage's place in the index and matches nothing
EMPTY_CONTENTS = "the"
JAVA_BLANK = "".join(map(chr, range(33)))
MAXIMUM_TERMS = 1 << 16
WRITE_BUFFER_SHARE = 8

_BRIDGE = threading.Lock()
_HIT = re.compile(r"doc=(\d+) score=(\S+)")
_CLAUSE = re.compile(rf"weight\({FIELD}:(.*) in \d+\)")
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class Lucene:
    """Build BM25 indexes with Lucene.

    Args:
        k1: saturation of the term frequency.
        b: strength of the length normalisation, 0 to 1.
        threads: questions searched at a time.
        heap: the largest heap of the Java virtual machine, such as "2g".
    """

    variant = "lucene"

    def __init__(self, *, k1: float = 0.9, b: float = 0.4, threads: int = 2, heap: str = "2g"):
        check_bm25(k1, b)
        if threads < 1:
            raise ConfigError(f"sparse.threads is {threads}, expected at least 1")
        if not re.fullmatch(r"[1-9]\d*[kmgKMG]", heap):
            raise ConfigError(f"sparse.heap is {heap!r}, expected a size such as 2g or 512m")
        self.k1 = k1
        self.b = b
        self.threads = threads
        self.heap = heap

    def build(
        self, corpus: PassageTexts, folder: Path, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Index a corpus; whatever is in the folder is replaced.

        Returns:
            Settings, versions and counts, for :func:`load` and the manifest.

        Raises:
            MissingDependencyError: no JVM can run here.
            SpiderError: Lucene did not take every passage.
        """
        plan = start_jvm(heap=self.heap)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        with _java("indexing", folder):
            empty = self._write(corpus, folder, progress)
            searcher = _open_searcher(folder, self.k1, self.b)
            indexed = searcher.getIndexReader().numDocs()
            searcher.getIndexReader().close()
        if indexed != len(corpus):
            raise SpiderError(f"{folder}: Lucene holds {indexed} passages, expected {len(corpus)}")
        return {
            "variant": self.variant,
            "k1": self.k1,
            "b": self.b,
            "threads": self.threads,
            "heap": self.heap,
            "analyzer": ANALYZER,
            "anserini_version": plan.anserini_version,
            "lucene_version": str(java_class("org.apache.lucene.util.Version").LATEST.toString()),
            "java_version": plan.java_version,
            "passages": len(corpus),
            "empty_passages": empty,
        }

    def _write(self, corpus: PassageTexts, folder: Path, progress: Progress | None) -> int:
        indexer, writer = self._open_writer(folder)
        empty = 0
        try:
            for first, texts in indexed_blocks(corpus):
                batch = []
                for position, text in enumerate(texts, start=first):
                    blank = not text.strip(JAVA_BLANK)
                    empty += blank
                    contents = EMPTY_CONTENTS if blank else text
                    batch.append(json.dumps({"id": str(position), "contents": contents}))
                if indexer.addRawDocuments(batch) != len(batch):
                    raise SpiderError(f"{folder}: Lucene refused passages from {first} on")
                if progress is not None:
                    progress.advance(len(batch))
            # SimpleIndexer.close swallows what goes wrong in a commit (a full disk): ask first
            writer.commit()
        finally:
            indexer.close()
        return empty

    def _open_writer(self, folder: Path) -> tuple[Any, Any]:
        settings = ["-collection", "JsonCollection", "-input", str(folder), "-index", str(folder)]
        indexer = java_class("io.anserini.index.SimpleIndexer")(
            [*settings, "-threads", "1", "-quiet"]
        )
        field = indexer.getClass().getDeclaredField("writer")
        field.setAccessible(True)
        arguments = java_class("java.util.Collections").singletonList(indexer)
        lookup = java_class("java.lang.invoke.MethodHandles").publicLookup()
        writer = lookup.unreflectGetter(field).invokeWithArguments(arguments)
        config = writer.getConfig()
        config.setMergePolicy(java_class("org.apache.lucene.index.LogByteSizeMergePolicy")())
        heap = int(self.heap[:-1]) * _UNITS[self.heap[-1].lower()]
        config.setRAMBufferSizeMB(max(8.0, heap / WRITE_BUFFER_SHARE / _UNITS["m"]))
        return indexer, writer


class LuceneIndex:
    """An opened Lucene index; threads may share it.

    Args:
        folder: where :meth:`Lucene.build` wrote.
        k1: saturation of the term frequency.
        b: strength of the length normalisation.
        threads: questions searched at a time.
        heap: the largest heap, if the JVM does not run yet.
    """

    def __init__(self, folder: Path, *, k1: float, b: float, threads: int, heap: str):
        start_jvm(heap=heap)
        self.threads = threads
        with _java("opening", folder):
            self._searcher = _open_searcher(folder, k1, b)
            self._analyzer = java_class(
                "io.anserini.analysis.DefaultEnglishAnalyzer"
            ).newDefaultInstance()
            self._queries = java_class("io.anserini.search.query.BagOfWordsQueryGenerator")()
            self._as_text = _hits_to_text()
            self._singleton = java_class("java.util.Collections").singletonList
        self._passages: int = self._searcher.getIndexReader().maxDoc()

    def __len__(self) -> int:
        """Count the indexed passages."""
        return self._passages

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question, best first.

        Ctrl-C waits for the questions that are being searched, not for the rest.
        """
        rows: list[tuple[np.ndarray, np.ndarray] | None] = [None] * len(questions)
        workers = min(self.threads, len(questions))
        if workers <= 1:
            try:
                rows = [self._search_one(question, depth) for question in questions]
            finally:
                detach_thread()
        else:
            self._search_in_threads(questions, depth, rows, workers)
        return pad_hits([row for row in rows if row is not None], depth)

    def _search_in_threads(
        self,
        questions: Sequence[str],
        depth: int,
        rows: list[tuple[np.ndarray, np.ndarray] | None],
        workers: int,
    ) -> None:
        stop = threading.Event()
        errors: list[Exception] = []

        def work(first: int) -> None:
            try:
                for row in range(first, len(questions), workers):
                    if stop.is_set():
                        return
                    rows[row] = self._search_one(questions[row], depth)
            except Exception as error:
                errors.append(error)
                stop.set()
            finally:
                detach_thread()

        pool = [threading.Thread(target=work, args=(first,)) for first in range(workers)]
        for thread in pool:
            thread.start()
        try:
            for thread in pool:
                thread.join()
        finally:
            stop.set()
        if errors:
            raise errors[0]

    def _search_one(
        self, question: str, depth: int
    ) -> tuple[Int64[np.ndarray, " hits"], Float32[np.ndarray, " hits"]]:
        # pyjnius keeps a method's receiver with the class: between fetching a method and entering
        # it no other thread may do the same, so all but the search itself is under one lock
        with _BRIDGE:
            query = self._query(question)
        searcher, limit = self._searcher, min(depth, self._passages)
        found = searcher.search(query, limit)
        with _BRIDGE:
            arguments = self._singleton(found)
            text = self._as_text.invokeWithArguments(arguments)
        columns = np.array(_HIT.findall(text), dtype=np.str_).reshape(-1, 2)
        return columns[:, 0].astype(np.int64), columns[:, 1].astype(np.float32)

    def _query(self, question: str) -> Any:
        return self._queries.buildQuery(FIELD, self._analyzer, indexed_text("", question))

    def explain(self, question: str, position: int) -> list[tuple[str, float]]:
        """Return each matching term's share of one passage's score, largest first.

        The terms are as indexed, that is stemmed.
        """
        whole = self._searcher.explain(self._query(question), position)
        shares = []
        for clause in [whole, *whole.getDetails()]:
            found = _CLAUSE.match(clause.getDescription())
            if found:
                shares.append((found.group(1), float(clause.getValue().floatValue())))
        return sorted(shares, key=lambda share: (-share[1], share[0]))

    def tokens(self, text: str) -> list[str]:
        """Return the terms that Lucene's analyzer makes of a text."""
        utils = java_class("io.anserini.analysis.AnalyzerUtils")
        return list(utils.analyze(self._analyzer, indexed_text("", text)))

    def close(self) -> None:
        """Close the index's files; the JVM goes on."""
        self._searcher.getIndexReader().close()


def load(folder: Path, details: Mapping[str, Any]) -> LuceneIndex:
    """Open what :meth:`Lucene.build` wrote.

    Args:
        folder: the index.
        details: what ``build`` returned.

    Raises:
        ArtifactError: the folder holds no index that this Lucene reads.
        MissingDependencyError: no JVM can run here.
    """
    index = LuceneIndex(
        folder,
        k1=details["k1"],
        b=details["b"],
        threads=details["threads"],
        heap=details["heap"],
    )
    if len(index) != details["passages"]:
        index.close()
        raise ArtifactError(
            f"{folder}: Lucene holds {len(index)} passages, expected {details['passages']}"
        )
    return index


def _open_searcher(folder: Path, k1: float, b: float) -> Any:
    from jnius import cast

    directory = java_class("org.apache.lucene.store.FSDirectory").open(
        java_class("java.io.File")(str(folder)).toPath()
    )
    reader = java_class("org.apache.lucene.index.DirectoryReader").open(directory)
    searchers = java_class("org.apache.lucene.search.IndexSearcher")
    searcher = searchers(cast("org.apache.lucene.index.IndexReader", reader))
    searcher.setSimilarity(
        java_class("org.apache.lucene.search.similarities.BM25Similarity")(k1, b)
    )
    searchers.setMaxClauseCount(MAXIMUM_TERMS)
    return searcher


def _hits_to_text() -> Any:
    """Compose ``Arrays.toString(topDocs.scoreDocs)`` of method handles, so that it runs in Java."""
    handles = java_class("java.lang.invoke.MethodHandles")
    lookup = handles.publicLookup()
    find = java_class("java.lang.Class").forName
    hits = lookup.unreflectGetter(find("org.apache.lucene.search.TopDocs").getField("scoreDocs"))
    methods = find("java.util.Arrays").getMethods()
    signature = "toString(java.lang.Object[])"
    to_text = lookup.unreflect(next(m for m in methods if m.toString().endswith(signature)))
    wanted = java_class("java.lang.invoke.MethodType").fromMethodDescriptorString(
        "([Lorg/apache/lucene/search/ScoreDoc;)Ljava/lang/String;",
        java_class("java.lang.ClassLoader").getSystemClassLoader(),
    )
    return handles.filterReturnValue(hits, to_text.asType(wanted))


@contextmanager
def _java(doing: str, folder: Path) -> Iterator[None]:
    from jnius import JavaException

    try:
        yield
    except JavaException as error:
        message = str(error).splitlines()[0]
        raise ArtifactError(f"{folder}: {doing} with Lucene failed: {message}") from error
