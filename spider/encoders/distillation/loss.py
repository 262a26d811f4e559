"""The loss of a student: its vectors against its teacher's.

For unit vectors p of the student and t of the teacher, over the n passages of a batch:

    loss = mean_i (1 - <p_i, t_i>) + mean_i KL(softmax_j(s <t_i, t_j>) || softmax_j(s <p_i, p_j>))

with j over the other passages of the batch, and the scale s. The first term copies each vector. The
second copies which passages are near each other, which decides a ranking.
"""

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional

SCALE = 20.0
"""The scale of similarities in the second term."""


def distillation_loss(
    student: Float32[Tensor, "passages dimension"],
    teacher: Float32[Tensor, "passages dimension"],
    *,
    scale: float = SCALE,
) -> tuple[Float32[Tensor, ""], Float32[Tensor, ""]]:
    """Return the loss and the mean cosine of unit vectors.

    With fewer than three passages the second term is 0: one other passage has all the weight.
    """
    cosine = (student * teacher).sum(dim=1).mean()
    loss = 1.0 - cosine
    if len(student) > 2:
        wanted, found = (_log_shares(vectors, scale) for vectors in (teacher, student))
        divergence = functional.kl_div(found, wanted, log_target=True, reduction="none")
        # the diagonal is -inf - -inf, and its share is 0
        others = ~torch.eye(len(student), dtype=torch.bool, device=student.device)
        loss = loss + divergence[others].sum() / len(student)
    return loss, cosine


def _log_shares(
    vectors: Float32[Tensor, "passages dimension"], scale: float
) -> Float32[Tensor, "passages passages"]:
    similarities = scale * (vectors @ vectors.T)
    own = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    # a finite number: the gradient of -inf - -inf is not a number
    return similarities.masked_fill(own, -1e4).log_softmax(dim=1)
