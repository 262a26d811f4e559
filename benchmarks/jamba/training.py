"""Training: the loss beside transformers' from the same weights, and a curve on Wikipedia.

    python -m benchmarks.jamba.training parity WORKSPACE [--steps 50]
    python -m benchmarks.jamba.training curve WORKSPACE

Both write their part of ``benchmarks/results/jamba_training.json`` and keep the other part.

WORKSPACE holds what these two commands wrote:

    spider prepare source=jsonl source.path=DATA/wiki/wiki-1k.jsonl.xz workspace=WORKSPACE
    spider train-language-model workspace=WORKSPACE reader_size=small steps=400

``parity`` draws a small model's weights once, copies them to transformers and trains both on the
same rows of the corpus with the same optimizer and schedule; rows begin without a state, since
transformers carries none through a gradient. ``curve`` reads what the second command measured.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from jamba_reader.config import JambaConfig
from jamba_reader.model.initialisation import initialise
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.tokenization.vocabulary import load_vocabulary
from jamba_reader.training.document_tokens import DocumentTokens, ModelTexts, build_document_tokens
from jamba_reader.training.objective import LanguageModelObjective
from jamba_reader.training.parameter_groups import make_adamw
from jamba_reader.training.token_streams import Chunk, LanguageModelBatch
from spider.artifacts.artifact import open_artifact
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.corpus.corpus import Corpus
from spider.corpus.split import SplitRule, split_documents
from spider.reading import read_json
from spider.training.metrics import read_metrics
from spider.training.schedule import linear_factor

RESULTS = Path(__file__).parents[1] / "results" / "jamba_training.json"
LEARNING_RATE = 2e-3
WARMUP = 5
CLIP = 1.0
SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "expert_layer_period": 2,
    "expert_layer_offset": 1,
    "attn_layer_period": 4,
    "attn_layer_offset": 2,
    "router_aux_loss_coef": 0.01,
}
ROWS, LENGTH = 4, 128


def token_rows(tokens: DocumentTokens, steps: int) -> Iterator[Tensor]:
    """Yield each step's rows [ROWS, LENGTH + 1], cut from the documents end to end."""
    wanted = steps * ROWS * (LENGTH + 1)
    parts: list[np.ndarray] = []
    for number in range(len(tokens.lengths)):
        parts += [np.array([tokens.begin_id]), tokens.document(number), np.array([tokens.end_id])]
        if sum(map(len, parts)) >= wanted:
            break
    stream = np.concatenate(parts).astype(np.int64)[:wanted]
    yield from torch.from_numpy(stream).reshape(steps, ROWS, LENGTH + 1)


def make_models(vocabulary_size: int, seed: int) -> tuple[JambaLanguageModel, nn.Module]:
    """Return our model and transformers' with the same weights, in float32."""
    from transformers import JambaConfig as TransformersConfig
    from transformers import JambaForCausalLM

    config = JambaConfig.from_mapping(
        {**SHAPE, "model_type": "jamba", "vocab_size": vocabulary_size}
    )
    ours = JambaLanguageModel(config)
    initialise(ours, torch.Generator().manual_seed(seed))
    values = {**config.to_mapping(), "output_router_logits": True}
    theirs = JambaForCausalLM(TransformersConfig(**values))
    theirs.load_state_dict(ours.state_dict())
    return ours.train(), theirs.train()


def train_both(
    tokens: DocumentTokens, vocabulary_size: int, *, steps: int, seed: int = 0
) -> dict[str, Any]:
    """Train both models side by side; return losses, differences and seconds."""
    ours, theirs = make_models(vocabulary_size, seed)
    objective = LanguageModelObjective(ours, batch_size=ROWS, attention_memory=0)

    def our_loss(rows: Tensor) -> Tensor:
        inputs, targets = rows[:, :-1].flatten(), rows[:, 1:].flatten()
        lengths, fresh = (LENGTH,) * ROWS, (False,) * ROWS
        chunk = Chunk(inputs, targets, lengths, tuple(range(ROWS)), fresh)
        loss: Tensor = objective(LanguageModelBatch((chunk,))).loss
        return loss

    def their_loss(rows: Tensor) -> Tensor:
        targets = rows[:, 1:].contiguous()
        # targets are shifted already: a loss that shifts again would lose a position
        loss: Tensor = theirs(rows[:, :-1], labels=targets, shift_labels=targets).loss
        return loss

    updates = [
        _updater(model, loss, steps) for model, loss in ((ours, our_loss), (theirs, their_loss))
    ]
    losses: list[list[float]] = [[], []]
    seconds: list[list[float]] = [[], []]
    gradient_error = 0.0
    for step, rows in enumerate(token_rows(tokens, steps)):
        # in turns, so that neither always runs on warm caches
        for which in (0, 1) if step % 2 else (1, 0):
            started = time.perf_counter()
            losses[which].append(updates[which](rows, step + 1))
            seconds[which].append(time.perf_counter() - started)
        if step == 0:
            gradient_error = _gradient_error(ours, theirs)
        print(f"step {step + 1}  ours {losses[0][-1]:.6f}  transformers {losses[1][-1]:.6f}")
    gaps = [abs(one - other) for one, other in zip(*losses, strict=True)]
    return {
        "shape": {**SHAPE, "vocab_size": vocabulary_size},
        "rows": ROWS,
        "tokens_per_row": LENGTH,
        "steps": steps,
        "largest_loss_difference": max(gaps),
        "largest_relative_gradient_difference_at_step_1": gradient_error,
        "loss_ours": losses[0],
        "loss_transformers": losses[1],
        "median_step_seconds_ours": float(np.median(seconds[0][1:])),
        "median_step_seconds_transformers": float(np.median(seconds[1][1:])),
    }


def _updater(
    model: nn.Module, loss_of: Callable[[Tensor], Tensor], steps: int
) -> Callable[[Tensor, int], float]:
    adamw = make_adamw(model, learning_rate=LEARNING_RATE, weight_decay=0.1, beta2=0.95)

    def update(rows: Tensor, number: int) -> float:
        for group in adamw.param_groups:
            group["lr"] = LEARNING_RATE * linear_factor(number, steps=steps, warmup=WARMUP)
        adamw.zero_grad()
        loss = loss_of(rows)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        adamw.step()
        return loss.item()

    return update


def _gradient_error(ours: nn.Module, theirs: nn.Module) -> float:
    """Return the largest difference of a parameter's gradients, over the largest of them."""
    others = dict(theirs.named_parameters())
    errors = []
    for name, parameter in ours.named_parameters():
        one, other = parameter.grad, others[name].grad
        if one is None or other is None:
            raise SystemExit(f"{name} has no gradient")
        errors.append(float((one - other).abs().max() / other.abs().max().clamp_min(1e-12)))
    return max(errors)


def parity(workspace: Path, steps: int) -> dict[str, Any]:
    """Train beside transformers on the workspace's corpus, with its reader's vocabulary."""
    vocabulary = load_vocabulary(workspace / "reader")
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus.open(workspace / "corpus")
        texts = ModelTexts(corpus, split_documents(corpus, SplitRule()))
        tokens = build_document_tokens(texts, vocabulary, Path(folder) / "tokens")
        size = vocabulary.get_vocab_size(with_added_tokens=True)
        return train_both(tokens, size, steps=steps)


def curve(workspace: Path) -> dict[str, Any]:
    """Return what ``spider train-language-model`` measured."""
    artifact = open_artifact(workspace / "reader", kind="reader")
    volatile = artifact.manifest["volatile"]
    return {
        "commit_of_training": volatile["commit"],
        "finished_training": volatile["finished"],
        "training_command": volatile["command"].replace(str(workspace), "WORKSPACE"),
        "seconds": volatile["seconds"],
        "peak_memory_mib": volatile["peak_memory_mib"],
        "config": artifact.config,
        "counts": artifact.counts,
        "details": artifact.details,
        "metrics": read_metrics(workspace / "reader"),
    }


def main() -> int:
    """Measure one part; parity fails where a loss differs by more than 1e-4."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("parity", "curve"))
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.part == "parity":
        result = parity(options.workspace, options.steps)
    else:
        result = curve(options.workspace)
    record = read_json(options.output) if options.output.is_file() else {}
    arguments = " ".join(sys.argv[1:]).replace(str(options.workspace), "WORKSPACE")
    record[options.part] = {
        **provenance(),
        "command": f"python -m benchmarks.jamba.training {arguments}",
        "threads": torch.get_num_threads(),
        **result,
    }
    write_json(options.output, record)
    if options.part == "parity":
        print(f"largest difference of the loss: {result['largest_loss_difference']:.2e}")
        return 0 if result["largest_loss_difference"] <= 1e-4 else 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
