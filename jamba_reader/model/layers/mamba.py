"""The Mamba-1 mixer with Jamba's inner norms (Gu & Dao 2023; Jamba, arXiv:2403.19887, 6.4)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from jamba_reader.cache.mamba_state import MambaState
from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.layers.plain import is_plain
from jamba_reader.model.layers.rms_norm import RMSNorm
from jamba_reader.ops.activation import ActivationName, activate
from jamba_reader.ops.causal_conv1d.op import causal_conv1d
from jamba_reader.ops.linear.op import linear
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation
from jamba_reader.ops.selective_scan.op import selective_scan


def convolve_by_module(
    module: nn.Module,
    inputs: Tensor,
    segments: Segments,
    width: int,
    history: Tensor | None,
    activation: ActivationName,
) -> tuple[Tensor, Tensor]:
    """Convolve by calls of a module that is wrapped, as by an adapter, or has hooks; slower.

    Args:
        module: a convolution without padding, ``[1, channels, tokens]``.
        inputs: ``[tokens, channels]`` of all sequences.
        segments: boundaries of the sequences.
        width: tokens that an output sees.
        history: the last inputs before each sequence; None are zeros.
        activation: the activation after the convolution.

    Returns:
        Outputs, and the last inputs of each sequence.
    """
    past = width - 1
    if history is None:
        history = inputs.new_zeros(len(segments), past, inputs.shape[1])
    outputs, histories = [inputs[:0]], [history[:0]]
    for sequence, rows in enumerate(segments.slices):
        seen = torch.cat([history[sequence].to(inputs.dtype), inputs[rows]])
        if rows.stop > rows.start:
            outputs.append(activate(module(seen.t()[None])[0].t(), activation))
        histories.append(seen[None, len(seen) - past :])
    return torch.cat(outputs), torch.cat(histories)


class MambaMixer(nn.Module):
    """Mixes tokens by a short convolution and a selective scan; time is linear in the length.

    Args:
        config: shape of the model.
        kernels: implementation of the operations.
    """

    def __init__(
        self,
        config: JambaConfig,
        *,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        hidden, inner, states = config.hidden_size, config.inner_size, config.mamba_d_state
        rank, bias = config.mamba_dt_rank, config.mamba_proj_bias
        place: dict[str, Any] = {"kernels": kernels, "device": device, "dtype": dtype}
        self.config = config
        self.kernels = kernels
        self.widths = [rank, states, states]
        self.in_proj = Linear(hidden, 2 * inner, bias=bias, **place)
        # only holds the weights under the checkpoint's names; its own forward pass would pad
        self.conv1d = nn.Conv1d(
            inner,
            inner,
            config.mamba_d_conv,
            groups=inner,
            bias=config.mamba_conv_bias,
            device=device,
            dtype=dtype,
        )
        self.x_proj = Linear(inner, sum(self.widths), bias=False, **place)
        self.dt_proj = Linear(rank, inner, bias=True, **place)
        rates = torch.arange(1, states + 1, dtype=torch.float32, device=device).log()
        self.A_log = nn.Parameter(
            rates.expand(inner, -1).to(dtype or torch.get_default_dtype()).contiguous()
        )
        self.D = nn.Parameter(torch.ones(inner, device=device, dtype=dtype))
        self.out_proj = Linear(inner, hidden, bias=bias, **place)
        norms = [RMSNorm(width, config.rms_norm_eps, **place) for width in self.widths]
        self.dt_layernorm, self.b_layernorm, self.c_layernorm = norms
        self._known_decay: tuple[tuple[int, int], Tensor] | None = None

    def forward(
        self, hidden: Tensor, segments: Segments, before: MambaState | None
    ) -> tuple[Tensor, MambaState]:
        """Mix the tokens of each sequence.

        Args:
            hidden: ``[tokens, hidden]``, normalised.
            segments: boundaries of the sequences.
            before: state after earlier calls; None starts all sequences.

        Returns:
            The output of the branch ``[tokens, hidden]``, and the state for a later call.
        """
        inner = self.config.inner_size
        projected = self.in_proj(hidden)
        inputs, gate = projected[:, :inner], projected[:, inner:]
        inputs, history = self._convolve(inputs, segments, before)
        dt, b, c = self.x_proj(inputs).split(self.widths, dim=-1)
        dt, bias = self._time_steps(self.dt_layernorm(dt))
        outputs, state = selective_scan(
            inputs,
            dt,
            self.decay(),
            self.b_layernorm(b),
            self.c_layernorm(c),
            self.D,
            bias,
            gate,
            segments,
            None if before is None else before.state,
            implementation=self.kernels,
        )
        return self.out_proj(outputs), MambaState(state, history)

    def _convolve(
        self, inputs: Tensor, segments: Segments, before: MambaState | None
    ) -> tuple[Tensor, Tensor]:
        """Return the convolved inputs after their activation, and the inputs for a later call."""
        history = None if before is None else before.history
        if not is_plain(self.conv1d, nn.Conv1d):
            return convolve_by_module(
                self.conv1d,
                inputs,
                segments,
                self.config.mamba_d_conv,
                history,
                self.config.hidden_act,
            )
        return causal_conv1d(
            inputs,
            self.conv1d.weight[:, 0],
            self.conv1d.bias,
            segments,
            history,
            activation=self.config.hidden_act,
            implementation=self.kernels,
        )

    def _time_steps(self, low_rank: Tensor) -> tuple[Tensor, Tensor]:
        """Return the time step of each channel, and what the scan adds to it, in float32."""
        if is_plain(self.dt_proj, Linear):
            weight, bias = self.dt_proj.weight, self.dt_proj.bias
            return linear(low_rank, weight, implementation=self.kernels), bias
        # a wrapped module adds its own bias, in its own dtype
        steps: Tensor = self.dt_proj(low_rank)
        return steps, steps.new_zeros(steps.shape[1])

    def train(self, mode: bool = True) -> "MambaMixer":
        """Switch between training and inference; the next call recomputes A from A_log."""
        self._known_decay = None
        super().train(mode)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "MambaMixer":
        self._known_decay = None
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def decay(self) -> Tensor:
        """Return A = -exp(A_log), ``[channels, states]`` in float32 at least.

        Without gradients it is computed once and kept. Writes that PyTorch does not count, for
        instance through ``.data`` or by fused optimizers, take effect at the next ``train()`` or
        ``eval()``.
        """
        wide = torch.float64 if self.A_log.dtype == torch.float64 else torch.float32
        # A_log changes in every training step; tensors made in inference mode have no version
        if torch.is_grad_enabled() or self.A_log.is_inference():
            self._known_decay = None
            return -torch.exp(self.A_log.to(wide))
        version = (self.A_log.data_ptr(), self.A_log._version)
        if self._known_decay is None or self._known_decay[0] != version:
            self._known_decay = (version, -torch.exp(self.A_log.detach().to(wide)))
        return self._known_decay[1]
