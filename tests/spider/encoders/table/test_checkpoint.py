import numpy as np
from safetensors.numpy import load_file

from spider.encoders.static import load
from spider.encoders.table.checkpoint import FOLDER


def test_sentence_transformers_gives_the_same_vectors(static, tmp_path, titles, texts):
    from sentence_transformers import SentenceTransformer

    details = static.export(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    model = SentenceTransformer(str(tmp_path), device="cpu")
    assert model.similarity_fn_name == "dot"
    template = [f"{h} [SEP] {t}" if h else t for h, t in zip(titles, texts, strict=True)]
    theirs = model.encode(template)
    ours = load(tmp_path, details).encode_passages(titles, texts)
    np.testing.assert_allclose(theirs, ours, atol=1e-6)


def test_weights_are_folded(static, tmp_path):
    static.export(tmp_path)
    table = load_file(tmp_path / FOLDER / "model.safetensors")["embedding.weight"]
    row = static.vectors[7].detach() * static.log_weights[7].detach().exp()
    np.testing.assert_allclose(table[7], row.numpy(), atol=1e-6)
