"""Estimates by hand, and refusals with numbers."""

import logging
from pathlib import Path

import pytest

from index.engines.preflight import Needs, check, estimate
from spider.errors import ConfigError
from spider.memory import MIB


def test_estimate_by_hand() -> None:
    needs = estimate(passages=1000, dimension=768, bytes_per_value=2, text_bytes=1_000_000)
    assert needs == Needs(disk=1_536_000 + 600_000, memory=1_536_000 + 512 * MIB)


def test_a_disk_that_is_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"about 1,048,576.0 GiB of disk"):
        check(Needs(disk=1 << 50, memory=1), tmp_path / "not" / "there" / "yet")


def test_memory_is_warned_about_then_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        check(Needs(disk=0, memory=1000 * MIB), tmp_path, memory=1000 * MIB)
        assert not caplog.records
        check(Needs(disk=0, memory=1000 * MIB), tmp_path, memory=600 * MIB)
    assert "about 1,000 MiB of memory, 600 MiB are available" in caplog.text
    with pytest.raises(ConfigError, match="400 MiB are available"):
        check(Needs(disk=0, memory=1000 * MIB), tmp_path, memory=400 * MIB)
