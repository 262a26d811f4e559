"""Padding of ragged texts, in batches of similar lengths."""

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from spider.text.token_batch import TokenBatch


def padded_batches(
    lengths: Int64[np.ndarray, " texts"], padded_tokens: int
) -> list[Int64[np.ndarray, " _"]]:
    """Group texts of similar length, longest first, so that each group fits a budget.

    Args:
        lengths: tokens of each text.
        padded_tokens: largest product of a group's size and its longest text; a single text may
            exceed it.
    """
    order = np.argsort(-lengths, kind="stable")
    groups = []
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        size = max(1, padded_tokens // longest)
        groups.append(order[start : start + size])
        start += size
    return groups


def pad(
    batch: TokenBatch,
    texts: Int64[np.ndarray, " texts"],
    pad_id: int,
    device: torch.device | str,
    *,
    rows: int = 0,
    length: int = 0,
) -> tuple[Int64[Tensor, "rows length"], Int64[Tensor, "rows length"]]:
    """Pad some texts of a batch to one length.

    Args:
        batch: ragged ids.
        texts: numbers of the texts, in this order.
        pad_id: id of ``[PAD]``.
        device: device of the result.
        rows: at least this many rows; a row without a text shows one ``[PAD]`` to the attention.
        length: at least this many tokens.

    Returns:
        Ids and attention mask.
    """
    sizes = batch.lengths[torch.from_numpy(texts)]
    rows = max(rows, len(texts))
    length = max(length, int(sizes.max()) if len(texts) else 1, 1)
    ids = torch.full((rows, length), pad_id, dtype=torch.int64)
    mask = torch.zeros((rows, length), dtype=torch.int64)
    mask[:, 0] = 1
    for row, (text, size) in enumerate(zip(texts.tolist(), sizes.tolist(), strict=True)):
        start = int(batch.offsets[text])
        ids[row, :size] = batch.ids[start : start + size]
        mask[row, :size] = 1
    return ids.to(device), mask.to(device)
