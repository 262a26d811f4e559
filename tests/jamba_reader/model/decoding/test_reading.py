"""``Reading`` holds as long as reading the modules again would find the same."""

import gc
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from jamba_reader.model.decoding.reading import NotOurs, Reading
from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.layers.rms_norm import RMSNorm
from jamba_reader.model.model import JambaLanguageModel


class Parent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Linear(3, 2, bias=False)
        self.norm = RMSNorm(3, 1e-6)
        self.size = 3


@pytest.fixture
def parent() -> Parent:
    return Parent()


@pytest.fixture
def reading(parent: Parent) -> Reading:
    """Return a reading of the parent, its weight and its norm."""
    found = Reading()
    found.module(parent, Parent, size=3)
    found.matrix(parent, "first", 2, 3)
    found.norm(parent, "norm", 3, 1e-6)
    return found


def test_what_was_not_touched_holds(reading: Reading, parent: Parent) -> None:
    assert reading.holds(parent)
    assert reading.holds(parent.first)


def test_another_head_was_not_read(reading: Reading) -> None:
    assert not reading.holds(Linear(3, 2, bias=False))


def move(parent: Parent) -> None:
    parent.first.weight.data = parent.first.weight.data.clone()


def replace_weight(parent: Parent) -> None:
    parent.first.weight = nn.Parameter(parent.first.weight.detach())


def replace_child(parent: Parent) -> None:
    parent.first = Linear(3, 2, bias=False)


def add_bias(parent: Parent) -> None:
    parent.first.bias = nn.Parameter(torch.zeros(2))


def remove_weight(parent: Parent) -> None:
    parent.norm.weight = None  # type: ignore[assignment]


def change_setting(parent: Parent) -> None:
    parent.size = 4


def change_eps(parent: Parent) -> None:
    parent.norm.eps = 1e-5


def hook(parent: Parent) -> None:
    parent.norm.register_forward_hook(lambda *_: None)


def pre_hook(parent: Parent) -> None:
    parent.first.register_forward_pre_hook(lambda *_: None)


def own_forward(parent: Parent) -> None:
    parent.first.forward = lambda x: x  # type: ignore[method-assign,assignment]


def other_class(parent: Parent) -> None:
    parent.norm.__class__ = type("Louder", (RMSNorm,), {})


CHANGES = [
    move,
    replace_weight,
    replace_child,
    add_bias,
    remove_weight,
    change_setting,
    change_eps,
    hook,
    pre_hook,
    own_forward,
    other_class,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_seen(
    reading: Reading, parent: Parent, change: Callable[[Parent], None]
) -> None:
    change(parent)
    assert not reading.holds(parent)


def test_values_that_change_in_place_are_no_change(reading: Reading, parent: Parent) -> None:
    with torch.no_grad():
        parent.first.weight.add_(1)
    assert reading.holds(parent)


def test_a_hook_that_was_taken_off_again_is_no_change(reading: Reading, parent: Parent) -> None:
    handle = parent.norm.register_forward_hook(lambda *_: None)
    handle.remove()
    assert reading.holds(parent)


def test_addresses_are_those_of_the_tensors(parent: Parent) -> None:
    reading = Reading()
    reading.module(parent, Parent)
    assert reading.matrix(parent, "first", 2, 3) == parent.first.weight.data_ptr()
    assert reading.norm(parent, "norm", 3, 1e-6) == parent.norm.weight.data_ptr()
    assert reading.optional(parent.first, "bias", 2) == 0
    parent.norm.register_buffer("scale", torch.ones(3))
    assert reading.optional(parent.norm, "scale", 3) == parent.norm.scale.data_ptr()


@pytest.mark.parametrize(
    "read",
    [
        lambda reading, parent: reading.module(None, Parent),
        lambda reading, parent: reading.module(parent, Linear),
        lambda reading, parent: reading.module(parent, Parent, size=4),
        lambda reading, parent: reading.child(parent, "second", Linear),
        lambda reading, parent: reading.child(parent, "first", RMSNorm),
        lambda reading, parent: reading.matrix(parent, "first", 3, 2),
        lambda reading, parent: reading.norm(parent, "norm", 3, 1e-5),
        lambda reading, parent: reading.norm(parent, "norm", 4, 1e-6),
    ],
)
def test_what_is_not_as_expected_is_refused(
    parent: Parent, read: Callable[[Reading, Parent], Any]
) -> None:
    reading = Reading()
    reading.module(parent, Parent)
    with pytest.raises(NotOurs):
        read(reading, parent)


def test_a_bias_where_none_may_be_is_refused(parent: Parent) -> None:
    parent.first = Linear(3, 2, bias=True)
    reading = Reading()
    reading.module(parent, Parent)
    with pytest.raises(NotOurs):
        reading.matrix(parent, "first", 2, 3)


def test_a_reading_keeps_no_model_alive(parent: Parent) -> None:
    reading = Reading()
    reading.module(parent.first, Linear)
    head = parent.first
    parent.first = Linear(3, 2, bias=False)
    key = id(head)
    del head
    gc.collect()
    # the address may be used again by another module, which was not read
    assert not any(seen.module() is not None for seen in reading._seen.values())
    assert key in reading._seen


def test_a_decay_that_is_computed_anew_is_seen(model: JambaLanguageModel) -> None:
    mixer = model.model.layers[0].mamba
    reading = Reading()
    reading.module(mixer, type(mixer))
    with torch.no_grad():
        assert reading.decay(mixer, *mixer.A_log.shape) == mixer.decay().data_ptr()
        assert reading.holds(mixer)
        mixer.A_log.add_(1.0)
        assert not reading.holds(mixer)
