"""The retriever: passages for questions, from texts, a folder, or an existing workspace."""

import logging
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from spider.errors import ConfigError, DataError
from spider.progress import ProgressEvent
from spider.ranking import RankedPassage
from spider_odqa.arguments import checked_count, checked_path, checked_questions
from spider_odqa.building import (
    Bm25,
    build_overrides,
    built_index,
    remove_folder,
    workspace_folder,
    write_texts,
)

if TYPE_CHECKING:
    from index.display.finding import Finding
    from index.engines.opening import OpenIndex

Progress = Callable[[ProgressEvent], None]

logger = logging.getLogger(__name__)


class Retriever:
    """Searches the passages of a corpus; made by ``from_texts``, ``from_folder`` or ``open``.

    An encoder is adapted to the phrases that recur in the texts, or trained on them from scratch
    (without labels), and results join dense and BM25 rankings. With little text and no pretrained
    encoder it uses BM25 alone; :attr:`systems` lists the rankings. Several threads may search at
    once. ``with`` closes it.

    Args:
        index: an open index.
        temporary: a folder that closing removes; None removes nothing.
    """

    def __init__(self, index: "OpenIndex", *, temporary: Path | None = None):
        self._index: OpenIndex | None = index
        # also without a call of close: when the object is deleted or the interpreter ends
        self._remove = weakref.finalize(self, remove_folder, temporary)

    @classmethod
    def from_texts(
        cls,
        texts: Sequence[str],
        *,
        titles: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        workspace: str | Path | None = None,
        start: str = "auto",
        minutes: float | None = None,
        bm25: Bm25 = "auto",
        progress: Progress | None = None,
    ) -> "Retriever":
        """Build a retriever of texts.

        Args:
            texts: the documents; long ones are cut into passages of 100 words.
            titles: a title for each text; None means no titles.
            ids: a unique id for each text, which is the ``source`` of its hits; None numbers them.
            workspace: folder for the artifacts; the next call processes only changed texts;
                None works in a temporary folder, which closing removes.
            start: ``auto`` begins with the encoder of the extra ``pretrained``, else from scratch;
                ``static`` from scratch; else a transformer's folder or name.
            minutes: training time, and the longest for embedding with a transformer, which its
                faster student does otherwise; None takes what suits the documents.
            bm25: ``auto`` takes Lucene where a Java runtime can run, otherwise bm25s.
            progress: called while the retriever is built.

        Raises:
            ConfigError: there is no text, titles or ids are not as many, or ``minutes`` or ``bm25``
                has no such value, or the encoder is too large for the time or the memory.
            CheckpointError: the encoder is of an unknown kind, or damaged.
            DataError: no text has a word, or an id occurs twice.
        """
        place, temporary = workspace_folder(workspace)
        try:
            data = write_texts(texts, place, titles=titles, ids=ids)
            overrides = build_overrides(start=start, minutes=minutes, bm25=bm25)
            index = built_index(data, place, source="jsonl", overrides=overrides, progress=progress)
            return cls(index, temporary=temporary)
        except BaseException:
            remove_folder(temporary)
            raise

    @classmethod
    def from_folder(
        cls,
        folder: str | Path,
        *,
        workspace: str | Path | None = None,
        start: str = "auto",
        minutes: float | None = None,
        bm25: Bm25 = "auto",
        progress: Progress | None = None,
    ) -> "Retriever":
        """Build a retriever of the documents in a folder (txt, md, rst, html; pdf, docx).

        Args:
            folder: the folder; ``~`` is expanded.
            workspace: folder for the artifacts; the next call reads and embeds only what changed.
                None works in a temporary folder, which closing removes.
            start: ``auto`` begins with the encoder of the extra ``pretrained``, else from scratch;
                ``static`` from scratch; else a transformer's folder or name.
            minutes: training time, and the longest for embedding with a transformer, which its
                faster student does otherwise; None takes what suits the documents.
            bm25: ``auto`` takes Lucene where a Java runtime can run, otherwise bm25s.
            progress: called while the retriever is built.

        Raises:
            ConfigError, CheckpointError: as for :meth:`from_texts`.
            DataError: there is no such folder or encoder, or no document has text.
        """
        data = checked_path("folder", folder)
        if not data.is_dir():
            raise DataError("no such folder", path=data)
        place, temporary = workspace_folder(workspace)
        try:
            overrides = build_overrides(start=start, minutes=minutes, bm25=bm25)
            index = built_index(
                data, place, source="folder", overrides=overrides, progress=progress
            )
            return cls(index, temporary=temporary)
        except BaseException:
            remove_folder(temporary)
            raise

    @classmethod
    def open(cls, workspace: str | Path, *, device: str = "auto") -> "Retriever":
        """Open the workspace of an earlier build, by ``spider quickstart`` or by this class.

        A warning is logged where the documents changed since.

        Args:
            workspace: the folder that holds ``index/`` and the other artifacts.
            device: device on which a transformer encodes questions: cpu, cuda, or auto.

        Raises:
            ArtifactError: there is no index, or it is damaged or was made from other inputs.
        """
        from index.engines.opening import open_index
        from spider.sources.source_state import staleness

        opened = open_index(checked_path("workspace", workspace) / "index", device=device)
        if stale := staleness(opened.corpus.artifact):
            logger.warning("%s", stale)
        return cls(opened)

    @property
    def systems(self) -> tuple[str, ...]:
        """The available rankings (bm25, dense, hybrid); the last is the default."""
        return self._opened().engine.systems

    def search(
        self, question: str, *, k: int = 10, system: str | None = None, per_document: int = 0
    ) -> list[RankedPassage]:
        """Return the best passages for a question, best first.

        :meth:`find` also says where each passage stands, and whether probably nothing matches.

        Args:
            question: the question.
            k: the largest number of passages.
            system: one of :attr:`systems`; None takes the default.
            per_document: passages of one document, where others fill the list; 0 is no limit.

        Raises:
            ConfigError: an argument is wrong, or the retriever is closed.
        """
        return self.search_many([question], k=k, system=system, per_document=per_document)[0]

    def search_many(
        self,
        questions: Sequence[str],
        *,
        k: int = 10,
        system: str | None = None,
        per_document: int = 0,
    ) -> list[list[RankedPassage]]:
        """Return the best passages for each question; faster than one call for each.

        Args:
            questions: the questions.
            k: the largest number of passages for each question.
            system: one of :attr:`systems`; None takes the default.
            per_document: as for :meth:`search`.

        Raises:
            ConfigError: as for :meth:`search`.
        """
        from index.display.selection import select

        index = self._opened()
        texts = checked_questions(questions)
        k = checked_count("k", k, least=1)
        per_document = checked_count("per_document", per_document, least=0)
        if not per_document or index.corpus.n_documents == 1:
            return index.passages(texts, k, system=system) if texts else []
        one = partial(self._ranking, system)
        return [select(partial(one, text), k=k, per_document=per_document)[0] for text in texts]

    def find(self, question: str, *, k: int = 5, per_document: int = 3) -> "Finding":
        """Return what ``spider search`` shows: passages with heading and place, and a doubt.

        Of each in ``found``, ``place.shown()`` is ``path:line``; ``place`` is None where the
        document is no file. ``match.probably_none`` says that probably nothing fits the question.
        The arguments are those of :meth:`search`.
        """
        from index.display.finding import Finder

        index = self._opened()
        (text,) = checked_questions([question])
        k = checked_count("k", k, least=1)
        per_document = checked_count("per_document", per_document, least=0)
        return Finder(index, k=k, per_document=per_document).find(text)

    def close(self) -> None:
        """Release threads and files, and remove a temporary folder; a second call does nothing."""
        if self._index is not None:
            self._index.close()
            self._index = None
        self._remove()

    def __enter__(self) -> "Retriever":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ranking(self, system: str | None, text: str, depth: int) -> list[RankedPassage]:
        return self._opened().passages([text], depth, system=system)[0]

    def _opened(self) -> "OpenIndex":
        if self._index is None:
            raise ConfigError("this retriever is closed")
        return self._index
