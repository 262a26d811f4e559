"""One token in one call is one token through the layers."""

import copy
import gc
from collections.abc import Callable
from typing import Any
from weakref import ref

import pytest
import torch
from torch import Tensor, nn

from benchmarks.jamba.models import gap, randomise
from jamba_reader.cache.cache import Cache
from jamba_reader.config import JambaConfig
from jamba_reader.model.decoding.program import DecodeStep
from jamba_reader.model.layers.feed_forward import DenseFeedForward, Experts, Router
from jamba_reader.model.layers.int8_linear import Int8Linear
from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.layers.rms_norm import RMSNorm
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.segments import Segments
from spider.errors import DataError

VOCABULARY = 61
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_experts": 4,
    "attn_layer_period": 3,
    "attn_layer_offset": 1,
    "mamba_d_state": 8,
    "mamba_dt_rank": 4,
}
SHAPES: dict[str, dict[str, Any]] = {
    "all kinds of layers": {},
    "nothing fits whole lanes": {
        "hidden_size": 36,
        "intermediate_size": 37,
        "mamba_dt_rank": 5,
        "mamba_d_state": 7,
        "num_experts": 5,
        "num_experts_per_tok": 3,
        "num_key_value_heads": 1,
    },
    "biases": {"mamba_proj_bias": True, "mamba_conv_bias": False},
    "gelu": {"hidden_act": "gelu", "mamba_d_conv": 2},
    "a long window": {"mamba_d_conv": 5, "mamba_expand": 3},
    "no window": {"mamba_d_conv": 1},
    "dense": {"num_experts": 1, "num_experts_per_tok": 1, "tie_word_embeddings": True},
    "no attention": {"attn_layer_period": 9, "attn_layer_offset": 8},
    "attention alone": {"attn_layer_period": 1, "attn_layer_offset": 0},
    "wide enough for all threads": {"hidden_size": 512, "mamba_d_state": 16},
}
ERRORS = {torch.float32: 1e-5, torch.bfloat16: 2e-2}


@pytest.fixture(autouse=True)
def _no_gradients() -> Any:
    with torch.no_grad():
        yield


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each step was done in one call."""
    seen: list[bool] = []
    run = DecodeStep.run

    def noted(self: DecodeStep, *args: Any) -> Tensor | None:
        logits = run(self, *args)
        seen.append(logits is not None)
        return logits

    monkeypatch.setattr(DecodeStep, "run", noted)
    return seen


def make(
    dtype: torch.dtype = torch.float32,
    quantization: ExpertsInt8 | None = None,
    seed: int = 1,
    **changes: Any,
) -> JambaLanguageModel:
    config = JambaConfig(**{**SMALL, **changes})
    model = JambaLanguageModel(config, dtype=dtype, quantization=quantization)
    randomise(model, seed=seed)
    draw = torch.Generator().manual_seed(2)
    for name, buffer in model.named_buffers():
        if name.endswith("scale"):
            buffer.uniform_(1e-4, 4e-3, generator=draw)
        else:
            buffer.random_(-127, 128, generator=draw)
    return model.eval()


def ids(rows: int, length: int, seed: int = 0) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(VOCABULARY, (rows, length), generator=draw)


def begun(model: JambaLanguageModel, tokens: Tensor) -> Cache:
    cache = model.new_cache(len(tokens))
    # sequences of different lengths, one shorter than the convolution's window
    prompts = [row[: 1 + 2 * number].tolist() for number, row in enumerate(tokens)]
    model.prefill(prompts, cache)
    return cache


def by_layers(model: JambaLanguageModel, tokens: Tensor, cache: Cache) -> Tensor:
    segments = Segments([1] * len(tokens))
    return model(tokens, segments, cache=cache).logits.float()


def tensors_of(cache: Cache) -> list[Tensor]:
    """What decoding reads: states, histories and the filled part of the memories' keys."""
    states = [t for layer in cache.mamba.values() for t in (layer.state, layer.history)]
    keys = [
        memory.keys[row, :, :length]
        for memory in cache.memories.values()
        for row, length in enumerate(cache.lengths)
    ]
    return [tensor for tensor in (*states, *keys) if tensor.numel()]


def widened(model: JambaLanguageModel) -> JambaLanguageModel:
    """The same model in float64."""
    wide = JambaLanguageModel(model.config, dtype=torch.float64)
    wide.load_state_dict(model.state_dict())
    return wide.eval()


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_what_the_layers_do(
    ran: list[bool], shape: str, dtype: torch.dtype, rows: int
) -> None:
    """Up to ``ERRORS`` and, in float32, the layers' own distance from the layers in float64.

    Float32 alone does not promise ``ERRORS``: where the terms of ``C·h`` in a scan cancel, both
    lose digits, in other places on each processor. In "no attention" with three rows, terms of
    about 50 leave about 1; the layers are then 6e-6 away from float64 and the step 4e-6 (on a Xeon
    with AMX), so the two differ by 1.1e-5.
    """
    torch.set_num_threads(2)
    model, tokens = make(dtype, **SHAPES[shape]), ids(rows, 12)
    exact = widened(model) if dtype == torch.float32 else model
    one, other, third = begun(model, tokens), begun(model, tokens), begun(exact, tokens)

    def assert_near(found: Tensor, expected: Tensor, truth: Tensor) -> None:
        assert gap(found, expected) <= ERRORS[dtype] + gap(expected, truth)

    for column in tokens.T[7:]:
        found, expected = model.step(column, one), by_layers(model, column, other)
        assert found.dtype == torch.float32
        assert_near(found, expected, by_layers(exact, column, third))
    assert one.lengths == other.lengths
    assert all(layer.state.dtype == torch.float32 for layer in one.mamba.values())
    for tensors in zip(*map(tensors_of, (one, other, third)), strict=True):
        assert_near(*tensors)
    assert ran == [True] * 5


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_int8_weights_are_read(ran: list[bool], dtype: torch.dtype, dense: bool) -> None:
    model = make(dtype, ExpertsInt8(dense=dense))
    assert len(list(model.buffers())) == (20 if dense else 8)
    tokens = ids(2, 9)
    one, other = begun(model, tokens), begun(model, tokens)
    for column in tokens.T[5:]:
        assert gap(model.step(column, one), by_layers(model, column, other)) <= ERRORS[dtype]
    assert all(ran)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_threads_and_other_sequences_change_no_bit(dtype: torch.dtype) -> None:
    model, tokens = make(dtype, hidden_size=64), ids(5, 12)
    # one prefill for all: its products are PyTorch's, whose bits depend on the number of threads
    cache = begun(model, tokens)
    logits = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        logits.append(model.step(tokens[:, 11], cache.fork()))
    cache.select([3])
    logits.append(model.step(tokens[3:4, 11], cache))
    assert torch.equal(logits[0], logits[1])
    assert torch.equal(logits[0][3:4], logits[2])


def test_the_states_before_stay_as_they_are() -> None:
    model, tokens = make(), ids(2, 9)
    cache = begun(model, tokens)
    before = {layer: (old.state, old.history) for layer, old in cache.mamba.items()}
    copies = {layer: [t.clone() for t in tensors] for layer, tensors in before.items()}
    mark, twin = cache.mark(), cache.fork()
    first = model.step(tokens[:, 8], cache)
    for layer, tensors in before.items():
        assert all(map(torch.equal, tensors, copies[layer]))
    torch.testing.assert_close(model.step(tokens[:, 8], twin), first, rtol=0, atol=0)
    cache.rollback(mark)
    torch.testing.assert_close(model.step(tokens[:, 8], cache), first, rtol=0, atol=0)


def half(model: JambaLanguageModel) -> None:
    for parameter in model.parameters():
        parameter.mul_(0.5)


def assign(model: JambaLanguageModel) -> None:
    other = make()
    half(other)
    model.load_state_dict(other.state_dict(), assign=True)


def replace_layer(model: JambaLanguageModel) -> None:
    model.model.layers[2] = make(num_hidden_layers=3).model.layers[0]


def decay_faster(model: JambaLanguageModel) -> None:
    model.model.layers[0].mamba.A_log.add_(1)


def replace_head(model: JambaLanguageModel) -> None:
    model.lm_head = make(seed=5).lm_head


def move_embedding(model: JambaLanguageModel) -> None:
    weight = model.model.embed_tokens.weight
    weight.data = weight.data.roll(1, 0)


def swap_experts(model: JambaLanguageModel) -> None:
    experts = next(m for m in model.modules() if isinstance(m, Experts))
    experts.gate_up_proj = nn.Parameter(experts.gate_up_proj.detach().flip(0))


CHANGES = [
    half,
    assign,
    replace_layer,
    replace_head,
    move_embedding,
    swap_experts,
    decay_faster,
    nn.Module.bfloat16,
]


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_change_between_steps_are_seen(
    ran: list[bool], change: Callable[[JambaLanguageModel], Any]
) -> None:
    model, tokens = make(), ids(2, 9)
    before = model.step(tokens[:, 8], begun(model, tokens))
    change(model)
    found = model.step(tokens[:, 8], begun(model, tokens))
    expected = by_layers(model, tokens[:, 8], begun(model, tokens))
    assert gap(found, expected) <= ERRORS[model.dtype]
    assert gap(found, before) > 1e-3
    assert ran == [True, True]


class Louder(Linear):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


def louder(model: JambaLanguageModel) -> None:
    mixer = model.model.layers[0].mamba
    mixer.out_proj = Louder(64, 32, bias=False)


def hooked(model: JambaLanguageModel) -> None:
    model.model.layers[2].register_forward_hook(
        lambda _, __, output: output._replace(branch=2 * output.branch)
    )


def pre_hooked(model: JambaLanguageModel) -> None:
    norm = model.model.final_layernorm
    assert isinstance(norm, RMSNorm)
    mixer = model.model.layers[0].mamba
    mixer.in_proj.register_forward_pre_hook(lambda _, args: (2 * args[0],))


def transposed(model: JambaLanguageModel) -> None:
    head = model.lm_head
    head.weight = nn.Parameter(head.weight.detach().t().contiguous().t())


def hooked_embedding(model: JambaLanguageModel) -> None:
    model.model.embed_tokens.register_forward_hook(lambda _, __, output: 2 * output)


def dense(model: JambaLanguageModel) -> DenseFeedForward:
    return next(m for m in model.modules() if isinstance(m, DenseFeedForward))


def narrower(model: JambaLanguageModel) -> None:
    wide = dense(model)
    for projection in (wide.gate_proj, wide.up_proj):
        projection.weight = nn.Parameter(projection.weight[:24].clone())
    wide.down_proj.weight = nn.Parameter(wide.down_proj.weight[:, :24].clone())


def partly_int8(model: JambaLanguageModel) -> None:
    part = dense(model)
    rows, columns = part.gate_proj.weight.shape
    part.gate_proj = Int8Linear(columns, rows)


def biased_head(model: JambaLanguageModel) -> None:
    weight = model.lm_head.weight
    model.lm_head = Linear(weight.shape[1], weight.shape[0], bias=True)


def fewer_experts(model: JambaLanguageModel) -> None:
    next(m for m in model.modules() if isinstance(m, Router)).top_k = 1


def other_activation(model: JambaLanguageModel) -> None:
    dense(model).activation = "gelu"


def larger_eps(model: JambaLanguageModel) -> None:
    norm = model.model.final_layernorm
    assert isinstance(norm, RMSNorm)
    norm.eps = 0.5


def own_forward(model: JambaLanguageModel) -> None:
    out = model.model.layers[0].mamba.out_proj
    plain = out.forward
    out.forward = lambda x: 2 * plain(x)


CHANGES_OF_LAYERS = [
    louder,
    hooked,
    pre_hooked,
    hooked_embedding,
    transposed,
    narrower,
    partly_int8,
    biased_head,
    fewer_experts,
    other_activation,
    larger_eps,
    own_forward,
    nn.Module.double,
    nn.Module.train,
]


@pytest.mark.parametrize("begin", [False, True])
@pytest.mark.parametrize("change", CHANGES_OF_LAYERS)
def test_what_only_the_layers_can_do_is_left_to_them(
    ran: list[bool], change: Callable[[JambaLanguageModel], Any], begin: bool
) -> None:
    model, tokens = make(), ids(2, 9)
    if begin:  # the weights have been read before
        model.step(torch.tensor([1]), model.new_cache(1))
        ran.clear()
    change(model)
    found = model.step(tokens[:, 8], begun(model, tokens))
    expected = by_layers(model, tokens[:, 8], begun(model, tokens))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert not any(ran)


OTHER_SHAPES: list[dict[str, Any]] = [
    {"mamba_d_state": 4},
    {"mamba_d_conv": 3},
    {"mamba_expand": 1},
    {"num_key_value_heads": 1},
    {"num_hidden_layers": 3},
    {"attn_layer_offset": 0},
]


@pytest.mark.parametrize("other", OTHER_SHAPES)
def test_a_cache_of_another_shape_is_no_memory_to_write_to(
    ran: list[bool], other: dict[str, Any]
) -> None:
    model = make()
    for step in (model.step, lambda tokens, cache: by_layers(model, tokens, cache)):
        cache = make(**other).new_cache(2, 4)
        with pytest.raises(DataError, match="made for a model of another shape"):
            step(torch.tensor([1, 2]), cache)
    assert not ran


def test_a_copy_reads_its_own_weights() -> None:
    model = make()
    before = model.step(torch.tensor([1]), model.new_cache(1))
    twin = copy.deepcopy(model)
    half(twin)
    assert not torch.equal(twin.step(torch.tensor([1]), twin.new_cache(1)), before)
    assert torch.equal(model.step(torch.tensor([1]), model.new_cache(1)), before)


def test_replaced_weights_are_let_go() -> None:
    model = make()
    model.step(torch.tensor([1]), model.new_cache(1))
    old = [ref(parameter) for parameter in model.parameters()]
    model.load_state_dict(make(seed=3).state_dict(), assign=True)
    gc.collect()
    assert not any(parameter() is not None for parameter in old)


def test_many_sequences_are_left_to_the_layers(ran: list[bool]) -> None:
    model = make()
    for rows in (16, 17, 64, 65):
        tokens = ids(rows, 3)
        found = model.step(tokens[:, 2], model.new_cache(rows))
        expected = by_layers(model, tokens[:, 2], model.new_cache(rows))
        assert gap(found, expected) <= ERRORS[torch.float32]
    assert ran == [True, True, True, False]


def test_other_kernels_run_when_asked_for(ran: list[bool]) -> None:
    model = JambaLanguageModel(JambaConfig(**SMALL), kernels="reference").eval()
    model.step(torch.tensor([1]), model.new_cache(1))
    assert not ran


@pytest.mark.parametrize("token", [-1, VOCABULARY])
def test_ids_outside_the_vocabulary_are_refused(token: int) -> None:
    model = make()
    with pytest.raises(DataError, match="expected 0 to 60"):
        model.step(torch.tensor([token]), model.new_cache(1))


def test_a_cache_left_halfway_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokens = make(), ids(2, 9)
    cache = begun(model, tokens)
    monkeypatch.setattr(
        "jamba_reader.model.decoding.program.attention",
        lambda *_, **__: (_ for _ in ()).throw(OSError),
    )
    with pytest.raises(OSError):
        model.step(tokens[:, 8], cache)
    with pytest.raises(DataError, match="halfway"):
        model.step(tokens[:, 8], cache)


def test_equal_experts_go_by_their_number(ran: list[bool]) -> None:
    model, tokens = make(), ids(2, 9)
    for layer in model.model.layers:
        if hasattr(layer.feed_forward, "router"):
            layer.feed_forward.router.weight.zero_()
    found = model.step(tokens[:, 8], begun(model, tokens))
    assert gap(found, by_layers(model, tokens[:, 8], begun(model, tokens))) <= 1e-5
    assert ran == [True]


def test_tokens_that_are_not_one_id_for_each_sequence_are_refused() -> None:
    model = make()
    with pytest.raises(DataError, match="2 tokens for a cache of 3 sequences"):
        model.step(torch.tensor([1, 2]), model.new_cache(3))
