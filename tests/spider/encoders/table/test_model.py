import numpy as np
import torch

from spider.encoders.table.model import SMALLEST_WEIGHT, initial_static
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


def test_initial_weights_are_the_idf_or_one(bert_tokenizer):
    settings = {"dimension": 4, "scale": 0.5, "score_multiplier": 7.0, "seed": 1}
    plain = initial_static(bert_tokenizer, idf=None, **settings)
    assert torch.equal(plain.log_weights.exp(), torch.ones(bert_tokenizer.vocabulary_size))
    idf = np.linspace(0.0, 3.0, bert_tokenizer.vocabulary_size)
    weighted = initial_static(bert_tokenizer, idf=idf, **settings)
    expected = np.maximum(idf, SMALLEST_WEIGHT)
    np.testing.assert_allclose(weighted.log_weights.exp().detach(), expected, rtol=1e-6)
    assert torch.equal(plain.vectors, weighted.vectors)
    assert abs(float(plain.vectors.detach().std()) - 0.5) < 0.05
    assert (plain.dimension, plain.score_multiplier) == (4, 7.0)
