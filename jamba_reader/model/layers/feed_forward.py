"""The feed-forward parts: dense SwiGLU, and a mixture of experts (Jamba-1.5, section 2)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.int8_linear import Float32Scales, Int8Linear
from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.layers.plain import is_plain
from jamba_reader.ops.experts.op import routed_experts
from jamba_reader.ops.experts.operands import ExpertWeights
from jamba_reader.ops.gated_activation.op import gated_activation
from jamba_reader.ops.row_limits import product_rows
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.selection import Implementation


class DenseFeedForward(nn.Module):
    """``down(act(gate x) * up x)``.

    Args:
        config: shape of the model.
        kernels: implementation of the operations.
        quantization: the weights are int8 if it includes dense layers.
    """

    def __init__(
        self,
        config: JambaConfig,
        *,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        quantization: ExpertsInt8 | None = None,
    ):
        super().__init__()
        self.activation = config.hidden_act
        self.kernels = kernels
        int8 = quantization is not None and quantization.dense

        def linear(inputs: int, outputs: int) -> nn.Module:
            if int8:
                return Int8Linear(inputs, outputs, kernels=kernels, device=device)
            return Linear(inputs, outputs, bias=False, kernels=kernels, device=device, dtype=dtype)

        self.gate_proj = linear(config.hidden_size, config.intermediate_size)
        self.up_proj = linear(config.hidden_size, config.intermediate_size)
        self.down_proj = linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> tuple[Tensor, None]:
        """Return the output of the branch ``[tokens, hidden]``; there are no router logits."""
        active = gated_activation(
            self._gate_up(hidden), activation=self.activation, implementation=self.kernels
        )
        return self.down_proj(active), None

    def _gate_up(self, hidden: Tensor) -> Tensor:
        """Return both projections side by side; without gradients they are not copied."""
        gate, up = self.gate_proj, self.up_proj
        if (
            torch.is_grad_enabled()
            or not (is_plain(gate, Linear) and is_plain(up, Linear))
            or len(hidden) <= product_rows(gate.weight.dtype)
        ):
            return torch.cat([gate(hidden), up(hidden)], dim=-1)
        both = hidden.new_empty(len(hidden), gate.out_features + up.out_features)
        torch.mm(hidden, gate.weight.t(), out=both[:, : gate.out_features])
        torch.mm(hidden, up.weight.t(), out=both[:, gate.out_features :])
        return both


class Router(nn.Module):
    """Chooses the experts of each token: those with the largest softmax probabilities.

    The probabilities of the chosen experts are their weights. Jamba does not renormalise them, so
    they sum to less than one.
    """

    def __init__(
        self,
        config: JambaConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self.top_k = config.num_experts_per_tok
        shape = (config.num_experts, config.hidden_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        nn.init.normal_(self.weight, std=config.initializer_range)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits ``[tokens, experts]``, chosen ids and their weights ``[tokens, k]``."""
        logits = functional.linear(hidden, self.weight)
        wide = torch.float64 if logits.dtype == torch.float64 else torch.float32
        # Of equal probabilities, frequent in bfloat16, the first expert wins. topk does not define
        # this, so its result could depend on how a text is split into calls.
        ordered = logits.softmax(dim=-1, dtype=wide).sort(dim=-1, descending=True, stable=True)
        weights, ids = (both[:, : self.top_k].contiguous() for both in ordered)
        return logits, ids, weights.to(hidden.dtype)


class Experts(Float32Scales):
    """The weights of the experts; gate and up are fused, as in transformers 5."""

    gate_up_proj: Tensor
    down_proj: Tensor
    gate_up_scale: Tensor
    down_scale: Tensor

    def __init__(
        self,
        config: JambaConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        quantization: ExpertsInt8 | None = None,
    ):
        super().__init__()
        experts, hidden = config.num_experts, config.hidden_size
        inner = config.intermediate_size
        self.int8 = quantization is not None
        gate_up, down = (experts, 2 * inner, hidden), (experts, hidden, inner)
        if self.int8:
            for name, shape in (("gate_up", gate_up), ("down", down)):
                weight = torch.zeros(shape, dtype=torch.int8, device=device)
                scale = torch.ones(shape[:2], dtype=torch.float32, device=device)
                self.register_buffer(f"{name}_proj", weight)
                self.register_buffer(f"{name}_scale", scale)
        else:
            for name, shape in (("gate_up", gate_up), ("down", down)):
                weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
                nn.init.normal_(weight, std=config.initializer_range)
                self.register_parameter(f"{name}_proj", weight)

    def weights(self) -> ExpertWeights:
        """Return the weights as the kernels take them."""
        if self.int8:
            return ExpertWeights(
                self.gate_up_proj, self.down_proj, self.gate_up_scale, self.down_scale
            )
        return ExpertWeights(self.gate_up_proj, self.down_proj, None, None)


class MixtureOfExperts(nn.Module):
    """Computes each token with its ``num_experts_per_tok`` best experts.

    Args:
        config: shape of the model.
        kernels: implementation of the operations.
        quantization: expert weights are int8 if it is given.
    """

    def __init__(
        self,
        config: JambaConfig,
        *,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        quantization: ExpertsInt8 | None = None,
    ):
        super().__init__()
        self.activation = config.hidden_act
        self.kernels = kernels
        self.router = Router(config, device=device, dtype=dtype)
        self.experts = Experts(config, device=device, dtype=dtype, quantization=quantization)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output of the branch ``[tokens, hidden]`` and the router logits."""
        logits, ids, weights = self.router(hidden)
        output = routed_experts(
            hidden,
            self.experts.weights(),
            ids,
            weights,
            activation=self.activation,
            implementation=self.kernels,
        )
        return output, logits
