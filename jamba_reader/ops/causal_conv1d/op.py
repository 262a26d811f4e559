"""The door to the causal convolution: picks a kernel by device and differentiates through it."""

from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.activation import ActivationName
from jamba_reader.ops.causal_conv1d import reference
from jamba_reader.ops.selection import Implementation
from jamba_reader.segments import Segments


def causal_conv1d(
    x: Float[Tensor, "tokens channels"],
    weight: Float[Tensor, "channels width"],
    bias: Float[Tensor, " channels"] | None,
    segments: Segments,
    history: Float[Tensor, "sequences width-1 channels"] | None = None,
    *,
    activation: ActivationName | None,
    implementation: Implementation = "auto",
) -> tuple[Float[Tensor, "tokens channels"], Float[Tensor, "sequences width-1 channels"]]:
    """Convolve each packed sequence with its past, channel by channel, and apply an activation.

    Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces" (2023),
    section 3.4.

    Args:
        x: packed inputs; rows may be strided, as a slice of a wider matrix is.
        weight: taps, oldest first.
        bias: added to every output.
        segments: which rows belong together; sequences may be empty.
        history: the ``width - 1`` inputs before each sequence, oldest first; zeros if None.
        activation: applied to the output.
        implementation: which kernel; ``auto`` goes by device and dtype.

    Returns:
        Outputs, and the history for the next call: each sequence's last ``width - 1`` inputs,
        shifted into its old history where it is shorter than that.
    """
    return reference.causal_conv1d(x, weight, bias, segments, history, activation)
