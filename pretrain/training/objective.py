"""The contrastive objective: computes the loss of a batch of pairs."""

from torch import nn

from pretrain.losses.in_batch_nll import in_batch_nll
from pretrain.training.batch import PairBatch
from pretrain.training.distributed import gather_columns
from spider.encoders.trainable import TrainableEncoder
from spider.training.updates import StepOutput


class ContrastiveObjective(nn.Module):
    """Encodes queries and passages with one shared encoder and compares them.

    Args:
        encoder: the module to train.
    """

    def __init__(self, encoder: TrainableEncoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, batch: PairBatch) -> StepOutput:
        """Return loss and in-batch accuracy."""
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
        return StepOutput(loss, {"accuracy": accuracy})
