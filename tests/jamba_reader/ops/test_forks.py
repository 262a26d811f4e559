"""A fork of a process that has computed is refused; one of a process that has not is not."""

import os

import pytest

from jamba_reader.ops import forks
from spider.errors import ConfigError


def test_only_the_process_that_computed_first_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "_owner", None)
    forks.refuse_forks()
    forks.refuse_forks()
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    with pytest.raises(ConfigError, match=f"was forked from process {parent}, which had run"):
        forks.refuse_forks()


def test_a_fork_before_the_first_call_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "_owner", None)
    monkeypatch.setattr(os, "getpid", lambda: 12345)
    forks.refuse_forks()
    assert forks._owner == 12345
