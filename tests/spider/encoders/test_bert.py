import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, BertConfig, DPRConfig, DPRContextEncoder

from spider.encoders.bert import BertSettings, load
from spider.encoders.layers.padding import padded_batches
from spider.encoders.trainable import EncoderSettings, TrainableEncoder
from spider.errors import CheckpointError, ConfigError, DataError
from spider.text.token_batch import token_batch
from spider.text.vocabulary import train_tokenizer

TITLES = ["Fox", "", "Whale (mammal)", "Dog"] * 3
TEXTS = [
    "The quick brown fox jumps over the lazy dog, and the fox runs.",
    "Whales sing; foxes bark.",
    "The brown whale swims quickly! " * 30,
    "",
] * 3
SMALL = {"hidden": 32, "layers": 2, "heads": 2, "max_query_length": 16, "max_passage_length": 48}


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS * 3, vocabulary_size=300)


@pytest.fixture(scope="module")
def encoder(tokenizer):
    return BertSettings(**SMALL).build(tokenizer, seed=3).eval()


def passage_ids(encoder):
    heads, bodies = encoder.tokenizer.encode(TITLES), encoder.tokenizer.encode(TEXTS)
    return [encoder.passage_ids(heads.of(i), bodies.of(i)) for i in range(len(TEXTS))]


def test_fulfils_the_protocols(encoder):
    assert isinstance(encoder, TrainableEncoder)
    assert isinstance(BertSettings(), EncoderSettings)


def test_ids_are_cls_title_sep_text_sep_cut_to_the_maximum(encoder):
    tokenizer = encoder.tokenizer
    ids = encoder.passage_ids(np.array([50], np.int32), np.arange(60, 70, dtype=np.int32))
    expected = [tokenizer.cls_id, 50, tokenizer.sep_id, *range(60, 70), tokenizer.sep_id]
    assert ids.tolist() == expected
    long = encoder.passage_ids(np.array([50], np.int32), np.arange(60, 260, dtype=np.int32))
    assert len(long) == 48
    assert long[-1] == tokenizer.sep_id
    query = encoder.query_ids(np.arange(60, 100, dtype=np.int32))
    assert query.tolist() == [tokenizer.cls_id, *range(60, 74), tokenizer.sep_id]


def test_ragged_batch_equals_one_text_at_a_time_in_values_and_gradients(encoder):
    batch = token_batch(passage_ids(encoder))
    upstream = torch.randn(batch.n_texts, 32, generator=torch.Generator().manual_seed(0))
    encoder.padded_tokens = 100  # several sub-batches
    together = encoder.encode_tokens(batch, passages=True)
    together.backward(upstream)
    name = "encoder.layer.1.attention.self.value.weight"
    parameter = encoder.model.get_parameter(name)
    gradient, parameter.grad = parameter.grad.clone(), None
    alone = torch.cat(
        [
            encoder.model(input_ids=ids[None]).last_hidden_state[:, 0]
            for ids in batch.ids.split(batch.lengths.tolist())
        ]
    )
    alone.backward(upstream)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradient, parameter.grad, atol=1e-4, rtol=1e-4)
    encoder.zero_grad()


def test_sub_batches_fit_the_budget_and_waste_little():
    lengths = np.array([5, 40, 38, 6, 5, 41])
    groups = padded_batches(lengths, 90)
    assert sorted(np.concatenate(groups).tolist()) == list(range(6))
    assert all(len(group) * lengths[group].max() <= 90 for group in groups)
    assert [sorted(group.tolist()) for group in groups] == [[1, 5], [0, 2], [3, 4]] or sum(
        len(group) * lengths[group].max() for group in groups
    ) < 1.5 * lengths.sum()


def test_exported_folder_loads_in_three_libraries_with_the_same_vectors(encoder, tmp_path):
    from sentence_transformers import SentenceTransformer

    record = encoder.export(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with torch.no_grad():
        trained = encoder.encode_tokens(token_batch(passage_ids(encoder)), passages=True).numpy()
    ours = load(tmp_path, record).encode_passages(TITLES, TEXTS)
    np.testing.assert_allclose(ours, trained, atol=1e-5)
    template = [f"{h} [SEP] {t}" if h else t for h, t in zip(TITLES, TEXTS, strict=True)]
    model = SentenceTransformer(str(tmp_path), device="cpu")
    assert model.similarity_fn_name == "dot"
    np.testing.assert_allclose(model.encode(template), trained, atol=1e-5)
    auto, info = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    inputs = AutoTokenizer.from_pretrained(tmp_path)(
        template, truncation=True, padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        vectors = auto.eval()(**inputs).last_hidden_state[:, 0]
    np.testing.assert_allclose(vectors.numpy(), trained, atol=1e-5)


def test_a_vector_does_not_depend_on_the_batch(encoder, tmp_path):
    loaded = load(tmp_path, encoder.export(tmp_path))
    together = loaded.encode_passages(TITLES, TEXTS)
    alone = [loaded.encode_passages([h], [t])[0] for h, t in zip(TITLES, TEXTS, strict=True)]
    assert together.tobytes() == np.stack(alone).tobytes()
    question = loaded.encode_questions(["Who sings?"])
    np.testing.assert_allclose(
        loaded.encode_questions(["x", "Who sings?"])[1:], question, atol=1e-5
    )


def test_passages_run_in_fixed_shapes(encoder, tmp_path, monkeypatch):
    # small matrices round alike in any shape, large ones need not
    loaded = load(tmp_path, encoder.export(tmp_path))
    shapes = []
    run = loaded.module.encode_padded

    def spy(ids, mask):
        shapes.append(tuple(ids.shape))
        return run(ids, mask)

    monkeypatch.setattr(loaded.module, "encode_padded", spy)
    loaded.encode_passages(TITLES, TEXTS)
    assert {rows for rows, _ in shapes} == {32}
    assert {length for _, length in shapes} == {16, 32, 48}
    shapes.clear()
    loaded.encode_questions(["Who sings?"])
    assert shapes == [(1, 16)]


def test_fresh_weights_come_from_the_seed_alone(tokenizer):
    state = torch.random.get_rng_state()
    one, two, other = (BertSettings(**SMALL).build(tokenizer, seed=s) for s in (3, 3, 4))
    assert torch.equal(state, torch.random.get_rng_state())
    key = "embeddings.word_embeddings.weight"
    assert torch.equal(one.model.get_parameter(key), two.model.get_parameter(key))
    assert not torch.equal(one.model.get_parameter(key), other.model.get_parameter(key))


def test_starts_from_a_folder(encoder, tmp_path):
    encoder.export(tmp_path)
    settings = BertSettings(source=str(tmp_path), max_query_length=16, max_passage_length=48)
    (tmp_path / "training").mkdir()
    again = settings.build(settings.tokenizer([], tmp_path / "training"), seed=0).eval()
    batch = token_batch(passage_ids(encoder))
    torch.testing.assert_close(
        again.encode_tokens(batch, passages=True), encoder.encode_tokens(batch, passages=True)
    )


def test_dpr_checkpoint_is_converted(tokenizer, tmp_path):
    config = DPRConfig(
        vocab_size=tokenizer.vocabulary_size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        projection_dim=0,
    )
    dpr = DPRContextEncoder(config).eval()
    dpr.save_pretrained(tmp_path)
    assert all(
        k.startswith("ctx_encoder.bert_model.") for k in load_file(tmp_path / "model.safetensors")
    )
    tokenizer.save(tmp_path)
    settings = BertSettings(source=str(tmp_path), max_query_length=16, max_passage_length=48)
    encoder = settings.build(settings.tokenizer([], tmp_path), seed=0).eval()
    ids = passage_ids(encoder)[0]
    with torch.no_grad():
        theirs = dpr(
            torch.from_numpy(ids)[None], attention_mask=torch.ones(1, len(ids))
        ).pooler_output
        ours = encoder.encode_tokens(token_batch([ids]), passages=True)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    config.projection_dim = 8
    DPRContextEncoder(config).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="projection_dim"):
        settings.build(tokenizer, seed=0)


def test_missing_weights_are_one_readable_line(encoder, tmp_path):
    record = encoder.export(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layer.0.output.dense.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"missing: encoder\.layer\.0\.output\.dense\.weight"):
        load(tmp_path, record)


def test_settings_are_checked(tokenizer, tmp_path):
    with pytest.raises(ConfigError, match="precision"):
        BertSettings(precision="half")
    with pytest.raises(ConfigError, match="multiple"):
        BertSettings(hidden=30, heads=4)
    with pytest.raises(ConfigError, match="at most 512"):
        BertSettings(hidden=32, heads=2, layers=1, max_passage_length=600).build(tokenizer, seed=0)
    with pytest.raises(DataError, match="no usable transformer"):
        BertSettings(source=str(tmp_path / "none")).build(tokenizer, seed=0)
    BertConfig(vocab_size=10, hidden_size=32, num_hidden_layers=1, num_attention_heads=2)


def test_bfloat16_runs_and_stays_near(encoder, tokenizer):
    half = BertSettings(**SMALL, precision="bfloat16").build(tokenizer, seed=3).eval()
    batch = token_batch(passage_ids(encoder))
    got = half.encode_tokens(batch, passages=True)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, encoder.encode_tokens(batch, passages=True), atol=0.1, rtol=0.1)


def test_pooler_takes_no_part(encoder):
    groups = encoder.parameter_groups(1e-3)
    trained = {id(p) for group in groups for p in group["params"]}
    assert not any(id(p) in trained for p in encoder.model.pooler.parameters())
    assert all(group["lr"] == 1e-3 for group in groups)
