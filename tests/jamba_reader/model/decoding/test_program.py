"""``DecodeStep``: when it runs, when it leaves the step to the layers, and that both agree."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from jamba_reader.cache.cache import Cache
from jamba_reader.model.decoding.program import DecodeStep
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from spider.errors import DataError


@pytest.fixture(autouse=True)
def _no_gradients() -> Any:
    with torch.no_grad():
        yield


def run(
    program: DecodeStep, model: JambaLanguageModel, tokens: list[int], cache: Cache
) -> Tensor | None:
    return program.run(model.model, model.lm_head, torch.tensor(tokens), cache)


def by_layers(model: JambaLanguageModel, tokens: list[int], cache: Cache) -> Tensor:
    return model(torch.tensor(tokens), Segments([1] * len(tokens)), cache=cache).logits


def begun(model: JambaLanguageModel, lengths: list[int]) -> Cache:
    cache = model.new_cache(len(lengths))
    model.prefill([list(range(1, length + 1)) for length in lengths], cache)
    return cache


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"num_experts": 1, "num_experts_per_tok": 1},
        {"attn_layer_period": 9, "attn_layer_offset": 8},
        {"attn_layer_period": 1, "attn_layer_offset": 0},
    ],
    ids=["every kind", "dense", "mamba alone", "attention alone"],
)
@pytest.mark.parametrize("lengths", [[5], [1, 3, 9]])
def test_many_steps_agree_with_the_layers(
    shape: dict[str, Any], lengths: list[int], make_model: Callable[..., JambaLanguageModel]
) -> None:
    model = make_model(**shape)
    program = DecodeStep(model.config)
    here, there = begun(model, lengths), begun(model, lengths)
    for number in range(6):
        tokens = [(7 * number + row) % 23 for row in range(len(lengths))]
        found = run(program, model, tokens, here)
        assert found is not None
        expected = by_layers(model, tokens, there)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        assert here.lengths == there.lengths == [length + number + 1 for length in lengths]


def test_a_step_from_nothing_is_a_prefill_of_one_token(model: JambaLanguageModel) -> None:
    found = run(DecodeStep(model.config), model, [4], model.new_cache(1))
    expected = model.prefill([[4]], model.new_cache(1))
    assert found is not None
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tokens", [[], [1, 2, 3], [1] * 65])
def test_it_leaves_other_numbers_of_tokens_alone(
    tokens: list[int], model: JambaLanguageModel
) -> None:
    cache = model.new_cache(2 if len(tokens) < 65 else len(tokens))
    program = DecodeStep(model.config)
    found = program.run(model.model, model.lm_head, torch.tensor(tokens, dtype=torch.int64), cache)
    assert found is None
    assert set(cache.lengths) == {0}


def test_what_it_cannot_run_leaves_the_cache_as_it_was(model: JambaLanguageModel) -> None:
    cache = begun(model, [3, 4])
    before = [state.state.clone() for state in cache.mamba.values()]
    model.model.layers[0].register_forward_hook(lambda *_: None)
    assert run(DecodeStep(model.config), model, [1, 2], cache) is None
    assert cache.lengths == [3, 4]
    assert all(map(torch.equal, before, (state.state for state in cache.mamba.values())))


def test_it_runs_again_once_the_hook_is_gone(model: JambaLanguageModel) -> None:
    program, cache = DecodeStep(model.config), begun(model, [3])
    handle = model.model.layers[0].register_forward_hook(lambda *_: None)
    assert run(program, model, [1], cache) is None
    handle.remove()
    assert run(program, model, [1], cache) is not None


def test_a_cache_of_another_type_is_refused(
    model: JambaLanguageModel, make_model: Callable[..., JambaLanguageModel]
) -> None:
    other = make_model(torch.bfloat16).new_cache(1)
    with pytest.raises(DataError, match=r"bfloat16 on cpu, expected torch.float32 on cpu"):
        run(DecodeStep(model.config), model, [1], other)


def test_a_cache_of_another_shape_is_refused(
    model: JambaLanguageModel, make_model: Callable[..., JambaLanguageModel]
) -> None:
    other = make_model(mamba_d_state=8).new_cache(1)
    with pytest.raises(DataError, match="made for a model of another shape"):
        run(DecodeStep(model.config), model, [1], other)


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, copy.copy, lambda program: pickle.loads(pickle.dumps(program))],
    ids=["deepcopy", "copy", "pickle"],
)
def test_a_copy_has_the_settings_and_no_addresses(
    copied: Callable[[DecodeStep], DecodeStep], model: JambaLanguageModel
) -> None:
    program = DecodeStep(model.config)
    first = run(program, model, [1], model.new_cache(1))
    assert program._table is not None
    other = copied(program)
    assert other._table is None
    assert other.config == program.config
    again = run(other, model, [1], model.new_cache(1))
    assert first is not None
    assert again is not None
    assert torch.equal(first, again)


def test_weights_are_read_once_for_many_steps(
    model: JambaLanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import jamba_reader.model.decoding.program as module

    calls: list[int] = []
    find_parts = module.find_parts

    def counted(*args: Any) -> list[list[int]]:
        calls.append(1)
        return find_parts(*args)

    monkeypatch.setattr(module, "find_parts", counted)
    program, cache = DecodeStep(model.config), model.new_cache(1)
    for token in range(4):
        assert run(program, model, [token], cache) is not None
    assert len(calls) == 1
    model.lm_head.weight.data = model.lm_head.weight.data.clone()
    run(program, model, [1], cache)
    assert len(calls) == 2
