"""Formats of other evaluators: TREC runs, TREC qrels, and DPR's retrieval results."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import numpy as np
from jaxtyping import Bool, Int64

from eval.matching.first_hits import Ranked
from spider.artifacts.atomic_files import write_atomically
from spider.corpus.corpus import Corpus
from spider.question import Question
from spider.ranking import NO_PASSAGE

MICRO = 1_000_000


def trec_id(text: str) -> str:
    """Return an id that a TREC file can hold: white space and ``%`` percent-encoded."""
    return "".join(quote(c, safe="") if c.isspace() or c == "%" else c for c in text) or "%"


def strictly_descending(scores: np.ndarray) -> Int64[np.ndarray, " ranks"]:
    """Return scores in millionths, each below the one before it.

    ``%.6f`` hides small differences, and trec_eval breaks ties by id, not by our order. So a score
    that is not below the previous one becomes the previous one minus a millionth.
    """
    rounded = np.rint(scores.astype(np.float64) * MICRO).astype(np.int64)
    # with the rank added, "below the previous one" becomes "not above it": a running minimum
    ranks = np.arange(len(rounded), dtype=np.int64)
    lowered: Int64[np.ndarray, " ranks"] = np.minimum.accumulate(rounded + ranks) - ranks
    return lowered


def write_trec_run(
    path: Path, questions: Sequence[Question], ranked: Ranked, corpus: Corpus, tag: str
) -> None:
    """Write ``qid Q0 docid rank score tag``, scores with six decimals and strictly descending."""

    def lines(file: BinaryIO) -> None:
        name = trec_id(tag)
        for question, positions, scores in zip(
            questions, ranked.positions, ranked.scores, strict=True
        ):
            listed = positions[positions != NO_PASSAGE].tolist()
            millionths = strictly_descending(scores[: len(listed)]).tolist()
            for rank, (position, score) in enumerate(zip(listed, millionths, strict=True), start=1):
                passage = trec_id(corpus.passage_id(position))
                decimal = f"{'-' if score < 0 else ''}{abs(score) // MICRO}.{abs(score) % MICRO:06}"
                line = f"{trec_id(question.id)} Q0 {passage} {rank} {decimal} {name}\n"
                file.write(line.encode())

    write_atomically(path, lines)


def write_qrels(path: Path, questions: Sequence[Question]) -> None:
    """Write ``qid 0 docid 1`` for every relevant passage."""

    def lines(file: BinaryIO) -> None:
        for question in questions:
            for passage in question.relevant:
                file.write(f"{trec_id(question.id)} 0 {trec_id(passage)} 1\n".encode())

    write_atomically(path, lines)


def write_dpr_results(
    path: Path,
    questions: Sequence[Question],
    ranked: Ranked,
    relevance: Bool[np.ndarray, "questions depth"],
    corpus: Corpus,
) -> None:
    """Write DPR's retrieval results, one question at a time to save memory.

    Source: DPR, ``dense_retriever.py::save_results``.
    """

    def records() -> Iterator[str]:
        for row, question in enumerate(questions):
            passages = []
            for rank, position in enumerate(ranked.positions[row].tolist()):
                if position == NO_PASSAGE:
                    break
                passages.append(
                    {
                        "id": corpus.passage_id(position),
                        "title": corpus.title(position),
                        "text": corpus.text(position),
                        "score": str(float(ranked.scores[row, rank])),
                        "has_answer": bool(relevance[row, rank]),
                    }
                )
            # the format prescribes the key
            record = {
                "question": question.text,
                "answers": list(question.answers),
                "ctxs": passages,
            }
            yield json.dumps(record, ensure_ascii=False)

    def write(file: BinaryIO) -> None:
        file.write(b"[\n")
        for number, record in enumerate(records()):
            file.write(b"" if number == 0 else b",\n")
            file.write(record.encode("utf-8", errors="replace"))
        file.write(b"\n]\n")

    write_atomically(path, write)
