"""Settings of contrastive training are refused under the names that a person types."""

import math
import subprocess
import sys
from typing import Any

import pytest

from pretrain.training.adaptation import AdaptationSettings
from pretrain.training.settings import ContrastiveSettings
from spider.encoders.student import StudentSettings
from spider.errors import ConfigError, SettingError
from spider.launch.typed.objects import build
from spider.training.settings import TrainingSettings

GIVEN: dict[str, Any] = {"architecture": "any", "pairings": {}}


@pytest.mark.parametrize("name", ["batch_size", "vocabulary_passages"])
def test_sizes_below_one_are_refused(name: str) -> None:
    assert getattr(ContrastiveSettings(**GIVEN, **{name: 1}), name) == 1
    with pytest.raises(SettingError, match=rf"{name}: got 0, expected at least 1"):
        ContrastiveSettings(**GIVEN, **{name: 0})


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"steps": -1}, r"setting training\.steps: got -1, expected 0 or more"),
        ({"stpes": 1}, r"unknown setting training\.stpes; did you mean training\.steps\?"),
        ({"steps": "many"}, r"setting training\.steps: got 'many', expected int"),
        ({"precision": "fp16"}, r"setting training\.precision: .* one of 'auto', 'no', 'bf16'"),
    ],
)
def test_a_setting_of_the_run_is_named_by_its_path(training: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(ContrastiveSettings, {**GIVEN, "training": training})


def test_weights_are_numbers_by_name() -> None:
    settings = build(ContrastiveSettings, {**GIVEN, "weights": {"title": 1}})
    assert settings.weights == {"title": 1.0}
    with pytest.raises(ConfigError, match=r"setting weights\.title: got 'much', expected float"):
        build(ContrastiveSettings, {**GIVEN, "weights": {"title": "much"}})


def test_two_settings_share_no_default() -> None:
    first, second = ContrastiveSettings(**GIVEN), ContrastiveSettings(**GIVEN)
    assert first.training == second.training == TrainingSettings()
    assert first.weights is not second.weights


@pytest.mark.parametrize("weight", [-0.5, math.nan])
def test_a_weight_is_zero_or_more(weight: float) -> None:
    assert ContrastiveSettings(**GIVEN, weights={"title": 0.0}).weights == {"title": 0.0}
    with pytest.raises(SettingError, match=r"setting weights\.title: got .*, expected 0 or more"):
        ContrastiveSettings(**GIVEN, weights={"title": weight})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"training": TrainingSettings(steps=100)},
            r"training\.steps: got 100, expected null, the default: architecture=student is fitted "
            r"without pairs and does not read it; architecture\.steps is its own$",
        ),
        ({"training": TrainingSettings(minutes=5.0)}, r"training\.minutes: got 5\.0.*read it$"),
        (
            {"training": TrainingSettings(learning_rate=1e-3)},
            r"training\.learning_rate.*architecture\.learning_rate is its own$",
        ),
        ({"batch_size": 64}, r"batch_size: got 64.*architecture\.batch_size is its own$"),
        ({"weights": {"crop": 1.0}}, r"weights: got \{'crop': 1\.0\}, expected \{\}"),
        ({"mask_known": False}, "mask_known: got False, expected True"),
        ({"adaptation": AdaptationSettings(replay=1.0)}, r"adaptation\.replay: got 1\.0"),
    ],
)
def test_a_fit_without_pairs_refuses_what_it_would_ignore(changes: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        ContrastiveSettings(architecture=StudentSettings(), pairings={}, **changes)


def test_a_fit_without_pairs_reads_the_seed_and_the_device() -> None:
    training = TrainingSettings(seed=7, device="cpu", keep=1)
    settings = ContrastiveSettings(architecture=StudentSettings(), pairings={}, training=training)
    assert settings.training.seed == 7


def test_the_help_of_train_does_not_wait_for_torch() -> None:
    code = "import sys, pretrain.verbs.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
