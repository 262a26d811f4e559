"""Laws of truncated back-propagation: what passes between chunks, and what between steps."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from jamba_reader.config import JambaConfig
from jamba_reader.model.initialisation import initialise
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from jamba_reader.training.losses.load_balancing import load_balancing_loss
from jamba_reader.training.objective import LanguageModelObjective
from jamba_reader.training.parameter_groups import make_adamw
from jamba_reader.training.token_streams import Chunk, LanguageModelBatch, TokenStreams
from jamba_reader.training.validation import HeldoutPerplexity
from spider.errors import ConfigError
from spider.training.loop import CHECKPOINTS, train
from spider.training.metrics import METRICS
from spider.training.settings import TrainingSettings


def tiny_model(dtype: torch.dtype = torch.float32, **changes: object) -> JambaLanguageModel:
    """Two Mamba layers around one of attention, two of three with experts."""
    shape: dict[str, object] = {
        "vocab_size": 23,
        "hidden_size": 8,
        "intermediate_size": 6,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "num_experts": 3,
        "expert_layer_period": 2,
        "expert_layer_offset": 0,
        "attn_layer_period": 3,
        "attn_layer_offset": 1,
        "mamba_d_state": 4,
        "mamba_dt_rank": 2,
        "initializer_range": 0.5,
        "pad_token_id": None,
    }
    config = JambaConfig(**{**shape, **changes})  # type: ignore[arg-type]
    model = JambaLanguageModel(config, dtype=dtype)
    initialise(model, torch.Generator().manual_seed(0))
    return model


class Documents:
    begin_id = 1
    end_id = 2

    def __init__(self, lengths: list[int]):
        rng = np.random.default_rng(0)
        self.lengths = np.array(lengths, dtype=np.int64)
        self.byte_counts = 3 * self.lengths
        self._ids = [rng.integers(3, 23, length) for length in lengths]

    def document(self, number: int) -> np.ndarray:
        return self._ids[number]


def streams_of(lengths: list[int], batch_size: int, chunk_tokens: int, chunks: int) -> TokenStreams:
    return TokenStreams(
        Documents(lengths),
        np.arange(len(lengths)),
        batch_size=batch_size,
        chunk_tokens=chunk_tokens,
        chunks_per_step=chunks,
        seed=0,
    )


def gradients(
    model: JambaLanguageModel, batch: LanguageModelBatch, batch_size: int
) -> tuple[float, dict[str, Tensor]]:
    objective = LanguageModelObjective(
        model, batch_size=batch_size, attention_memory=0, balance=0.1
    )
    model.zero_grad()
    loss = objective(batch).loss
    loss.backward()
    named = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    assert len(named) == len(list(model.parameters()))
    return loss.item(), named


@pytest.mark.parametrize(("chunk_tokens", "chunks"), [(5, 2), (2, 5), (1, 10)])
def test_chunks_of_a_step_have_the_gradient_of_one_long_sequence(
    chunk_tokens: int, chunks: int
) -> None:
    model = tiny_model(torch.float64)
    lengths = [13, 3, 6, 2, 12]
    whole = streams_of(lengths, 2, 10, 1).batch(1)
    pieces = streams_of(lengths, 2, chunk_tokens, chunks).batch(1)
    expected_loss, expected = gradients(model, whole, 2)
    loss, got = gradients(model, pieces, 2)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    for name, gradient in expected.items():
        torch.testing.assert_close(got[name], gradient, rtol=1e-8, atol=1e-11, msg=name)


def test_packed_pieces_are_separate_sequences() -> None:
    model = tiny_model(torch.float64)
    batch = streams_of([4, 7, 2, 5], 1, 20, 1).batch(0)
    chunk = batch.chunks[0]
    expected_loss, expected = gradients(model, batch, 1)
    total = torch.zeros((), dtype=torch.float64)
    starts = np.cumsum([0, *chunk.lengths])
    model.zero_grad()
    routers: list[Tensor] = []
    for start, stop in pairwise(starts.tolist()):
        ids = chunk.tokens[start:stop]
        output = model(ids, Segments([len(ids)]), rows=torch.arange(len(ids)))
        routers += output.router_logits
        total = total + torch.nn.functional.cross_entropy(
            output.logits, chunk.targets[start:stop], reduction="sum"
        )
    loss = total / 20 + 0.1 * load_balancing_loss(routers, experts_per_token=2)
    loss.backward()
    assert expected_loss == pytest.approx(loss.item(), rel=1e-12)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], rtol=1e-8, atol=1e-11, msg=name)


def test_a_step_sees_what_the_steps_before_left() -> None:
    model = tiny_model(torch.float64)
    streams = streams_of([39], 1, 10, 1)
    objective = LanguageModelObjective(model, batch_size=1, attention_memory=40)
    carried = [objective(streams.batch(step)).metrics["cross_entropy"].item() for step in range(4)]
    whole = LanguageModelObjective(model, batch_size=1, attention_memory=0)
    long = whole(streams_of([39], 1, 40, 1).batch(0)).metrics["cross_entropy"].item()
    assert np.mean(carried) == pytest.approx(long, rel=1e-12)
    # the fresh document of the next epoch sees nothing of it
    again = objective(streams.batch(4)).metrics["cross_entropy"].item()
    assert again == pytest.approx(carried[0], rel=1e-12)


def test_no_gradient_crosses_a_step_and_the_memory_is_bounded() -> None:
    model = tiny_model()
    streams = streams_of([39], 1, 10, 1)
    objective = LanguageModelObjective(model, batch_size=1, attention_memory=7)
    for step in range(2):
        objective(streams.batch(step)).loss.backward()
    assert objective.carried.lengths.tolist() == [7]
    assert objective.carried.get_buffer("keys_1").shape == (1, 1, 7, 4)
    assert not any(buffer.requires_grad for buffer in objective.buffers())
    # a short memory changes what attention sees
    unbounded = LanguageModelObjective(model, batch_size=1, attention_memory=40)
    for step in range(2):
        unbounded(streams.batch(step))
    whole = unbounded.carried.get_buffer("keys_1")[:, :, 13:20]
    torch.testing.assert_close(objective.carried.get_buffer("keys_1"), whole)  # the last seven
    losses = [o(streams.batch(2)).loss.item() for o in (objective, unbounded)]
    assert losses[0] != losses[1]


def test_the_next_step_overwrites_nothing_the_backward_pass_needs() -> None:
    model = tiny_model()
    streams = streams_of([39], 1, 10, 1)
    objective = LanguageModelObjective(model, batch_size=1, attention_memory=5)
    objective(streams.batch(0))
    second = objective(streams.batch(1)).loss
    third = objective(streams.batch(2)).loss
    (second + third).backward()  # an overwritten tensor would raise here
    assert model.lm_head.weight.grad is not None


def test_gradient_checkpointing_changes_nothing() -> None:
    model = tiny_model()
    batch = streams_of([13, 3, 6, 2, 12], 2, 5, 2).batch(1)
    expected_loss, expected = gradients(model, batch, 2)
    model.gradient_checkpointing = True
    loss, got = gradients(model, batch, 2)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    for name, gradient in expected.items():
        torch.testing.assert_close(got[name], gradient, rtol=1e-5, atol=1e-7, msg=name)


def test_tied_embeddings_are_saved_once_and_loaded_whole() -> None:
    objective, other = (
        LanguageModelObjective(
            tiny_model(tie_word_embeddings=True), batch_size=1, attention_memory=2
        )
        for _ in range(2)
    )
    state = objective.state_dict()
    assert "model.model.embed_tokens.weight" in state
    assert "model.lm_head.weight" not in state
    with torch.no_grad():
        other.model.lm_head.weight.add_(1.0)
    other.load_state_dict(state)
    assert torch.equal(other.model.lm_head.weight, objective.model.lm_head.weight)
    assert other.model.lm_head.weight is other.model.model.embed_tokens.weight


class KilledError(Exception):
    pass


def run(folder: Path, *, killed_at: int | None = None) -> LanguageModelObjective:
    folder.mkdir(exist_ok=True)
    source = Documents([13, 3, 6, 2, 12, 9, 11, 30])
    streams = TokenStreams(
        source, np.arange(7), batch_size=2, chunk_tokens=4, chunks_per_step=2, seed=0
    )
    objective = LanguageModelObjective(tiny_model(), batch_size=2, attention_memory=6)

    def make_batch(step: int) -> LanguageModelBatch:
        if step == killed_at:
            raise KilledError
        return streams.batch(step)

    train(
        objective,
        make_batch=make_batch,
        make_optimizer=lambda module: make_adamw(
            module, learning_rate=0.01, weight_decay=0.1, beta2=0.95
        ),
        validate=HeldoutPerplexity(source, np.array([7]), tokens=10, seed=0, chunk_tokens=16),
        settings=TrainingSettings(
            steps=6, log_every=1, validate_every=3, save_every=2, device="cpu"
        ),
        folder=folder,
    )
    return objective


def test_a_resumed_run_equals_an_uninterrupted_one_bit_by_bit(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(KilledError):
        run(tmp_path / "killed", killed_at=5)
    saved = sorted(path.name for path in (tmp_path / "killed" / CHECKPOINTS).glob("step-*"))
    assert saved[-1] in ("step-000002", "step-000004")
    resumed = run(tmp_path / "killed")
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name
    assert (tmp_path / "killed" / METRICS).read_bytes() == (
        tmp_path / "whole" / METRICS
    ).read_bytes()
    # the states that were carried matter: forgetting them changes the next step
    assert resumed.carried.get_buffer("state_0").abs().max() > 0


def test_chunk_is_a_plain_value() -> None:
    batch = streams_of([13, 3], 1, 4, 2).batch(0)
    moved = batch.to(torch.device("cpu"))
    assert isinstance(moved.chunks[0], Chunk)
    assert moved.tokens == batch.tokens == 8


def test_an_adapter_on_the_head_is_not_ignored() -> None:
    model = tiny_model()
    objective = LanguageModelObjective(model, batch_size=2, attention_memory=0)
    batch = streams_of([13, 3, 6, 2, 12], 2, 10, 1).batch(1)
    handle = model.lm_head.register_forward_hook(lambda _, inputs, output: output)
    with pytest.raises(ConfigError, match="lm_head is a Linear or has hooks"):
        objective(batch)
    handle.remove()
    assert objective(batch).loss.isfinite()
