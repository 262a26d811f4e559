import torch
from torch.nn import functional

from spider.encoders.transformer.engine import reference
from spider.encoders.transformer.engine.weights import Norm


def test_formulas_are_those_of_torch():
    x = torch.randn(7, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(reference.gelu(x), functional.gelu(x))
    scale, shift = torch.arange(16.0), torch.ones(16)
    torch.testing.assert_close(
        reference.normalise(x, Norm(scale, shift), 1e-5),
        functional.layer_norm(x, (16,), scale, shift, 1e-5),
    )


def test_positions():
    ids = torch.tensor([5, 1, 7])
    assert reference.positions_of(ids, None).tolist() == [0, 1, 2]
    # as RoBERTa counts: a padding token inside a text has the padding's position
    assert reference.positions_of(ids, 1).tolist() == [2, 1, 3]
