"""The selective scan as its recurrence: every other implementation is compared with it.

Source: Gu and Dao, *Mamba: Linear-Time Sequence Modeling with Selective State Spaces*
(arXiv:2312.00752), section 3.2 and algorithm 2. As there, the decay is discretised exactly and the
input by Euler's rule (``delta * B``, not the zero-order hold of equation 4); so do all released
Jamba models.
"""

# ruff: noqa: N806
# A, B, C and D are the names of these matrices in the literature

import torch
import torch.nn.functional as F  # noqa: N812

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.operands import ScanInputs, ScanOutput


def selective_scan_reference(scan_inputs: ScanInputs, segments: Segments) -> ScanOutput:
    """Scan token by token, differentiably.

    ``delta = softplus(dt + dt_bias)``, ``h = exp(delta A) h + delta B x``,
    ``y = (C h + D x) silu(gate)``, in float32, or in float64 where ``x`` is float64.

    Args:
        scan_inputs: the tensors.
        segments: whose rows belong to which sequence.
    """
    x, dt, A, B, C, D, dt_bias, gate, initial_state = scan_inputs
    exact = torch.float64 if x.dtype == torch.float64 else torch.float32
    inputs = x.to(exact)
    delta = F.softplus(dt.to(exact) + dt_bias.to(exact))
    A, B, C = A.to(exact), B.to(exact), C.to(exact)
    if initial_state is None:
        initial_state = inputs.new_zeros(len(segments), *A.shape)
    outputs, final_states = [], []
    for rows, start in zip(segments.slices, initial_state.to(exact).unbind(), strict=True):
        state = start
        for token in range(rows.start, rows.stop):
            step = delta[token, :, None]
            decay = torch.exp(step * A)
            state = decay * state + step * B[token] * inputs[token, :, None]
            outputs.append(state @ C[token])
        final_states.append(state)
    y = torch.stack(outputs) if outputs else torch.zeros_like(inputs)
    y = y + D.to(exact) * inputs
    if gate is not None:
        y = y * F.silu(gate.to(exact))
    final_state = torch.stack(final_states) if final_states else initial_state.to(exact)
    return ScanOutput(y.to(x.dtype), final_state)
