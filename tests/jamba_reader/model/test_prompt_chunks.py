import pytest
from hypothesis import given
from hypothesis import strategies as st

from jamba_reader.model.prompt_chunks import check_prompts, prompt_chunks
from spider.errors import ConfigError, DataError

PROMPTS = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=7), min_size=1, max_size=4)


@given(PROMPTS, st.integers(1, 6))
def test_calls_are_bounded_and_together_are_the_prompts(
    prompts: list[list[int]], budget: int
) -> None:
    read: list[list[int]] = [[] for _ in prompts]
    for lengths, tokens, finished in prompt_chunks(prompts, budget):
        assert 0 < len(tokens) <= budget
        assert sum(lengths) == len(tokens)
        start = 0
        for number, length in enumerate(lengths):
            read[number] += tokens[start : start + length]
            start += length
            assert (number in finished) == (length > 0 and read[number] == prompts[number])
    assert read == prompts


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([[1], []], "prompt 2 of 2 is empty"),
        ([[1, 10]], "token id 10, expected 0 to 9"),
        ([[-1, 3]], "token id -1, expected 0 to 9"),
    ],
)
def test_bad_prompts_are_one_line(prompts: list[list[int]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_prompts(prompts, 10)


def test_a_call_of_no_tokens_is_refused() -> None:
    with pytest.raises(ConfigError, match="chunk_tokens=0"):
        next(prompt_chunks([[1]], 0))
