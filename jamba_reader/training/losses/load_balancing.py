"""The auxiliary loss that makes a router use all experts.

Source: Fedus et al. 2022 (Switch Transformers, arXiv:2101.03961), equations 4 to 6, with the
assignments of all ``k`` chosen experts counted: perfectly even routing gives ``k``. It equals
``load_balancing_loss_func`` of transformers without a padding mask: packed rows have no padding.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def load_balancing_loss(
    router_logits: Sequence[Float[Tensor, "_ experts"]], *, experts_per_token: int
) -> Float[Tensor, ""]:
    """Return ``experts * sum_e f_e P_e`` over the rows of all layers.

    ``f_e`` is the share of rows that chose expert ``e``, ``P_e`` its mean probability; only
    ``P_e`` has a gradient.

    Args:
        router_logits: one tensor for each routed layer and chunk of a step.
        experts_per_token: number of experts that a row chooses.
    """
    if not router_logits:
        return torch.zeros((), dtype=torch.float32, device="cpu")
    experts = router_logits[0].shape[1]
    first = router_logits[0]
    wide = torch.promote_types(first.dtype, torch.float32)
    chosen = torch.zeros(experts, dtype=wide, device=first.device)
    probability = torch.zeros(experts, dtype=wide, device=first.device)
    rows = 0
    for logits in router_logits:
        shares = logits.softmax(dim=1)
        picks = shares.detach().topk(experts_per_token, dim=1).indices
        # bincount would wait for the device on CUDA
        ones = torch.ones((), dtype=wide, device=first.device).expand(picks.numel())
        chosen = chosen.scatter_add(0, picks.flatten(), ones)
        probability = probability + shares.sum(dim=0, dtype=wide)
        rows += logits.shape[0]
    return experts * (chosen / rows * (probability / rows)).sum()
