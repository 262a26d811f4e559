import math

import pytest

from spider.errors import ConfigError
from spider.training.settings import TrainingSettings


def test_the_least_and_the_usual() -> None:
    assert TrainingSettings(steps=0, device="cpu").steps == 0
    full = TrainingSettings(steps=5, minutes=0.1, clip_norm=0.0, warmup_share=0.0, precision="bf16")
    assert full.minutes == 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": -1}, "steps: got -1, expected 0 or more"),
        ({"clip_norm": math.nan}, "clip_norm: got nan, expected 0 or more"),
        ({"seed": -3}, "seed: got -3"),
        ({"log_every": 0}, "log_every: got 0, expected at least 1"),
        ({"validate_every": 0}, "validate_every: got 0"),
        ({"save_every": 0}, "save_every: got 0"),
        ({"keep": 0}, "keep: got 0"),
        ({"minutes": 0.0}, "minutes: got 0.0, expected more than 0"),
        ({"warmup_share": 1.0}, "warmup_share: got 1.0"),
        ({"device": "tpu"}, "device: got .tpu., expected auto, cpu or cuda"),
    ],
)
def test_each_setting_is_checked_under_its_own_name(changes: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingSettings(**{"steps": 1, **changes})


def test_an_absent_device_points_to_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match="spider doctor"):
        TrainingSettings(steps=1, device="cuda")
