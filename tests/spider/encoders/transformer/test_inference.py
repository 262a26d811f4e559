import numpy as np

from spider.encoders.bert import load


def test_a_vector_does_not_depend_on_the_batch(bert, tmp_path, titles, texts):
    loaded = load(tmp_path, bert.export(tmp_path))
    together = loaded.encode_passages(titles, texts)
    alone = [loaded.encode_passages([h], [t])[0] for h, t in zip(titles, texts, strict=True)]
    assert together.tobytes() == np.stack(alone).tobytes()
    question = loaded.encode_questions(["Who sings?"])
    np.testing.assert_allclose(
        loaded.encode_questions(["x", "Who sings?"])[1:], question, atol=1e-5
    )


def test_passages_run_in_fixed_shapes(bert, tmp_path, monkeypatch, titles, texts):
    # small matrices round alike in any shape, large ones need not
    loaded = load(tmp_path, bert.export(tmp_path))
    shapes = []
    run = loaded.module.encode_padded

    def spy(ids, mask):
        shapes.append(tuple(ids.shape))
        return run(ids, mask)

    monkeypatch.setattr(loaded.module, "encode_padded", spy)
    loaded.encode_passages(titles, texts)
    assert {rows for rows, _ in shapes} == {32}
    assert {length for _, length in shapes} == {16, 32, 48}
    shapes.clear()
    loaded.encode_questions(["Who sings?"])
    assert shapes == [(1, 16)]
