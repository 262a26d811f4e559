"""The yield of a corpus's recurring spans, for people and for the pipeline's decisions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spider.artifacts.atomic_files import write_json, write_text
from spider.console import say, table
from spider.corpus.split import NOT_USABLE, SPLIT_NAMES, TRAIN
from spider.printable import markdown_text
from spider.question import QuestionSet
from spider.spans.span_store import SpanStore

EXAMPLES = 10


def measure_yield(
    store: SpanStore, counts: Mapping[str, int], heldout: Mapping[str, QuestionSet]
) -> dict[str, Any]:
    """Return the yield. It contains no time, so equal spans give an equal yield.

    Args:
        store: the spans.
        counts: counts of the mining.
        heldout: the held-out queries by split.
    """
    parts = store.split.parts
    usable = int(np.count_nonzero(parts != NOT_USABLE))
    per_document = np.bincount(store.documents, minlength=len(parts))
    per_document = per_document[parts != NOT_USABLE]
    queries = [question for questions in heldout.values() for question in questions.questions]
    kept = sum(question.tags.get("span") == "kept" for question in queries)
    lengths, times = np.unique(store.words, return_counts=True)
    return {
        **{name: counts.get(name, 0) for name in _COUNTS},
        "documents_usable": usable,
        "documents_by_split": {
            name: int(np.count_nonzero(parts == code)) for name, code in SPLIT_NAMES.items()
        },
        "sections_by_split": {
            name: len(store.split.sections_of(name))
            for name in (SPLIT_NAMES if len(store.split.sectioned) else ())
        },
        "spans_per_usable_document": {
            "mean": round(float(per_document.mean()), 2) if usable else 0.0,
            "median": float(np.median(per_document)) if usable else 0.0,
            "most": int(per_document.max(initial=0)),
        },
        "span_words": {
            str(length): int(n) for length, n in zip(lengths.tolist(), times, strict=True)
        },
        "training_pairs": len(store.train_clusters()),
        "training_passage_pairs": _passage_pairs(store),
        "heldout_queries": {name: len(found.questions) for name, found in heldout.items()},
        "heldout_share_kept": round(kept / len(queries), 4) if queries else 0.0,
        "examples": [_example(question) for question in _spread(queries)],
    }


def write_yield(folder: Path, found: Mapping[str, Any]) -> None:
    """Write ``yield.json`` and ``yield.md``."""
    write_json(folder / "yield.json", found)
    rows = "".join(f"| {name} | {value} |\n" for name, value in yield_rows(found))
    examples = "".join(
        f"- **{markdown_text(example.get('recurring_span', example.get('form', '')))}** "
        f"({example.get('span', 'document')}): {markdown_text(example['query'])}\n"
        for example in found["examples"]
    )
    write_text(
        folder / "yield.md",
        f"# Recurring spans\n\n| what | how much |\n|---|---|\n{rows}\n"
        f"## Example queries\n\n{examples or 'none'}\n",
    )


def say_yield(found: Mapping[str, Any], *, words_per_second: int | None) -> None:
    """Show the yield to a person."""
    rows = [[name, value] for name, value in yield_rows(found)]
    if words_per_second is not None:
        rows.append(["words a second on one core", f"{words_per_second:,.0f}"])
    table("Recurring spans", ["what", "how much"], rows)
    for example in found["examples"]:
        origin = example.get("recurring_span", example.get("form", ""))
        say(f"  [{example.get('span', 'document')}] {origin}: {example['query']}")
    say("Training time: training.minutes=N makes `spider train` fit its steps into N minutes.")


def yield_rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the yield as pairs of name and value."""
    spans = found["spans_per_usable_document"]
    split = found["documents_by_split"]
    lengths = ", ".join(f"{n}: {times:,}" for n, times in found["span_words"].items())
    queries = found["heldout_queries"]
    sections = found["sections_by_split"]
    return [
        ("documents", f"{found['documents']:,}"),
        ("documents with too few passages", f"{found['documents_too_short']:,}"),
        ("documents usable", f"{found['documents_usable']:,}"),
        ("documents to train / validate / test", " / ".join(f"{n:,}" for n in split.values())),
        *(
            [("sections of large documents to train / validate / test",
              " / ".join(f"{n:,}" for n in sections.values()))]
            if sections
            else []
        ),
        ("recurring spans (clusters)", f"{found['clusters']:,}"),
        ("spans of a usable document: mean, median, most",
         f"{spans['mean']:,}, {spans['median']:,.0f}, {spans['most']:,}"),
        ("spans by length in words", lengths or "none"),
        ("expected training pairs, one for each span and epoch", f"{found['training_pairs']:,}"),
        ("different ordered passage pairs to train on", f"{found['training_passage_pairs']:,}"),
        ("held-out queries", ", ".join(f"{name} {n:,}" for name, n in queries.items()) or "none"),
        ("of these with the span kept", f"{found['heldout_share_kept']:.1%}"),
    ]  # fmt: skip


_COUNTS = ("documents", "documents_too_short", "passages", "words", "clusters", "occurrences")


def _passage_pairs(store: SpanStore) -> int:
    """Count the ordered (query passage, positive passage) pairs of all training clusters."""
    total = 0
    block = 1 << 16
    for first in range(0, len(store), block):
        last = min(first + block, len(store))
        offsets = store.offsets[first : last + 1] - store.offsets[first]
        positions = store.positions[store.offsets[first] : store.offsets[last]]
        new = np.ones(len(positions), dtype=np.int64)
        new[1:] = positions[1:] != positions[:-1]
        new[offsets[:-1]] = 1
        passages = np.add.reduceat(new, offsets[:-1])
        train = store.cluster_parts(first, last) == TRAIN
        total += int((passages * (passages - 1))[train].sum())
    return total


def _spread(queries: list[Any]) -> list[Any]:
    """Take examples evenly from all queries."""
    count = min(EXAMPLES, len(queries))
    return [queries[number * len(queries) // count] for number in range(count)]


def _example(question: Any) -> dict[str, str]:
    return {**question.tags, "query": question.text}
