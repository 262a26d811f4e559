"""Routed experts in readable torch: what the kernels are compared with.

``y_t = sum_k w_tk * down_e(act(gate_e x_t) * up_e x_t)`` with e the k-th expert of token t (Jamba,
arXiv:2403.19887, section 3; weights are not renormalised). Int8 weights are ExpertsInt8
(Jamba-1.5, arXiv:2408.12570, section 3.1): the product with the integers is accumulated in float32
and multiplied by the row's scale once.
"""

import torch
from jaxtyping import Float, Float32, Int8, Int64
from torch import Tensor
from torch.nn import functional

from jamba_reader.ops.activation import ActivationName, activate, computing_dtype
from jamba_reader.ops.experts.operands import ExpertWeights


def int8_linear_reference(
    x: Float[Tensor, "tokens input"],
    weight: Int8[Tensor, "output input"],
    scale: Float32[Tensor, " output"],
) -> Float[Tensor, "tokens output"]:
    """Return ``(x @ weight.T) * scale``: sums in float32 (float64 for float64), one scaling."""
    wide = computing_dtype(x.dtype)
    return (functional.linear(x.to(wide), weight.to(wide)) * scale.to(wide)).to(x.dtype)


def routed_experts_reference(
    x: Float[Tensor, "tokens hidden"],
    experts: ExpertWeights,
    expert_ids: Int64[Tensor, "tokens k"],
    expert_weights: Float[Tensor, "tokens k"],
    *,
    activation: ActivationName,
) -> Float[Tensor, "tokens hidden"]:
    """Return the weighted sum of each token's experts; differentiable by autograd.

    The sum over a token's experts is taken in at least float32 and rounded to x's dtype once.
    """
    wide = computing_dtype(x.dtype)
    if not len(x):
        return x.clone()
    total = torch.zeros(x.shape, dtype=wide, device=x.device)
    for expert in torch.unique(expert_ids).tolist():
        tokens, places = torch.where(expert_ids == expert)
        gate_up = _linear(x[tokens], experts.gate_up, experts.gate_up_scale, expert)
        gate, up = gate_up.to(wide).chunk(2, dim=-1)
        inner = (activate(gate, activation) * up).to(x.dtype)
        out = _linear(inner, experts.down, experts.down_scale, expert)
        share = expert_weights[tokens, places].to(wide)
        total = total.index_add(0, tokens, out.to(wide) * share[:, None])
    return total.to(x.dtype)


def _linear(x: Tensor, weight: Tensor, scale: Tensor | None, expert: int) -> Tensor:
    if scale is None:
        return functional.linear(x, weight[expert])
    return int8_linear_reference(x, weight[expert], scale[expert])
