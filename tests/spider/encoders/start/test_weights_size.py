"""Weights larger than the memory are refused before they are read."""

import pytest

from spider.encoders.start.weights_size import check_memory
from spider.errors import ConfigError


def test_a_model_larger_than_memory_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "config.json").write_text('{"dtype": "bfloat16"}')
    (tmp_path / "model.safetensors").write_bytes(b"x" * 600)
    check_memory([tmp_path], available=1200)
    with pytest.raises(ConfigError, match=r"its weights need .* start from a smaller"):
        check_memory([tmp_path], available=1199)
