"""Modules whose weights say all that a call computes, and modules that add to them."""

from collections.abc import Callable

import pytest
from torch import nn

from jamba_reader.model.layers.plain import is_plain


class Other(nn.Linear):
    """A class of its own may compute something else."""


def own_forward(module: nn.Module) -> None:
    module.forward = lambda x: x  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize(
    "change",
    [
        lambda module: module.register_forward_hook(lambda *_: None),
        lambda module: module.register_forward_pre_hook(lambda *_: None),
        own_forward,
    ],
)
def test_what_adds_to_a_module_is_seen(change: Callable[[nn.Module], object]) -> None:
    module = nn.Linear(2, 2)
    assert is_plain(module, nn.Linear)
    change(module)
    assert not is_plain(module, nn.Linear)


def test_a_class_is_itself_only() -> None:
    assert not is_plain(Other(2, 2), nn.Linear)
    assert not is_plain(nn.Sequential(nn.Linear(2, 2)), nn.Linear)
