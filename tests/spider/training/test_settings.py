import math

import pytest

from spider.errors import ConfigError, SettingError
from spider.training.settings import TrainingSettings


def test_the_least_and_the_usual() -> None:
    assert TrainingSettings(steps=0, device="cpu").steps == 0
    full = TrainingSettings(steps=5, minutes=0.1, clip_norm=0.0, warmup_share=0.0, precision="bf16")
    assert full.minutes == 0.1


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("steps", -1, "0 or more"),
        ("learning_rate", -1.0, "0 or more"),
        ("clip_norm", math.nan, "0 or more"),
        ("seed", -3, "0 or more"),
        ("log_every", 0, "at least 1"),
        ("validate_every", 0, "at least 1"),
        ("save_every", 0, "at least 1"),
        ("keep", 0, "at least 1"),
        ("minutes", 0.0, "more than 0"),
        ("warmup_share", 1.0, "a share of the steps in [0, 1)"),
        ("device", "tpu", "auto, cpu or cuda"),
    ],
)
def test_each_setting_is_checked_under_its_own_name(key: str, value: object, expected: str) -> None:
    with pytest.raises(SettingError) as caught:
        TrainingSettings(**{key: value})  # type: ignore[arg-type]
    assert (caught.value.key, caught.value.expected) == (key, expected)


def test_an_absent_device_points_to_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match="spider doctor"):
        TrainingSettings(steps=1, device="cuda")
