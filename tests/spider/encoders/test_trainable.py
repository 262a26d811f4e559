"""The protocols of encoders in training accept every variant and refuse what lacks a part."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from spider.artifacts.records.encoder import EncoderRecord
from spider.encoders.corpus_fitted import CorpusFitted
from spider.encoders.trainable import EncoderSettings, TrainableEncoder
from spider.launch.completion import complete
from spider.launch.typed.objects import build_target
from spider.launch.verbs import FOLDER
from spider.text.token_batch import TokenBatch, token_batch

VARIANTS = sorted((FOLDER / "architecture").glob("*.yaml"))
MODULES = Path(__file__).resolve().parents[3] / "spider" / "encoders"
each_encoder = pytest.mark.parametrize("name", ["bert", "static"])


@pytest.fixture
def encoder(name: str, request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(name)


@pytest.mark.parametrize("path", VARIANTS, ids=lambda path: path.stem)
def test_a_configured_variant_is_settings_of_the_file_of_its_name(path: Path) -> None:
    from omegaconf import OmegaConf

    values = OmegaConf.to_container(complete(OmegaConf.load(path)))  # type: ignore[arg-type]
    assert isinstance(values, dict)
    settings = build_target({str(k): v for k, v in values.items()}, where="architecture")
    assert isinstance(settings, EncoderSettings | CorpusFitted)
    assert (MODULES / f"{settings.variant}.py").is_file()
    target = yaml.safe_load(path.read_text(encoding="utf-8"))["_target_"]
    assert target.startswith(f"spider.encoders.{settings.variant}.")
    assert all(isinstance(start, str) for start in settings.starts)


class Bare:
    """Has every part of a trainable encoder."""

    dimension = 2
    score_multiplier = 1.0
    tokenizer = None

    def query_ids(self, ids: np.ndarray) -> np.ndarray:
        return ids

    def passage_ids(self, title_ids: np.ndarray, text_ids: np.ndarray) -> np.ndarray:
        return text_ids

    def encode_tokens(self, batch: TokenBatch, *, passages: bool) -> torch.Tensor:
        return torch.zeros(0, 2)

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        return []

    def export(self, folder: Path) -> EncoderRecord:
        raise NotImplementedError


PARTS = [name for name in vars(Bare) if not name.startswith("_")]


def test_all_parts_make_a_trainable_encoder() -> None:
    assert isinstance(Bare(), TrainableEncoder)
    assert not isinstance(Bare(), EncoderSettings)


@pytest.mark.parametrize("part", PARTS)
def test_without_one_part_it_is_none(part: str) -> None:
    rest = {name: value for name, value in vars(Bare).items() if name in PARTS and name != part}
    assert not isinstance(type("Lacking", (), rest)(), TrainableEncoder)


@each_encoder
def test_a_vector_has_the_dimension_that_is_declared(encoder: Any) -> None:
    ids = encoder.tokenizer.encode(["one fox", "two whales sing"])
    batch = token_batch([encoder.query_ids(ids.of(0)), encoder.query_ids(ids.of(1))])
    with torch.no_grad():
        assert encoder.encode_tokens(batch, passages=False).shape == (2, encoder.dimension)


@each_encoder
def test_a_passage_without_a_title_is_its_text_alone(encoder: Any) -> None:
    ids = encoder.tokenizer.encode(["Fox", "The fox runs.", ""])
    title, text, none = ids.of(0), ids.of(1), ids.of(2)
    with_title, alone = encoder.passage_ids(title, text), encoder.passage_ids(none, text)
    assert len(with_title) > len(alone)
    # the text is in both, in order
    joined = " ".join(map(str, alone.tolist()))
    assert " ".join(map(str, text.tolist())) in joined
    assert " ".join(map(str, text.tolist())) in " ".join(map(str, with_title.tolist()))


@each_encoder
def test_every_weight_that_learns_is_in_one_group(encoder: Any) -> None:
    groups = encoder.parameter_groups(0.5)
    assert all({"lr", "weight_decay", "params"} <= group.keys() for group in groups)
    listed = [id(weight) for group in groups for weight in group["params"]]
    assert len(listed) == len(set(listed))
    learning = {id(weight) for weight in encoder.parameters() if weight.requires_grad}
    assert set(listed) == learning


@each_encoder
def test_the_declared_multiplier_and_dimension_are_exported(
    name: str, encoder: Any, tmp_path: Path
) -> None:
    record = encoder.export(tmp_path)
    assert (record.dimension, record.score_multiplier) == (
        encoder.dimension,
        encoder.score_multiplier,
    )
    # "20 if vectors have unit length, else 1"
    assert record.score_scale == ("unit" if encoder.score_multiplier != 1 else "raw")
    assert record.training is None
