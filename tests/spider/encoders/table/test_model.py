import numpy as np

from spider.text.token_batch import token_batch


def test_vector_is_the_normalised_weighted_sum(static, texts):
    ids = static.tokenizer.encode(texts[:1]).of(0)
    table, weights = static.vectors.detach().numpy(), np.exp(static.log_weights.detach().numpy())
    total = sum(weights[i] * table[i] for i in ids)
    got = static.encode_tokens(token_batch([static.query_ids(ids)]), passages=False)
    np.testing.assert_allclose(got[0].detach(), total / np.linalg.norm(total), atol=1e-6)


def test_passages_are_title_sep_text(static, static_ids):
    first, untitled = static_ids[:2]
    assert first.tolist().count(static.tokenizer.sep_id) == 1
    assert static.tokenizer.sep_id not in untitled
