import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from spider.encoders.static import load
from spider.encoders.table.checkpoint import FOLDER, load_table, save_table
from spider.errors import CheckpointError


def test_sentence_transformers_gives_the_same_vectors(static, tmp_path, titles, texts):
    from sentence_transformers import SentenceTransformer

    record = static.export(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    model = SentenceTransformer(str(tmp_path), device="cpu")
    assert model.similarity_fn_name == "dot"
    template = [f"{h} [SEP] {t}" if h else t for h, t in zip(titles, texts, strict=True)]
    theirs = model.encode(template)
    ours = load(tmp_path, record).encode_passages(titles, texts)
    np.testing.assert_allclose(theirs, ours, atol=1e-6)


def test_weights_are_folded(static, tmp_path):
    static.export(tmp_path)
    table = load_file(tmp_path / FOLDER / "model.safetensors")["embedding.weight"]
    row = static.vectors[7].detach() * static.log_weights[7].detach().exp()
    np.testing.assert_allclose(table[7], row.numpy(), atol=1e-6)


def test_a_saved_table_comes_back(bert_tokenizer, tmp_path):
    table = torch.randn(bert_tokenizer.vocabulary_size, 3)
    save_table(table, bert_tokenizer, tmp_path)
    loaded, tokenizer = load_table(tmp_path, 3)
    assert torch.equal(loaded, table)
    assert tokenizer.inner.to_str() == bert_tokenizer.inner.to_str()
    with pytest.raises(CheckpointError, match=r"is \(\d+, 3\), expected \(\d+, 4\)"):
        load_table(tmp_path, 4)
