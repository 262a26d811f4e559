"""Logits equal transformers' over the pairwise cover, in float32 and, loosely, in bfloat16."""

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import JambaForCausalLM

from benchmarks.jamba.grid import cases, config_values
from benchmarks.jamba.models import gap, our_model, transformers_model
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation

TOLERANCE = 1e-5
CASES = cases()
#: a Mamba and an attention layer, routed and dense, both activations; short, for the interpreter
INTERPRETED = [number for number, case in enumerate(CASES) if case["tokens"] in (4, 5)][:4]


def name_of(number: int) -> str:
    case = CASES[number]
    return f"{number}-{case['schedule'].replace(' ', '_')}-{case['tokens']}"


@cache
def theirs(number: int) -> JambaForCausalLM:
    return transformers_model(config_values(CASES[number]), seed=number)


def token_ids(number: int) -> Tensor:
    case: dict[str, Any] = CASES[number]
    generator = torch.Generator().manual_seed(1000 + number)
    return torch.randint(
        case["vocab_size"], (case["sequences"], case["tokens"]), generator=generator
    )


@cache
def expected(number: int) -> Tensor:
    return theirs(number)(token_ids(number), use_cache=False).logits.flatten(0, 1)


def ours(number: int, kernels: Implementation, dtype: torch.dtype = torch.float32) -> Tensor:
    ids = token_ids(number)
    model = our_model(theirs(number), kernels=kernels, dtype=dtype)
    segments = Segments([ids.shape[1]] * len(ids))
    return model(ids.flatten(), segments, rows=torch.arange(ids.numel())).logits


@pytest.mark.parametrize("kernels", ["auto", "reference"])
@pytest.mark.parametrize("number", range(len(CASES)), ids=name_of)
def test_every_logit_equals_transformers(number: int, kernels: Implementation) -> None:
    assert gap(ours(number, kernels), expected(number)) < TOLERANCE


@pytest.mark.parametrize("number", INTERPRETED, ids=name_of)
def test_triton_kernels_give_the_same_logits(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert gap(ours(number, "triton"), expected(number)) < TOLERANCE


@pytest.mark.parametrize(
    "number", [n for n, c in enumerate(CASES) if c["tokens"] == 64], ids=name_of
)
def test_bfloat16_is_as_near_to_float32_as_transformers_own(number: int) -> None:
    rounded = {
        name: value.bfloat16().float() for name, value in theirs(number).state_dict().items()
    }
    exact = transformers_model(config_values(CASES[number]), seed=number)
    exact.load_state_dict(rounded)
    ids = token_ids(number)
    truth = exact(ids, use_cache=False).logits.flatten(0, 1)
    peer = exact.bfloat16()(ids, use_cache=False).logits.flatten(0, 1).float()
    found = ours(number, "auto", torch.bfloat16).float()
    scale = truth.square().mean().sqrt()
    error = (found - truth).square().mean(-1).sqrt().median() / scale
    peer_error = (peer - truth).square().mean(-1).sqrt().median() / scale
    assert error < max(1.25 * peer_error, torch.tensor(0.01))
    assert peer_error < 0.1
