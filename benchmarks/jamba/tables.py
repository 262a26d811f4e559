"""Rows of README.md's tables about the reader's engine, from ``benchmarks/results``."""

from pathlib import Path
from typing import Any

from spider.reading import read_json

RESULTS = Path(__file__).resolve().parents[1] / "results"
SHORT = {"float32": "fp32", "bfloat16": "bf16"}


def jamba_table() -> str:
    """Return speed and memory against transformers, and what has no peer to compare with."""
    speed = read_json(RESULTS / "jamba_speed.json")
    lines = ["| | transformers | here | ratio |", "|---|---|---|---|"]
    for dtype, found in speed["results"].items():
        lines += [_prefill(SHORT[dtype], row) for row in found["prefill"]]
        lines.append(_decode(SHORT[dtype], found["decode"]))
    lines += ["", "| what | measured | command |", "|---|---|---|"]
    for rows in (_products(speed), _few_rows(), _scan(), _memory(), _int8(), _training()):
        lines += [f"| {what} | {measured} | `{command}` |" for what, measured, command in rows]
    return "\n".join(lines) + "\n" + _origin(speed)


def _prefill(dtype: str, row: dict[str, Any]) -> str:
    theirs, ours = row["transformers_tokens_per_s"], row["ours_tokens_per_s"]
    their_peak, our_peak = row["transformers_peak_mib"] / 1024, row["ours_peak_mib"] / 1024
    return (
        f"| prefill of {row['tokens']:,} tokens, {dtype} | {theirs:,.0f} tokens/s, "
        f"{their_peak:.1f} GiB | {ours:,.0f} tokens/s, {our_peak:.1f} GiB | "
        f"{row['speed_up']:.1f} × |"
    )


def _decode(dtype: str, row: dict[str, Any]) -> str:
    theirs, ours = row["transformers_tokens_per_s"], row["ours_tokens_per_s"]
    return (
        f"| decoding, {dtype} | {theirs:.0f} tokens/s | {ours:.0f} tokens/s | "
        f"{row['speed_up']:.1f} × |"
    )


def _products(speed: dict[str, Any]) -> list[tuple[str, str, str]]:
    shares = [
        f"{row['ours_over_matrix_products']:.2f} × ({SHORT[dtype]})"
        for dtype, found in speed["results"].items()
        for row in found["prefill"]
        if row["tokens"] == 2048
    ]
    what = "prefill of 2,048 tokens over its matrix products alone"
    return [(what, ", ".join(shares), "python -m benchmarks.jamba.speed")]


def _few_rows() -> list[tuple[str, str, str]]:
    results = read_json(RESULTS / "jamba_few_rows.json")["results"]
    found = [
        f"{row['ours_gb_per_s']:.0f} GB/s where torch reads {row['torch_gb_per_s']:.0f} "
        f"({SHORT[row['dtype']]})"
        for row in results
        if row["rows"] == 1 and row["outputs"] == row["inputs"] == 4096
    ]
    what = "one row times 4,096 × 4,096 weights from memory"
    return [(what, ", ".join(found), "python -m benchmarks.jamba.few_rows")]


def _scan() -> list[tuple[str, str, str]]:
    results = read_json(RESULTS / "jamba_scan.json")
    row = next(r for r in results["forward"] if r["dtype"] == "float32")
    what = f"selective scan, {row['channels']:,} channels, 16 states, fp32"
    measured = (
        f"{row['spider_g_updates_per_s']:.1f} G state updates/s, {row['times_faster']:.0f} × "
        "transformers' loop"
    )
    return [(what, measured, "python -m benchmarks.jamba.scan")]


def _memory() -> list[tuple[str, str, str]]:
    row = read_json(RESULTS / "jamba_memory.json")
    held = row["key_values_computed_bytes"] / 2**20
    what = f"prompt of {row['tokens']:,} tokens, {row['parameters'] / 1e6:.0f} M parameters"
    measured = (
        f"{row['tokens_per_s']:,.0f} tokens/s; peak {row['peak_resident_mib'] / 1024:.2f} GiB, "
        f"{held:.0f} MiB of it keys and values; the rest stays between "
        f"{row['rest_lowest_mib']:.0f} and {row['rest_highest_mib']:.0f} MiB from "
        f"{4 * row['chunk_tokens']:,} tokens on"
    )
    return [(what, measured, "python -m benchmarks.jamba.memory")]


def _int8() -> list[tuple[str, str, str]]:
    results = read_json(RESULTS / "jamba_int8.json")
    mini = results["bytes"]["mini"]
    command = "python -m benchmarks.jamba.int8 --reader READER --texts ARTICLES.jsonl.xz"
    rows = [
        (
            "ExpertsInt8, Jamba-1.5-Mini's weights",
            f"{mini['bfloat16']['gib']:.1f} GiB in bf16, {mini['experts']['gib']:.1f} GiB with "
            f"int8 experts, {mini['experts_and_dense']['gib']:.1f} GiB with dense layers too",
            command,
        )
    ]
    layer = results["times"].get("mini") or results["times"]["small"]
    shape = layer["shape"]
    ratios = [
        f"{batch['int8_over_bfloat16']:.2f} × at {tokens}"
        for tokens, batch in layer["batches"].items()
    ]
    what = f"its time over bf16's, {shape['experts']} experts of {shape['hidden']:,}, by tokens"
    rows.append((what, ", ".join(ratios), command))
    if "trained_model" in results:
        trained = results["trained_model"]
        found = trained["variants"]["int8_experts_and_dense_float32"]
        base = trained["variants"]["float32"]
        measured = (
            f"same first choice for {100 * found['top_1_agreement']:.1f} % of "
            f"{trained['tokens']:,} tokens; perplexity {found['perplexity']:.2f} where fp32 has "
            f"{base['perplexity']:.2f}"
        )
        parameters = trained["parameters"] / 1e6
        rows.append((f"a model of {parameters:.1f} M trained on Wikipedia", measured, command))
    return rows


def _training() -> list[tuple[str, str, str]]:
    row = read_json(RESULTS / "jamba_training.json")["parity"]
    ratio = row["median_step_seconds_transformers"] / row["median_step_seconds_ours"]
    measured = (
        f"losses differ by at most {row['largest_loss_difference']:.0e} over {row['steps']} steps; "
        f"{ratio:.1f} × as fast"
    )
    command = "python -m benchmarks.jamba.training parity WORKSPACE"
    return [("training beside transformers from the same weights", measured, command)]


def _origin(results: dict[str, Any]) -> str:
    made = results["made"]
    where = f"{made['cores']} cores of {made['processor']}, no GPU"
    return f"\n<sub>{made['finished'][:10]}, commit {made['commit']}, {where}.</sub>\n"
