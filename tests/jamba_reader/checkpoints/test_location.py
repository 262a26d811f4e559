"""Folders, names on the hub, and paths that are neither."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from jamba_reader.checkpoints.location import find_checkpoint
from jamba_reader.model.loading import load_model
from spider.errors import CheckpointError, MissingDependencyError

Write = Callable[..., Path]
MessageOf = Callable[[Path | str], str]


def test_places_that_are_none(tmp_path: Path, message_of: MessageOf) -> None:
    assert "no such folder, and not a name on the hub" in message_of(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    assert "is a file; give the folder that holds config.json" in message_of(tmp_path / "file")
    with pytest.raises(CheckpointError, match="no such folder, and not a name"):
        find_checkpoint("~/no/such/folder")
    (tmp_path / "half.partial").mkdir()
    assert "half: an unfinished reader; run the command" in message_of(tmp_path / "half")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache, offline; models--OWNER--MODEL below it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_a_name_that_is_not_in_the_cache_offline(hub: Path) -> None:
    with pytest.raises(
        MissingDependencyError, match="not in the hub's cache, and the hub"
    ) as caught:
        load_model("ai21labs/Jamba-v0.1", progress=False)
    assert "\n" not in str(caught.value)


def test_a_name_in_the_cache(hub: Path, weights: dict[str, Tensor], write: Write) -> None:
    folder = write(weights)
    place = hub / "models--someone--tiny-jamba"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0" * 40)
    (place / "snapshots").mkdir()
    folder.rename(place / "snapshots" / ("0" * 40))
    model = load_model("someone/tiny-jamba", progress=False)
    assert torch.equal(model.lm_head.weight, weights["lm_head.weight"])
