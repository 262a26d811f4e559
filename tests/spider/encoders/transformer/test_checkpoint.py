import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer, DPRConfig, DPRContextEncoder

from spider.encoders.bert import BertSettings, load
from spider.encoders.transformer.checkpoint import longest_text, pretrained_transformer
from spider.errors import CheckpointError
from spider.text.token_batch import token_batch


def test_exported_folder_loads_in_three_libraries_with_the_same_vectors(
    bert, tmp_path, bert_ids, titles, texts
):
    from sentence_transformers import SentenceTransformer

    record = bert.export(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with torch.no_grad():
        trained = bert.encode_tokens(token_batch(bert_ids), passages=True).numpy()
    ours = load(tmp_path, record).encode_passages(titles, texts)
    np.testing.assert_allclose(ours, trained, atol=1e-5)
    template = [f"{h} [SEP] {t}" if h else t for h, t in zip(titles, texts, strict=True)]
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


def test_dpr_checkpoint_is_converted(bert_tokenizer, tmp_path, bert_ids):
    config = DPRConfig(
        vocab_size=bert_tokenizer.vocabulary_size,
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
    bert_tokenizer.save(tmp_path)
    settings = BertSettings(start=str(tmp_path), max_query_length=16, max_passage_length=48)
    bert = settings.build(settings.tokenizer([], tmp_path), seed=0).eval()
    ids = bert_ids[0]
    with torch.no_grad():
        theirs = dpr(
            torch.from_numpy(ids)[None], attention_mask=torch.ones(1, len(ids))
        ).pooler_output
        ours = bert.encode_tokens(token_batch([ids]), passages=True)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    config.projection_dim = 8
    DPRContextEncoder(config).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="projection_dim"):
        settings.build(bert_tokenizer, seed=0)


def test_code_of_its_own_is_never_executed(tmp_path):
    (tmp_path / "config.json").write_text(
        '{"model_type": "strange", "auto_map": {"AutoConfig": "code.Config", "AutoModel": '
        '"code.Model"}}'
    )
    (tmp_path / "code.py").write_text("raise SystemExit('executed')")
    with pytest.raises(CheckpointError, match="never executed here"):
        pretrained_transformer(tmp_path)


@pytest.mark.parametrize("name", ["Bert", "Roberta", "MPNet"])
def test_the_longest_text_is_what_the_positions_allow(name, parity, tmp_path):
    model = pretrained_transformer(parity.transformer(tmp_path, name))
    limit = longest_text(model)
    # positions count from the pad token: number 0 in this RoBERTa, always 1 in MPNet
    assert limit == {"Bert": 512, "Roberta": 65, "MPNet": 64}[name]
    ids = torch.full((1, limit), 9)
    assert model(input_ids=ids).last_hidden_state.shape[1] == limit
    with pytest.raises((IndexError, RuntimeError)):
        model(input_ids=torch.full((1, limit + 1), 9))
