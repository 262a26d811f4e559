"""The attention layer against a loop over heads and tokens."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.attention import Attention
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.segments import Segments


def by_loops(layer: Attention, hidden: Tensor) -> Tensor:
    """Causal attention of one sequence; query heads 0 and 1 share key head 0, 2 and 3 head 1."""
    heads, shared, size = 4, 2, 2
    query = (hidden @ layer.q_proj.weight.T).view(-1, heads, size)
    key = (hidden @ layer.k_proj.weight.T).view(-1, shared, size)
    value = (hidden @ layer.v_proj.weight.T).view(-1, shared, size)
    mixed = torch.zeros(len(hidden), heads, size)
    for token in range(len(hidden)):
        for head in range(heads):
            group = head // (heads // shared)
            scores = key[: token + 1, group] @ query[token, head] / size**0.5
            mixed[token, head] = scores.softmax(0) @ value[: token + 1, group]
    return mixed.flatten(1) @ layer.o_proj.weight.T


@pytest.mark.parametrize("kernels", ["cpu", "reference"])
def test_sequences_in_one_call_and_in_two(
    config: JambaConfig, randomised: Callable[[nn.Module], nn.Module], kernels: str
) -> None:
    layer = randomised(Attention(config, kernels=kernels))
    first, second = torch.randn(7, 8), torch.randn(4, 8)
    with torch.no_grad():
        expected = torch.cat([by_loops(layer, first), by_loops(layer, second)])
        whole, memory = layer(torch.cat([first, second]), Segments([7, 4]), None)
        assert memory is None
        empty = KeyValueMemory.empty(2, 2, 2, dtype=torch.float32, device="cpu")
        early, memory = layer(torch.cat([first[:3], second[:3]]), Segments([3, 3]), empty)
        assert memory.lengths == [3, 3]
        late, memory = layer(torch.cat([first[3:], second[3:]]), Segments([4, 1]), memory)
    torch.testing.assert_close(whole, expected, rtol=1e-4, atol=1e-5)
    parts = torch.cat([early[:3], late[:4], early[3:], late[4:]])
    torch.testing.assert_close(parts, expected, rtol=1e-4, atol=1e-5)
    assert memory.lengths == [7, 4]


def test_dropout_is_for_training_only(
    config: JambaConfig, randomised: Callable[[nn.Module], nn.Module]
) -> None:
    object.__setattr__(config, "attention_dropout", 0.9)
    layer = randomised(Attention(config, kernels="reference"))
    hidden = torch.randn(6, 8)
    plain, _ = layer(hidden, Segments([6]), None)
    torch.testing.assert_close(plain, by_loops(layer, hidden), rtol=1e-4, atol=1e-5)
    dropped, _ = layer.train()(hidden, Segments([6]), None)
    assert not torch.allclose(dropped, plain, atol=1e-3)
