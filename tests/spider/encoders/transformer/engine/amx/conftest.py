"""Random encoders, and the largest error of the kernels beside the formulas."""

import numpy as np
import pytest
import torch

from spider.encoders.transformer.engine.amx.encoder import AmxEncoder
from spider.encoders.transformer.engine.reference import states
from spider.encoders.transformer.engine.weights import Affine, EncoderWeights, Layer, Norm
from spider.kernels.processor import has_tiles


def pytest_collection_modifyitems(items):
    for item in items:
        if "engine/amx" in item.path.as_posix() and not has_tiles():
            item.add_marker(pytest.mark.skip(reason="the processor has no AMX"))


@pytest.fixture
def random_weights():
    """Make an encoder of any sizes."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape, scale=1.0):
        return scale * torch.randn(*shape, generator=generator)

    def affine(outputs, inputs, scale):
        return Affine(normal(outputs, inputs, scale=scale / inputs**0.5), normal(outputs))

    def norm(hidden):
        return Norm(1 + normal(hidden, scale=0.1), normal(hidden, scale=0.1))

    def make(*, hidden=64, heads=2, inner=96, layers=1, longest=128, scale=1.0, distances=False):
        def layer():
            query, key, value, output = (affine(hidden, hidden, scale) for _ in range(4))
            return Layer(
                query, key, value, output, norm(hidden),
                affine(inner, hidden, scale), affine(hidden, inner, scale), norm(hidden),
            )  # fmt: skip

        return EncoderWeights(
            words=normal(50, hidden),
            positions=normal(longest, hidden),
            norm=norm(hidden),
            layers=tuple(layer() for _ in range(layers)),
            heads=heads,
            epsilon=1e-6,
            distances=normal(heads, 2 * longest - 1) if distances else None,
        )

    return make


@pytest.fixture
def error():
    """Return the largest error of the kernels beside the largest state."""

    def measure(weights, lengths, planes):
        random = np.random.default_rng(1)
        ids = [random.integers(0, 50, length) for length in lengths]
        offsets = np.cumsum([0, *lengths])
        encoder = AmxEncoder(weights, planes)
        buffers = encoder.buffers(sum(lengths), max(lengths))
        positions = np.concatenate([np.arange(length) for length in lengths])
        found = encoder.run(buffers, np.concatenate(ids), positions, offsets)
        expected = torch.cat([states(torch.from_numpy(some), weights) for some in ids]).numpy()
        return np.abs(found - expected).max() / np.abs(expected).max()

    return measure
