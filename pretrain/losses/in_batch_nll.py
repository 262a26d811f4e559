"""The in-batch loss: each query's positive against all passages of the batch."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor


class InBatchLoss(NamedTuple):
    """The loss and the accuracy of a batch.

    Attributes:
        loss: mean negative log likelihood of the positives.
        accuracy: share of queries whose positive scores highest.
    """

    loss: Float32[Tensor, ""]
    accuracy: Float32[Tensor, ""]


def in_batch_nll(
    queries: Float[Tensor, "queries dimension"],
    passages: Float[Tensor, "passages dimension"],
    targets: Int64[Tensor, " queries"],
    masked: Bool[Tensor, "queries passages"],
    *,
    multiplier: float,
) -> InBatchLoss:
    """Return the mean over queries of ``-log softmax(multiplier * <q, p>)`` at the positive.

    ``L_i = -log( exp s(q_i, p_i+) / sum_j [exp s(q_i, p_j+) + exp s(q_i, p_j-)] )`` with
    ``s = multiplier * <q, p>``: in a batch of m queries the sum runs over 2m passages. Scores and
    softmax are computed in float32 whatever the vectors' type.

    Source: Ram et al. 2022, section 3.1.

    Args:
        queries: vectors of the queries.
        passages: vectors of all positives and negatives.
        targets: each query's positive, as a row of ``passages``.
        masked: passages left out of a query's sum because they may answer it; its positive is never
            among them.
        multiplier: 1 for raw inner products, 20 for vectors of unit length.
    """
    with torch.autocast(device_type=queries.device.type, enabled=False):
        logits = multiplier * (queries.float() @ passages.float().T)
        logits = logits.masked_fill(masked, -torch.inf)
        loss = torch.nn.functional.cross_entropy(logits, targets)
        accuracy = (logits.detach().argmax(dim=1) == targets).float().mean()
    return InBatchLoss(loss, accuracy)
