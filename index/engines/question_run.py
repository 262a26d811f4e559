"""Writes a run: the rankings of a question set by each system, block by block."""

from collections.abc import Sequence
from pathlib import Path

from index.engines.opening import OpenIndex
from spider.artifacts.shards import run_shards, shard_folder
from spider.progress import Progress
from spider.question import QuestionSet
from spider.questions.judgements import check_judgements, excluded_positions
from spider.ranking import NO_PASSAGE, concatenate_hits, load_hits, save_hits

BLOCK = 256
BLOCKS = "blocks"
QUESTIONS = "questions"


def write_run(
    folder: Path, index: OpenIndex, question_set: QuestionSet, systems: Sequence[str], depth: int
) -> dict[str, int]:
    """Search every question and write ``SYSTEM/`` and ``questions/`` into an artifact's folder.

    A block that an interrupted run finished is not searched again. The stage removes ``BLOCKS``
    at the end.

    Args:
        folder: the artifact that is being written.
        index: open for the systems.
        question_set: the questions; the excluded passages of a question are in none of its lists.
        systems: some of the systems that the index offers.
        depth: passages for each question.

    Returns:
        Counts for the manifest.
    """
    questions = question_set.questions
    depth = min(depth, len(index.corpus))
    # before anything is searched, so that questions of another corpus cost no time
    check_judgements(question_set, index.corpus)
    excluded = excluded_positions(questions, index.corpus)

    def search_block(first: int, block: Path) -> dict[str, int]:
        rows = slice(first, first + BLOCK)
        texts = [question.text for question in questions[rows]]
        cut = index.engine.cut_questions
        found = index.engine.rankings(texts, depth, systems=systems, excluded=excluded[rows])
        for system, hits in found.items():
            (block / system).mkdir()
            save_hits(block / system, hits)
        return {"questions": len(texts), "questions_cut": index.engine.cut_questions - cut}

    starts = range(0, len(questions), BLOCK)
    with Progress(total=len(questions), unit="questions", label="search") as progress:
        blocks = run_shards(
            folder / BLOCKS,
            starts,
            search_block,
            on_done=lambda _, counts: progress.advance(counts["questions"]),
        )
    counts = {"questions": len(questions), "excluded_passages": sum(map(len, excluded))}
    # with more different terms than BM25 searches; the key is there only where a question has
    if cut := sum(block.get("questions_cut", 0) for block in blocks):
        counts["questions_cut"] = cut
    for system in systems:
        parts = [load_hits(shard_folder(folder / BLOCKS, n) / system) for n in range(len(starts))]
        hits = concatenate_hits(parts, depth)
        (folder / system).mkdir(exist_ok=True)
        save_hits(folder / system, hits)
        counts[f"{system}_passages"] = int((hits.positions != NO_PASSAGE).sum())
    (folder / QUESTIONS).mkdir(exist_ok=True)
    question_set.save(folder / QUESTIONS)
    return counts
