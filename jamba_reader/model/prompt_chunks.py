"""Checks prompts and splits them into calls of bounded size."""

from collections.abc import Iterator, Sequence
from operator import index

from spider.errors import ConfigError, DataError


def check_prompts(prompts: Sequence[Sequence[int]], vocabulary: int) -> None:
    """Check the token ids of prompts.

    Raises:
        DataError: a prompt is empty, or an id is no integer or not in the vocabulary.
    """
    for number, prompt in enumerate(prompts):
        where = f"prompt {number + 1} of {len(prompts)}"
        if not _are_integers(prompt):
            raise DataError(
                f"{where} is a {type(prompt).__name__}, expected a sequence of token ids; "
                "LanguageModel.encode makes them of text"
            )
        if len(prompt) == 0:
            raise DataError(f"{where} is empty; begin it with the beginning-of-text token")
        check_ids(min(prompt), max(prompt), vocabulary, where=where)


def _are_integers(prompt: Sequence[int]) -> bool:
    """Return whether a prompt is a sequence of integers, of Python's or another library's kind."""
    try:
        if set(map(type, prompt)) - {int}:
            tuple(map(index, prompt))
    except TypeError:
        return False
    return True


def check_ids(lowest: int, highest: int, vocabulary: int, *, where: str = "the call") -> None:
    """Check the lowest and the highest token id of a call.

    Raises:
        DataError: one is not in the vocabulary.
    """
    if lowest < 0 or highest >= vocabulary:
        raise DataError(
            f"{where} has token id {lowest if lowest < 0 else highest}, expected 0 to "
            f"{vocabulary - 1}: was it made with another model's tokenizer?"
        )


def prompt_chunks(
    prompts: Sequence[Sequence[int]], budget: int
) -> Iterator[tuple[list[int], list[int], list[int]]]:
    """Split prompts into calls of at most ``budget`` tokens over all prompts.

    Yields:
        For each call: number of tokens of each prompt, their concatenated ids, and the indices of
        the prompts that it completes.

    Raises:
        ConfigError: the budget is below one token.
    """
    if budget < 1:
        raise ConfigError(f"chunk_tokens={budget}: expected at least 1")
    done = [0] * len(prompts)
    left = sum(map(len, prompts))
    while left:
        lengths, tokens, finished = [], list[int](), []
        for number, prompt in enumerate(prompts):
            take = min(budget - len(tokens), len(prompt) - done[number])
            tokens.extend(prompt[done[number] : done[number] + take])
            done[number] += take
            lengths.append(take)
            if take and done[number] == len(prompt):
                finished.append(number)
        left -= len(tokens)
        yield lengths, tokens, finished
