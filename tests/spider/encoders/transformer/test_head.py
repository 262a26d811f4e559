"""The modules after the pooling give the vectors of sentence-transformers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling


@pytest.mark.parametrize(
    "modules",
    [
        (lambda: Dense(16, 6),),
        (lambda: Dense(16, 6, bias=False, activation_function=torch.nn.Identity()), Normalize),
        (Normalize, lambda: Dense(16, 16, activation_function=torch.nn.GELU(), use_residual=True)),
        (lambda: Dense(16, 6, use_residual=True), lambda: Dense(6, 5), Normalize),
    ],
)
def test_modules(modules: Any, parity: Any, tmp_path: Path) -> None:
    # similarity_fn_name is cosine where it is not given
    model = parity.sentence_transformer(tmp_path, lambda: Pooling(16, "mean"), *modules)
    assert parity.check(model, tmp_path).recipe.unit
