"""Formats of other evaluators: TREC runs, TREC qrels, and DPR's retrieval results."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import numpy as np
from jaxtyping import Bool, Float32

from eval.matching.first_hits import Ranked
from spider.artifacts.atomic_files import write_atomically
from spider.corpus.corpus import Corpus
from spider.question import Question
from spider.ranking import NO_PASSAGE


def trec_id(text: str) -> str:
    """Return an id that a TREC file can hold: white space and ``%`` percent-encoded."""
    return "".join(quote(c, safe="") if c.isspace() or c == "%" else c for c in text) or "%"


def strictly_descending(
    scores: Float32[np.ndarray, " ranks"],
) -> Float32[np.ndarray, " ranks"]:
    """Return scores of which each is below the one before it, changed as little as possible.

    trec_eval breaks ties by id, not by our order, and keeps scores in 32 bits: 100.000000 and
    99.999999 are a tie there. So a score that is not below the previous one becomes the next
    smaller number of 32 bits.
    """
    bits = scores.astype(np.float32).view(np.int32).astype(np.int64)
    # whole numbers in the order of the scores, one for each number of 32 bits
    places = np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))
    # with the rank added, "below the previous one" becomes "not above it": a running minimum
    ranks = np.arange(len(places), dtype=np.int64)
    lowered = np.minimum.accumulate(places + ranks) - ranks
    back = np.where(lowered >= 0, lowered, -lowered | 0x80000000)
    descending: Float32[np.ndarray, " ranks"] = back.astype(np.uint32).view(np.float32)
    return descending


def write_trec_run(
    path: Path, questions: Sequence[Question], ranked: Ranked, corpus: Corpus, tag: str
) -> None:
    """Write ``qid Q0 docid rank score tag``, with scores that descend strictly in 32 bits."""

    def lines(file: BinaryIO) -> None:
        name = trec_id(tag)
        for question, positions, scores in zip(
            questions, ranked.positions, ranked.scores, strict=True
        ):
            listed = positions[positions != NO_PASSAGE].tolist()
            descending = strictly_descending(scores[: len(listed)])
            for rank, (position, score) in enumerate(zip(listed, descending, strict=True), start=1):
                passage = trec_id(corpus.passage_id(position))
                # the shortest decimal that reads as the same number of 32 bits
                line = f"{trec_id(question.id)} Q0 {passage} {rank} {score!s} {name}\n"
                file.write(line.encode())

    write_atomically(path, lines)


def write_qrels(path: Path, questions: Sequence[Question]) -> None:
    """Write ``qid 0 docid grade`` for every judged id, relevant or not.

    A relevant id is a document's where the questions name documents of several passages. The run
    names passages, so trec_eval then needs another run.
    """

    def lines(file: BinaryIO) -> None:
        for question in questions:
            grades = {name: question.grade(name) for name in question.relevant} | dict(
                question.grades
            )
            for passage, grade in grades.items():
                file.write(f"{trec_id(question.id)} 0 {trec_id(passage)} {grade}\n".encode())

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
