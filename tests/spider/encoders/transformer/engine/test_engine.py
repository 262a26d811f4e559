from itertools import pairwise

import numpy as np
import pytest
import torch

from spider.encoders.transformer.engine.engine import Engine, can_run
from spider.encoders.transformer.engine.pooling import pool_packed
from spider.encoders.transformer.engine.reference import states
from spider.errors import CheckpointError
from spider.kernels.processor import has_tiles
from spider.text.token_batch import token_batch

MODELS = ("bert", "roberta", "xlm-roberta", "distilbert", "mpnet")
WORDS, LONGEST = 100, 512

pytestmark = pytest.mark.skipif(not has_tiles(), reason="the processor has no AMX")

LENGTHS = [1, 512, 33, 2, 32, 177, 64, 31, 100]
PRECISIONS = {torch.float32: 1e-5, torch.bfloat16: 5e-3}
"""Largest error beside the largest state; measured 6e-6 and 3e-3."""


def _batch(lengths=LENGTHS):
    random = np.random.default_rng(0)
    return token_batch([random.integers(2, WORDS, length) for length in lengths])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", MODELS)
def test_states_are_those_of_the_formulas(name, precision, models):
    engine = Engine(models[name], precision, pad_id=0)
    batch = _batch()
    bounds = batch.offsets.tolist()
    expected = torch.cat(
        [states(batch.ids[start:end], engine.weights) for start, end in pairwise(bounds)]
    ).numpy()
    error = np.abs(engine.states(batch) - expected).max()
    assert error <= PRECISIONS[precision] * np.abs(expected).max()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["bert", "mpnet"])
def test_states_do_not_depend_on_the_other_texts(name, precision, models):
    engine = Engine(models[name], precision, pad_id=0)
    batch = _batch()
    together = engine.states(batch)
    bounds = batch.offsets.tolist()
    for number in range(batch.n_texts):
        alone = engine.states(batch.slice(number, number + 1))
        assert alone.tobytes() == together[bounds[number] : bounds[number + 1]].tobytes()
    other_blocks = Engine(models[name], precision, pad_id=0, block_tokens=600)
    assert other_blocks.states(batch).tobytes() == together.tobytes()


def test_vectors_have_the_order_of_the_texts_in_any_number_of_threads(models):
    engine = Engine(models["bert"], torch.float32, pad_id=0)
    batch = _batch(LENGTHS * 4)
    found = []
    threads = torch.get_num_threads()
    try:
        for number in (1, 3):
            torch.set_num_threads(number)
            found.append(engine.vectors(batch, lambda s, o: pool_packed(s, o, ["mean"]), 48))
    finally:
        torch.set_num_threads(threads)
    expected = pool_packed(engine.states(batch), batch.offsets.numpy(), ["mean"])
    assert found[0].tobytes() == found[1].tobytes() == expected.tobytes()


def test_a_text_without_tokens_is_one_pad_token(models):
    engine = Engine(models["roberta"], torch.float32, pad_id=7)
    batch = token_batch([np.array([], dtype=np.int64), np.array([7]), np.array([9, 10])])
    vectors = engine.vectors(batch, lambda s, o: pool_packed(s, o, ["cls"]), 48)
    assert vectors[0].tobytes() == vectors[1].tobytes() != vectors[2].tobytes()
    assert engine.vectors(token_batch([]), lambda s, o: s, 48).shape == (0, 48)


def test_products_of_torch_are_right_after_the_tiles(models):
    # oneDNN keeps its own configuration of the tile registers
    left, right = torch.randn(64, 96).bfloat16(), torch.randn(96, 128).bfloat16()
    before = left @ right
    Engine(models["bert"], torch.bfloat16, pad_id=0).states(_batch([20]))
    assert torch.equal(left @ right, before)


@pytest.mark.parametrize("ids", [[3, WORDS], [-1, 3]])
def test_ids_beyond_the_table_are_refused(ids, models):
    engine = Engine(models["bert"], torch.float32, pad_id=0)
    with pytest.raises(CheckpointError, match="100 word embeddings"):
        engine.states(token_batch([np.array(ids)]))


@pytest.mark.parametrize("name", ["bert", "mpnet"])
def test_texts_beyond_the_positions_are_refused(name, models):
    engine = Engine(models[name], torch.float32, pad_id=0)
    with pytest.raises(CheckpointError, match="513 tokens, the transformer has 512 positions"):
        engine.states(_batch([LONGEST + 1]))


def test_other_precisions_go_through_transformers(models):
    assert not can_run(models["bert"], torch.float16)
    with pytest.raises(ValueError, match="ask can_run first"):
        Engine(models["bert"], torch.float16, pad_id=0)
