"""Mining of a corpus: shards, merge, split of documents, held-out queries, yield report."""

from pathlib import Path
from typing import Any, NamedTuple

from pretrain.spans.heldout import HeldoutQueries
from pretrain.spans.settings import MiningSettings
from pretrain.spans.span_shards import drops_last, mine_corpus
from pretrain.spans.yield_report import measure_yield, write_yield
from spider.artifacts.records.spans import SpansRecord
from spider.corpus.corpus import Corpus
from spider.questions.transforms.passage_query import HeldoutTransform
from spider.questions.transforms.query_ranges import QueryTransform
from spider.questions.transforms.random_window import RandomWindow
from spider.spans.span_store import COPIED, HELDOUT, SpanStore

HELDOUT_SPLITS = ("validation", "test")


class MiningResult(NamedTuple):
    """The results of a mining run besides its files.

    Attributes:
        counts: the counts for the manifest.
        record: the details for the manifest.
        found: the yield of the recurring spans.
        words_per_second: mined words for each second of one core, with reading; None if none were
            mined.
    """

    counts: dict[str, int]
    record: SpansRecord
    found: dict[str, Any]
    words_per_second: int | None


class Mining:
    """Mines a corpus.

    Args:
        settings: what decides the spans, the split and the held-out queries.
    """

    def __init__(self, settings: MiningSettings):
        self.settings = settings
        self.queries = self._maker(settings.query_transform)

    def _maker(self, transform: HeldoutTransform) -> HeldoutQueries:
        return HeldoutQueries(
            transform=transform,
            clusters_per_document=self.settings.clusters_per_document,
            documents=self.settings.heldout_documents,
            seed=self.settings.split.seed,
        )

    def run(self, corpus: Corpus, folder: Path) -> MiningResult:
        """Write the payload of the spans artifact into a folder that also holds the shards.

        The bytes are the same for any number of processes.

        Args:
            corpus: the corpus to mine.
            folder: an existing folder, which may hold finished shards of an interrupted run.
        """
        drop_last = drops_last(self.settings.drop_last, corpus)
        counts = mine_corpus(
            corpus,
            folder,
            span_filter=self.settings.span_filter,
            rule=self.settings.split,
            drop_last=drop_last,
            shard_passages=self.settings.shard_passages,
            processes=self.settings.processes,
        )
        milliseconds = counts.pop("milliseconds", 0)
        store = SpanStore(folder)
        heldout = {name: self.queries.make(name, corpus, store) for name in HELDOUT_SPLITS}
        written = dict(heldout)
        if not isinstance(self.settings.query_transform, QueryTransform):
            written[COPIED] = self._maker(RandomWindow()).make("validation", corpus, store)
        for name, questions in written.items():
            (folder / HELDOUT / name).mkdir(parents=True, exist_ok=True)
            questions.save(folder / HELDOUT / name)
        if self.queries.skipped:
            counts |= {"heldout_queries_skipped": self.queries.skipped}
        found = measure_yield(store, counts, heldout)
        write_yield(folder, found)
        counts |= {"documents_usable": found["documents_usable"]}
        counts |= {"training_pairs": found["training_pairs"]}
        counts |= {f"{name}_queries": len(made.questions) for name, made in heldout.items()}
        speed = round(1000 * counts.get("words", 0) / milliseconds) if milliseconds else None
        record = SpansRecord(last_passage_dropped=drop_last)
        return MiningResult(counts, record, found, speed)
