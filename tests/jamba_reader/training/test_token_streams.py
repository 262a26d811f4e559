import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jamba_reader.training.token_streams import TokenStreams, document_inputs
from spider.errors import ConfigError, DataError

BEGIN, END = 1, 2


class Documents:
    """Document n has tokens 100 * (n + 1), 100 * (n + 1) + 1 …"""

    begin_id = BEGIN
    end_id = END

    def __init__(self, lengths: list[int]):
        self.lengths = np.array(lengths, dtype=np.int64)
        self.byte_counts = self.lengths

    def document(self, number: int) -> np.ndarray:
        return (100 * (number + 1) + np.arange(self.lengths[number])).astype(np.uint16)


def streams_of(
    lengths: list[int], batch_size: int = 1, chunk_tokens: int = 4, chunks: int = 1, seed: int = 0
) -> TokenStreams:
    return TokenStreams(
        Documents(lengths),
        np.arange(len(lengths)),
        batch_size=batch_size,
        chunk_tokens=chunk_tokens,
        chunks_per_step=chunks,
        seed=seed,
    )


def test_one_document_step_by_step() -> None:
    streams = streams_of([7])
    first, second = streams.batch(0).chunks[0], streams.batch(1).chunks[0]
    assert first.tokens.tolist() == [BEGIN, 100, 101, 102]
    assert first.targets.tolist() == [100, 101, 102, 103]
    assert second.tokens.tolist() == [103, 104, 105, 106]
    assert second.targets.tolist() == [104, 105, 106, END]
    assert (first.continued, second.continued) == ((False,), (True,))
    # a second epoch begins anew
    assert streams.steps_per_epoch == 2
    assert streams.batch(2).chunks[0].continued == (False,)


def test_pieces_within_a_chunk() -> None:
    chunk = streams_of([2, 2, 2], chunk_tokens=9).batch(0).chunks[0]
    assert chunk.lengths == (3, 3, 3)
    assert chunk.streams == (0, 0, 0)
    assert chunk.continued == (False, False, False)
    assert chunk.last_pieces == [2]
    assert chunk.targets.tolist().count(END) == 3


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=6),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_streams_read_documents_in_order(
    lengths: list[int], batch_size: int, chunk_tokens: int, chunks: int
) -> None:
    if sum(lengths) + len(lengths) < batch_size * chunk_tokens * chunks:
        with pytest.raises(DataError, match="training documents have"):
            streams_of(lengths, batch_size, chunk_tokens, chunks)
        return
    stream = streams_of(lengths, batch_size, chunk_tokens, chunks)
    source = Documents(lengths)
    whole = [document_inputs(source, number) for number in range(len(lengths))]
    pairs_of_documents = [
        list(zip(inputs.tolist(), targets.tolist(), strict=True)) for inputs, targets in whole
    ]
    seen: list[tuple[int, int]] = []
    histories: list[list[tuple[int, int]]] = [[] for _ in range(batch_size)]
    for step in range(stream.steps_per_epoch):
        batch = stream.batch(step)
        assert batch.tokens == batch_size * chunk_tokens * chunks
        for chunk in batch.chunks:
            assert len(chunk.tokens) == sum(chunk.lengths) == batch_size * chunk_tokens
            assert [chunk.streams[piece] for piece in chunk.last_pieces] == list(range(batch_size))
            pairs = list(zip(chunk.tokens.tolist(), chunk.targets.tolist(), strict=True))
            place = 0
            for length, row, continues in zip(
                chunk.lengths, chunk.streams, chunk.continued, strict=True
            ):
                piece = pairs[place : place + length]
                place += length
                seen += piece
                # what a stream has read since its last reset is a part of one document
                histories[row] = histories[row] + piece if continues else piece
                assert any(
                    histories[row] == document[start : start + len(histories[row])]
                    for document in pairs_of_documents
                    for start in range(len(document))
                )
    # no pair twice in an epoch, but for the empty documents', which are all alike
    empty = (BEGIN, END)
    assert len({pair for pair in seen if pair != empty}) == len(seen) - seen.count(empty)
    assert len(seen) == stream.steps_per_epoch * batch_size * chunk_tokens * chunks


def test_a_batch_depends_on_its_step_alone() -> None:
    lengths = list(range(3, 30))
    forward, backward = streams_of(lengths, 2), streams_of(lengths, 2)
    steps = range(2 * forward.steps_per_epoch + 1)
    expected = [forward.batch(step).chunks[0].tokens.tolist() for step in steps]
    got = [backward.batch(step).chunks[0].tokens.tolist() for step in reversed(steps)]
    assert got[::-1] == expected
    other = streams_of(lengths, 2, seed=1)
    assert other.batch(0).chunks[0].tokens.tolist() != expected[0]
    assert expected[0] != expected[forward.steps_per_epoch]


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="batch_size=0"):
        streams_of([9], batch_size=0)
