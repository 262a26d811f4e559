"""The Mamba mixer's A, which is computed once while nothing is trained."""

import pytest
import torch

from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.mamba import MambaMixer


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
