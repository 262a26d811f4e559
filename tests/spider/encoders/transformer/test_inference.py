import numpy as np
import pytest
import torch

from spider.encoders.bert import load
from spider.encoders.encoding import EncodingSettings
from spider.encoders.transformer.engine import engine
from spider.errors import CheckpointError


@pytest.fixture
def by_transformers(monkeypatch):
    """Compute nothing on the engine."""
    monkeypatch.setattr(engine, "has_tiles", lambda: False)


@pytest.mark.parametrize("tiles", [True, False])
def test_a_vector_does_not_depend_on_the_batch(tiles, monkeypatch, bert, tmp_path, titles, texts):
    if not tiles:
        monkeypatch.setattr(engine, "has_tiles", lambda: False)
    loaded = load(tmp_path, bert.export(tmp_path))
    together = loaded.encode_passages(titles, texts)
    alone = [loaded.encode_passages([h], [t])[0] for h, t in zip(titles, texts, strict=True)]
    assert together.tobytes() == np.stack(alone).tobytes()
    question = loaded.encode_questions(["Who sings?"])
    np.testing.assert_allclose(
        loaded.encode_questions(["x", "Who sings?"])[1:], question, atol=1e-5
    )


@pytest.mark.usefixtures("by_transformers")
def test_passages_run_in_fixed_shapes(bert, tmp_path, monkeypatch, titles, texts):
    # small matrices round alike in any shape, large ones need not
    loaded = load(tmp_path, bert.export(tmp_path))
    shapes = []
    run = loaded.module.encode_padded

    def spy(ids, mask, **side):
        shapes.append(tuple(ids.shape))
        return run(ids, mask, **side)

    monkeypatch.setattr(loaded.module, "encode_padded", spy)
    loaded.encode_passages(titles, texts)
    assert set(shapes) == {(128, 16), (64, 32), (42, 48)}
    shapes.clear()
    loaded.encode_questions(["Who sings?"])
    assert shapes == [(1, 16)]


@pytest.mark.usefixtures("by_transformers")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_matrix_products_have_the_chosen_precision(
    precision, bert, tmp_path, titles, texts, product_types
):
    record = bert.export(tmp_path)
    exact = load(tmp_path, record).encode_passages(titles, texts)
    loaded = load(tmp_path, record, encoding=EncodingSettings(precision=precision))
    with product_types() as found:
        vectors = loaded.encode_passages(titles, texts)
    assert found == {getattr(torch, precision)}
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, exact, atol=0.0 if precision == "float32" else 0.05)


@pytest.mark.usefixtures("by_transformers")
def test_a_batch_holds_as_many_rows_as_its_tokens_allow(bert, tmp_path, monkeypatch, titles, texts):
    loaded = load(tmp_path, bert.export(tmp_path), encoding=EncodingSettings(padded_tokens=64))
    shapes = set()
    run = loaded.module.encode_padded

    def spy(ids, mask, **side):
        shapes.add(tuple(ids.shape))
        return run(ids, mask, **side)

    monkeypatch.setattr(loaded.module, "encode_padded", spy)
    loaded.encode_passages(titles, texts)
    assert shapes == {(4, 16), (2, 32), (1, 48)}


@pytest.mark.usefixtures("by_transformers")
def test_vectors_that_are_not_finite_are_refused(bert, tmp_path):
    loaded = load(tmp_path, bert.export(tmp_path))
    loaded.module.model.encoder.layer[1].output.LayerNorm.bias.data.fill_(torch.inf)
    with pytest.raises(CheckpointError, match=r"not finite in torch\.float32; give encoding"):
        loaded.encode_questions(["Who sings?"])


def test_passages_longer_than_the_window_are_counted(bert, tmp_path):
    loaded = load(tmp_path, bert.export(tmp_path))
    # 48 tokens: [CLS], 46 words, [SEP]; or with a title [CLS], 1, [SEP], 44, [SEP]
    word = "x "
    assert loaded.count_truncated([""] * 3, [word * 46, word * 47, ""]) == 1
    assert loaded.count_truncated(["x"] * 2, [word * 44, word * 45]) == 1
    first, second = loaded.encode_passages(
        ["the song " * 300] * 2, ["who sings this song " * 3, "the red house by the river " * 3]
    )
    assert np.abs(first - second).max() > 1e-4
