import pytest
import torch

from spider.encoders.bert import load
from spider.encoders.encoding import EncodingSettings
from spider.encoders.transformer.engine import engine, precision
from spider.kernels.processor import has_tiles


@pytest.mark.skipif(not has_tiles(), reason="the processor has no AMX")
@pytest.mark.parametrize(("bound", "expected"), [(0.995, torch.bfloat16), (1.1, torch.float32)])
def test_bfloat16_is_taken_where_vectors_stay(bound, expected, bert, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "SMALLEST_COSINE", bound)
    assert load(tmp_path, bert.export(tmp_path), encoding=EncodingSettings()).precision == expected


def test_without_tiles_products_are_float32(bert, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "has_tiles", lambda: False)
    assert (
        load(tmp_path, bert.export(tmp_path), encoding=EncodingSettings()).precision
        == torch.float32
    )
