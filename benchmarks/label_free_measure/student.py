"""A quick student: a static table fitted to a transformer's vectors of a sample of passages."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from benchmarks.label_free_measure.vectors import Bag, Transformer

STEPS = 150
BATCH = 512
SCALE = 20.0


def fit_student(
    teacher: Transformer, texts: Sequence[str], vectors: np.ndarray, *, seed: int = 0
) -> Bag:
    """Fit the table: 1 - cosine, and the difference of the similarities within a batch.

    Args:
        teacher: gives the first table: the vector of each word piece alone.
        texts: a sample of passages, with their titles.
        vectors: the teacher's vectors of them.
        seed: of the order of passages.
    """
    pieces = [teacher.tokenizer.id_to_token(i) for i in range(teacher.tokenizer.get_vocab_size())]
    table = teacher([str(piece).removeprefix("##") for piece in pieces])
    ids = [e.ids[1:-1] for e in teacher.tokenizer.encode_batch(list(texts))]
    counts = np.bincount(np.concatenate(ids), minlength=len(pieces)) + 1.0
    weights = np.log(1e-3 / (1e-3 + counts / counts.sum()))
    rows = nn.Parameter(torch.from_numpy(table - table.mean(0)))
    scale = nn.Parameter(torch.from_numpy(weights).float())
    optimiser = torch.optim.Adam([{"params": [rows], "lr": 2e-3}, {"params": [scale], "lr": 5e-3}])
    targets = torch.from_numpy(vectors.astype(np.float32))
    rng = np.random.default_rng(seed)
    for _ in range(STEPS):
        chosen = rng.choice(len(ids), size=min(BATCH, len(ids)), replace=False)
        flat = torch.from_numpy(np.concatenate([ids[row] for row in chosen]))
        starts = torch.from_numpy(np.cumsum([0, *(len(ids[row]) for row in chosen)])[:-1])
        made = nn.functional.embedding_bag(
            flat, rows, starts, mode="sum", per_sample_weights=scale[flat].exp()
        )
        made = nn.functional.normalize(made, dim=1)
        wanted = targets[torch.from_numpy(chosen)]
        same = torch.log_softmax(SCALE * wanted @ wanted.T, dim=1)
        own = torch.log_softmax(SCALE * made @ made.T, dim=1)
        loss = (1 - (made * wanted).sum(1)).mean() + (same.exp() * (same - own)).sum(1).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    fitted = (rows * scale.exp()[:, None]).detach().numpy()
    return Bag(fitted, teacher.tokenizer)
