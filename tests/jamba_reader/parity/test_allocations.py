"""Reading a prompt makes no tensor of [tokens, vocabulary] nor of [tokens, channels, states]."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.jamba.models import our_model, transformers_model
from jamba_reader.ops.segments import Segments

TOKENS, VOCABULARY, STATES = 256, 4096, 32
CHANNELS = 64
#: the widest matrix of a call that is needed: in_proj's outputs, x and gate
WIDEST = TOKENS * 2 * CHANNELS


class Largest(TorchDispatchMode):
    """Keeps the size, in floats, of the largest tensor that any operation made."""

    def __init__(self) -> None:
        super().__init__()
        self.floats = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        known = {value.untyped_storage().data_ptr() for value in tensors((args, kwargs))}
        for value in tensors(output):
            storage = value.untyped_storage()
            if storage.data_ptr() not in known:
                self.floats = max(self.floats, storage.nbytes() // 4)
        return output


def tensors(values: Any) -> list[Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, Tensor)]


def largest(work: Callable[[], object]) -> int:
    """Return the floats of the largest tensor that ``work`` makes, or of all that numpy holds.

    ``work`` runs once before, so that no compilation is counted.
    """
    work()
    recorder = Largest()
    tracemalloc.start()
    try:
        with recorder:
            work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return max(recorder.floats, peak // 4)


@pytest.fixture(scope="module")
def pair(small_shape: dict[str, Any]) -> Any:
    shape = {
        **small_shape,
        "vocab_size": VOCABULARY,
        "mamba_d_state": STATES,
        "intermediate_size": 16,
    }
    with torch.no_grad():
        theirs = transformers_model(shape, seed=1)
        return theirs, our_model(theirs)


def test_a_prefill_allocates_no_more_than_its_widest_matrix(pair: Any) -> None:
    model = pair[1]
    ids = torch.randint(VOCABULARY, (2 * TOKENS,), generator=torch.Generator().manual_seed(0))

    def prefill() -> None:
        model.prefill([ids.tolist()], model.new_cache(1), chunk_tokens=TOKENS)

    assert 4 * WIDEST < TOKENS * CHANNELS * STATES < TOKENS * VOCABULARY
    assert WIDEST <= largest(prefill) < 4 * WIDEST


def test_training_forward_keeps_no_state_of_every_token(pair: Any) -> None:
    model = pair[1]
    ids = torch.randint(VOCABULARY, (TOKENS,), generator=torch.Generator().manual_seed(0))
    with torch.enable_grad():
        found = largest(lambda: model.hidden_states(ids, Segments([TOKENS]))[0].sum().backward())
    model.zero_grad()
    assert found < TOKENS * CHANNELS * STATES // 2


def test_the_recorder_sees_what_transformers_allocates(pair: Any) -> None:
    ids = torch.randint(VOCABULARY, (1, TOKENS), generator=torch.Generator().manual_seed(0))
    found = largest(lambda: pair[0](ids, logits_to_keep=1))
    assert found >= TOKENS * CHANNELS * STATES
