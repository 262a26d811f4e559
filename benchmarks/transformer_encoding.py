"""Passages a second of a transformer on a CPU: the engine against sentence-transformers.

All systems encode the same passages with the same threads, in turns, so that a change of the
machine's load affects all of them. Tokenisation is part of the time. Reported are the medians of
the rounds, and the median of the ratios of each round. Then single questions, also in turns. The
rankings of all passages for their own titles show what a precision changes.

    python -m benchmarks.transformer_encoding --model FOLDER --corpus wiki.jsonl.xz

``--model`` is a folder of sentence-transformers; the corpus is JSON lines with ``title`` and
``text``, plain or ``.xz``.
"""

import argparse
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

from benchmarks.encoding import read_passages
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.encoders.bert import BertSettings, load
from spider.encoders.encoding import EncodingSettings

DEPTH = 20
QUESTION = "who wrote the first book about the history of the city"
Encode = Callable[[list[str]], np.ndarray]


def systems(model: str) -> dict[str, Encode]:
    """Return a function for each system that encodes texts to unit vectors."""
    from sentence_transformers import SentenceTransformer

    exact = SentenceTransformer(model, device="cpu")
    rounded = SentenceTransformer(model, device="cpu", model_kwargs={"dtype": torch.bfloat16})

    def theirs(encoder: Any) -> Encode:
        return lambda texts: encoder.encode(texts, normalize_embeddings=True).astype(np.float32)

    def ours(encoder: Any) -> Encode:
        return lambda texts: encoder.encode_passages([""] * len(texts), texts)

    made = {
        "sentence_transformers_float32": theirs(exact),
        "sentence_transformers_bfloat16": theirs(rounded),
    }
    settings = BertSettings(start=model)
    with tempfile.TemporaryDirectory() as folder:
        module = settings.build(settings.tokenizer([], Path(folder)), seed=0)
        record = module.export(Path(folder))
        for precision in ("float32", "bfloat16"):
            settled = EncodingSettings(precision=precision)
            made[f"spider_{precision}"] = ours(load(Path(folder), record, encoding=settled))
    return made


def milliseconds(encode: Encode, texts: list[str]) -> float:
    """Time one call."""
    start = time.perf_counter()
    encode(texts)
    return 1000 * (time.perf_counter() - start)


def in_turns(found: dict[str, Encode], texts: list[str], rounds: int) -> dict[str, list[float]]:
    """Time every system in every round; the order turns, so that none is always the first."""
    times: dict[str, list[float]] = {name: [] for name in found}
    names = list(found)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            times[name].append(milliseconds(found[name], texts))
    return times


def ratios(times: dict[str, list[float]]) -> dict[str, float]:
    """Return how many times faster the engine is, the median of the rounds."""
    return {
        precision: round(
            statistics.median(
                theirs / ours
                for theirs, ours in zip(
                    times[f"sentence_transformers_{precision}"],
                    times[f"spider_{precision}"],
                    strict=True,
                )
            ),
            2,
        )
        for precision in ("float32", "bfloat16")
    }


def agreement(exact: np.ndarray, other: np.ndarray, questions: np.ndarray) -> dict[str, float]:
    """Compare vectors, and the rankings of all passages for some questions."""
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(other, axis=1)
    cosines = (exact * other).sum(axis=1) / lengths
    first, second = (
        np.argsort(-(questions @ vectors.T), axis=1, kind="stable")[:, :DEPTH]
        for vectors in (exact, other)
    )
    shared = [len(set(a) & set(b)) / DEPTH for a, b in zip(first, second, strict=True)]
    return {
        "largest_difference": float(np.abs(exact - other).max()),
        "lowest_cosine": float(cosines.min()),
        f"mean_overlap_at_{DEPTH}": float(np.mean(shared)),
    }


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--output", type=Path, default=Path("benchmarks/results/transformer_encoding.json")
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    titles, bodies = read_passages(options.corpus, options.passages)
    texts = [f"{title} {body}" for title, body in zip(titles, bodies, strict=True)]
    found = systems(options.model)
    vectors = {name: encode(texts) for name, encode in found.items()}
    exact = vectors["sentence_transformers_float32"]
    questions = found["sentence_transformers_float32"](sorted(set(titles)))
    times = in_turns(found, texts, options.rounds)
    single = in_turns(found, [QUESTION], 20 * options.rounds)
    write_json(
        options.output,
        {
            "command": f"python -m benchmarks.transformer_encoding {shlex.join(sys.argv[1:])}",
            "made": provenance(),
            "threads": options.threads,
            "passages": len(texts),
            "passages_per_s": {
                name: round(1000 * len(texts) / statistics.median(t), 1)
                for name, t in times.items()
            },
            "times_as_fast": ratios(times),
            "one_question_ms": {name: round(statistics.median(t), 2) for name, t in single.items()},
            "one_question_lowest_ms": {name: round(min(t), 2) for name, t in single.items()},
            "beside_sentence_transformers_float32": {
                name: agreement(exact, other, questions) for name, other in vectors.items()
            },
            "milliseconds": times,
        },
    )


if __name__ == "__main__":
    main()
