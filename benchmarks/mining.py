"""Mining speed on one core, and the agreement of the fast miner with its readable reference.

    python -m benchmarks.mining DATA.jsonl[.xz] [--articles 1000] [--repeats 7] [--output FILE]

DATA has one JSON object a line with ``id``, ``title`` and ``text``. Splitting is not timed. Writes
JSON with every repeat, the medians, commit, hardware, command and date.
"""

import argparse
import json
import lzma
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pretrain.spans.recurring_spans import find_clusters
from pretrain.spans.recurring_spans_reference import find_clusters_reference
from pretrain.spans.span_filters import SpanFilter
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.corpus.document import Document
from spider.corpus.splitting import WordSplitter

MODES = {
    "paper": SpanFilter(),
    "released": SpanFilter(maximum_words=9, last_token_allowed=False, stop_words="not_at_ends"),
}


class Article(NamedTuple):
    """A document as the miner takes it."""

    title: str
    passages: list[str]


def read_articles(path: Path, limit: int) -> list[Article]:
    """Read and split the first articles of a file."""
    splitter = WordSplitter()
    articles = []
    with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8") as lines:
        for line, _ in zip(lines, range(limit), strict=False):
            row = json.loads(line)
            document = splitter.split(
                Document(id=str(row["id"]), title=row["title"], text=row["text"])
            )
            texts = [document.text[bounds.start : bounds.end] for bounds in document.passages or ()]
            articles.append(Article(document.title, texts))
    return articles


class Run(NamedTuple):
    """One pass over the articles; ``cpu_seconds`` does not grow with other load."""

    seconds: float
    cpu_seconds: float
    tokens: int
    clusters: int


def time_fast(articles: Sequence[Article], span_filter: SpanFilter) -> Run:
    """Mine every article."""
    started, cpu_started = time.perf_counter(), time.process_time()
    tokens = clusters = 0
    for title, passages in articles:
        found, scanned = find_clusters(
            passages, title=title, first_position=0, span_filter=span_filter
        )
        tokens += scanned
        clusters += len(found.words)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return Run(seconds, cpu_seconds, tokens, clusters)


def agree(article: Article, span_filter: SpanFilter) -> bool:
    """Tell whether both miners find the same clusters with the same occurrences, in order."""
    title, passages = article
    fast, _ = find_clusters(passages, title=title, first_position=0, span_filter=span_filter)
    slow = find_clusters_reference(passages, title=title, span_filter=span_filter)
    flat = [occurrence for _, where in slow for occurrence in where]
    return (
        fast.words.tolist() == [len(span) for span, _ in slow]
        and fast.sizes.tolist() == [len(where) for _, where in slow]
        and list(zip(*(part.tolist() for part in fast.occurrences), strict=True)) == flat
    )


def measure(articles: Sequence[Article], repeats: int) -> dict[str, Any]:
    """Return each mode's speed and agreement."""
    words = sum(len(passage.split()) for _, passages in articles for passage in passages)
    results: dict[str, Any] = {
        "articles": len(articles),
        "passages": sum(len(passages) for _, passages in articles),
        "words": words,
        "modes": {},
    }
    for mode, span_filter in MODES.items():
        time_fast(articles[:5], span_filter)
        runs = [time_fast(articles, span_filter) for _ in range(repeats)]
        seconds = statistics.median(run.seconds for run in runs)
        cpu_seconds = statistics.median(run.cpu_seconds for run in runs)
        started = time.perf_counter()
        identical = sum(agree(article, span_filter) for article in articles)
        results["modes"][mode] = {
            "seconds": [round(run.seconds, 4) for run in runs],
            "cpu_seconds": [round(run.cpu_seconds, 4) for run in runs],
            "tokens": runs[0].tokens,
            "clusters": runs[0].clusters,
            "words_per_second": round(words / seconds),
            "words_per_cpu_second": round(words / cpu_seconds),
            "tokens_per_second": round(runs[0].tokens / seconds),
            "articles_with_identical_clusters": identical,
            "reference_and_comparison_seconds": round(time.perf_counter() - started, 2),
        }
    return results


def main() -> int:
    """Run the benchmark; exit 1 if the miners disagree anywhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/mining.json"))
    options = parser.parse_args()
    load = os.getloadavg()
    results = measure(read_articles(options.data, options.articles), options.repeats)
    command = f"python -m benchmarks.mining {' '.join(sys.argv[1:])}"
    record = {**provenance(), "command": command, "cores_used": 1, "load_average_before": load[0]}
    write_json(options.output, {**record, **results})
    print(json.dumps(results, indent=2))
    whole = all(
        mode["articles_with_identical_clusters"] == results["articles"]
        for mode in results["modes"].values()
    )
    return 0 if whole else 1


if __name__ == "__main__":
    raise SystemExit(main())
