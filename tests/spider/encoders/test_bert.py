import pytest
import torch
from safetensors.torch import load_file, save_file

from spider.encoders.bert import BertSettings, load
from spider.encoders.trainable import EncoderSettings, TrainableEncoder
from spider.errors import CheckpointError, ConfigError, DataError
from spider.text.token_batch import token_batch


def test_fulfils_the_protocols(bert):
    assert isinstance(bert, TrainableEncoder)
    assert isinstance(BertSettings(), EncoderSettings)


def test_fresh_weights_come_from_the_seed_alone(bert_tokenizer, bert_settings):
    state = torch.random.get_rng_state()
    one, two, other = (
        BertSettings(**bert_settings).build(bert_tokenizer, seed=s) for s in (3, 3, 4)
    )
    assert torch.equal(state, torch.random.get_rng_state())
    key = "embeddings.word_embeddings.weight"
    assert torch.equal(one.model.get_parameter(key), two.model.get_parameter(key))
    assert not torch.equal(one.model.get_parameter(key), other.model.get_parameter(key))


def test_starts_from_a_folder(bert, tmp_path, bert_ids):
    bert.export(tmp_path)
    settings = BertSettings(start=str(tmp_path), max_query_length=16, max_passage_length=48)
    (tmp_path / "training").mkdir()
    again = settings.build(settings.tokenizer([], tmp_path / "training"), seed=0).eval()
    batch = token_batch(bert_ids)
    torch.testing.assert_close(
        again.encode_tokens(batch, passages=True), bert.encode_tokens(batch, passages=True)
    )


def test_settings_are_checked(bert_tokenizer, bert_settings, tmp_path):
    with pytest.raises(ConfigError, match=r"setting dropout: got 2\.0, expected a share"):
        BertSettings(dropout=2.0)
    for name in ("hidden", "layers", "heads", "padded_tokens"):
        with pytest.raises(ConfigError, match=f"setting {name}: got 0, expected at least 1"):
            BertSettings(**{name: 0})
    with pytest.raises(ConfigError, match="multiple"):
        BertSettings(hidden=30, heads=4)
    with pytest.raises(ConfigError, match="at most 512"):
        BertSettings(hidden=32, heads=2, layers=1, max_passage_length=600).build(
            bert_tokenizer, seed=0
        )
    with pytest.raises(DataError, match="no usable transformer"):
        BertSettings(start=str(tmp_path / "none")).build(bert_tokenizer, seed=0)


def test_missing_weights_are_one_readable_line(bert, tmp_path):
    record = bert.export(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layer.0.output.dense.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"missing: encoder\.layer\.0\.output\.dense\.weight"):
        load(tmp_path, record)


def test_dropout_is_the_checkpoints_own_unless_it_is_set(bert, bert_tokenizer, tmp_path):
    def rate(module):
        return module.model.config.hidden_dropout_prob

    assert rate(bert) == 0.0
    bert.model.config.hidden_dropout_prob = 0.3
    bert.export(tmp_path / "encoder")
    lengths = {"max_query_length": 16, "max_passage_length": 48}
    adapted = BertSettings(start=str(tmp_path / "encoder"), **lengths)
    assert rate(adapted.build(bert_tokenizer, seed=0)) == 0.0
    bert.model.save_pretrained(tmp_path / "plain")
    bert_tokenizer.save(tmp_path / "plain")
    start = {"start": str(tmp_path / "plain"), **lengths}
    assert rate(BertSettings(**start).build(bert_tokenizer, seed=0)) == 0.3
    assert rate(BertSettings(**start, dropout=0.0).build(bert_tokenizer, seed=0)) == 0.0


def test_the_learning_rate_depends_on_the_initial_weights():
    assert BertSettings().learning_rate == 2e-4
    assert BertSettings(start="bert-base-uncased").learning_rate == 2e-5
