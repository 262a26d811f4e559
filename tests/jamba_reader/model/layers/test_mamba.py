"""The Mamba mixer against the paper's algorithm, and its A, which inference computes once."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.functional import silu, softplus

from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.mamba import MambaMixer
from jamba_reader.ops.segments import Segments


@pytest.fixture
def mixer() -> MambaMixer:
    config = JambaConfig(
        hidden_size=8, num_attention_heads=2, num_key_value_heads=1, mamba_d_state=4
    )
    return MambaMixer(config).eval()


def rates(mixer: MambaMixer) -> torch.Tensor:
    return -torch.exp(mixer.A_log.detach())


@torch.no_grad()
def test_it_is_computed_once(mixer: MambaMixer) -> None:
    assert torch.equal(mixer.decay(), rates(mixer))
    assert mixer.decay() is mixer.decay()


@torch.no_grad()
def test_a_counted_write_is_seen_at_once(mixer: MambaMixer) -> None:
    mixer.decay()
    mixer.A_log.add_(1)
    assert torch.equal(mixer.decay(), rates(mixer))


@torch.no_grad()
def test_a_write_that_is_not_counted_is_seen_after_eval(mixer: MambaMixer) -> None:
    mixer.decay()
    mixer.A_log.data.add_(1)
    assert torch.equal(mixer.eval().decay(), rates(mixer))


@torch.no_grad()
def test_another_type_is_seen_at_once(mixer: MambaMixer) -> None:
    mixer.A_log.add_(1e-3)
    mixer.decay()
    mixer.bfloat16().float()
    assert torch.equal(mixer.decay(), rates(mixer))


def test_with_gradients_it_is_always_computed(mixer: MambaMixer) -> None:
    assert mixer.decay().requires_grad


def by_the_paper(mixer: MambaMixer, hidden: torch.Tensor) -> torch.Tensor:
    """Algorithm 2 of arXiv:2312.00752 with Jamba's inner norms, token by token, in float64."""
    c = mixer.config
    weights = {name: weight.detach().double() for name, weight in mixer.named_parameters()}

    def project(name: str, x: torch.Tensor) -> torch.Tensor:
        y = x @ weights[f"{name}.weight"].T
        return y + weights[f"{name}.bias"] if f"{name}.bias" in weights else y

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        mean = x.pow(2).mean(-1, keepdim=True)
        return weights[f"{name}_layernorm.weight"] * x / torch.sqrt(mean + c.rms_norm_eps)

    x, z = project("in_proj", hidden.double()).chunk(2, dim=-1)
    padded = torch.cat([torch.zeros(c.mamba_d_conv - 1, c.inner_size).double(), x])
    kernel = weights["conv1d.weight"][:, 0]
    x = silu(
        torch.stack(
            [
                (padded[t : t + c.mamba_d_conv] * kernel.T).sum(0) + weights["conv1d.bias"]
                for t in range(len(x))
            ]
        )
    )
    dt, b, c_ = project("x_proj", x).split([c.mamba_dt_rank, *2 * [c.mamba_d_state]], dim=-1)
    dt, b, c_ = norm("dt", dt), norm("b", b), norm("c", c_)
    dt = softplus(project("dt_proj", dt))
    a = -torch.exp(weights["A_log"])
    state, outputs = torch.zeros(c.inner_size, c.mamba_d_state).double(), []
    for t in range(len(x)):
        state = torch.exp(dt[t, :, None] * a) * state + dt[t, :, None] * b[t] * x[t, :, None]
        outputs.append((state @ c_[t] + weights["D"] * x[t]) * silu(z[t]))
    return project("out_proj", torch.stack(outputs))


@pytest.mark.parametrize("kernels", ["cpu", "reference"])
def test_sequences_in_one_call_and_in_two_follow_the_paper(
    config: JambaConfig, randomised: Callable[[nn.Module], nn.Module], kernels: str
) -> None:
    mixer = randomised(MambaMixer(config, kernels=kernels))
    first, second = torch.randn(9, 8), torch.randn(5, 8)
    expected = [by_the_paper(mixer, first), by_the_paper(mixer, second)]
    with torch.no_grad():
        whole, _ = mixer(torch.cat([first, second]), Segments([9, 5]), None)
        early, state = mixer(torch.cat([first[:4], second[:2]]), Segments([4, 2]), None)
        late, _ = mixer(torch.cat([first[4:], second[2:]]), Segments([5, 3]), state)
    torch.testing.assert_close(whole.double(), torch.cat(expected), rtol=1e-4, atol=1e-5)
    parts = torch.cat([early[:4], late[:5], early[4:], late[5:]])
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)
    assert state.state.dtype == torch.float32
    assert state.history.shape == (2, config.mamba_d_conv - 1, config.inner_size)


class Adapted(nn.Module):
    """A module with a low-rank addition, as adapters wrap one."""

    def __init__(self, inner: nn.Module, other: nn.Module):
        super().__init__()
        self.base_layer, self.other = inner, other

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base_layer(x) + self.other(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["dt_proj", "conv1d"])
@pytest.mark.parametrize("way", ["wrapper", "hook", "forward"])
@torch.no_grad()
def test_an_adapter_computes_what_its_merged_weight_does(
    mixer: MambaMixer, name: str, way: str
) -> None:
    inner = getattr(mixer, name)
    other = copy.deepcopy(inner)
    other.weight.normal_(generator=torch.Generator().manual_seed(0))
    other.bias = None
    merged = copy.deepcopy(mixer)
    getattr(merged, name).weight.add_(other.weight)
    if way == "wrapper":
        setattr(mixer, name, Adapted(inner, other))
    elif way == "hook":
        inner.register_forward_hook(lambda _, inputs, output: output + other(*inputs))
    else:
        plain = inner.forward
        inner.forward = lambda x: plain(x) + other(x)
    hidden, segments = torch.randn(9, 8), Segments([5, 0, 1, 3])
    expected, expected_state = merged(hidden, segments, None)
    found, state = mixer(hidden, segments, None)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    again, _ = mixer(hidden, segments, state)
    torch.testing.assert_close(
        again, merged(hidden, segments, expected_state)[0], rtol=1e-5, atol=1e-6
    )
