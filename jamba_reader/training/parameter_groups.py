"""AdamW and its parameter groups: with and without weight decay."""

from typing import Any

from torch import nn, optim
from torch.autograd.graph import increment_version

from jamba_reader.model.parameter_kinds import ParameterKind, kind_of


def parameter_groups(
    model: nn.Module, *, learning_rate: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Return two groups: matrices, with weight decay, and all other parameters, without.

    Decay would pull A_log towards 0, that is A towards -1, and D, norms and time-step biases
    towards arbitrary values (Gu & Dao 2023 exempt A_log, D and the dt bias). Embeddings are exempt
    too, tied to the head or not: the row of a rare token gets a gradient in few steps but would
    decay in all. An untied head decays: the softmax gives each of its rows a gradient in every
    step.

    Args:
        model: a :class:`~jamba_reader.model.model.JambaLanguageModel`, or a module with one.
        learning_rate: learning rate of both groups.
        weight_decay: weight decay of the matrices.
    """
    decaying: list[nn.Parameter] = []
    exempt: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            matrix = kind_of(name) is ParameterKind.MATRIX
            (decaying if matrix else exempt).append(parameter)
    return [
        {"params": decaying, "lr": learning_rate, "weight_decay": weight_decay},
        {"params": exempt, "lr": learning_rate, "weight_decay": 0.0},
    ]


def make_adamw(
    model: nn.Module, *, learning_rate: float, weight_decay: float, beta2: float
) -> optim.AdamW:
    """Return fused AdamW over :func:`parameter_groups`: one pass over the parameters."""
    groups = parameter_groups(model, learning_rate=learning_rate, weight_decay=weight_decay)
    adamw = optim.AdamW(groups, lr=learning_rate, betas=(0.9, beta2), eps=1e-8, fused=True)
    parameters = [parameter for group in groups for parameter in group["params"]]
    # the fused kernel does not count its writes, and values that are computed once from a weight
    # (the mixer's A during inference) rely on that count
    adamw.register_step_post_hook(lambda *_: increment_version(parameters))
    return adamw
