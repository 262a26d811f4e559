"""The training objective: next-token prediction with truncated back-propagation through time.

The state of each token stream passes from one step to the next without gradients: Mamba states,
convolution inputs, and the last keys and values. So a step of few tokens trains with a state that
has seen the whole document. Within a step the states pass through several chunks with gradients:
the gradient of a step is that of one long sequence, whatever the number of chunks.

Sources: Williams & Peng 1990 (truncated back-propagation through time); Transformer-XL (Dai et al.
2019, section 3.2) for the memory of attention layers, here without positions.
"""

from typing import Any

import torch
from torch import nn

from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.layers.plain import is_plain
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from jamba_reader.training.carried_state import CarriedState, restart
from jamba_reader.training.losses.chunked_cross_entropy import chunked_cross_entropy
from jamba_reader.training.losses.load_balancing import load_balancing_loss
from jamba_reader.training.token_streams import Chunk, LanguageModelBatch
from spider.errors import ConfigError
from spider.training.updates import StepOutput

TIED_HEAD = "model.lm_head.weight"


class LanguageModelObjective(nn.Module):
    """Computes the loss of a batch and carries the state of its streams to the next batch.

    Args:
        model: the model to train.
        batch_size: number of streams in every batch.
        attention_memory: number of tokens whose keys and values a stream carries into the next
            step.
        balance: factor of the load-balancing loss; None takes ``router_aux_loss_coef`` of the
            model's configuration.
    """

    def __init__(
        self,
        model: JambaLanguageModel,
        *,
        batch_size: int,
        attention_memory: int,
        balance: float | None = None,
    ):
        super().__init__()
        self.model = model
        self.balance = model.config.router_aux_loss_coef if balance is None else balance
        self.carried = CarriedState(
            model.config,
            batch_size=batch_size,
            attention_memory=attention_memory,
            dtype=model.dtype,
        )
        if model.config.tie_word_embeddings:
            # safetensors refuses two names for one tensor
            self.register_state_dict_post_hook(_without_tied_head)  # type: ignore[no-untyped-call]
            self.register_load_state_dict_pre_hook(_with_tied_head)  # type: ignore[no-untyped-call]

    def forward(self, batch: LanguageModelBatch) -> StepOutput:
        """Return the mean cross-entropy per token, plus the balancing loss if there are experts.

        The carried state advances, so the next batch has to be the one that follows.
        """
        check_head(self.model)
        cache = self.carried.cache()
        total = torch.zeros((), dtype=torch.float32, device=self.model.device)
        routers: list[torch.Tensor] = []
        for chunk in batch.chunks:
            cache.select(chunk.streams)
            restart(cache, _beginning(chunk))
            hidden, router_logits = self.model.hidden_states(
                chunk.tokens, Segments(chunk.lengths), cache
            )
            total = total + chunked_cross_entropy(hidden, self.model.lm_head.weight, chunk.targets)
            routers += router_logits
            cache.select(chunk.last_pieces)
        self.carried.keep(cache)
        cross_entropy = total / batch.tokens
        if not routers:
            return StepOutput(cross_entropy, {"cross_entropy": cross_entropy})
        balance = load_balancing_loss(
            routers, experts_per_token=self.model.config.num_experts_per_tok
        )
        return StepOutput(
            cross_entropy + self.balance * balance,
            {"cross_entropy": cross_entropy, "balance": balance},
        )


def check_head(model: JambaLanguageModel) -> None:
    """Check that the weight of the head is all that it computes: the loss takes only that.

    Raises:
        ConfigError: the head is wrapped, as by an adapter, or has hooks.
    """
    if not is_plain(model.lm_head, Linear):
        raise ConfigError(
            f"lm_head is a {type(model.lm_head).__name__} or has hooks, which the loss would "
            "ignore: merge the adapter into lm_head.weight, or adapt other modules"
        )


def _beginning(chunk: Chunk) -> list[int]:
    return [piece for piece, continued in enumerate(chunk.continued) if not continued]


def _without_tied_head(
    module: nn.Module, state: dict[str, Any], prefix: str, metadata: dict[str, Any]
) -> None:
    state.pop(f"{prefix}{TIED_HEAD}", None)


def _with_tied_head(module: nn.Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
    embedding = state.get(f"{prefix}model.model.embed_tokens.weight")
    if embedding is not None:
        state.setdefault(f"{prefix}{TIED_HEAD}", embedding)
