"""Jamba on a GPU, in parts that can be stopped and continued.

    python -m benchmarks.jamba_gpu PART --output DIR [--dry-run]

Parts, each under nine minutes on an H100: ``kernels`` (every Triton kernel against float64 on the
CPU), ``scan`` (bandwidth against the copy rate), ``experts`` (int8 against bfloat16), ``prefill``
(32K to 256K tokens and decoding, against transformers), ``mini`` (a random Jamba-1.5-Mini with
int8 experts reads 256K tokens on one 80 GB card), ``all``. Each writes ``DIR/PART.json`` after
every step and skips the steps that succeeded before. ``--dry-run`` runs every part on the CPU with
tiny shapes and Triton's interpreter: it shows that the script works, and no time.

Needs torch, triton, numba, safetensors, jaxtyping and rich; for ``prefill`` transformers.
"""

import argparse
import os
from importlib import import_module
from pathlib import Path

PARTS = ("kernels", "scan", "experts", "prefill", "mini")


def main() -> int:
    """Run parts; return 1 where a step failed, 75 where some are left for the next call."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    if options.dry_run:
        os.environ["TRITON_INTERPRET"] = "1"  # read when Triton is imported
    import torch

    from benchmarks.jamba_gpu.run import Place, Results, device_facts
    from spider.artifacts.provenance import provenance

    if not options.dry_run and not torch.cuda.is_available():
        parser.error("no GPU here: expected CUDA, or --dry-run")
    place = Place(torch.device("cpu" if options.dry_run else "cuda"), options.dry_run)
    if options.dry_run:
        torch.set_num_threads(1)
    options.output.mkdir(parents=True, exist_ok=True)
    failed, left_out = [], []
    for part in PARTS if options.part == "all" else (options.part,):
        header = {"part": part, "made": provenance(), **device_facts(place)}
        results = Results(options.output / f"{part}.json", header)
        with torch.no_grad():
            import_module(f"benchmarks.jamba_gpu.{part}").run(place, results)
        failed += [f"{part}: {name}" for name in results.failures]
        left_out += [f"{part}: {name}" for name in results.left_out]
    for title, names in (("failed", failed), ("left for the next call", left_out)):
        if names:
            print(f"{title}:", *names, sep="\n  ")
    return 1 if failed else 75 if left_out else 0


if __name__ == "__main__":
    raise SystemExit(main())
