"""The convolution in plain torch: one sequence after another, one tap after another.

Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces" (2023),
section 3.4; the history is what ``causal-conv1d`` calls initial and final states.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.activation import ActivationName, activate, computing_dtype
from jamba_reader.ops.segments import Segments


def causal_conv1d(
    x: Float[Tensor, "tokens channels"],
    weight: Float[Tensor, "channels width"],
    bias: Float[Tensor, " channels"] | None,
    segments: Segments,
    history: Float[Tensor, "sequences width-1 channels"] | None,
    activation: ActivationName | None,
) -> tuple[Float[Tensor, "tokens channels"], Float[Tensor, "sequences width-1 channels"]]:
    """Convolve each sequence with its past; sums and activation in float32, rounded once.

    Args:
        x: packed inputs.
        weight: taps, oldest first.
        bias: added to every output.
        segments: which rows belong together.
        history: the ``width - 1`` inputs before each sequence, oldest first; zeros if None.
        activation: applied to the output.

    Returns:
        Outputs, and the last ``width - 1`` inputs of each sequence, its old history among them
        where it is shorter than that.
    """
    channels, width = weight.shape
    if history is None:
        history = x.new_zeros(len(segments), width - 1, channels)
    wide = computing_dtype(x.dtype)
    taps = weight.to(wide).unbind(1)
    outputs, histories = [x[:0]], [history[:0].to(x.dtype)]
    for sequence, rows in enumerate(segments.slices):
        inputs = torch.cat([history[sequence].to(x.dtype), x[rows]])
        length = rows.stop - rows.start
        total = inputs[:length].to(wide) * taps[0]
        for k in range(1, width):
            total = total + inputs[k : k + length].to(wide) * taps[k]
        if bias is not None:
            total = total + bias.to(wide)
        outputs.append(activate(total, activation).to(x.dtype))
        histories.append(inputs[None, length:])
    return torch.cat(outputs), torch.cat(histories)
