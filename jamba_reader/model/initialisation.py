"""Initial weights for training: those of transformers, with the time steps of Mamba.

transformers initialises ``dt_proj.bias`` to zero. Every channel then has a time step of softplus(0)
= 0.69, and with A down to -16 most states decay within two tokens. Mamba draws the time step of
each channel log-uniformly between 0.001 and 0.1, so that some channels keep their state for a
thousand tokens from the start. Small models that are trained from scratch need that.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.model.parameter_kinds import ParameterKind, kind_of

SHORTEST_TIME_STEP = 1e-3
LONGEST_TIME_STEP = 0.1


@torch.no_grad()
def initialise(
    model: JambaLanguageModel, generator: torch.Generator, *, mamba_time_steps: bool = True
) -> None:
    """Draw every weight of a model; the same generator state gives the same weights.

    Matrices, convolutions and embeddings are N(0, ``initializer_range``), except the embedding of
    the padding token, which is zero. Biases are zero, norms and D are one, and A = -1 … -states.

    Sources: transformers' ``JambaPreTrainedModel._init_weights``; Gu & Dao 2023 (arXiv:2312.00752),
    section 3.6, and their code, for the time steps: ``dt_proj.weight`` uniform within
    rank**-0.5 of zero, and softplus of its bias log-uniform.

    Args:
        model: a model with float weights on any device.
        generator: a generator on the CPU. Numbers are drawn there, in the order of the model's
            parameters, and copied to the device of the weights.
        mamba_time_steps: draw the time steps as Mamba does; False draws them as transformers does.
    """
    std = model.config.initializer_range
    for name, parameter in model.named_parameters():
        kind = kind_of(name)
        if kind in (ParameterKind.NORM, ParameterKind.SKIP):
            parameter.fill_(1.0)
        elif kind is ParameterKind.BIAS:
            parameter.zero_()
        elif kind is ParameterKind.DECAY:
            states = torch.arange(1, parameter.shape[1] + 1, dtype=torch.float32, device="cpu")
            parameter.copy_(states.log().expand(parameter.shape))
        else:
            parameter.copy_(
                torch.randn(parameter.shape, generator=generator, dtype=torch.float32, device="cpu")
                * std
            )
    embedding = model.model.embed_tokens
    if embedding.padding_idx is not None:
        embedding.weight[embedding.padding_idx] = 0.0
    if mamba_time_steps:
        for module in model.modules():
            projection = getattr(module, "dt_proj", None)
            if isinstance(projection, nn.Linear):
                _draw_time_steps(projection, generator)


def _draw_time_steps(projection: nn.Linear, generator: torch.Generator) -> None:
    channels, rank = projection.weight.shape
    spread = (
        2.0 * torch.rand(channels, rank, generator=generator, dtype=torch.float32, device="cpu")
        - 1.0
    ) * rank**-0.5
    projection.weight.copy_(spread)
    low, high = math.log(SHORTEST_TIME_STEP), math.log(LONGEST_TIME_STEP)
    steps = torch.exp(
        low
        + (high - low)
        * torch.rand(channels, generator=generator, dtype=torch.float32, device="cpu")
    )
    projection.bias.copy_(inverse_softplus(steps))


def inverse_softplus(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return x with ``log(1 + exp(x)) = values``, for values above zero.

    Computed as ``v + log(1 - exp(-v))``, which is accurate for small v.
    """
    return values + torch.log(-torch.expm1(-values))
