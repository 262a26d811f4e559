"""Mines a corpus shard by shard, and merges the shards into one span store."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from pretrain.spans.recurring_spans import find_clusters
from pretrain.spans.span_filters import SpanFilter
from spider.artifacts.array_stream import open_array
from spider.artifacts.shards import run_shards, shard_folder
from spider.corpus.corpus import Corpus
from spider.corpus.split import SPLIT_NAMES, DocumentSplit, SplitRule, split_documents
from spider.errors import ConfigError
from spider.progress import Progress
from spider.spans.clusters import Clusters, join_clusters
from spider.spans.writer import SpanStoreWriter

SHARDS = "shards"
FEWEST_PASSAGES = 3

DropLast = Literal["auto", True, False]


class ShardTask(NamedTuple):
    """The documents of one shard and the settings that mine them."""

    corpus: Corpus
    first: int
    after: int
    span_filter: SpanFilter
    drop_last: bool


def mine_corpus(
    corpus: Corpus,
    folder: Path,
    *,
    span_filter: SpanFilter,
    rule: SplitRule,
    drop_last: bool,
    shard_passages: int,
    processes: int,
) -> dict[str, int]:
    """Write a corpus's clusters and its split, and return the counts.

    A document is usable if it has a cluster, so the split follows the mining. Documents that are
    split by sections are then mined once more, part by part.

    Shards that an interrupted run finished are not mined again; they stay in ``SHARDS``.
    """
    tasks = [
        ShardTask(corpus, documents.start, documents.stop, span_filter, drop_last)
        for documents in cut_shards(corpus, shard_passages)
    ]
    shards = folder / SHARDS
    with Progress(total=len(corpus), unit="passages", label="mine") as progress:
        counts = run_shards(
            shards,
            tasks,
            mine_shard,
            processes=processes,
            on_done=lambda _number, done: progress.advance(done["passages"]),
        )
    _merge(folder, tasks)
    usable = np.zeros(corpus.n_documents, dtype=np.bool_)
    usable[open_array(folder / "documents.npy")] = True
    split = split_documents(corpus, rule, usable)
    split.save(folder)
    total = {name: sum(part[name] for part in counts) for name in (counts[0] if counts else ())}
    if len(split.sectioned):
        replaced = {
            number: mine_parts(corpus, number, split, span_filter, drop_last=drop_last)
            for number in split.sectioned.tolist()
        }
        _merge(folder, tasks, replaced)
        total["clusters"] = len(open_array(folder / "documents.npy"))
        total["occurrences"] = len(open_array(folder / "positions.npy"))
    return total


def _merge(
    folder: Path, tasks: Sequence[ShardTask], replaced: Mapping[int, Clusters] | None = None
) -> None:
    writer = SpanStoreWriter(folder)
    for number, task in enumerate(tasks):
        writer.add_shard(shard_folder(folder / SHARDS, number), task.first, replaced)
    writer.close()


def mine_parts(
    corpus: Corpus,
    document: int,
    split: DocumentSplit,
    span_filter: SpanFilter,
    *,
    drop_last: bool,
) -> Clusters:
    """Mine each part of a document that is split by sections, as if it were a document.

    So no span's occurrences lie in two parts, and a held-out passage is in no training pair.
    """
    passages = corpus.document_passages(document)
    positions = np.array(passages[:-1] if drop_last else passages, dtype=np.int64)
    parts = split.sections.parts_of(positions)
    found = []
    for part in SPLIT_NAMES.values():
        own = positions[parts == part]
        if len(own) < FEWEST_PASSAGES:
            continue
        clusters, _ = find_clusters(
            corpus.texts(own.tolist()),
            title=corpus.title(passages.start),
            first_position=0,
            span_filter=span_filter,
        )
        occurrences = clusters.occurrences
        placed = occurrences._replace(positions=own[occurrences.positions])
        found.append(clusters._replace(occurrences=placed))
    return join_clusters(found)


def mine_shard(task: ShardTask, folder: Path) -> dict[str, int]:
    """Mine a shard's documents one by one, with at most one in memory."""
    started = time.process_time()
    counts = {"documents": task.after - task.first, "documents_too_short": 0}
    counts |= {"passages": 0, "words": 0, "clusters": 0, "occurrences": 0}
    writer = SpanStoreWriter(folder)
    for number in range(task.first, task.after):
        passages = task.corpus.document_passages(number)
        counts["passages"] += len(passages)
        candidates = passages[:-1] if task.drop_last else passages
        if len(candidates) < FEWEST_PASSAGES:
            # two passages are too few: a span in both leaves no negative
            counts["documents_too_short"] += 1
            writer.add(number, candidates, None)
            continue
        clusters, words = find_clusters(
            task.corpus.texts(candidates),
            title=task.corpus.title(candidates.start),
            first_position=candidates.start,
            span_filter=task.span_filter,
        )
        writer.add(number, candidates, clusters)
        counts["words"] += words
        counts["clusters"] += len(clusters.words)
        counts["occurrences"] += len(clusters.occurrences.positions)
    writer.close()
    # processor time, so that other load on the machine does not count
    counts["milliseconds"] = round(1000 * (time.process_time() - started))
    return counts


def cut_shards(corpus: Corpus, shard_passages: int) -> list[range]:
    """Cut the documents into sequences of ``shard_passages`` passages or a few more.

    Raises:
        ConfigError: ``shard_passages`` is below 1.
    """
    if shard_passages < 1:
        raise ConfigError(f"shard_passages {shard_passages}: expected 1 or more")
    shards, first, passages = [], 0, 0
    for number in range(corpus.n_documents):
        passages += len(corpus.document_passages(number))
        if passages >= shard_passages:
            shards.append(range(first, number + 1))
            first, passages = number + 1, 0
    if first < corpus.n_documents:
        shards.append(range(first, corpus.n_documents))
    return shards


def drops_last(setting: DropLast, corpus: Corpus) -> bool:
    """Return whether each document's last passage is left out of mining.

    ``auto`` leaves it out where the corpus repeats a document's beginning in it, as psgs_w100 does:
    spans would seem to recur that do not.
    """
    return corpus.last_passage_padded if setting == "auto" else bool(setting)
