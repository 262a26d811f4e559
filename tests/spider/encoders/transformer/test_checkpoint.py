import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer, DPRConfig, DPRContextEncoder

from spider.encoders.bert import BertSettings, load
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
