"""Root-mean-square normalisation with a learned weight."""

import torch
from torch import Tensor, nn

from jamba_reader.model.layers.plain import is_plain
from jamba_reader.ops.rms_norm.op import add_rms_norm, rms_norm
from jamba_reader.ops.selection import Implementation


class RMSNorm(nn.Module):
    """Scales vectors to a root mean square of one, then by a weight (Zhang & Sennrich 2019).

    Args:
        width: length of the vectors.
        eps: value that is added to the mean square.
        kernels: implementation of the norm.
    """

    def __init__(
        self,
        width: int,
        eps: float,
        *,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self.eps = eps
        self.kernels = kernels
        self.weight = nn.Parameter(torch.ones(width, device=device, dtype=dtype))

    def forward(self, vectors: Tensor) -> Tensor:
        """Normalise the last dimension."""
        return rms_norm(vectors, self.weight, self.eps, implementation=self.kernels)


def add_and_norm(norm: nn.Module, branch: Tensor | None, stream: Tensor) -> tuple[Tensor, Tensor]:
    """Return the normalised sum of a branch and the residual stream, and the sum itself.

    One kernel reads both once. Without a branch the stream itself is normalised. A norm that is
    wrapped or has hooks is called.
    """
    if branch is None:
        return norm(stream), stream
    if is_plain(norm, RMSNorm):
        return add_rms_norm(branch, stream, norm.weight, norm.eps, implementation=norm.kernels)
    total = branch + stream
    return norm(total), total
