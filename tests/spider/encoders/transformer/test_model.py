import numpy as np
import pytest
import torch

from spider.text.token_batch import token_batch


def test_ids_are_cls_title_sep_text_sep_cut_to_the_maximum(bert):
    tokenizer = bert.tokenizer
    ids = bert.passage_ids(np.array([50], np.int32), np.arange(60, 70, dtype=np.int32))
    expected = [tokenizer.cls_id, 50, tokenizer.sep_id, *range(60, 70), tokenizer.sep_id]
    assert ids.tolist() == expected
    long = bert.passage_ids(np.array([50], np.int32), np.arange(60, 260, dtype=np.int32))
    assert len(long) == 48
    assert long[-1] == tokenizer.sep_id
    query = bert.query_ids(np.arange(60, 100, dtype=np.int32))
    assert query.tolist() == [tokenizer.cls_id, *range(60, 74), tokenizer.sep_id]


@pytest.mark.parametrize("words", [46, 300])
def test_a_long_title_leaves_room_for_the_text(bert, words):
    title = np.full(words, 50, np.int32)
    one, other = (
        bert.passage_ids(title, np.arange(first, first + 100, dtype=np.int32)) for first in (60, 61)
    )
    # 48 tokens, 3 of them special: a quarter of 45 is for the title
    assert (one == 50).sum() == 11
    assert len(one) == 48
    assert one.tolist() != other.tolist()
    # a short text leaves more
    short = bert.passage_ids(title, np.arange(60, 65, dtype=np.int32))
    assert (short == 50).sum() == 40
    assert short[-6:-1].tolist() == [*range(60, 65)]


def test_ragged_batch_equals_one_text_at_a_time_in_values_and_gradients(bert, bert_ids):
    batch = token_batch(bert_ids)
    upstream = torch.randn(batch.n_texts, 32, generator=torch.Generator().manual_seed(0))
    bert.padded_tokens = 100  # several sub-batches
    together = bert.encode_tokens(batch, passages=True)
    together.backward(upstream)
    name = "encoder.layer.1.attention.self.value.weight"
    parameter = bert.model.get_parameter(name)
    gradient, parameter.grad = parameter.grad.clone(), None
    alone = torch.cat(
        [
            bert.model(input_ids=ids[None]).last_hidden_state[:, 0]
            for ids in batch.ids.split(batch.lengths.tolist())
        ]
    )
    alone.backward(upstream)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradient, parameter.grad, atol=1e-4, rtol=1e-4)
    bert.zero_grad()


def test_pooler_takes_no_part(bert):
    groups = bert.parameter_groups(1e-3)
    trained = {id(p) for group in groups for p in group["params"]}
    assert not any(id(p) in trained for p in bert.model.pooler.parameters())
    assert all(group["lr"] == 1e-3 for group in groups)
