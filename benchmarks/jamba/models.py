"""The same Jamba in transformers and here, with weights that let every mistake change the output.

A freshly initialised model has norms and D of one, biases of zero and the same A in every channel;
many mistakes do not change its output. ``randomise`` draws every parameter instead.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from jamba_reader.config import JambaConfig
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.selection import Implementation

if TYPE_CHECKING:
    from transformers import JambaForCausalLM


def transformers_model(
    values: Mapping[str, Any], *, seed: int, attention: str = "eager", experts: str = "eager"
) -> "JambaForCausalLM":
    """Return transformers' model in float32 with every parameter drawn, ready to run.

    Args:
        values: keys of ``config.json``.
        seed: of the weights.
        attention: its attention implementation.
        experts: its experts implementation; its own choice, ``grouped_mm``, refuses widths that
            are no multiple of 16 bytes.
    """
    from transformers import JambaConfig as TransformersConfig
    from transformers import JambaForCausalLM

    config = TransformersConfig(**values)
    config._attn_implementation = attention
    config._experts_implementation = experts
    with torch.device("cpu"):
        model = JambaForCausalLM(config)
    randomise(model, seed=seed)
    return model.eval()


def our_model(
    theirs: "JambaForCausalLM",
    *,
    kernels: Implementation = "auto",
    dtype: torch.dtype = torch.float32,
) -> JambaLanguageModel:
    """Return our model with the weights of transformers' model, ready to run."""
    model = JambaLanguageModel(
        JambaConfig.from_mapping(theirs.config.to_dict()), kernels=kernels, dtype=dtype
    )
    model.load_state_dict(theirs.state_dict())
    return model.eval()


def randomise(model: nn.Module, *, seed: int) -> None:
    """Draw every parameter: matrices keep their input's scale, all else is far from its default.

    Args:
        model: either library's; a parameter that two modules share is drawn once.
        seed: of the draws, which follow the order of the parameters.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            drawn = _draw(name, parameter.shape, generator)
            parameter.copy_(drawn.to(parameter.dtype))


def _draw(name: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    normal = torch.randn(shape, generator=generator)
    fan_in: float = shape[-1] ** 0.5
    match name.rpartition(".")[2], name:
        case "A_log", _:  # A from -20 to -0.1
            return torch.rand(shape, generator=generator) * 5.3 - 2.3
        case "bias", _ if "dt_proj" in name:  # steps around 0.01 to 1
            return torch.rand(shape, generator=generator) * 5 - 4.5
        case "bias", _:
            return 0.3 * normal
        case "D", _:
            return normal
        case "weight", _ if "layernorm" in name:
            return 1 + 0.4 * normal
        case "weight", _ if "embed_tokens" in name:
            return normal
        case "weight", _ if "conv1d" in name:
            return 0.5 * normal
        case "weight", _ if "router" in name:
            return 2 * normal / fan_in
    return normal / fan_in


def gap(found: Tensor, expected: Tensor) -> float:
    """Return the largest difference over the largest expected value; NaN and infinity stay."""
    difference = (found.double() - expected.double()).abs().max()
    return float(difference / expected.double().abs().max())
