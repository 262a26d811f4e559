import numpy as np

from spider.encoders.layers.padding import padded_batches


def test_sub_batches_fit_the_budget_and_waste_little():
    lengths = np.array([5, 40, 38, 6, 5, 41])
    groups = padded_batches(lengths, 90)
    assert sorted(np.concatenate(groups).tolist()) == list(range(6))
    assert all(len(group) * lengths[group].max() <= 90 for group in groups)
    assert [sorted(group.tolist()) for group in groups] == [[1, 5], [0, 2], [3, 4]] or sum(
        len(group) * lengths[group].max() for group in groups
    ) < 1.5 * lengths.sum()
