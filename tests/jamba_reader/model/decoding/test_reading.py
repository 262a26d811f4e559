"""What was read of modules: where it is, what is refused, and when it no longer holds."""

import gc
from collections.abc import Callable
from weakref import ref

import pytest
import torch
from torch import nn

from jamba_reader.model.decoding.reading import NotOurs, Reading
from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.layers.rms_norm import RMSNorm


class Pair(nn.Module):
    """A module with a linear child, a norm and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.map = Linear(4, 3, bias=False)
        self.norm = RMSNorm(4, eps=1e-5)
        self.register_buffer("scale", torch.ones(3))


@pytest.fixture
def pair() -> Pair:
    return Pair()


def read(pair: Pair) -> Reading:
    reading = Reading()
    reading.module(pair, Pair)
    reading.matrix(pair, "map", 3, 4)
    reading.norm(pair, "norm", 4, 1e-5)
    reading.optional(pair, "scale", 3)
    return reading


def test_addresses_are_those_of_the_tensors(pair: Pair) -> None:
    reading = Reading()
    reading.module(pair, Pair)
    assert reading.matrix(pair, "map", 3, 4) == pair.map.weight.data_ptr()
    assert reading.norm(pair, "norm", 4, 1e-5) == pair.norm.weight.data_ptr()
    assert reading.address(pair, "scale", 3) == pair.scale.data_ptr()
    assert reading.optional(pair, "nothing", 3) == 0


def test_it_holds_until_something_changes(pair: Pair) -> None:
    reading = read(pair)
    assert reading.holds(pair)
    with torch.no_grad():
        pair.map.weight.add_(1)
    assert reading.holds(pair)
    # a head that was not read may be anything
    assert not reading.holds(Pair())


def replace_weight(pair: Pair) -> None:
    pair.map.weight = nn.Parameter(torch.zeros(3, 4))


def move_weight(pair: Pair) -> None:
    pair.map.weight.data = pair.map.weight.detach().clone()


def replace_child(pair: Pair) -> None:
    pair.map = Linear(4, 3, bias=False)


def remove_child(pair: Pair) -> None:
    del pair.norm


def add_bias(pair: Pair) -> None:
    pair.map.bias = nn.Parameter(torch.zeros(3))


def replace_buffer(pair: Pair) -> None:
    pair.scale = torch.zeros(3)


def change_setting(pair: Pair) -> None:
    pair.norm.eps = 0.5


def listen(pair: Pair) -> None:
    pair.map.register_forward_hook(lambda *_: None)


def listen_before(pair: Pair) -> None:
    pair.norm.register_forward_pre_hook(lambda *_: None)


def override(pair: Pair) -> None:
    pair.map.forward = lambda x: x  # type: ignore[method-assign]


def change_class(pair: Pair) -> None:
    pair.map.__class__ = type("Louder", (Linear,), {})


CHANGES = [
    replace_weight,
    move_weight,
    replace_child,
    remove_child,
    add_bias,
    replace_buffer,
    change_setting,
    listen,
    listen_before,
    override,
    change_class,
]


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_seen(pair: Pair, change: Callable[[Pair], None]) -> None:
    reading = read(pair)
    change(pair)
    assert not reading.holds(pair)


@pytest.mark.parametrize("change", [listen, override, change_class, add_bias, remove_child])
def test_what_the_kernels_cannot_do_is_not_read(pair: Pair, change: Callable[[Pair], None]) -> None:
    change(pair)
    with pytest.raises(NotOurs):
        read(pair)


def test_other_shapes_settings_and_kinds_are_not_read(pair: Pair) -> None:
    reading = Reading()
    reading.module(pair, Pair)
    for refused in (
        lambda: reading.module(pair, Linear),
        lambda: reading.module(None, Pair),
        lambda: reading.matrix(pair, "map", 4, 3),
        lambda: reading.norm(pair, "norm", 4, 1e-6),
        lambda: reading.address(pair, "scale", 4),
        lambda: reading.address(pair, "nothing", 4),
        lambda: reading.absent(reading.child(pair, "map", Linear), "weight"),
    ):
        with pytest.raises(NotOurs):
            refused()


def test_reading_keeps_nothing_alive(pair: Pair) -> None:
    reading, weight = read(pair), ref(pair.map.weight)
    del pair.map
    gc.collect()
    assert weight() is None
    assert not reading.holds(pair)


class Mixer(nn.Module):
    """The part of a mixer that a decay is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.A_log = nn.Parameter(torch.zeros(2, 3))
        self.computed = torch.ones(2, 3)

    def decay(self) -> torch.Tensor:
        return self.computed


def test_a_decay_holds_as_long_as_it_is_the_same_tensor() -> None:
    mixer, reading = Mixer(), Reading()
    reading.module(mixer, Mixer)
    assert reading.decay.__wrapped__(reading, mixer, 2, 3) == mixer.computed.data_ptr()
    assert reading.holds(mixer)
    mixer.computed = mixer.computed.clone()
    assert not reading.holds(mixer)
