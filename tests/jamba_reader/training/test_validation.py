import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from jamba_reader.config import JambaConfig
from jamba_reader.model.initialisation import initialise
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from jamba_reader.training.token_streams import document_inputs
from jamba_reader.training.validation import HeldoutPerplexity


class Documents:
    begin_id = 1
    end_id = 2

    def __init__(self, lengths: list[int]):
        rng = np.random.default_rng(0)
        self.lengths = np.array(lengths, dtype=np.int64)
        self.byte_counts = 3 * self.lengths + 1
        self._ids = [rng.integers(3, 23, length) for length in lengths]

    def document(self, number: int) -> np.ndarray:
        return self._ids[number]


@pytest.fixture
def objective() -> nn.Module:
    config = JambaConfig(
        vocab_size=23,
        hidden_size=8,
        intermediate_size=6,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        num_experts=2,
        attn_layer_period=2,
        attn_layer_offset=1,
        mamba_d_state=4,
        mamba_dt_rank=2,
        initializer_range=0.5,
    )
    module = nn.Module()
    module.model = JambaLanguageModel(config)
    initialise(module.model, torch.Generator().manual_seed(0))
    return module


@torch.no_grad()
def test_chunks_and_neighbours_change_nothing(objective: nn.Module) -> None:
    source = Documents([5, 0, 17, 9, 3])
    chosen = np.array([0, 1, 2, 4])
    nats = 0.0
    for number in chosen.tolist():
        inputs, targets = map(torch.from_numpy, document_inputs(source, number))
        output = objective.model(inputs, Segments([len(inputs)]), rows=torch.arange(len(inputs)))
        nats += cross_entropy(output.logits, targets, reduction="sum").item()
    validate = HeldoutPerplexity(
        source, chosen, tokens=10**6, seed=0, documents_at_once=3, chunk_tokens=12
    )
    numbers = validate(objective)
    tokens, size = 6 + 1 + 18 + 4, 16 + 1 + 52 + 10
    assert (validate.tokens, validate.bytes) == (tokens, size)
    assert numbers["loss"] == pytest.approx(nats / tokens, rel=1e-5)
    assert numbers["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-4)
    assert numbers["bits_per_byte"] == pytest.approx(nats / math.log(2) / size, rel=1e-5)


def test_whole_documents_up_to_the_budget(objective: nn.Module) -> None:
    source = Documents([9] * 20)
    documents = np.arange(20)
    few = HeldoutPerplexity(source, documents, tokens=25, seed=0)
    assert few.tokens == 30
    same = HeldoutPerplexity(source, documents, tokens=25, seed=0)
    assert np.array_equal(few.documents, same.documents)
    assert HeldoutPerplexity(source, documents, tokens=0, seed=0).tokens == 10
    assert HeldoutPerplexity(source, np.zeros(0, np.int64), tokens=9, seed=0)(objective) == {}
