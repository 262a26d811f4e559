"""What modules.json says, in old and new versions."""

from pathlib import Path
from typing import Any

import pytest

from spider.encoders.transformer.recipe import Dense, Normalize
from spider.encoders.transformer.start_files import read_start
from tests.spider.encoders.transformer.written_starts import (
    BERT,
    DENSE,
    NORMALIZE,
    OLD_CLS,
    OLD_MEAN,
    sentence_transformer,
    write,
)


@pytest.mark.parametrize(
    ("pooling", "modes"),
    [
        (OLD_CLS, ("cls",)),
        (OLD_MEAN, ("mean",)),
        ({"pooling_mode": "mean"}, ("mean",)),
        ({"pooling_mode": "lasttoken", "include_prompt": True}, ("last_token",)),
        ({"pooling_mode": ["max", "weightedmean"]}, ("max", "weighted_mean")),
        ({**OLD_CLS, "pooling_mode_mean_sqrt_len_tokens": True}, ("cls", "mean_sqrt_len")),
        ({"pooling_mode_cls_token": False}, ("mean",)),
    ],
)
def test_poolings_of_old_and_new_versions(
    pooling: dict[str, Any], modes: tuple[str, ...], tmp_path: Path
) -> None:
    start = read_start(write(tmp_path, {**BERT, **sentence_transformer(pooling)}))
    assert start.recipe.pooling == modes
    assert start.states
    assert not start.recipe.unit


def test_modules_after_the_pooling_keep_their_order(tmp_path: Path) -> None:
    files = sentence_transformer(OLD_MEAN, NORMALIZE, DENSE)
    activation = {"activation_function": "torch.nn.modules.linear.Identity", "bias": False}
    files["2_Dense/config.json"] = {"in_features": 8, "out_features": 4, **activation}
    start = read_start(write(tmp_path, {**BERT, **files}))
    last = Dense(inputs=8, outputs=4, bias=False, activation="Identity")
    assert start.recipe.steps == (Normalize(), last)
    assert start.dense == (tmp_path / "2_Dense",)
    assert start.recipe.description == "mean, normalise, dense 8 to 4"


def test_a_folder_that_was_copied_without_its_list_of_modules(tmp_path: Path) -> None:
    files = {**BERT, "1_Pooling/config.json": OLD_MEAN, "2_Normalize/config.json": {}}
    assert read_start(write(tmp_path, files)).recipe.unit
