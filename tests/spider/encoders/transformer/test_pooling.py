"""Every pooling gives the vectors of sentence-transformers."""

from pathlib import Path
from typing import Any

import pytest
from sentence_transformers.sentence_transformer.modules import Pooling


@pytest.mark.parametrize("mode", [*Pooling.POOLING_MODES, ("cls", "mean"), ("weightedmean", "max")])
def test_poolings(mode: Any, parity: Any, tmp_path: Path) -> None:
    modes = 1 if isinstance(mode, str) else len(mode)
    model = parity.sentence_transformer(
        tmp_path, lambda: Pooling(16, mode), similarity_fn_name="dot"
    )
    assert parity.check(model, tmp_path).dimension == 16 * modes
