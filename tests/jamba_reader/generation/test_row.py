"""One continuation: when it ends, what it allows, and copies that do not influence each other."""

from typing import Any

import numpy as np
import pytest

from jamba_reader.constraints.contract import Allowed, Quote
from jamba_reader.generation.row import GenerationRow
from jamba_reader.generation.settings import GenerationSettings
from jamba_reader.tokenization.token_bytes import TokenBytes

END = 0


class Letters(TokenBytes):
    """Token n is the n-th letter; token 0 ends the text."""

    def __init__(self) -> None:
        self.table = [b"", *(bytes([96 + n]) for n in range(1, 27))]
        self.special_ids = {"<end>": END}


class Counted:
    """A constraint that allows token 1 twice, and then nothing."""

    def start(self) -> tuple[int, ...]:
        return (2,)

    def advance(self, state: tuple[int, ...], token: int) -> tuple[int, ...]:
        assert token == 1
        return (state[0] - 1,)

    def allowed(self, state: tuple[int, ...]) -> Allowed:
        return Allowed(np.array([1] * state[0], np.int64), forbids=False, may_end=state[0] < 2)

    def quotes(self, tokens: Any) -> list[Quote]:
        return [Quote(0, 0, len(tokens), "a" * len(tokens), 1, True)]


def row(constraint: Any = None, vocabulary: Any = None, **changes: Any) -> GenerationRow:
    return GenerationRow(
        [5, 6], 3, 1, settings=GenerationSettings(**changes), end_ids=[END],
        vocabulary=Letters() if vocabulary is None else vocabulary, constraint=constraint,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tokens", "changes", "reason", "text"),
    [
        ([1, 2, END], {}, "end", "ab"),
        ([1, 2], {"max_new_tokens": 2}, "length", "ab"),
        ([1, 2, END], {"max_new_tokens": 3}, "end", "ab"),
        ([24, 1, 2, 3], {"stop": ("bc",)}, "stop", "xa"),
        ([24, 1, 2, 3], {"stop": ("bc",), "include_stop": True}, "stop", "xabc"),
        # a part of a stop string that is not completed is text
        ([1, 2], {"stop": ("bc",), "max_new_tokens": 2}, "length", "ab"),
    ],
)
def test_where_a_text_ends(
    tokens: list[int], changes: dict[str, Any], reason: str, text: str
) -> None:
    one = row(**changes)
    pieces = [one.push(token, -float(token)) for token in tokens]
    assert [piece.finished is not None for piece in pieces] == [False] * (len(tokens) - 1) + [True]
    assert "".join(piece.text for piece in pieces) == text
    finished = pieces[-1].finished
    assert finished.finish_reason == one.reason == reason
    assert (finished.prompt, finished.sample, finished.text) == (3, 1, text)
    assert finished.tokens == tuple(tokens)
    assert finished.log_probabilities == tuple(-float(token) for token in tokens)


def test_no_end_before_the_fewest_tokens() -> None:
    one = row(min_new_tokens=2)
    for may_end in (False, False, True):
        allowed = one.allowed()
        assert (allowed.forbids, len(allowed.tokens)) == (True, 0)
        assert allowed.may_end is may_end
        one.push(1, 0.0)


def test_a_constraint_decides_and_may_end_the_row() -> None:
    one = row(Counted(), min_new_tokens=2)
    assert one.allowed().tokens.tolist() == [1, 1]
    one.push(1, 0.0)
    assert one.allowed().may_end is False  # the constraint would allow it, the settings do not
    one.push(1, 0.0)
    assert one.allowed().tokens.tolist() == []
    piece = one.end_here()
    assert piece.token is None
    assert piece.finished.finish_reason == "constraint"
    assert piece.finished.quotes[0].text == "aa"


def test_forks_are_independent() -> None:
    one = row(stop=("bc",))
    one.push(2, -1.0)
    other = one.fork()
    assert other.push(3, -2.0).finished.text == ""
    piece = one.push(1, -3.0)
    assert piece.text == "ba"
    assert (one.tokens, other.tokens) == ([2, 1], [2, 3])
    assert (one.reason, other.reason) == (None, "stop")


def test_random_numbers_depend_on_prompt_sample_and_seed_only() -> None:
    first, same, other = row(), row(), row(seed=1)
    numbers = [[one.uniform() for _ in range(3)] for one in (first, same, other)]
    assert numbers[0] == numbers[1] != numbers[2]
    assert len(set(numbers[0])) == 3
