"""The shapes of the released models, for tests and benchmarks; the weights are on the hub.

Sources: the ``config.json`` files of ai21labs/Jamba-v0.1 and AI21-Jamba-Mini-1.6, the Jamba-1.5
paper (arXiv:2408.12570, section 2) for the large model, and the files of AI21-Jamba-Reasoning-3B.
"""

from typing import Any

from jamba_reader.config import JambaConfig


def jamba_mini(**changes: Any) -> JambaConfig:
    """Return Jamba-1.5-Mini, Mini-1.6 and Mini-1.7: 52 billion parameters, 12 of them active.

    Jamba-v0.1 differs only in ``eos_token_ids=(2,)``.
    """
    return JambaConfig(**{"eos_token_ids": (2, 518), **changes})


def jamba_large(**changes: Any) -> JambaConfig:
    """Return Jamba-1.5-Large, Large-1.6 and Large-1.7: 399 billion parameters, 94 active."""
    shape = {
        "hidden_size": 8192,
        "intermediate_size": 24576,
        "num_hidden_layers": 72,
        "num_attention_heads": 64,
        "eos_token_ids": (2, 518),
    }
    return JambaConfig(**{**shape, **changes})


def jamba_3b(**changes: Any) -> JambaConfig:
    """Return Jamba-Reasoning-3B: 3 billion parameters, no experts, tied embeddings."""
    shape = {
        "hidden_size": 2560,
        "intermediate_size": 8192,
        "num_hidden_layers": 28,
        "num_attention_heads": 20,
        "num_key_value_heads": 1,
        "num_experts": 1,
        "num_experts_per_tok": 1,
        "attn_layer_period": 14,
        "attn_layer_offset": 7,
        "tie_word_embeddings": True,
        "eos_token_ids": (2, 519),
    }
    return JambaConfig(**{**shape, **changes})
