"""The feed-forward parts against loops over tokens and experts."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, silu

from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.feed_forward import DenseFeedForward, MixtureOfExperts, Router
from jamba_reader.model.layers.int8_linear import Int8Linear
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.row_quantisation.op import quantise_rows

Randomised = Callable[[nn.Module], nn.Module]


@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize("activation", ["silu", "gelu"])
def test_dense_is_its_formula(
    config: JambaConfig, randomised: Randomised, activation: str, rows: int
) -> None:
    object.__setattr__(config, "hidden_act", activation)
    part, x = randomised(DenseFeedForward(config)), torch.randn(rows, 8)
    gate, up, down = (getattr(part, f"{name}_proj").weight for name in ("gate", "up", "down"))
    act = {"silu": silu, "gelu": gelu}[activation]
    expected = (act(x @ gate.T) * (x @ up.T)) @ down.T
    with_gradients, no_logits = part(x)
    assert no_logits is None
    assert with_gradients.requires_grad
    torch.testing.assert_close(with_gradients, expected, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(part(x)[0], expected, rtol=1e-4, atol=1e-5)


def test_dense_is_int8_only_if_asked(config: JambaConfig) -> None:
    for quantization, int8 in ((ExpertsInt8(), False), (ExpertsInt8(dense=True), True)):
        part = DenseFeedForward(config, quantization=quantization)
        assert isinstance(part.gate_proj, Int8Linear) is int8
        assert bool(list(part.parameters())) is not int8


def mixture_by_loops(part: MixtureOfExperts, x: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
    """Each token by itself, through the two experts with the largest probabilities."""
    output = torch.zeros_like(x)
    for token in range(len(x)):
        shares = (part.router.weight @ x[token]).softmax(0)
        for expert in sorted(range(4), key=lambda e: -shares[e])[:2]:
            gate, up = (gate_up[expert] @ x[token]).chunk(2)
            output[token] += shares[expert] * (down[expert] @ (silu(gate) * up))
    return output


@pytest.mark.parametrize("rows", [1, 30])
def test_mixture_of_experts_is_a_loop_over_tokens(
    config: JambaConfig, randomised: Randomised, rows: int
) -> None:
    part, x = randomised(MixtureOfExperts(config)), torch.randn(rows, 8)
    with torch.no_grad():
        output, logits = part(x)
        expected = mixture_by_loops(part, x, part.experts.gate_up_proj, part.experts.down_proj)
        torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(logits, x @ part.router.weight.T)


@torch.no_grad()
def test_int8_experts_compute_with_their_scales(
    config: JambaConfig, randomised: Randomised
) -> None:
    plain = randomised(MixtureOfExperts(config))
    part = MixtureOfExperts(config, quantization=ExpertsInt8()).eval()
    part.router.load_state_dict(plain.router.state_dict())
    rows = {}
    for name in ("gate_up", "down"):
        weight = getattr(plain.experts, f"{name}_proj")
        for expert in range(4):
            found = quantise_rows(weight[expert])
            getattr(part.experts, f"{name}_proj")[expert] = found.values
            getattr(part.experts, f"{name}_scale")[expert] = found.scale
        scale = getattr(part.experts, f"{name}_scale")
        rows[name] = getattr(part.experts, f"{name}_proj") * scale[..., None]
    x = torch.randn(5, 8)
    expected = mixture_by_loops(part, x, rows["gate_up"], rows["down"])
    torch.testing.assert_close(part(x)[0], expected, rtol=1e-4, atol=1e-5)
    assert part.to(torch.bfloat16).experts.down_scale.dtype == torch.float32


@torch.no_grad()
def test_the_router_keeps_probabilities_and_takes_the_first_of_equal_ones(
    config: JambaConfig,
) -> None:
    router = Router(config)
    router.weight.zero_()
    router.weight[2, 0] = 1.0
    # probabilities e/(3 + e) of expert 2, and 1/(3 + e) of the others
    x = torch.zeros(1, 8)
    x[0, 0] = 1.0
    logits, ids, weights = router(x)
    assert logits.tolist() == [[0.0, 0.0, 1.0, 0.0]]
    assert ids.tolist() == [[2, 0]]
    e = torch.e
    torch.testing.assert_close(weights, torch.tensor([[e / (3 + e), 1 / (3 + e)]]))
    assert router.to(torch.bfloat16)(x.bfloat16())[1].tolist() == [[2, 0]]


@pytest.mark.parametrize("rows", [1, 100])
@torch.no_grad()
def test_a_hook_on_a_projection_runs_for_any_number_of_rows(
    config: JambaConfig, randomised: Randomised, rows: int
) -> None:
    part, x = randomised(DenseFeedForward(config)), torch.randn(rows, 8)
    expected = part(x)[0]
    part.up_proj.register_forward_hook(lambda _, inputs, output: 2 * output)
    torch.testing.assert_close(part(x)[0], 2 * expected, rtol=1e-4, atol=1e-5)
