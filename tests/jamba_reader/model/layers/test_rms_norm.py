"""The normalisation layer against its formula."""

import pytest
import torch

from jamba_reader.model.layers.rms_norm import RMSNorm, add_and_norm


@pytest.mark.parametrize("kernels", ["cpu", "reference"])
def test_vectors_get_a_root_mean_square_of_the_weight(kernels: str) -> None:
    norm = RMSNorm(2, 0.25, kernels=kernels)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, -2.0]))
    # mean squares 12.5 and 0; 0.25 is added
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    expected = torch.tensor([[3.0, -8.0], [0.0, 0.0]]) / 12.75**0.5
    torch.testing.assert_close(norm(x), expected)


@pytest.mark.parametrize("kernels", ["cpu", "reference"])
def test_a_branch_is_added_first(kernels: str) -> None:
    norm = RMSNorm(5, 1e-6, kernels=kernels)
    branch, stream = torch.randn(2, 7, 5)
    normed, total = add_and_norm(norm, branch, stream)
    torch.testing.assert_close(total, branch + stream)
    torch.testing.assert_close(normed, norm(branch + stream))
    torch.testing.assert_close(normed.pow(2).mean(-1), torch.ones(7), rtol=1e-4, atol=1e-4)
    normed, same = add_and_norm(norm, None, stream)
    assert same is stream
    torch.testing.assert_close(normed, norm(stream))


def test_a_norm_with_a_hook_is_called() -> None:
    norm = RMSNorm(5, 1e-6)
    norm.register_forward_hook(lambda _, inputs, output: 2 * output)
    branch, stream = torch.randn(2, 7, 5)
    expected, expected_total = add_and_norm(RMSNorm(5, 1e-6), branch, stream)
    normed, total = add_and_norm(norm, branch, stream)
    torch.testing.assert_close(normed, 2 * expected)
    torch.testing.assert_close(total, expected_total)
