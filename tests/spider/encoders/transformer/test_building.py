"""Untouched, a start of every architecture gives the vectors of sentence-transformers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling


@pytest.mark.parametrize(
    "name", ["Bert", "DistilBert", "MPNet", "Roberta", "XLMRoberta", "ModernBert"]
)
def test_architectures(name: str, parity: Any, tmp_path: Path) -> None:
    model = parity.sentence_transformer(tmp_path, lambda: Pooling(16, "mean"), Normalize, name=name)
    module = parity.check(model, tmp_path)
    assert module.score_multiplier == 20.0
    assert module.recipe.max_passage_length == 64


def test_real_minilm(parity: Any, tmp_path: Path) -> None:
    from spider.encoders.start.wheel import MINILM, installed_archive

    if installed_archive(MINILM) is None:
        pytest.skip(f"the wheel {MINILM.distribution} is not installed (extra pretrained)")
    module, encoder = parity.ours(Path("all-MiniLM-L6-v2"), tmp_path / "training")
    from spider.encoders.start.location import start_folder

    model = SentenceTransformer(str(start_folder("all-MiniLM-L6-v2")), device="cpu")
    np.testing.assert_allclose(
        encoder.encode_questions(parity.texts), model.encode(parity.texts), atol=1e-5
    )
    np.testing.assert_allclose(
        encoder.encode_passages(parity.titles, parity.texts), model.encode(parity.joined), atol=1e-5
    )
    assert module.dimension == 384
