from pathlib import Path

import pytest
import torch
from torch import nn

from spider.errors import CheckpointError
from spider.training.training_checkpoint import (
    OPTIMIZER,
    STATE,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)


def _trained() -> tuple[nn.Linear, torch.optim.Optimizer]:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


def _save(folder: Path, step: int, *, keep: int = 2) -> Path:
    model, optimizer = _trained()
    return save_checkpoint(
        folder, step=step, model=model, optimizer=optimizer, state={"window": {}}, keep=keep
    )


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu", 0)])  # Accelerate says both
def test_what_is_saved_is_loaded(tmp_path: Path, device: str | torch.device) -> None:
    model, optimizer = _trained()
    path = save_checkpoint(
        tmp_path, step=7, model=model, optimizer=optimizer, state={"window": {"a": 0.1}}, keep=2
    )
    loaded = load_checkpoint(path, device=device)
    assert loaded.step == 7
    assert loaded.state == {"window": {"a": 0.1}}
    assert torch.equal(loaded.model["weight"], model.weight)
    moments = loaded.optimizer["state"][0]["exp_avg"]
    assert torch.equal(moments, optimizer.state_dict()["state"][0]["exp_avg"])


def test_only_the_newest_stay_and_order_is_numeric(tmp_path: Path) -> None:
    for step in (999_999, 1_000_000, 1_000_001):
        _save(tmp_path, step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-1000000", "step-1000001"]
    newest = latest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.name == "step-1000001"


def test_a_half_written_checkpoint_is_not_seen(tmp_path: Path) -> None:
    _save(tmp_path, 1)
    (tmp_path / ".step-000002.partial").mkdir()
    newest = latest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.name == "step-000001"
    assert latest_checkpoint(tmp_path / "absent") is None


def test_a_pickle_in_place_of_the_optimizer_is_refused(tmp_path: Path) -> None:
    path = _save(tmp_path, 1)
    torch.save({"state": Path("x")}, path / OPTIMIZER)
    with pytest.raises(CheckpointError, match="not a complete checkpoint") as caught:
        load_checkpoint(path)
    assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"step": "1"}', '{"step": NaN}', "[" * 9_999])
def test_a_damaged_state_is_one_line(state: str, tmp_path: Path) -> None:
    path = _save(tmp_path, 1)
    (path / STATE).write_text(state)
    with pytest.raises(CheckpointError, match="not a complete checkpoint") as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)
