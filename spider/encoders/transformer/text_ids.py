"""TextIds: the complete token ids of questions and passages, by a recipe.

Ids are made of texts (inference) or of ids that were stored before (training). Both are the same
where a tokenizer treats every chunk of a text separately. Where words differ after a space, stored
ids are those after a space; a text without prompt or title then differs in its first token.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64, Integer

from spider.encoders.transformer.recipe import VectorRecipe
from spider.text.tokenizer import Tokenizer
from spider.text.whole_texts import encodable, encode_whole

TITLE_SHARE = 4
Ids = Integer[np.ndarray, " _"]
Complete = Int64[np.ndarray, " _"]


class TextIds:
    """Completes ids with prompts and special tokens, and cuts them to the maximum length.

    Args:
        tokenizer: gives the special tokens.
        recipe: gives prompts, lengths, and what is between title and text.
    """

    def __init__(self, tokenizer: Tokenizer, recipe: VectorRecipe):
        self.tokenizer = tokenizer
        self.recipe = recipe
        special = tokenizer.special
        self._prefix = np.array(special.prefix, dtype=np.int64)
        self._suffix = np.array(special.suffix, dtype=np.int64)
        by_token = recipe.title_separator == "token"
        self._between = np.array([special.sep] if by_token else [], dtype=np.int64)
        self._prompts = {
            prompt: self._prompt_ids(prompt)
            for prompt in (recipe.question_prompt, recipe.passage_prompt)
        }

    def query_ids(self, ids: Ids) -> Complete:
        """Return a query's ids with prompt and special tokens."""
        prompt = self._prompts[self.recipe.question_prompt]
        return self._enclose([prompt, ids], self.recipe.max_question_length)

    def passage_ids(self, title_ids: Ids, text_ids: Ids) -> Complete:
        """Return a passage's ids: prompt, title, separator, text.

        Where both do not fit, the title keeps a quarter of the tokens, or what the text leaves.
        Otherwise a title of 300 words would fill the window, and all passages of its document
        would have one vector.
        """
        prompt = self._prompts[self.recipe.passage_prompt]
        limit = self.recipe.max_passage_length
        fixed = len(prompt) + len(self._prefix) + len(self._suffix) + len(self._between)
        available = limit - fixed
        title_ids = title_ids[: max(available // TITLE_SHARE, available - len(text_ids), 0)]
        between = self._between if len(title_ids) else self._between[:0]
        return self._enclose([prompt, title_ids, between, text_ids], limit)

    def questions(self, texts: Sequence[str]) -> list[Complete]:
        """Return the ids of questions, as sentence-transformers makes them."""
        prompt = self.recipe.question_prompt
        if self._separable(prompt):
            tokens = self.tokenizer.encode(texts)
            return [self.query_ids(tokens.of(text)) for text in range(len(texts))]
        limit = self.recipe.max_question_length
        return [self._enclose([ids], limit) for ids in self._whole([prompt + t for t in texts])]

    def passages(self, titles: Sequence[str], texts: Sequence[str]) -> list[Complete]:
        """Return the ids of passages, as sentence-transformers makes them of the joined text."""
        prompt = self.recipe.passage_prompt
        if self._separable(prompt) or self.recipe.title_separator == "token":
            heads, bodies = self.tokenizer.encode(titles), self.tokenizer.encode(texts)
            return [self.passage_ids(heads.of(text), bodies.of(text)) for text in range(len(texts))]
        return self._joined(prompt, titles, texts)

    def truncated(self, titles: Sequence[str], texts: Sequence[str]) -> int:
        """Count the passages of which some token is beyond the maximum length."""
        heads = np.diff(self.tokenizer.encode(titles).offsets)
        bodies = np.diff(self.tokenizer.encode(texts).offsets)
        fixed = len(self._prefix) + len(self._suffix)
        fixed += len(self._prompts[self.recipe.passage_prompt])
        lengths = heads + bodies + fixed + np.where(heads > 0, len(self._between), 0)
        return int((lengths > self.recipe.max_passage_length).sum())

    def prompt_tokens(self, *, passages: bool) -> int:
        """Return the tokens of a text that are its prompt's, the first special ones included.

        sentence-transformers counts them as the prompt's tokens alone, without a last special one.
        """
        recipe = self.recipe
        prompt = recipe.passage_prompt if passages else recipe.question_prompt
        if not prompt or recipe.pools_prompt:
            return 0
        alone = self.tokenizer.inner.encode(encodable(prompt)).ids
        return len(alone) - (alone[-1] in self._suffix)

    def _joined(self, prompt: str, titles: Sequence[str], texts: Sequence[str]) -> list[Complete]:
        starts = [prompt + title for title in titles]
        joined = [
            f"{start} {text}" if title else prompt + text
            for start, title, text in zip(starts, titles, texts, strict=True)
        ]
        limit = self.recipe.max_passage_length
        available = limit - len(self._prefix) - len(self._suffix)
        whole = encode_whole(self.tokenizer.inner, joined)
        found = []
        for number, start in enumerate(starts):
            part = slice(whole.offsets[number], whole.offsets[number + 1])
            ids, places = whole.ids[part], whole.starts[part]
            if len(ids) > available:
                first = int(np.searchsorted(places, len(prompt)))
                title = int(np.searchsorted(places, len(start))) if titles[number] else first
                allowed = available - first
                kept = max(allowed // TITLE_SHARE, allowed - (len(ids) - title), 0)
                ids = np.concatenate([ids[: min(title, first + kept)], ids[title:]])
            found.append(self._enclose([ids], limit))
        return found

    def _whole(self, texts: Sequence[str]) -> list[Ids]:
        whole = encode_whole(self.tokenizer.inner, texts)
        bounds = zip(whole.offsets[:-1], whole.offsets[1:], strict=True)
        return [whole.ids[start:end] for start, end in bounds]

    def _separable(self, prompt: str) -> bool:
        """Return whether a prompt's tokens do not depend on the text after it."""
        ends = not prompt or prompt[-1].isspace()
        return self.tokenizer.chunked and ends

    def _prompt_ids(self, prompt: str) -> Ids:
        # the space at its end belongs to the tokens of the text after it
        return self._whole([prompt if self.tokenizer.chunked else prompt.rstrip(" ")])[0]

    def _enclose(self, parts: Sequence[Ids], limit: int) -> Complete:
        ids = np.concatenate([part.astype(np.int64, copy=False) for part in parts])
        allowed = limit - len(self._prefix) - len(self._suffix)
        return np.concatenate([self._prefix, ids[:allowed], self._suffix])
