"""Estimates by hand, and refusals with numbers."""

import logging
from pathlib import Path

import pytest

from index.engines.preflight import check, estimate
from index.sparse.bm25s_index import Bm25s
from index.sparse.contract import Needs
from index.sparse.lucene import Lucene
from spider.errors import ConfigError
from spider.memory import MIB


def test_estimate_by_hand() -> None:
    needs = estimate(passages=1000, dimension=768, bytes_per_value=2, sparse=Needs(7, 70))
    assert needs == Needs(disk=1_536_007, memory=1_536_070 + 512 * MIB)
    without = estimate(passages=1000, dimension=0, bytes_per_value=0)
    assert without == Needs(disk=0, memory=512 * MIB)


def test_each_engine_says_what_it_takes() -> None:
    """Measured on 113,898 passages of Wikipedia, 70.7 MB of text: MiB above those of a start."""
    text, mib = 70_694_142, MIB
    bm25s, lucene = Bm25s().needs(text), Lucene().needs(text)
    assert 540 * mib <= bm25s.memory <= 650 * mib
    assert 53_212 << 10 <= bm25s.disk <= 2 * 53_212 << 10
    assert 250 * mib <= lucene.memory <= 350 * mib
    assert 13_228 << 10 <= lucene.disk <= 4 * 13_228 << 10
    assert Lucene(heap="512m").needs(10**12).memory == 512 * mib
    assert Lucene(heap="3G").needs(10**12).memory == 3 << 30


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
