"""Triton's kernels are interpreted on the CPU in tests; that is decided when it is imported."""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("TRITON_INTERPRET", "1")


@pytest.fixture(autouse=True)
def _one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Models of a few numbers only wait for a second thread; kernels are tested with all."""
    import torch

    threads = torch.get_num_threads()
    if "ops" not in request.path.parts:
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
