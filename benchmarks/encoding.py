"""Passages a second of the ``static`` encoder against sentence-transformers on the same folder.

Both encode the same passages with two threads, in turns, so that a change of the machine's load
affects both. The median of the rounds is reported, with tokenisation. The vectors are compared.

    python -m benchmarks.encoding --corpus data/wiki-1k.jsonl.xz --passages 20000

The input is JSON lines with ``title`` and ``text``, plain or ``.xz``.
"""

import argparse
import json
import lzma
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.encoders.layers.weighted_bag import weighted_bag, weighted_bag_reference
from spider.encoders.static import StaticSettings, load
from spider.encoders.table.model import TrainableStatic
from spider.text.token_batch import token_batch
from spider.text.vocabulary import train_tokenizer

QUERIES, PASSAGES = 1024, 2048


def read_passages(path: Path, limit: int) -> tuple[list[str], list[str]]:
    """Cut documents into passages of 100 words."""
    titles: list[str] = []
    texts: list[str] = []
    decode: Callable[..., Any] = lzma.open if path.suffix == ".xz" else open
    with decode(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            words = row["text"].split()
            for start in range(0, len(words), 100):
                titles.append(row["title"])
                texts.append(" ".join(words[start : start + 100]))
            if len(texts) >= limit:
                break
    return titles[:limit], texts[:limit]


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def inference(
    module: TrainableStatic, titles: list[str], texts: list[str], rounds: int
) -> dict[str, Any]:
    """Encode the passages with both libraries in turns."""
    from sentence_transformers import SentenceTransformer

    with tempfile.TemporaryDirectory() as folder:
        details = module.export(Path(folder))
        fresh = load(Path(folder), details)
        cold = seconds(lambda: fresh.encode_passages(titles, texts))
        theirs = SentenceTransformer(folder, device="cpu")
    joined = [f"{title} [SEP] {text}" for title, text in zip(titles, texts, strict=True)]
    some = slice(0, 500)
    gap = np.abs(
        fresh.encode_passages(titles[some], texts[some]) - theirs.encode(joined[some])
    ).max()
    times: dict[str, list[float]] = {"spider": [], "sentence_transformers": []}
    for _ in range(rounds):
        times["spider"].append(seconds(lambda: fresh.encode_passages(titles, texts)))
        times["sentence_transformers"].append(
            seconds(lambda: theirs.encode(joined, batch_size=256))
        )
    rates = {f"{name}_per_s": round(len(texts) / statistics.median(t)) for name, t in times.items()}
    return {
        "spider_first_pass_per_s": round(len(texts) / cold),
        **rates,
        "seconds": times,
        "largest_difference": float(gap),
    }


def training_step(module: TrainableStatic, texts: list[str], rounds: int) -> dict[str, Any]:
    """Time forward and backward of the weighted bag against torch's embedding_bag."""
    tokens = module.tokenizer.encode(texts[: QUERIES + PASSAGES])
    ids = [tokens.of(number) for number in range(len(tokens.offsets) - 1)]
    batch = token_batch([part[:20] for part in ids[:QUERIES]] + ids[QUERIES:])
    weights = module.log_weights.detach().exp().requires_grad_()
    upstream = torch.ones(batch.n_texts, module.dimension)
    result: dict[str, Any] = {"texts": batch.n_texts, "tokens": len(batch.ids)}
    kernels = {"spider": weighted_bag, "embedding_bag": weighted_bag_reference}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in kernels}
    for _ in range(rounds + 1):
        for name, kernel in kernels.items():
            module.vectors.grad = weights.grad = None
            start = time.perf_counter()
            sums = kernel(module.vectors, weights, batch)
            middle = time.perf_counter()
            sums.backward(upstream)  # type: ignore[no-untyped-call]
            times[name].append((middle - start, time.perf_counter() - middle))
    for name, pairs in times.items():
        forward, backward = (statistics.median(t) for t in zip(*pairs[1:], strict=True))
        result[f"{name}_forward_ms"] = round(1000 * forward, 1)
        result[f"{name}_backward_ms"] = round(1000 * backward, 1)
    return result


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/encoding.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    titles, texts = read_passages(options.corpus, options.passages)
    module = StaticSettings().build(train_tokenizer(texts), seed=0)
    write_json(
        options.output,
        {
            "command": f"python -m benchmarks.encoding {shlex.join(sys.argv[1:])}",
            "made": provenance(),
            "threads": options.threads,
            "passages": len(texts),
            "vocabulary": module.tokenizer.vocabulary_size,
            "dimension": module.dimension,
            "inference": inference(module, titles, texts, options.rounds),
            "training_step": training_step(module, texts, options.rounds),
        },
    )


if __name__ == "__main__":
    main()
