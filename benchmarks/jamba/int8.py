"""ExpertsInt8 against bfloat16: bytes, error, time on a CPU, and logits of a trained model.

    python -m benchmarks.jamba.int8 --reader spider-work/reader --texts data/wiki-1k.jsonl.xz

Bytes are those of the model made on the meta device. Times are of one layer of routed experts with
weights too large for the cache and a new choice of experts in every round; the variants take turns
within a round, so that a change of the machine's load affects all. Medians are reported. The
trained model is any reader folder. The other variants are compared with its float32 logits, on the
first tokens of the last documents of the texts.
"""

import argparse
import json
import lzma
import math
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from jamba_reader.ops.experts.op import routed_experts
from jamba_reader.ops.experts.operands import ExpertWeights
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.row_quantisation.op import quantise_rows
from jamba_reader.ops.row_quantisation.operands import QuantisedRows
from jamba_reader.ops.row_quantisation.reference import dequantise_rows
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.memory import available_memory

GIB = 1 << 30
BATCHES = (1, 8, 512)
#: a layer, and one of Jamba-1.5-Mini
SMALL = {"experts": 16, "k": 2, "hidden": 1024, "intermediate": 3584}
MINI = {"experts": 16, "k": 2, "hidden": 4096, "intermediate": 14336}


class Variant(NamedTuple):
    """Weights and the dtype of what goes through them."""

    weights: ExpertWeights
    dtype: torch.dtype
    kernels: str = "auto"


def model_bytes() -> dict[str, Any]:
    """Count the bytes of parameters and buffers of the released shapes."""
    from jamba_reader.model.model import JambaLanguageModel
    from jamba_reader.presets import jamba_large, jamba_mini

    kinds = {
        "bfloat16": None,
        "experts": ExpertsInt8(),
        "experts_and_dense": ExpertsInt8(dense=True),
    }
    result: dict[str, Any] = {}
    for name, config in (("mini", jamba_mini()), ("large", jamba_large())):
        for kind, quantization in kinds.items():
            model = JambaLanguageModel(
                config, device="meta", dtype=torch.bfloat16, quantization=quantization
            )
            size = sum(t.numel() * t.element_size() for t in model.state_dict().values())
            result.setdefault(name, {})[kind] = {"bytes": size, "gib": round(size / GIB, 2)}
    return result


def draw(experts: int, rows: int, columns: int, dtype: torch.dtype) -> Tensor:
    """Return normal weights that keep the size of what goes through them."""
    weight = torch.empty(experts, rows, columns, dtype=dtype)
    for matrix in weight:
        matrix.normal_(std=columns**-0.5)
    return weight


def quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise one expert after the other."""
    values = torch.empty(weight.shape, dtype=torch.int8)
    scale = torch.empty(weight.shape[:2])
    for number, matrix in enumerate(weight):
        quantise_rows(matrix, out=QuantisedRows(values[number], scale[number]))
    return values, scale


def layer(shape: dict[str, int], *, wide: bool) -> dict[str, Variant]:
    """Return the variants of one layer; ``wide`` ones in float32 too."""
    experts, hidden, inner = shape["experts"], shape["hidden"], shape["intermediate"]
    kind = torch.float32 if wide else torch.bfloat16
    gate_up, down = draw(experts, 2 * inner, hidden, kind), draw(experts, hidden, inner, kind)
    (int8_gate_up, gate_up_scale), (int8_down, down_scale) = quantised(gate_up), quantised(down)
    int8 = ExpertWeights(int8_gate_up, int8_down, gate_up_scale, down_scale)
    half = ExpertWeights(gate_up.bfloat16(), down.bfloat16())
    variants = {
        "bfloat16": Variant(half, torch.bfloat16),
        "int8_bfloat16": Variant(int8, torch.bfloat16),
        "int8_float32": Variant(int8, torch.float32),
        "torch_bfloat16": Variant(half, torch.bfloat16, "reference"),
    }
    if wide:
        variants["float32"] = Variant(ExpertWeights(gate_up, down), torch.float32)
        variants["torch_float32"] = Variant(variants["float32"].weights, torch.float32, "reference")
    return variants


def choose(tokens: int, shape: dict[str, int], seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw inputs, experts and their weights."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(tokens, shape["hidden"], generator=random)
    shares = torch.randn(tokens, shape["experts"], generator=random).softmax(dim=-1)
    chosen = shares.topk(shape["k"], dim=-1)
    return x, chosen.indices, chosen.values


def run(variant: Variant, x: Tensor, ids: Tensor, shares: Tensor) -> Tensor:
    """Run the layer."""
    return routed_experts(
        x.to(variant.dtype),
        variant.weights,
        ids,
        shares.to(variant.dtype),
        activation="silu",
        implementation=variant.kernels,  # type: ignore[arg-type]
    )


def times(variants: dict[str, Variant], shape: dict[str, int], rounds: int) -> dict[str, Any]:
    """Time each variant at each batch, in turns."""
    result: dict[str, Any] = {}
    for tokens in BATCHES:
        taken: dict[str, list[float]] = {name: [] for name in variants}
        some = max(3, rounds // 4) if tokens > 64 else rounds
        for number in range(some + 1):
            inputs = choose(tokens, shape, number)
            for name, variant in variants.items():
                start = time.perf_counter()
                run(variant, *inputs)
                taken[name].append(time.perf_counter() - start)
        medians = {name: statistics.median(t[1:]) for name, t in taken.items()}
        result[str(tokens)] = {
            "rounds": some,
            "microseconds_per_token": {
                name: round(1e6 * median / tokens, 1) for name, median in medians.items()
            },
            "int8_over_bfloat16": round(medians["int8_bfloat16"] / medians["bfloat16"], 3),
        }
        print(shape["hidden"], tokens, json.dumps(result[str(tokens)]), flush=True)
    return result


def layer_error(variants: dict[str, Variant], shape: dict[str, int]) -> dict[str, Any]:
    """Compare with float64: the products with each matrix alone, and the layer as a whole."""
    x, ids, shares = choose(32, shape, 0)
    int8, full = variants["int8_float32"].weights, variants["float32"].weights
    assert int8.gate_up_scale is not None
    assert int8.down_scale is not None
    result: dict[str, Any] = {}
    for name, values, scale, weight in (
        ("gate_up", int8.gate_up[0], int8.gate_up_scale[0], full.gate_up[0].double()),
        ("down", int8.down[0], int8.down_scale[0], full.down[0].double()),
    ):
        rows = torch.randn(32, weight.shape[1], dtype=torch.float64)
        off = rows @ (dequantise_rows(values, scale).double() - weight).T
        bound = scale.double() / 2 * rows.abs().sum(dim=1, keepdim=True)
        exact = rows @ weight.T
        result[name] = {
            "largest_share_of_bound": round(float((off.abs() / bound).max()), 4),
            "relative_rms": float(
                f"{off.square().mean().sqrt() / exact.square().mean().sqrt():.4g}"
            ),
        }
    exact = run(Variant(full, torch.float32), x, ids, shares).double()
    for name, variant in variants.items():
        off = run(variant, x, ids, shares).double() - exact
        result.setdefault("layer_relative_rms", {})[name] = float(
            f"{off.square().mean().sqrt() / exact.square().mean().sqrt():.4g}"
        )
    return result


def read_texts(path: Path, count: int) -> list[str]:
    """Return the last ``count`` texts of JSON lines."""
    decode: Callable[..., Any] = lzma.open if path.suffix == ".xz" else open
    with decode(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file][-count:]


def token_rows(reader: Path, texts: list[str], tokens: int) -> list[list[int]]:
    """Return the first tokens of each text, after the token that a document begins with."""
    from tokenizers import Tokenizer

    config = json.loads((reader / "config.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(reader / "tokenizer.json"))
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    return [[config["bos_token_id"], *found.ids][:tokens] for found in encoded if found.ids]


@torch.no_grad()
def all_logits(model: Any, row: list[int]) -> Tensor:
    """Return the logits after each token but the last, float32."""
    from jamba_reader.ops.segments import Segments

    tokens = torch.tensor(row)
    output = model(tokens, Segments([len(row)]), rows=torch.arange(len(row) - 1))
    logits: Tensor = output.logits.float()
    return logits


def model_agreement(reader: Path, texts: list[str], tokens: int) -> dict[str, Any]:
    """Hold int8 and bfloat16 variants of a trained model to its float32 logits."""
    from jamba_reader.model.loading import load_model

    rows = token_rows(reader, texts, tokens)
    kinds: dict[str, tuple[torch.dtype, ExpertsInt8 | None]] = {
        "float32": (torch.float32, None),
        "bfloat16": (torch.bfloat16, None),
        "int8_experts_float32": (torch.float32, ExpertsInt8()),
        "int8_experts_and_dense_float32": (torch.float32, ExpertsInt8(dense=True)),
        "int8_experts_bfloat16": (torch.bfloat16, ExpertsInt8()),
        "int8_experts_and_dense_bfloat16": (torch.bfloat16, ExpertsInt8(dense=True)),
    }
    models = {
        name: load_model(reader, dtype=dtype, quantization=quantization, progress=False)
        for name, (dtype, quantization) in kinds.items()
    }
    sums = {name: {"agree": 0.0, "divergence": 0.0, "nats": 0.0} for name in kinds}
    count = 0
    for row in rows:
        following = torch.tensor(row[1:])
        exact = all_logits(models["float32"], row).log_softmax(dim=-1)
        count += len(following)
        for name, model in models.items():
            found = all_logits(model, row).log_softmax(dim=-1)
            total = sums[name]
            total["agree"] += float((found.argmax(dim=-1) == exact.argmax(dim=-1)).sum())
            total["divergence"] += float((exact.exp() * (exact - found)).sum())
            total["nats"] -= float(found[torch.arange(len(following)), following].sum())
    return {
        "reader": reader.name,
        "parameters": sum(p.numel() for p in models["float32"].parameters()),
        "documents": len(rows),
        "tokens": count,
        "variants": {
            name: {
                "top_1_agreement": round(total["agree"] / count, 5),
                "kl_from_float32_nats": float(f"{total['divergence'] / count:.4g}"),
                "perplexity": round(math.exp(total["nats"] / count), 4),
            }
            for name, total in sums.items()
        },
    }


def quantisation_rate() -> float:
    """Return the billions of bfloat16 weights quantised in a second, one Mini expert at a time."""
    weight = draw(1, MINI["hidden"], MINI["intermediate"], torch.bfloat16)[0]
    quantise_rows(weight)
    start = time.perf_counter()
    quantise_rows(weight)
    return round(weight.numel() / (time.perf_counter() - start) / 1e9, 2)


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--reader", type=Path, help="folder of a trained model")
    parser.add_argument("--texts", type=Path, help="JSON lines with text, plain or .xz")
    parser.add_argument("--documents", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=512, help="of each document")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/jamba_int8.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    result: dict[str, Any] = {"bytes": model_bytes()}
    if options.reader and options.texts:
        texts = read_texts(options.texts, options.documents)
        result["trained_model"] = model_agreement(options.reader, texts, options.tokens)
        print(json.dumps(result["trained_model"], indent=1), flush=True)
    with torch.no_grad():
        variants = layer(SMALL, wide=True)
        result["error"] = layer_error(variants, SMALL)
        result["times"] = {
            "small": {"shape": SMALL, "batches": times(variants, SMALL, options.rounds)}
        }
        del variants
        available = available_memory()
        if available is None or available > 11 * GIB:
            rounds = max(3, options.rounds // 4)
            mini = times(layer(MINI, wide=False), MINI, rounds)
            result["times"]["mini"] = {"shape": MINI, "batches": mini}
    result["billion_weights_quantised_per_s"] = quantisation_rate()
    write_json(
        options.output,
        {
            "command": f"python -m benchmarks.jamba.int8 {shlex.join(sys.argv[1:])}",
            "made": provenance(),
            "threads": options.threads,
            **result,
        },
    )


if __name__ == "__main__":
    main()
