"""Pairs of encoders: questions and passages have a transformer each."""

import numpy as np
import pytest
import torch
from transformers import DPRConfig, DPRContextEncoder, DPRQuestionEncoder

from spider.artifacts.stage import Stage
from spider.encoders.bert import BertSettings
from spider.encoders.loading import load_encoder
from spider.errors import CheckpointError, ConfigError
from spider.text.token_batch import token_batch

SIZES = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
}  # fmt: skip


def dpr(kind, folder, tokenizer, seed, **changes):
    torch.manual_seed(seed)
    config = DPRConfig(
        vocab_size=tokenizer.vocabulary_size, projection_dim=0, **{**SIZES, **changes}
    )
    model = kind(config).eval()
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    tokenizer.save(folder)
    return model


@pytest.fixture
def pair(tmp_path, bert_tokenizer):
    passages = dpr(DPRContextEncoder, tmp_path / "pair" / "ctx_encoder", bert_tokenizer, 1)
    questions = dpr(DPRQuestionEncoder, tmp_path / "pair" / "question_encoder", bert_tokenizer, 2)
    return tmp_path / "pair", passages, questions


def build(tmp_path, **starts):
    settings = BertSettings(max_query_length=16, max_passage_length=48, **starts)
    (tmp_path / "training").mkdir()
    return settings.build(settings.tokenizer([], tmp_path / "training"), seed=0).eval()


def vector(model, ids):
    with torch.no_grad():
        return model(torch.from_numpy(ids)[None]).pooler_output[0].numpy()


@pytest.mark.parametrize("as_folder", [True, False])
def test_a_pair_has_two_towers_in_training_and_after_export(
    as_folder, pair, tmp_path, titles, texts
):
    folder, passages, questions = pair
    starts = {"start": str(folder)}
    if not as_folder:
        starts = {
            "start": str(folder / "ctx_encoder"),
            "question_start": str(folder / "question_encoder"),
        }
    module = build(tmp_path, **starts)
    ids = module.question_texts.questions(texts[:2])
    with torch.no_grad():
        found = module.encode_tokens(token_batch(ids), passages=False).numpy()
    expected = np.stack([vector(questions, one) for one in ids])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    trained = {id(p) for group in module.parameter_groups(1.0) for p in group["params"]}
    assert any(id(p) in trained for p in module.questions.parameters())
    stage = Stage(verb="train", kind="encoder", output=tmp_path / "out", config={}, inputs={})
    with stage.writing() as partial:
        record = module.export(partial)
        stage.finish(counts={}, variant="bert", details=record)
    assert record.towers == "two"
    loaded = load_encoder(tmp_path / "out")
    np.testing.assert_allclose(loaded.encode_questions(texts[:2]), expected, atol=1e-5)
    ids = module.passage_texts.passages(titles[:2], texts[:2])
    expected = np.stack([vector(passages, one) for one in ids])
    np.testing.assert_allclose(loaded.encode_passages(titles[:2], texts[:2]), expected, atol=1e-5)
    # an exported pair is a start as well
    again = BertSettings(start=str(tmp_path / "out"))
    assert again.build(module.tokenizer, seed=0).questions is not None


def test_the_question_tower_alone_is_refused(pair, tmp_path):
    start = str(pair[0] / "question_encoder")
    with pytest.raises(CheckpointError, match=r"question tower of a DPR pair; .*question_start"):
        build(tmp_path, start=start)


def test_a_passage_tower_as_the_question_tower_is_refused(pair, tmp_path):
    folder = pair[0]
    other = folder.parent / "copy"
    other.mkdir()
    for file in (folder / "ctx_encoder").iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    with pytest.raises(CheckpointError, match="this is the passage tower of a DPR pair"):
        build(tmp_path, start=str(folder / "ctx_encoder"), question_start=str(other))


def test_a_passage_tower_alone_is_said(pair, tmp_path, caplog):
    module = build(tmp_path, start=str(pair[0] / "ctx_encoder"))
    assert module.questions is None
    assert "if it is one of a pair" in caplog.text


def test_one_checkpoint_given_twice_is_one_tower(pair, tmp_path):
    start = str(pair[0] / "ctx_encoder")
    assert build(tmp_path, start=start, question_start=start).questions is None


def test_pairs_that_do_not_fit_are_refused(pair, tmp_path, bert_tokenizer):
    dpr(DPRQuestionEncoder, tmp_path / "wide", bert_tokenizer, 2, hidden_size=32)
    with pytest.raises(CheckpointError, match="16 numbers, those of its question tower 32"):
        build(tmp_path, start=str(pair[0] / "ctx_encoder"), question_start=str(tmp_path / "wide"))


def test_a_question_tower_needs_a_passage_tower():
    with pytest.raises(ConfigError, match="setting question_start"):
        BertSettings(question_start="somewhere")
