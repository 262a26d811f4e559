"""The package ``causal-conv1d``: its layouts, and the calls that it can do."""

import sys
from types import ModuleType

import torch

from jamba_reader.ops.causal_conv1d import reference
from jamba_reader.ops.causal_conv1d.gpu import cuda_package as package
from jamba_reader.ops.segments import Segments


def operands():
    draw = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=draw) for shape in ((6, 8), (8, 4), (8,), (1, 3, 8))]


def test_package_is_called_as_it_documents(monkeypatch):
    """A stand-in with causal-conv1d's interface: channels before tokens, states likewise."""
    stand_in = ModuleType("causal_conv1d")

    def causal_conv1d_fn(x, weight, bias, *, initial_states, return_final_states, activation):
        assert return_final_states
        history = None if initial_states is None else initial_states.transpose(1, 2)
        y, final = reference.causal_conv1d(
            x[0].t(), weight, bias, Segments([x.shape[2]]), history, activation
        )
        return y.t()[None], final.transpose(1, 2)

    stand_in.causal_conv1d_fn = causal_conv1d_fn
    monkeypatch.setitem(sys.modules, "causal_conv1d", stand_in)
    x, weight, bias, history = operands()
    for past in (history, None):
        got = package.causal_conv1d(x, weight, bias, past, "silu")
        expected = reference.causal_conv1d(x, weight, bias, Segments([6]), past, "silu")
        assert torch.equal(got[0], expected[0])
        assert torch.equal(got[1], expected[1])


def test_package_is_taken_only_for_what_it_does(monkeypatch):
    monkeypatch.setattr(package, "is_installed", lambda: True)
    x, weight, _, _ = operands()
    assert package.does(x, weight, Segments([6]), "silu")
    assert not package.does(x, weight, Segments([6]), "gelu")
    assert not package.does(x, weight, Segments([5, 1]), "silu")
    assert not package.does(x[:3], weight, Segments([3]), "silu")
    assert not package.does(x[:, :6], weight[:6], Segments([6]), "silu")
    assert not package.does(x, weight[:, :1], Segments([6]), "silu")
    monkeypatch.setattr(package, "is_installed", lambda: False)
    assert not package.does(x, weight, Segments([6]), "silu")
