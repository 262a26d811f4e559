from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from spider.encoders.static import StaticSettings, load
from spider.encoders.table.checkpoint import FOLDER
from spider.encoders.trainable import EncoderSettings, TrainableEncoder
from spider.errors import CheckpointError, ConfigError
from spider.text.token_batch import token_batch
from spider.text.vocabulary import train_tokenizer

TITLES = ["Fox", "", "Whale (mammal)", "Dog"]
TEXTS = [
    "The quick brown fox jumps over the lazy dog, and the fox runs.",
    "Whales sing; foxes bark.",
    "The brown whale swims quickly! " * 60,
    "",
]


@pytest.fixture(scope="module")
def encoder():
    tokenizer = train_tokenizer(TEXTS * 3, vocabulary_size=300)
    idf = np.random.default_rng(0).uniform(0.0, 5.0, tokenizer.vocabulary_size)
    return StaticSettings(dimension=32).build(tokenizer, seed=3, idf=idf)


def joined_ids(encoder):
    heads, bodies = encoder.tokenizer.encode(TITLES), encoder.tokenizer.encode(TEXTS)
    return [encoder.passage_ids(heads.of(i), bodies.of(i)) for i in range(len(TEXTS))]


def test_fulfils_the_protocols(encoder):
    assert isinstance(encoder, TrainableEncoder)
    assert isinstance(StaticSettings(), EncoderSettings)


def test_vector_is_the_normalised_weighted_sum(encoder):
    ids = encoder.tokenizer.encode(TEXTS[:1]).of(0)
    table, weights = encoder.vectors.detach().numpy(), np.exp(encoder.log_weights.detach().numpy())
    total = sum(weights[i] * table[i] for i in ids)
    got = encoder.encode_tokens(token_batch([encoder.query_ids(ids)]), passages=False)
    np.testing.assert_allclose(got[0].detach(), total / np.linalg.norm(total), atol=1e-6)


def test_passages_are_title_sep_text(encoder):
    first, untitled = joined_ids(encoder)[:2]
    assert first.tolist().count(encoder.tokenizer.sep_id) == 1
    assert encoder.tokenizer.sep_id not in untitled


def test_exported_encoder_gives_the_trained_vectors(encoder, tmp_path):
    record = encoder.export(tmp_path)
    loaded = load(tmp_path, record)
    got = loaded.encode_passages(TITLES, TEXTS)
    with torch.no_grad():
        trained = encoder.encode_tokens(token_batch(joined_ids(encoder)), passages=True)
    np.testing.assert_allclose(got, trained.numpy(), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(got[:3], axis=1), 1, atol=1e-6)
    questions = loaded.encode_questions(TEXTS)
    np.testing.assert_allclose(questions[1], got[1], atol=1e-7)  # without a title the same text
    assert record.score_scale == "unit"
    assert record.dimension == loaded.dimension == 32
    assert (got[3] != 0).any()
    assert not loaded.encode_questions([""]).any()


def test_sentence_transformers_gives_the_same_vectors(encoder, tmp_path):
    from sentence_transformers import SentenceTransformer

    record = encoder.export(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    model = SentenceTransformer(str(tmp_path), device="cpu")
    assert model.similarity_fn_name == "dot"
    template = [f"{title} [SEP] {text}" for title, text in zip(TITLES, TEXTS, strict=True)]
    template[1] = TEXTS[1]
    theirs = model.encode(template)
    ours = load(tmp_path, record).encode_passages(TITLES, TEXTS)
    np.testing.assert_allclose(theirs, ours, atol=1e-6)


def test_a_vector_does_not_depend_on_the_batch(encoder, tmp_path):
    loaded = load(tmp_path, encoder.export(tmp_path))
    together = loaded.encode_passages(TITLES, TEXTS)
    alone = [loaded.encode_passages([h], [t])[0] for h, t in zip(TITLES, TEXTS, strict=True)]
    assert together.tobytes() == np.stack(alone).tobytes()


def test_same_seed_same_bytes(encoder, tmp_path):
    paths = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        (tmp_path / name).mkdir()
        StaticSettings(dimension=32).build(encoder.tokenizer, seed=seed).export(tmp_path / name)
        paths.append((tmp_path / name / FOLDER / "model.safetensors").read_bytes())
    assert paths[0] == paths[1] != paths[2]


def test_weights_are_folded(encoder, tmp_path):
    encoder.export(tmp_path)
    table = load_file(tmp_path / FOLDER / "model.safetensors")["embedding.weight"]
    row = encoder.vectors[7].detach() * encoder.log_weights[7].detach().exp()
    np.testing.assert_allclose(table[7], row.numpy(), atol=1e-6)


def test_training_lowers_the_loss(encoder):
    module = StaticSettings(dimension=32).build(encoder.tokenizer, seed=0)
    batch = token_batch(joined_ids(module))
    optimizer = torch.optim.Adam(module.parameter_groups(1e-2))
    target = torch.nn.functional.normalize(torch.ones(4, 32), dim=-1)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = -(module.encode_tokens(batch, passages=True) * target).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)


def test_tokenizer_of_an_interrupted_run_is_kept(tmp_path):
    settings = StaticSettings(vocabulary_size=300)
    first = settings.tokenizer(TEXTS * 3, tmp_path)
    assert settings.tokenizer([], tmp_path).inner.to_str() == first.inner.to_str()
    given = StaticSettings(tokenizer_source=str(tmp_path))
    (tmp_path / "other").mkdir()
    assert given.tokenizer([], tmp_path / "other").inner.to_str() == first.inner.to_str()


def test_wrong_weights_are_one_readable_line(encoder, tmp_path):
    record = encoder.export(tmp_path)
    with pytest.raises(
        CheckpointError, match=r"embedding.weight is \(\d+, 32\), expected \(\d+, 64\)"
    ):
        load(tmp_path, replace(record, dimension=64))
    (tmp_path / FOLDER / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match="no readable weights"):
        load(tmp_path, record)
    with pytest.raises(ConfigError, match="dimension=0"):
        StaticSettings(dimension=0)
