"""PyTorch's default dtype and device change no result: kernels write into memory of their own."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest
import torch
from torch import Tensor

from jamba_reader.config import JambaConfig
from jamba_reader.model.initialisation import initialise
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments

DEFAULTS = {
    "bfloat16": (torch.bfloat16, None),
    "float16": (torch.float16, None),
    "float64": (torch.float64, None),
    "meta": (None, "meta"),
}


@contextmanager
def defaults(dtype: torch.dtype | None, device: str | None) -> Iterator[None]:
    """Set PyTorch's defaults for a while."""
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(dtype or before)
        with nullcontext() if device is None else torch.device(device):
            yield
    finally:
        torch.set_default_dtype(before)


def results(config: JambaConfig, dtype: torch.dtype) -> list[Tensor]:
    """Return logits of a prefill and of steps, alone and in forks, and all gradients."""
    model = JambaLanguageModel(config, dtype=dtype, device="cpu")
    initialise(model, torch.Generator(device="cpu").manual_seed(0))
    model.eval()
    prompts = [[5, 6] * 35, [7], [8, 9, 10]]
    cache = model.new_cache(len(prompts), 80)
    found = [model.prefill(prompts, cache, chunk_tokens=33)]
    tokens = torch.tensor([3, 4, 5], dtype=torch.int64, device="cpu")
    found += [model.step(tokens, cache) for _ in range(2)]
    fork = cache.fork()
    fork.select([2, 0, 0])
    found += [model.step(tokens, fork), model.step(tokens, cache)]
    model.train()
    ids = torch.arange(60, dtype=torch.int64, device="cpu")
    trained = model.new_cache(3)
    for lengths in ([20, 1, 39], [1, 1, 1]):
        rows = ids[: sum(lengths)]
        output = model(rows, Segments(lengths), cache=trained, rows=rows)
        output.logits.float().logsumexp(-1).sum().backward(retain_graph=True)
    return [*found, *(p.grad for p in model.parameters() if p.grad is not None)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("changed", list(DEFAULTS))
def test_defaults_of_pytorch_change_no_result(
    tiny: object, changed: str, dtype: torch.dtype
) -> None:
    config = tiny.config()  # type: ignore[attr-defined]
    expected = results(config, dtype)
    with defaults(*DEFAULTS[changed]):
        found = results(config, dtype)
    assert len(found) == len(expected) > 40
    for one, two in zip(found, expected, strict=True):
        assert (one.dtype, one.device) == (two.dtype, two.device)
        assert torch.equal(one, two)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_model_without_a_dtype_has_one_dtype(tiny: object, dtype: torch.dtype) -> None:
    with defaults(dtype, None):
        model = JambaLanguageModel(tiny.config())  # type: ignore[attr-defined]
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
