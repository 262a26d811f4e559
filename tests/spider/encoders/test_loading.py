from dataclasses import replace

import numpy as np
import pytest

from spider.artifacts.stage import Stage
from spider.encoders.loading import Encoder, load_encoder
from spider.encoders.static import StaticSettings
from spider.errors import ArtifactError, CheckpointError, SettingError
from spider.interfaces import PassageEncoder, QuestionEncoder
from spider.text.vocabulary import train_tokenizer

TEXTS = ["The quick brown fox jumps over the lazy dog"] * 4


@pytest.fixture
def write(tmp_path):
    def write(variant="static", **changes):
        module = StaticSettings(dimension=8).build(
            train_tokenizer(TEXTS, vocabulary_size=150), seed=0
        )
        stage = Stage(
            verb="train", kind="encoder", output=tmp_path / "encoder", config={}, inputs={}
        )
        with stage.writing() as folder:
            details = replace(module.export(folder), **changes)
            stage.finish(counts={}, variant=variant, details=details)
        return tmp_path / "encoder"

    return write


def test_the_manifest_names_the_variant(write):
    encoder = load_encoder(write(), device="auto")
    assert isinstance(encoder, Encoder)
    assert isinstance(encoder, QuestionEncoder)
    assert isinstance(encoder, PassageEncoder)
    assert encoder.variant == "static"
    assert encoder.dimension == 8
    assert encoder.encode_questions(["fox"]).shape == (1, 8)
    assert encoder.encode_questions(["fox"]).dtype == np.float32


@pytest.mark.parametrize("variant", ["nonsense", "os.path", "weights", ""])
def test_unknown_variant(write, variant):
    with pytest.raises(ArtifactError, match="no encoder variant"):
        load_encoder(write(variant))


def test_weights_of_another_shape(write):
    with pytest.raises(CheckpointError, match=r"shape: embedding\.weight is"):
        load_encoder(write(dimension=9))


@pytest.mark.parametrize(
    ("device", "expected"), [("gpu", "auto, cpu or cuda"), ("cuda", "no CUDA device is found")]
)
def test_a_device_that_is_not_there_is_named(write, monkeypatch, device, expected):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(
        SettingError, match=f"setting device: got '{device}', expected .*{expected}"
    ):
        load_encoder(write(), device=device)
