"""The weights of one layer's experts."""

from typing import NamedTuple

from torch import Tensor


class ExpertWeights(NamedTuple):
    """Weights of all experts of a layer; scales are given exactly when the weights are int8.

    Attributes:
        gate_up: ``[experts, 2 * intermediate, hidden]``, gate rows first.
        down: ``[experts, hidden, intermediate]``.
        gate_up_scale: float32 ``[experts, 2 * intermediate]``, or None.
        down_scale: float32 ``[experts, hidden]``, or None.
    """

    gate_up: Tensor
    down: Tensor
    gate_up_scale: Tensor | None = None
    down_scale: Tensor | None = None


class ExpertGradients(NamedTuple):
    """Gradients by the routed experts' inputs; None where none is wanted."""

    x: Tensor | None
    gate_up: Tensor | None
    down: Tensor | None
    expert_weights: Tensor | None
