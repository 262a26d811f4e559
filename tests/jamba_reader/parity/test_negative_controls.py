"""Mistakes that other implementations make do change the logits: parity would catch each.

Each control puts one mistake into transformers' model, or into a cache, and expects logits that
are further away than a hundred times the parity tolerance.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import JambaForCausalLM
from transformers.models.jamba import modeling_jamba

from benchmarks.jamba.models import gap, our_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments

TOLERANCE = 1e-5
SEEN = 100 * TOLERANCE
LENGTH = 24


def ids(sequences: int = 1, length: int = LENGTH) -> Tensor:
    return torch.randint(1, 61, (sequences, length), generator=torch.Generator().manual_seed(5))


def logits(model: JambaLanguageModel, tokens: Tensor) -> Tensor:
    return model(tokens[0], Segments([tokens.shape[1]]), rows=torch.arange(tokens.shape[1])).logits


def distance(models: Any) -> float:
    return gap(models.theirs(ids(), use_cache=False).logits[0], logits(models.ours, ids()))


@pytest.fixture
def mistaken(models: Any) -> Any:
    """The models, of which transformers' may be spoilt."""
    assert distance(models) < TOLERANCE
    return models._replace(theirs=copy.deepcopy(models.theirs))


def mixers(model: JambaForCausalLM) -> list[nn.Module]:
    return [layer.mamba for layer in model.model.layers if hasattr(layer, "mamba")]


def swap_x_and_gate(mixer: nn.Module) -> None:
    for parameter in (mixer.in_proj.weight, mixer.in_proj.bias):
        parameter.copy_(parameter.roll(len(parameter) // 2, dims=0))


def swap_b_and_c(mixer: nn.Module) -> None:
    states, weight = mixer.ssm_state_size, mixer.x_proj.weight
    weight[-2 * states :] = weight[-2 * states :].roll(states, dims=0)


def forget_the_skip(mixer: nn.Module) -> None:
    mixer.D.zero_()


def forget_the_bias_of_the_step(mixer: nn.Module) -> None:
    mixer.dt_proj.bias.zero_()


def forget_the_bias_of_the_convolution(mixer: nn.Module) -> None:
    mixer.conv1d.bias.zero_()


def reverse_the_convolution(mixer: nn.Module) -> None:
    mixer.conv1d.weight.copy_(mixer.conv1d.weight.flip(-1))


def forget_the_inner_norms(mixer: nn.Module) -> None:
    mixer.dt_layernorm = mixer.b_layernorm = mixer.c_layernorm = nn.Identity()


@pytest.mark.parametrize(
    "spoil",
    [
        swap_x_and_gate,
        swap_b_and_c,
        forget_the_skip,
        forget_the_bias_of_the_step,
        forget_the_bias_of_the_convolution,
        reverse_the_convolution,
        forget_the_inner_norms,
    ],
)
def test_a_mistaken_mixer_is_seen(mistaken: Any, spoil: Callable[[nn.Module], None]) -> None:
    for mixer in mixers(mistaken.theirs):
        spoil(mixer)
    assert distance(mistaken) > SEEN


def test_the_norm_of_the_step_after_its_projection_is_seen(
    mistaken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As mamba-ssm's fused kernel does it."""
    right = modeling_jamba.mamba_selective_scan

    def scan(inputs: Tensor, dt: Tensor, *rest: Tensor, **options: Any) -> Any:
        return right(inputs, nn.functional.rms_norm(dt.mT, dt.shape[1:2]).mT, *rest, **options)

    monkeypatch.setattr(modeling_jamba, "mamba_selective_scan", scan)
    for mixer in mixers(mistaken.theirs):
        mixer.dt_layernorm = nn.Identity()
    assert distance(mistaken) > SEEN


def test_a_zero_order_hold_of_b_is_seen(mistaken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jamba multiplies B by the step; the exact integral, (exp(step A) - 1) / A, is another."""

    def scan(inputs: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor, **options: Any) -> Tensor:
        step = nn.functional.softplus(dt + options["delta_bias"][:, None])
        state, outputs = torch.zeros_like(a), []
        for token in range(inputs.shape[-1]):
            decay = torch.exp(step[0, :, token, None] * a)
            hold = (decay - 1) / a * (b[0, :, token] * inputs[0, :, token, None])
            state = decay * state + hold
            outputs.append(state @ c[0, :, token])
        scanned = torch.stack(outputs, dim=-1)[None] + inputs * options["D"][:, None]
        return scanned * nn.functional.silu(options["z"])

    monkeypatch.setattr(modeling_jamba, "mamba_selective_scan", scan)
    assert distance(mistaken) > SEEN


def test_renormalised_expert_weights_are_seen(
    mistaken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = modeling_jamba.JambaTopKRouter.forward

    def forward(router: nn.Module, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scores, weights, chosen = right(router, hidden)
        return scores, weights / weights.sum(-1, keepdim=True), chosen

    monkeypatch.setattr(modeling_jamba.JambaTopKRouter, "forward", forward)
    assert distance(mistaken) > SEEN


def test_rotary_positions_are_seen(mistaken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    right = modeling_jamba.eager_attention_forward

    def rotated(module: nn.Module, query: Tensor, key: Tensor, *rest: Any, **options: Any) -> Any:
        half = query.shape[-1] // 2
        angle = torch.arange(query.shape[2])[:, None] * 10_000.0 ** -(torch.arange(half) / half)
        angle = torch.cat((angle, angle), dim=-1)[None]
        query, key = modeling_jamba.apply_rotary_pos_emb(query, key, angle.cos(), angle.sin())
        return right(module, query, key, *rest, **options)

    monkeypatch.setattr(modeling_jamba, "eager_attention_forward", rotated)
    assert distance(mistaken) > SEEN


def distance_of_padded(models: Any) -> float:
    padded = torch.cat((torch.zeros(1, 5, dtype=torch.int64), ids()), dim=1)
    mask = torch.ones_like(padded).index_fill(1, torch.arange(5), 0)
    theirs = models.theirs(padded, attention_mask=mask, use_cache=False).logits[0, 5:]
    return gap(theirs, logits(models.ours, ids()))


def test_padding_masked_only_before_the_convolution_is_seen(
    mistaken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bias makes padding non-zero again: transformers masks twice, we have no padding."""
    for mixer in mixers(mistaken.theirs):
        mixer.in_proj.bias.zero_()
    models = mistaken._replace(ours=our_model(mistaken.theirs))
    assert distance_of_padded(models) < TOLERANCE
    right = modeling_jamba.apply_mask_to_padding_states

    def masked_before(hidden: Tensor, given: Tensor | None) -> Tensor:
        return right(hidden, given) if hidden.shape[-1] == 32 else hidden

    monkeypatch.setattr(modeling_jamba, "apply_mask_to_padding_states", masked_before)
    assert distance_of_padded(models) > SEEN


def test_transformers_cannot_pad_where_the_mixer_projects_with_a_bias(models: Any) -> None:
    """If this fails, transformers has mended it: it masks before ``in_proj``, whose bias then
    fills the padding that the convolution reaches back to (``mamba_proj_bias``)."""
    assert distance_of_padded(models) > SEEN


def test_transformers_cannot_go_on_from_its_cache_by_several_tokens(models: Any) -> None:
    """If this fails, transformers has mended it (it restarts the scan from zero): say so in the
    README, and use it as a second witness of ``test_continuation.py``."""
    whole = models.theirs(ids(), use_cache=False).logits[:, 10:]
    first = models.theirs(ids()[:, :10], use_cache=True)
    rest = models.theirs(ids()[:, 10:], past_key_values=first.past_key_values, use_cache=True)
    assert gap(rest.logits, whole) > SEEN

    cache = models.ours.new_cache(1)
    models.ours.prefill([ids()[0, :10].tolist()], cache)
    ours = models.ours(
        ids()[0, 10:], Segments([LENGTH - 10]), cache=cache, rows=torch.arange(LENGTH - 10)
    )
    assert gap(ours.logits, whole[0]) < TOLERANCE


@pytest.mark.parametrize("lost", ["state", "history"])
def test_a_lost_state_is_seen(model: JambaLanguageModel, lost: str) -> None:
    cache = model.new_cache(1)
    model.prefill([ids()[0, :-3].tolist()], cache)
    for mamba in cache.mamba.values():
        setattr(mamba, lost, torch.zeros_like(getattr(mamba, lost)))
    rest = model(ids()[0, -3:], Segments([3]), cache=cache, rows=torch.arange(3)).logits
    assert gap(rest, logits(model, ids())[-3:]) > SEEN


def test_a_lost_key_is_seen(model: JambaLanguageModel) -> None:
    cache = model.new_cache(1)
    model.prefill([ids()[0, :-3].tolist()], cache)
    for memory in cache.memories.values():
        memory.keys[:, :, 4] = 0
    rest = model(ids()[0, -3:], Segments([3]), cache=cache, rows=torch.arange(3)).logits
    assert gap(rest, logits(model, ids())[-3:]) > SEEN


def test_a_state_rounded_to_bfloat16_is_seen(model: JambaLanguageModel) -> None:
    """As a cache in the model's dtype keeps it."""
    exact, rounded = model.new_cache(1), model.new_cache(1)
    for token in ids()[0]:
        right = model.step(token[None], exact)
        wrong = model.step(token[None], rounded)
        for mamba in rounded.mamba.values():
            mamba.state = mamba.state.bfloat16().float()
    assert gap(right, logits(model, ids())[-1:]) < TOLERANCE
    assert gap(wrong, right) > SEEN


def test_float16_overflows_where_bfloat16_does_not(mistaken: Any) -> None:
    """Activations of released checkpoints grow to 4e6 (arXiv:2408.12570, section 3.2)."""
    mistaken.theirs.model.layers[0].feed_forward.down_proj.weight.mul_(1e6)
    finite = {
        dtype: bool(
            logits(our_model(mistaken.theirs, kernels="reference", dtype=dtype), ids())
            .isfinite()
            .all()
        )
        for dtype in (torch.float32, torch.bfloat16, torch.float16)
    }
    assert finite == {torch.float32: True, torch.bfloat16: True, torch.float16: False}
