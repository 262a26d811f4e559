"""What numba compiles for."""

import pytest

from spider.kernels.processor import has_feature


@pytest.mark.parametrize(
    ("name", "features", "expected"),
    [
        ("generic", None, False),
        ("znver4", "+avx512f,+avx512bf16", True),
        ("znver4", "+avx2", False),
    ],
)
def test_what_numba_is_told_to_compile_for_decides(
    monkeypatch: pytest.MonkeyPatch, name: str, features: str | None, expected: bool
) -> None:
    monkeypatch.setattr("numba.config.CPU_NAME", name)
    monkeypatch.setattr("numba.config.CPU_FEATURES", features)
    assert has_feature("avx512bf16") is expected
