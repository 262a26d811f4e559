"""Small random models of each architecture."""

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    MPNetConfig,
    MPNetModel,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

WORDS = 100
LONGEST = 512
# 48 columns fill one and a half tiles, a head 24 columns of 32
SIZES = {
    "vocab_size": WORDS,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 80,
}


def _distilbert():
    return DistilBertModel(
        DistilBertConfig(
            vocab_size=WORDS, dim=48, n_layers=2, n_heads=2, hidden_dim=80,
            max_position_embeddings=LONGEST,
        )
    )  # fmt: skip


MODELS = {
    "bert": lambda: BertModel(BertConfig(**SIZES, max_position_embeddings=LONGEST)),
    "roberta": lambda: RobertaModel(RobertaConfig(**SIZES, max_position_embeddings=LONGEST + 2)),
    "xlm-roberta": lambda: XLMRobertaModel(
        XLMRobertaConfig(**SIZES, max_position_embeddings=LONGEST + 2)
    ),
    "distilbert": _distilbert,
    "mpnet": lambda: MPNetModel(MPNetConfig(**SIZES, max_position_embeddings=LONGEST + 2)),
}


@pytest.fixture(scope="session")
def models():
    """Models with weights far from their small first values."""
    made = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for name, make in MODELS.items():
            made[name] = make().eval()
            for parameter in made[name].parameters():
                parameter.data.add_(0.1 * torch.randn_like(parameter))
    return made
