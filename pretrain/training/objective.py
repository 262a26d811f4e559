"""The contrastive objective: computes the loss of a batch of pairs."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pretrain.losses.in_batch_nll import in_batch_nll
from pretrain.training.batch import PairBatch
from pretrain.training.distributed import gather_columns
from spider.encoders.trainable import TrainableEncoder
from spider.training.updates import StepOutput


class ContrastiveObjective(nn.Module):
    """Encodes queries and passages with one shared encoder and compares them.

    Args:
        encoder: the module to train.
        start: the encoder before training, whose similarities are replayed; None replays none.
        replay: weight of the replay.
    """

    def __init__(
        self, encoder: TrainableEncoder, start: TrainableEncoder | None = None, replay: float = 0.0
    ):
        super().__init__()
        self.encoder = encoder
        self.replay = replay
        # in a tuple, so that neither checkpoints nor the optimizer have its weights
        self._start = (start,)

    def forward(self, batch: PairBatch) -> StepOutput:
        """Return loss and in-batch accuracy, and the replay's part of the loss."""
        queries = self.encoder.encode_tokens(batch.queries, passages=False)
        passages = self.encoder.encode_tokens(batch.passages, passages=True)
        columns = gather_columns(passages.index_select(0, batch.columns), queries.shape[0])
        loss, accuracy = in_batch_nll(
            queries,
            columns,
            batch.targets,
            batch.masked,
            multiplier=self.encoder.score_multiplier,
        )
        (start,) = self._start
        if start is None:
            return StepOutput(loss, {"accuracy": accuracy})
        if isinstance(start, nn.Module):
            start.to(queries.device)
        with torch.no_grad():
            before = start.encode_tokens(batch.queries, passages=False)
            known = start.encode_tokens(batch.passages, passages=True)
        multiplier = self.encoder.score_multiplier
        drift = similarity_drift(
            multiplier * before.float() @ known.float().T,
            multiplier * queries.float() @ passages.float().T,
        )
        return StepOutput(
            loss + self.replay * drift, {"accuracy": accuracy, "replay": drift.detach()}
        )


def similarity_drift(
    before: Float[Tensor, "queries passages"], now: Float[Tensor, "queries passages"]
) -> Float[Tensor, ""]:
    """Return the mean divergence KL(before ‖ now) of each query's distribution over passages.

    Source: Li and Hoiem 2016, *Learning without forgetting*, for similarities in place of classes.
    """
    return functional.kl_div(
        now.log_softmax(dim=1), before.log_softmax(dim=1), log_target=True, reduction="batchmean"
    )
