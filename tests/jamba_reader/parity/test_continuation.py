"""One prompt in any pieces gives the same logits, cache and continuation."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from benchmarks.jamba.models import gap
from jamba_reader.cache.cache import Cache
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments

TOLERANCE = 1e-5
VOCABULARY = 61
#: tokens of three sequences in each call; zeros and runs shorter than the convolution are likely
CALLS = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=6)


def token_ids(count: int, seed: int = 0) -> Tensor:
    return torch.randint(VOCABULARY, (count,), generator=torch.Generator().manual_seed(seed))


def whole(model: JambaLanguageModel, ids: Tensor) -> Tensor:
    return model(ids, Segments([len(ids)]), rows=torch.arange(len(ids))).logits


def in_calls(
    model: JambaLanguageModel, sequences: list[Tensor], calls: list[tuple[int, ...]], cache: Cache
) -> list[Tensor]:
    """Return the logits of every token of each sequence, read in these calls."""
    done = [0] * len(sequences)
    found: list[list[Tensor]] = [[] for _ in sequences]
    for lengths in calls:
        segments = Segments(lengths)
        parts = [ids[at : at + n] for ids, at, n in zip(sequences, done, lengths, strict=True)]
        rows = torch.arange(segments.total)
        logits = model(torch.cat(parts), segments, cache=cache, rows=rows).logits
        for number, rows_of_one in enumerate(segments.slices):
            found[number].append(logits[rows_of_one])
        done = [at + n for at, n in zip(done, lengths, strict=True)]
    return [torch.cat(parts) for parts in found]


def assert_same(cache: Cache, other: Cache) -> None:
    assert cache.lengths == other.lengths
    for layer, memory in cache.memories.items():
        for number, length in enumerate(cache.lengths):
            for kept, expected in (
                (memory.keys, other.memories[layer].keys),
                (memory.values, other.memories[layer].values),
            ):
                kept, expected = kept[number, :, :length], expected[number, :, :length]
                torch.testing.assert_close(kept, expected, atol=1e-4, rtol=1e-4)
    for layer, mamba in cache.mamba.items():
        torch.testing.assert_close(mamba.state, other.mamba[layer].state, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(mamba.history, other.mamba[layer].history, atol=1e-4, rtol=1e-4)


@settings(max_examples=25)
@given(calls=CALLS)
def test_any_calls_give_what_one_call_gives(
    model: JambaLanguageModel, calls: list[tuple[int, ...]]
) -> None:
    with torch.no_grad():
        totals = [sum(lengths) for lengths in zip(*calls, strict=True)]
        sequences = [token_ids(total, seed) for seed, total in enumerate(totals)]
        cache, at_once = model.new_cache(3), model.new_cache(3)
        pieces = in_calls(model, sequences, calls, cache)
        in_calls(model, sequences, [tuple(totals)], at_once)
        for ids, found in zip(sequences, pieces, strict=True):
            assert len(ids) == len(found)
            if len(ids):
                assert gap(found, whole(model, ids)) < TOLERANCE
        assert_same(cache, at_once)


@settings(max_examples=15)
@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=4), budget=st.integers(1, 30))
def test_prefill_gives_the_same_in_chunks_of_any_size(
    model: JambaLanguageModel, lengths: list[int], budget: int
) -> None:
    with torch.no_grad():
        sequences = [token_ids(length, seed) for seed, length in enumerate(lengths)]
        cache = model.new_cache(len(sequences))
        prompts = [ids.tolist() for ids in sequences]
        found = model.prefill(prompts, cache, chunk_tokens=budget)
        assert cache.lengths == lengths
        for ids, logits in zip(sequences, found, strict=True):
            assert gap(logits, whole(model, ids)[-1]) < TOLERANCE


def test_steps_give_what_one_call_gives(model: JambaLanguageModel) -> None:
    sequences = torch.stack([token_ids(20, seed) for seed in range(3)])
    cache = model.new_cache(3)
    steps = torch.stack([model.step(column, cache) for column in sequences.T], dim=1)
    for ids, found in zip(sequences, steps, strict=True):
        assert gap(found, whole(model, ids)) < TOLERANCE


def test_a_prompt_goes_on_from_a_prompt(model: JambaLanguageModel) -> None:
    """A shared prefix read once, then a question for each of three readers."""
    prefix, questions = token_ids(15), [token_ids(n, seed=n) for n in (1, 4, 9)]
    cache = model.new_cache(1)
    model.prefill([prefix.tolist()], cache)
    cache.select([0, 0, 0])
    found = model.prefill([question.tolist() for question in questions], cache, chunk_tokens=3)
    for question, logits in zip(questions, found, strict=True):
        assert gap(logits, whole(model, torch.cat((prefix, question)))[-1]) < TOLERANCE


def test_a_fork_goes_its_own_way(model: JambaLanguageModel) -> None:
    prefix, left, right = token_ids(9), token_ids(6, seed=1), token_ids(6, seed=2)
    cache = model.new_cache(1)
    model.prefill([prefix.tolist()], cache)
    forked = cache.fork()
    for ids, own in ((left, cache), (right, forked)):
        found = in_calls(model, [ids], [(2,), (4,)], own)[0]
        assert gap(found, whole(model, torch.cat((prefix, ids)))[9:]) < TOLERANCE


def test_after_a_rollback_it_goes_on_as_if_nothing_was(model: JambaLanguageModel) -> None:
    prefixes, wrong, right = [token_ids(9), token_ids(3, seed=3)], token_ids(7, 1), token_ids(6, 2)
    cache = model.new_cache(2)
    model.prefill([prefix.tolist() for prefix in prefixes], cache)
    mark = cache.mark()
    for _ in range(2):
        in_calls(model, [wrong, wrong], [(4, 7), (3, 0)], cache)
        cache.rollback(mark)
    found = in_calls(model, [right, right], [(1, 6), (5, 0)], cache)
    for prefix, logits in zip(prefixes, found, strict=True):
        expected = whole(model, torch.cat((prefix, right)))[len(prefix) :]
        assert gap(logits, expected) < TOLERANCE


def test_sequences_change_places_and_leave(model: JambaLanguageModel) -> None:
    prefixes, more = [token_ids(n, seed=n) for n in (5, 2, 8)], token_ids(4, seed=1)
    cache = model.new_cache(3)
    model.prefill([prefix.tolist() for prefix in prefixes], cache)
    cache.select([2, 0])
    found = in_calls(model, [more, more], [(4, 4)], cache)
    for prefix, logits in zip((prefixes[2], prefixes[0]), found, strict=True):
        expected = whole(model, torch.cat((prefix, more)))[len(prefix) :]
        assert gap(logits, expected) < TOLERANCE


def test_a_call_without_tokens_changes_nothing(model: JambaLanguageModel) -> None:
    ids = token_ids(8)
    cache = model.new_cache(2)
    before = in_calls(model, [ids, ids[:0]], [(0, 0), (8, 0), (0, 0)], cache)
    assert gap(before[0], whole(model, ids)) < TOLERANCE
    output = model(ids[:0], Segments([0, 0]), cache=cache)
    assert output.logits.shape == (0, VOCABULARY)
    assert cache.lengths == [8, 0]


def test_inference_mode_gives_the_same(model: JambaLanguageModel) -> None:
    ids, cache = token_ids(8), model.new_cache(1)
    expected = whole(model, ids)
    with torch.inference_mode():
        found = in_calls(model, [ids], [(5,), (3,)], cache)[0]
    assert torch.equal(whole(model, ids), expected)
    assert gap(found, expected) < TOLERANCE
