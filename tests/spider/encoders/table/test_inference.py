import numpy as np
import torch

from spider.encoders.static import load
from spider.encoders.table.inference import StaticEncoder
from spider.text.token_batch import token_batch


def test_exported_encoder_gives_the_trained_vectors(static, tmp_path, static_ids, titles, texts):
    record = static.export(tmp_path)
    loaded = load(tmp_path, record)
    got = loaded.encode_passages(titles, texts)
    with torch.no_grad():
        trained = static.encode_tokens(token_batch(static_ids), passages=True)
    np.testing.assert_allclose(got, trained.numpy(), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(got[:3], axis=1), 1, atol=1e-6)
    questions = loaded.encode_questions(texts)
    np.testing.assert_allclose(questions[1], got[1], atol=1e-7)  # without a title the same text
    assert record.score_scale == "unit"
    assert record.dimension == loaded.dimension == 32
    assert (got[3] != 0).any()
    assert not loaded.encode_questions([""]).any()


def test_a_vector_does_not_depend_on_the_batch(static, tmp_path, titles, texts):
    loaded = load(tmp_path, static.export(tmp_path))
    together = loaded.encode_passages(titles, texts)
    alone = [loaded.encode_passages([h], [t])[0] for h, t in zip(titles, texts, strict=True)]
    assert together.tobytes() == np.stack(alone).tobytes()


def test_the_sum_of_rows_by_hand(bert_tokenizer):
    table = np.zeros((bert_tokenizer.vocabulary_size, 2), dtype=np.float32)
    fox, dog = (int(bert_tokenizer.encode([word]).ids[-1]) for word in ("fox", "dog"))
    table[fox], table[dog] = (3.0, 0.0), (0.0, 4.0)
    encoder = StaticEncoder(table, bert_tokenizer)
    expected = [[0.6, 0.8], [0.0, 0.0]]
    np.testing.assert_allclose(encoder.encode_questions(["fox dog", ""]), expected, atol=1e-6)


def test_a_title_and_a_text_are_joined_as_in_one_text(bert_tokenizer):
    titles = ["Fox", "", " ", "Fox", "a [SEP] b", "é\u0301", "x " * 3]
    texts = ["dog", "dog [SEP]", "", "", "the fox", "é fox", "[SEP]"]
    table = np.random.default_rng(0).standard_normal((bert_tokenizer.vocabulary_size, 8))
    encoder = StaticEncoder(table.astype(np.float32), bert_tokenizer)
    joined = [f"{h} [SEP] {t}" if h else t for h, t in zip(titles, texts, strict=True)]
    for times in (1, 20):
        got = encoder.encode_passages(titles * times, texts * times)
        assert got.tobytes() == encoder.encode_questions(joined * times).tobytes()


def test_the_number_of_threads_changes_no_byte(bert_tokenizer, monkeypatch):
    table = np.random.default_rng(0).standard_normal((bert_tokenizer.vocabulary_size, 8))
    encoder = StaticEncoder(table.astype(np.float32), bert_tokenizer)
    texts = [f"the fox {n} saw dog {n * n} é" for n in range(700)]
    found = set()
    for threads in (1, 2, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        found.add(encoder.encode_passages(["Fox", "Dog"] * 350, texts).tobytes())
    assert len(found) == 1
