import numpy as np
import pytest

from spider.encoders.distillation.passage_choice import choose_passages, sample_sizes


@pytest.mark.parametrize(
    ("passages", "held_out"), [(1, 0), (2, 1), (10, 1), (11, 2), (3545, 355), (81_606, 1000)]
)
def test_a_tenth_is_held_out_and_every_passage_has_one_place(passages: int, held_out: int) -> None:
    choice = choose_passages(passages, seed=1)
    assert len(choice.held_out) == held_out
    assert sorted(np.concatenate(choice).tolist()) == list(range(passages))


def test_the_seed_decides() -> None:
    one, same, other = (choose_passages(100, seed=seed) for seed in (4, 4, 5))
    assert one.rest.tolist() == same.rest.tolist() != other.rest.tolist()


@pytest.mark.parametrize(
    ("available", "sizes"),
    [
        (1, [1]),
        (1250, [1250]),
        (2499, [2499]),
        (3190, [1595, 3190]),
        (80_606, [1250, 2500, 5000, 10_000, 20_000]),
    ],
)
def test_sizes_double_up_to_the_largest(available: int, sizes: list[int]) -> None:
    assert sample_sizes(available, first=1250, largest=20_000) == sizes
