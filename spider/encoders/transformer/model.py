"""The module that ``bert`` trains: one or two transformers, and how their states become vectors."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64, Integer
from torch import Tensor, nn
from transformers import PreTrainedModel

from spider.artifacts.records.encoder import EncoderPrompts, EncoderRecord, MaximumLength
from spider.encoders.layers.padding import pad, padded_batches
from spider.encoders.transformer.checkpoint import longest_text
from spider.encoders.transformer.head import VectorHead
from spider.encoders.transformer.recipe import TEMPLATES
from spider.encoders.transformer.saving import save_encoder
from spider.encoders.transformer.text_ids import TextIds
from spider.encoders.transformer.towers import QUESTION
from spider.text.token_batch import TokenBatch
from spider.text.tokenizer import Tokenizer


class Tower(nn.Module):
    """A transformer and its head.

    Args:
        model: a transformers ``AutoModel``.
        head: pooling and the steps after it.
    """

    def __init__(self, model: PreTrainedModel, head: VectorHead):
        super().__init__()
        self.model = model
        self.head = head
        pooler = getattr(model, "pooler", None)
        if isinstance(pooler, nn.Module):
            # kept, so that the checkpoint loads without a warning, but the loss does not depend on
            # it
            pooler.requires_grad_(False)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.head.recipe.dimension(int(self.model.config.hidden_size))

    def forward(
        self,
        ids: Int64[Tensor, "texts length"],
        mask: Int64[Tensor, "texts length"],
        *,
        skipped: int = 0,
    ) -> Float32[Tensor, "texts dimension"]:
        """Encode one padded batch; token types are the model's default, all zero."""
        states: Tensor = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        vectors: Tensor = self.head(states, mask, skipped=skipped)
        return vectors


class TrainableBert(nn.Module):
    """Encodes questions and passages with one transformer, or with one each.

    Args:
        passages: the tower of passages.
        questions: the tower of questions; None where it is the same.
        tokenizer: saved with the checkpoint.
        weight_decay: the weight decay of matrices; never of biases and layer norms.
        padded_tokens: a training sub-batch holds at most this many tokens, padding included.
        score_multiplier: the training logits are this times the inner product.
    """

    def __init__(
        self,
        passages: Tower,
        tokenizer: Tokenizer,
        *,
        questions: Tower | None = None,
        weight_decay: float,
        padded_tokens: int,
        score_multiplier: float,
    ):
        super().__init__()
        self.passages = passages
        self.questions = questions
        self.tokenizer = tokenizer
        self.weight_decay = weight_decay
        self.padded_tokens = padded_tokens
        self.dimension = passages.dimension
        self.score_multiplier = score_multiplier
        self.recipe = passages.head.recipe
        self.passage_texts = TextIds(tokenizer, self.recipe)
        self.question_texts = TextIds(tokenizer, self.tower(passages=False).head.recipe)

    @property
    def model(self) -> PreTrainedModel:
        """The transformer of passages."""
        return self.passages.model

    @property
    def longest_text(self) -> int | None:
        """The largest number of tokens that the transformers read; None where any number works."""
        towers = [self.passages] if self.questions is None else [self.passages, self.questions]
        limits = [longest_text(tower.model) for tower in towers]
        return min((limit for limit in limits if limit is not None), default=None)

    def tower(self, *, passages: bool) -> Tower:
        """Return the tower of passages or of questions."""
        return self.passages if passages or self.questions is None else self.questions

    def query_ids(self, ids: Integer[np.ndarray, " _"]) -> Int64[np.ndarray, " _"]:
        """Return a query's ids with prompt and special tokens, cut to the maximum length."""
        return self.question_texts.query_ids(ids)

    def passage_ids(
        self, title_ids: Integer[np.ndarray, " _"], text_ids: Integer[np.ndarray, " _"]
    ) -> Int64[np.ndarray, " _"]:
        """Return a passage's ids: prompt, title and text, cut to the maximum length."""
        return self.passage_texts.passage_ids(title_ids, text_ids)

    def encode_tokens(
        self, batch: TokenBatch, *, passages: bool
    ) -> Float32[Tensor, "texts dimension"]:
        """Encode texts in sub-batches of similar length, so that little of them is padding."""
        lengths = batch.lengths.cpu().numpy()
        groups = padded_batches(lengths, self.padded_tokens)
        device = next(self.parameters()).device
        vectors = [
            self.encode_padded(*pad(batch, group, self.tokenizer.pad_id, device), passages=passages)
            for group in groups
        ]
        order = np.concatenate(groups) if groups else np.zeros(0, np.int64)
        back = torch.from_numpy(np.argsort(order)).to(device)
        stacked = torch.cat(vectors) if vectors else torch.zeros(0, self.dimension, device=device)
        return stacked[back]

    def encode_padded(
        self,
        ids: Int64[Tensor, "texts length"],
        mask: Int64[Tensor, "texts length"],
        *,
        passages: bool,
    ) -> Float32[Tensor, "texts dimension"]:
        """Run a tower on one padded batch.

        The caller decides the precision: Accelerate's autocast in training, that of
        ``BertEncoder`` in inference. An autocast here, even a disabled one, would replace it.
        """
        texts = self.passage_texts if passages else self.question_texts
        skipped = texts.prompt_tokens(passages=passages)
        vectors: Tensor = self.tower(passages=passages)(ids, mask, skipped=skipped)
        return vectors

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return two groups: matrices with weight decay; biases and layer norms without it."""
        trained = [p for p in self.parameters() if p.requires_grad]
        return [
            {
                "params": [p for p in trained if (p.ndim >= 2) == matrices],
                "lr": learning_rate,
                "weight_decay": self.weight_decay if matrices else 0.0,
            }
            for matrices in (True, False)
        ]

    def export(self, folder: Path) -> EncoderRecord:
        """Write a checkpoint for transformers and sentence-transformers.

        A question tower of its own is a second such checkpoint, in a sub-folder.
        """
        save_encoder(self.passages.model, self.passages.head, self.tokenizer, folder)
        if self.questions is not None:
            (folder / QUESTION).mkdir(exist_ok=True)
            save_encoder(
                self.questions.model, self.questions.head, self.tokenizer, folder / QUESTION
            )
        questions = self.question_texts.recipe
        prompts = EncoderPrompts(
            question=questions.question_prompt, passage=self.recipe.passage_prompt
        )
        return EncoderRecord(
            dimension=self.dimension,
            similarity="dot",
            score_scale="unit" if self.recipe.unit and questions.unit else "raw",
            score_multiplier=self.score_multiplier,
            pooling=self.recipe.description,
            max_length=MaximumLength(
                question=questions.max_question_length, passage=self.recipe.max_passage_length
            ),
            casing="lower" if self.tokenizer.lower_case else "kept",
            passage_template=TEMPLATES[self.recipe.title_separator],
            prompts=prompts if prompts.question or prompts.passage else None,
            towers="two" if self.questions is not None else None,
        )
