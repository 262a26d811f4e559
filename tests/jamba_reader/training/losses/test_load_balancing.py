import pytest
import torch

from jamba_reader.training.losses.load_balancing import load_balancing_loss


def test_even_routing_gives_the_number_of_choices() -> None:
    logits = 5.0 * torch.eye(4) + torch.eye(4).roll(1, dims=1) * 4.0
    assert load_balancing_loss([logits], experts_per_token=2).item() == pytest.approx(2.0)


def test_one_expert_for_all_is_the_worst() -> None:
    logits = torch.tensor([[40.0, 0.0, 0.0]]).expand(5, 3)
    assert load_balancing_loss([logits], experts_per_token=1).item() == pytest.approx(3.0)


@pytest.mark.parametrize("experts_per_token", [1, 2, 3])
def test_equals_transformers_with_padding_left_out(experts_per_token: int) -> None:
    from transformers.models.jamba.modeling_jamba import load_balancing_loss_func

    generator = torch.Generator().manual_seed(3)
    mask = torch.tensor([[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]])
    padded = tuple(torch.randn(10, 4, generator=generator).requires_grad_() for _ in range(3))
    theirs = load_balancing_loss_func(padded, 4, experts_per_token, mask)
    packed = [logits[mask.flatten().bool()] for logits in padded]
    ours = load_balancing_loss(packed, experts_per_token=experts_per_token)
    torch.testing.assert_close(ours, theirs)
    for one, other in zip(
        torch.autograd.grad(ours, padded), torch.autograd.grad(theirs, padded), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_rows_may_come_in_any_pieces() -> None:
    logits = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    whole = load_balancing_loss([logits], experts_per_token=2)
    pieces = load_balancing_loss(logits.split([2, 4, 3]), experts_per_token=2)
    torch.testing.assert_close(pieces, whole)


def test_a_model_without_experts_has_none() -> None:
    assert load_balancing_loss([], experts_per_token=2).item() == 0.0
