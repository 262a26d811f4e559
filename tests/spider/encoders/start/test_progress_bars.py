"""transformers shows no bars where we load and save, and shows them again afterwards."""

import pytest
from transformers.utils import logging

from spider.encoders.start.progress_bars import without_bars


@pytest.mark.parametrize("shown", [True, False])
def test_bars_are_as_before_afterwards(shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    before = logging.is_progress_bar_enabled()
    (logging.enable_progress_bar if shown else logging.disable_progress_bar)()
    try:
        with without_bars():
            assert not logging.is_progress_bar_enabled()
        assert logging.is_progress_bar_enabled() == shown
    finally:
        (logging.enable_progress_bar if before else logging.disable_progress_bar)()
