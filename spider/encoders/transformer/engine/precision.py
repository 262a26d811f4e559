"""The precision ``auto`` on a CPU: bfloat16 where it is faster and changes no vector much."""

import numpy as np
import torch

from spider.encoders.layers.padding import pad
from spider.encoders.transformer.engine.tower import EngineTower, engine_towers
from spider.encoders.transformer.model import TrainableBert
from spider.text.token_batch import token_batch

SMALLEST_COSINE = 0.995
"""What a vector in bfloat16 has to reach beside the same vector in float32."""

PROBES = (
    "a",
    "What is the capital of France?",
    "How do I read a file line by line, and what happens at its end?",
    "The treaty was signed in 1648 and ended thirty years of war between both kings.",
    "Water boils at 100 degrees Celsius at sea level; in the mountains it boils earlier, because "
    "the pressure of the air is lower there.",
    "In 2011 the company had 4,512 employees in 17 countries, three factories and two "
    "laboratories. Its founder, a chemist from Vienna, left the board a year later.",
)
"""Texts whose vectors are compared; always the same, so a machine always chooses the same."""


def choose_on_cpu(module: TrainableBert) -> tuple[torch.dtype, dict[bool, EngineTower] | None]:
    """Return the precision and the towers on the engine, or None for those of transformers.

    Where the processor has AMX, bfloat16 takes less than half of the time. It is taken if the
    vectors of some texts, as questions and as passages, keep a cosine of 0.995 to float32's.

    Args:
        module: in evaluation mode, on the CPU.
    """
    towers = engine_towers(module, torch.bfloat16)
    if towers is None:
        return torch.float32, None
    if all(_lowest_cosine(module, towers, passages) >= SMALLEST_COSINE for passages in towers):
        return torch.bfloat16, towers
    return torch.float32, engine_towers(module, torch.float32)


@torch.inference_mode()
def _lowest_cosine(module: TrainableBert, towers: dict[bool, EngineTower], passages: bool) -> float:
    if passages:
        ids = module.passage_texts.passages([""] * len(PROBES), PROBES)
    else:
        ids = module.question_texts.questions(PROBES)
    batch = token_batch(ids)
    padded = pad(batch, np.arange(len(ids)), module.tokenizer.pad_id, "cpu")
    exact = module.encode_padded(*padded, passages=passages).float().numpy()
    rounded = towers[passages].vectors(batch)
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
    cosines = (exact * rounded).sum(axis=1) / np.maximum(lengths, np.finfo(np.float32).tiny)
    return float(np.nan_to_num(cosines).min())
