from dataclasses import replace

import pytest
import torch

from spider.encoders.static import StaticSettings, load
from spider.encoders.table.checkpoint import FOLDER
from spider.encoders.trainable import EncoderSettings, TrainableEncoder
from spider.errors import CheckpointError, ConfigError
from spider.text.token_batch import token_batch


def test_fulfils_the_protocols(static):
    assert isinstance(static, TrainableEncoder)
    assert isinstance(StaticSettings(), EncoderSettings)


def test_same_seed_same_bytes(static, tmp_path):
    paths = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        (tmp_path / name).mkdir()
        StaticSettings(dimension=32).build(static.tokenizer, seed=seed).export(tmp_path / name)
        paths.append((tmp_path / name / FOLDER / "model.safetensors").read_bytes())
    assert paths[0] == paths[1] != paths[2]


def test_training_lowers_the_loss(static, static_ids):
    module = StaticSettings(dimension=32).build(static.tokenizer, seed=0)
    batch = token_batch(static_ids)
    optimizer = torch.optim.Adam(module.parameter_groups(1e-2))
    target = torch.nn.functional.normalize(torch.ones(len(static_ids), 32), dim=-1)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = -(module.encode_tokens(batch, passages=True) * target).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)


def test_tokenizer_of_an_interrupted_run_is_kept(tmp_path, texts):
    settings = StaticSettings(vocabulary_size=300)
    first = settings.tokenizer(texts * 3, tmp_path)
    assert settings.tokenizer([], tmp_path).inner.to_str() == first.inner.to_str()
    given = StaticSettings(start_tokenizer=str(tmp_path))
    (tmp_path / "other").mkdir()
    assert given.tokenizer([], tmp_path / "other").inner.to_str() == first.inner.to_str()


def test_wrong_weights_are_one_readable_line(static, tmp_path):
    record = static.export(tmp_path)
    with pytest.raises(
        CheckpointError, match=r"embedding.weight is \(\d+, 32\), expected \(\d+, 64\)"
    ):
        load(tmp_path, replace(record, dimension=64))
    (tmp_path / FOLDER / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match="cannot be read: SafetensorError"):
        load(tmp_path, record)
    with pytest.raises(ConfigError, match="dimension: got 0"):
        StaticSettings(dimension=0)
