"""Passages a second of ``spider embed``: from a corpus artifact to vectors on disk.

    python -m benchmarks.embedding --corpus WORK/corpus --encoder WORK/encoder

Each round writes the embeddings into a new folder. The medians of the rounds are reported: the
clock's and the processor's time, since other programs may use the same cores.
"""

import argparse
import os
import shlex
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from index.embeddings.embeddings import Embeddings
from index.embeddings.run import embed_corpus
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance


def measure(corpus: Path, encoder: Path, scratch: Path | None) -> tuple[int, int, float, float]:
    """Embed once; return passages, dimension, seconds, and seconds of the processor."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        clock, processor = time.perf_counter(), time.process_time()
        embed_corpus(corpus=corpus, encoder=encoder, output=Path(folder) / "embeddings")
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        made = Embeddings.open(Path(folder) / "embeddings")
        return len(made), made.dimension, clock, processor


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scratch", type=Path, help="a folder on the disk to write to")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/embedding.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rounds = [
        measure(options.corpus, options.encoder, options.scratch) for _ in range(options.rounds)
    ]
    passages, dimension = rounds[0][:2]
    write_json(
        options.output,
        {
            "command": f"python -m benchmarks.embedding {shlex.join(sys.argv[1:])}",
            "made": provenance(),
            "load_average": os.getloadavg()[0],
            "threads": options.threads,
            "passages": passages,
            "dimension": dimension,
            "seconds": [clock for *_, clock, _ in rounds],
            "processor_seconds": [processor for *_, processor in rounds],
            "passages_per_s": round(passages / statistics.median(r[2] for r in rounds)),
            "passages_per_processor_s": round(passages / statistics.median(r[3] for r in rounds)),
        },
    )


if __name__ == "__main__":
    main()
