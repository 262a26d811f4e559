import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spider.encoders.transformer.engine.blocks import blocks_of


@given(st.lists(st.integers(1, 60)), st.integers(1, 100))
def test_every_text_is_in_one_block_that_fits(lengths, tokens):
    blocks = blocks_of(np.array(lengths, dtype=np.int64), tokens)
    assert sorted(text for block in blocks for text in block) == list(range(len(lengths)))
    for block in blocks:
        assert len(block) == 1 or sum(lengths[text] for text in block) <= tokens


def test_short_texts_fill_what_long_ones_leave():
    blocks = blocks_of(np.array([5, 60, 30, 39, 61]), 100)
    assert [list(block) for block in blocks] == [[4, 3], [1, 2, 0]]
