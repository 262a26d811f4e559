"""Weights to start training from: as transformers draws them, with Mamba's own time steps.

transformers leaves ``dt_proj.bias`` at zero, so that every channel has a time step of softplus(0) =
0.69, and with A down to -16 most states forget within two tokens. Mamba draws each channel's time
step log-uniformly between 0.001 and 0.1, so that some channels remember a thousand tokens from the
start; small models trained from scratch need that.
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
    """Draw every weight of a model anew; the same generator state gives the same weights.

    Matrices, convolutions and embeddings are N(0, ``initializer_range``) but for the padding
    token's embedding, which is zero; biases are zero, norms and D one, and A = -1 … -states.

    Sources: transformers' ``JambaPreTrainedModel._init_weights``; Gu & Dao 2023 (arXiv:2312.00752),
    section 3.6, and their code, for the time steps: ``dt_proj.weight`` uniform within
    rank**-0.5 of zero, and softplus of its bias log-uniform.

    Args:
        model: float weights on any device.
        generator: on the CPU; numbers are drawn there, in the order of the parameters' names in
            the model, and copied to where the weights are.
        mamba_time_steps: draw Mamba's time steps; False leaves the projection as transformers does.
    """
    std = model.config.initializer_range
    for name, parameter in model.named_parameters():
        kind = kind_of(name)
        if kind in (ParameterKind.NORM, ParameterKind.SKIP):
            parameter.fill_(1.0)
        elif kind is ParameterKind.BIAS:
            parameter.zero_()
        elif kind is ParameterKind.DECAY:
            states = torch.arange(1, parameter.shape[1] + 1, dtype=torch.float32)
            parameter.copy_(states.log().expand(parameter.shape))
        else:
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)
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
    spread = (2.0 * torch.rand(channels, rank, generator=generator) - 1.0) * rank**-0.5
    projection.weight.copy_(spread)
    low, high = math.log(SHORTEST_TIME_STEP), math.log(LONGEST_TIME_STEP)
    steps = torch.exp(low + (high - low) * torch.rand(channels, generator=generator))
    projection.bias.copy_(inverse_softplus(steps))


def inverse_softplus(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return x with ``log(1 + exp(x)) = values``, for values above zero.

    Written as ``v + log(1 - exp(-v))``, which loses no digits where v is small.
    """
    return values + torch.log(-torch.expm1(-values))
