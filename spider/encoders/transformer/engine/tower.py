"""A transformer and its head on the engine: vectors of ragged token ids."""

import numpy as np
import torch
from jaxtyping import Float32

from spider.encoders.transformer.engine.engine import Engine, can_run
from spider.encoders.transformer.engine.pooling import pool_packed
from spider.encoders.transformer.head import VectorHead
from spider.encoders.transformer.model import TrainableBert
from spider.text.token_batch import TokenBatch

FINISHED_TOGETHER = 64
"""Vectors that go through the head's dense layers together, always as many: a product may round
differently for another number of rows."""


class EngineTower:
    """Inference of one tower.

    Args:
        engine: has the transformer's weights.
        head: makes vectors of states.
        skipped: tokens of a prompt that take no part in the pooling.
    """

    def __init__(self, engine: Engine, head: VectorHead, *, skipped: int):
        self.engine = engine
        self._head = head
        self._skipped = skipped

    def vectors(self, batch: TokenBatch) -> Float32[np.ndarray, "texts dimension"]:
        """Encode texts."""
        modes = self._head.recipe.pooling
        pooled = self.engine.vectors(
            batch,
            lambda states, offsets: pool_packed(states, offsets, modes, skipped=self._skipped),
            self.engine.weights.hidden * len(modes),
        )
        return self._finish(pooled)

    def _finish(
        self, pooled: Float32[np.ndarray, "texts pooled"]
    ) -> Float32[np.ndarray, "texts dimension"]:
        if not self._head.dense:
            finished: Float32[np.ndarray, "texts dimension"]
            finished = self._head.finish(torch.from_numpy(pooled)).numpy()
            return finished
        parts = []
        for start in range(0, len(pooled), FINISHED_TOGETHER):
            some = torch.from_numpy(pooled[start : start + FINISHED_TOGETHER])
            filled = torch.zeros(FINISHED_TOGETHER, pooled.shape[1])
            filled[: len(some)] = some
            parts.append(self._head.finish(filled)[: len(some)].numpy())
        width = self._head.recipe.dimension(self.engine.weights.hidden)
        return np.concatenate(parts) if parts else np.zeros((0, width), dtype=np.float32)


def engine_towers(module: TrainableBert, precision: torch.dtype) -> dict[bool, EngineTower] | None:
    """Return the towers of passages (``True``) and questions on the engine; None where it cannot.

    Args:
        module: in evaluation mode.
        precision: of the engine.
    """
    towers = {passages: module.tower(passages=passages) for passages in (True, False)}
    if not all(can_run(tower.model, precision) for tower in towers.values()):
        return None
    pad_id = module.tokenizer.pad_id
    engines = {True: Engine(towers[True].model, precision, pad_id=pad_id)}
    same = towers[False] is towers[True]
    engines[False] = (
        engines[True] if same else Engine(towers[False].model, precision, pad_id=pad_id)
    )
    texts = {True: module.passage_texts, False: module.question_texts}
    return {
        passages: EngineTower(
            engines[passages],
            tower.head,
            skipped=texts[passages].prompt_tokens(passages=passages),
        )
        for passages, tower in towers.items()
    }
