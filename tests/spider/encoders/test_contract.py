"""What every encoder keeps. A new one is one entry in ``SETTINGS``.

One that is fitted to passages alone is an entry in ``FITTED``; ``test_VARIANT.py`` makes it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spider.artifacts.folder.manifest import seal
from spider.artifacts.stage import Stage
from spider.encoders.bert import BertSettings
from spider.encoders.corpus_fitted import CorpusFitted
from spider.encoders.loading import Encoder, load_encoder
from spider.encoders.static import StaticSettings
from spider.encoders.student import StudentSettings
from spider.encoders.trainable import EncoderSettings, TrainableEncoder
from spider.errors import ArtifactError
from spider.interfaces import PassageEncoder, QuestionEncoder
from spider.launch.verbs import FOLDER
from spider.text.token_batch import token_batch

SMALL = {"hidden": 32, "layers": 2, "heads": 2, "max_query_length": 16, "max_passage_length": 48}
SETTINGS: dict[str, EncoderSettings] = {
    "static": StaticSettings(dimension=24),
    "bert": BertSettings(**SMALL),
}
FITTED: dict[str, CorpusFitted] = {"student": StudentSettings()}


@pytest.fixture(params=sorted(SETTINGS))
def settings(request: pytest.FixtureRequest) -> EncoderSettings:
    return SETTINGS[request.param]


@pytest.fixture
def module(settings: EncoderSettings, bert_tokenizer: Any) -> Any:
    built: Any = settings.build(bert_tokenizer, seed=1)
    return built.eval()


@pytest.fixture
def folder(settings: EncoderSettings, module: Any, tmp_path: Path) -> Path:
    stage = Stage(verb="train", kind="encoder", output=tmp_path / "encoder", config={}, inputs={})
    with stage.writing() as partial:
        record = module.export(partial)
        stage.finish(counts={}, variant=settings.variant, details=record)
    return tmp_path / "encoder"


def ids(module: Any, titles: list[str], texts: list[str]) -> list[np.ndarray]:
    heads, bodies = module.tokenizer.encode(titles), module.tokenizer.encode(texts)
    return [module.passage_ids(heads.of(i), bodies.of(i)) for i in range(len(texts))]


def test_every_yaml_of_the_family_is_tested() -> None:
    assert {path.stem for path in Path(FOLDER / "architecture").glob("*.yaml")} == {
        *SETTINGS,
        *FITTED,
    }


@pytest.mark.parametrize("name", sorted(FITTED))
def test_what_is_fitted_to_passages_says_so(name: str) -> None:
    settings = FITTED[name]
    assert isinstance(settings, CorpusFitted)
    assert not isinstance(settings, EncoderSettings)
    assert settings.variant == name
    assert settings.starts == ("",) * len(settings.starts)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_what_is_trained_on_pairs_is_not_fitted_to_passages(name: str) -> None:
    assert not isinstance(SETTINGS[name], CorpusFitted)


def test_it_follows_the_protocols(settings: EncoderSettings, module: Any, folder: Path) -> None:
    assert isinstance(settings, EncoderSettings)
    assert isinstance(module, TrainableEncoder)
    assert settings.starts == ("",) * len(settings.starts)
    loaded = load_encoder(folder)
    for protocol in (Encoder, QuestionEncoder, PassageEncoder):
        assert isinstance(loaded, protocol)
    assert loaded.variant == settings.variant
    assert loaded.dimension == module.dimension


def test_the_seed_decides_the_weights(settings: EncoderSettings, bert_tokenizer: Any) -> None:
    one, same, other = (settings.build(bert_tokenizer, seed=seed) for seed in (4, 4, 5))
    states: list[dict[str, torch.Tensor]] = [m.state_dict() for m in (one, same, other)]  # type: ignore[attr-defined]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not all(torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_the_exported_encoder_gives_the_modules_vectors(
    module: Any, folder: Path, titles: list[str], texts: list[str]
) -> None:
    encoder = load_encoder(folder)
    with torch.no_grad():
        expected = module.encode_tokens(token_batch(ids(module, titles, texts)), passages=True)
    found = encoder.encode_passages(titles, texts)
    np.testing.assert_allclose(found, expected.numpy(), atol=2e-6)
    questions = module.tokenizer.encode(texts)
    query_ids = [module.query_ids(questions.of(i)) for i in range(len(texts))]
    with torch.no_grad():
        expected = module.encode_tokens(token_batch(query_ids), passages=False)
    np.testing.assert_allclose(encoder.encode_questions(texts), expected.numpy(), atol=2e-6)


def test_a_vector_depends_on_its_own_text_alone(
    folder: Path, titles: list[str], texts: list[str]
) -> None:
    encoder = load_encoder(folder)
    together = encoder.encode_passages(titles, texts)
    for place in (0, 2, 3):
        alone = encoder.encode_passages([titles[place]], [texts[place]])[0]
        np.testing.assert_allclose(alone, together[place], atol=2e-6)
    backwards = encoder.encode_passages(titles[::-1], texts[::-1])[::-1]
    np.testing.assert_allclose(backwards, together, atol=2e-6)
    assert encoder.encode_questions([]).shape == (0, encoder.dimension)
    assert together.dtype == np.float32


def test_gradients_reach_every_trained_weight(
    module: Any, titles: list[str], texts: list[str]
) -> None:
    module.train()
    vectors = module.encode_tokens(token_batch(ids(module, titles, texts)), passages=True)
    (vectors * torch.randn_like(vectors)).sum().backward()
    groups = module.parameter_groups(learning_rate=0.5)
    trained = [p for group in groups for p in group["params"]]
    assert {id(p) for p in trained} == {id(p) for p in module.parameters() if p.requires_grad}
    assert all(group["lr"] == 0.5 for group in groups)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in trained)


def test_the_manifest_says_how_the_vectors_are_compared(folder: Path, module: Any) -> None:
    details = json.loads((folder / "manifest.json").read_text())["details"]
    assert details["dimension"] == module.dimension
    assert details["similarity"] == "dot"
    assert details["score_scale"] in ("unit", "raw")
    norms = np.linalg.norm(load_encoder(folder).encode_questions(["a fox", "whales sing"]), axis=1)
    if details["score_scale"] == "unit":
        np.testing.assert_allclose(norms, 1, atol=1e-5)


def test_a_manifest_of_another_dimension_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["details"]["dimension"] += 1
    (folder / "manifest.json").write_text(json.dumps(seal(manifest)))
    with pytest.raises(ArtifactError, match=r"expected|manifest says"):
        load_encoder(folder)
