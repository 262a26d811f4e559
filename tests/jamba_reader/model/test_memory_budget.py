"""Sizes of the released models (published numbers), and refusals that tell what fits."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jamba_reader.cache.cache import Cache
from jamba_reader.config import JambaConfig
from jamba_reader.model.memory_budget import (
    WORKING_MEMORY,
    MemoryNeeds,
    check_memory,
    device_memory,
    memory_needs,
)
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.presets import jamba_3b, jamba_large, jamba_mini
from spider.errors import ConfigError

MIB = 1 << 20
GIB = 1 << 30
SMALL = JambaConfig(
    vocab_size=64,
    hidden_size=32,
    intermediate_size=40,
    num_hidden_layers=4,
    num_attention_heads=4,
    num_key_value_heads=2,
    num_experts=4,
    attn_layer_period=4,
    attn_layer_offset=2,
)


def needs(config: JambaConfig, tokens: int, sequences: int = 1) -> MemoryNeeds:
    return memory_needs(
        config, sequences=sequences, tokens=tokens, dtype=torch.bfloat16, chunk_tokens=2048
    )


@pytest.mark.parametrize(
    ("config", "gibibytes"), [(jamba_mini(), 4.0), (jamba_large(), 9.0), (jamba_3b(), 0.25)]
)
def test_keys_and_values_of_256k_tokens(config: JambaConfig, gibibytes: float) -> None:
    assert needs(config, 262_144).key_values == gibibytes * GIB


def test_mini_takes_16_kibibytes_a_token_and_15_mebibytes_a_sequence() -> None:
    assert needs(jamba_mini(), 1).key_values == 16_384
    # float32 states of 28 layers, and the last three inputs of each convolution in bfloat16
    assert needs(jamba_mini(), 1).states == 14 * MIB + 28 * 3 * 8192 * 2
    assert needs(jamba_mini(), 1, sequences=3).states == 3 * needs(jamba_mini(), 1).states
    assert needs(jamba_mini(), 1).weights == 103_140_646_656


def test_activations_are_of_a_chunk_whatever_the_length() -> None:
    short, long = needs(jamba_mini(), 4096), needs(jamba_mini(), 262_144)
    assert short.activations == long.activations
    assert needs(jamba_mini(), 512).activations < short.activations


def test_a_process_keeps_more_than_a_gpu() -> None:
    sizes = [
        memory_needs(
            SMALL, sequences=1, tokens=64, dtype=torch.float32, chunk_tokens=64, device=device
        ).activations
        for device in ("cpu", "cuda")
    ]
    logits = 64 * 8
    assert sizes[0] - logits == 3 * (sizes[1] - logits)


def test_what_is_computed_is_what_a_cache_takes() -> None:
    cache = Cache.empty(SMALL, 3, dtype=torch.float32, capacity=50)
    computed = memory_needs(SMALL, sequences=3, tokens=50, dtype=torch.float32, chunk_tokens=8)
    assert cache.nbytes() == computed.key_values + computed.states


def check(tokens: int, available: int, **settings: object) -> MemoryNeeds:
    return check_memory(SMALL, 2, tokens, torch.float32, "cpu", 16, available=available, **settings)


def test_a_prompt_that_fits_is_let_through() -> None:
    found = check(100, 1 << 40)
    assert found.total == sum(found)


@given(extra=st.integers(0, 3 * MIB), tokens=st.integers(1000, 1_000_000))
def test_as_many_tokens_fit_as_the_refusal_says(extra: int, tokens: int) -> None:
    available = WORKING_MEMORY + check(16, 1 << 40).total + extra
    try:
        check(tokens, available)
    except ConfigError as error:
        said = re.search(r"at most ([\d,]+) tokens a sequence fit", str(error))
        assert said is not None
        fitting = int(said[1].replace(",", ""))
        assert fitting < tokens
        check(fitting, available)
        with pytest.raises(ConfigError):
            check(fitting + 17, available)


def test_a_refusal_says_what_takes_how_much() -> None:
    with pytest.raises(ConfigError) as caught:
        check_memory(jamba_mini(), 1, 262_144, torch.bfloat16, "cpu", 2048, available=80 * GIB)
    message = str(caught.value)
    assert "1 x 262,144 tokens need more memory than there is (weights 96.1 GiB, " in message
    assert "key values 4,096 MiB" in message
    assert "80.0 GiB are available on cpu); no prompt fits" in message
    with pytest.raises(ConfigError, match=r"at most [0-9,]+ tokens a sequence fit"):
        check_memory(
            jamba_mini(), 1, 1 << 23, torch.bfloat16, "cpu", 2048, ExpertsInt8(), available=80 * GIB
        )


@pytest.mark.parametrize("part", ["weights", "held"])
def test_what_is_loaded_already_is_not_asked_for_again(part: str) -> None:
    found = check(1000, 1 << 40)
    loaded: dict[str, int | bool] = {"weights_loaded": True}
    size = found.weights
    if part == "held":
        size = found.key_values + found.states
        loaded = {"held_bytes": size}
    enough = WORKING_MEMORY + found.total - size
    check(1000, enough, **loaded)
    with pytest.raises(ConfigError) as caught:
        check(1000, enough - 1, **loaded)
    # what is not asked for is not named
    assert ("weights" in str(caught.value)) == (part == "held")
    with pytest.raises(ConfigError):
        check(1000, enough)


def test_weights_alone() -> None:
    with pytest.raises(ConfigError) as caught:
        check_memory(jamba_mini(), 0, 0, torch.bfloat16, "cpu", 0, available=80 * GIB)
    assert "the weights need 96.1 GiB in bfloat16, 80.0 GiB are available on cpu" in str(
        caught.value
    )
    assert "ExpertsInt8(dense=True) needs 51.5 GiB" in str(caught.value)
    check_memory(jamba_mini(), 0, 0, torch.bfloat16, "cpu", 0, ExpertsInt8(), available=80 * GIB)


def test_a_device_that_cannot_tell_is_not_refused() -> None:
    assert device_memory("meta") is None
    check_memory(jamba_large(), 1, 1 << 30, torch.bfloat16, "meta", 2048)


def test_room_for_more_does_not_let_a_prompt_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jamba_reader.model.memory_budget.device_memory", lambda _: MIB)
    model = JambaLanguageModel(SMALL)
    cache = model.new_cache(1, capacity=1 << 22)
    assert cache.nbytes() > 2 * WORKING_MEMORY
    with pytest.raises(ConfigError, match="1 MiB are available"):
        model.prefill([[1] * 10], cache)


@pytest.mark.parametrize(("sequences", "tokens"), [(1, 10**30), (10**30, 1), (2**62, 2**62)])
def test_numbers_beyond_any_tensor_are_refused_as_too_much(sequences: int, tokens: int) -> None:
    with pytest.raises(ConfigError, match="need more memory than there is"):
        check_memory(SMALL, sequences, tokens, torch.float32, "cpu", 2048)


def test_what_is_generated_is_counted_for_every_branch() -> None:
    read, one, many = (
        memory_needs(
            SMALL, sequences=2, tokens=50, dtype=torch.float32, chunk_tokens=8, branches=branches
        )
        for branches in (0, 1, 10)
    )
    scores = 2 * SMALL.vocab_size * 4
    assert one.key_values == read.key_values
    assert one.states == 2 * read.states
    assert one.activations - read.activations == 4 * scores
    # selecting those that go on copies
    assert many.key_values == 2 * 10 * read.key_values
    assert many.states == 3 * 10 * read.states
    assert many.activations - one.activations == 9 * 6 * scores
