"""Fixtures of bad checkpoints: a sharded one to damage, and the message that loading it gives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jamba_reader.model.loading import load_model, save_model
from jamba_reader.model.model import JambaLanguageModel
from spider.errors import CheckpointError


@pytest.fixture
def sharded(tiny: Any, tmp_path: Path) -> Path:
    """A checkpoint in many shards."""
    save_model(JambaLanguageModel(tiny.config()), tmp_path / "sharded", max_shard_bytes=20_000)
    return tmp_path / "sharded"


@pytest.fixture
def message_of() -> Callable[[Path | str], str]:
    """Return a function that loads a bad checkpoint and returns the one line that refuses it."""

    def refused(folder: Path | str) -> str:
        with pytest.raises(CheckpointError) as caught:
            load_model(folder, progress=False)
        message = str(caught.value)
        assert "\n" not in message
        return message

    return refused
