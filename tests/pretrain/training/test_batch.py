import numpy as np
import torch

from pretrain.pairings.pairing import PairExample
from pretrain.training.batch import Collator, column_positions, mask_columns
from spider.encoders.static import StaticSettings


def _array(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _example(positive: int, negative: int, *known: int) -> PairExample:
    return PairExample(np.array([1, 2], dtype=np.uint16), positive, negative, _array(*known))


EXAMPLES = [
    _example(10, 12, 9, 10),
    _example(11, 10, 8, 11, 12),
    _example(10, -1, 10),
]


def test_columns_and_mask_computed_by_hand() -> None:
    positions = column_positions(EXAMPLES)
    assert positions.tolist() == [10, 11, 10, 12, 10, -1]
    masked = mask_columns(positions, range(3), [example.known for example in EXAMPLES])
    expected = [
        [0, 0, 1, 0, 1, 1],  # 10 again twice, and the absent negative
        [0, 0, 0, 1, 0, 1],  # 12 holds the second query's span
        [1, 0, 0, 0, 1, 1],
    ]
    assert masked.astype(int).tolist() == expected


def test_the_faithful_loss_masks_absent_columns_alone() -> None:
    masked = mask_columns(column_positions(EXAMPLES), range(3), None)
    assert masked.sum(axis=0).tolist() == [0, 0, 0, 0, 0, 3]


def test_rows_of_one_process_are_rows_of_the_whole_mask() -> None:
    positions = column_positions(EXAMPLES)
    known = [example.known for example in EXAMPLES]
    whole = mask_columns(positions, range(3), known)
    assert np.array_equal(mask_columns(positions, range(1, 3), known[1:]), whole[1:])


def test_without_any_negative_there_are_no_negative_columns() -> None:
    assert column_positions([_example(3, -1), _example(4, -1)]).tolist() == [3, 4]


def test_each_passage_is_encoded_once_and_columns_find_it(training_corpus: tuple) -> None:
    corpus, _, tokenizer, tokens = training_corpus
    encoder = StaticSettings(dimension=8).build(tokenizer, seed=0)
    collator = Collator(tokens=tokens, document_number=corpus.document_number, encoder=encoder)
    crop = PairExample(
        tokens.title(2), 10, known=_array(10), positive_text=tokens.passage(10)[:3], titled=False
    )
    examples = [*EXAMPLES, crop]
    batch = collator.collate(examples, range(4))
    assert batch.passages.n_texts == 4  # 10, 11, a crop of 10, 12
    assert batch.queries.n_texts == 4
    passages = np.split(batch.passages.ids.numpy(), batch.passages.offsets.numpy()[1:-1])

    def text(position: int) -> list[int]:
        title = tokens.title(corpus.document_number(position))
        return encoder.passage_ids(title, tokens.passage(position)).tolist()

    shown = [passages[column].tolist() for column in batch.columns.tolist()]
    assert shown[:3] == [text(10), text(11), text(10)]
    assert shown[3] == tokens.passage(10)[:3].tolist()
    assert shown[4:6] == [text(12), text(10)]
    assert batch.masked[:, 6:].all()  # the absent negatives
    assert torch.equal(batch.targets, torch.arange(4))
