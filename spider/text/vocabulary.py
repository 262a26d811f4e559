"""Trains a WordPiece vocabulary on a corpus, with the same bytes every time."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, trainers

from spider.errors import SettingError
from spider.text.passage_words import count_words, has_unspaced
from spider.text.special_tokens import SPECIAL_TOKENS, UNKNOWN
from spider.text.tokenizer import (
    LONGEST_WORD,
    TOKENIZER_FILE,
    Tokenizer,
    load_tokenizer,
    wordpiece,
)

LARGEST_ALPHABET = 1000
WORDS_PER_PIECE = 25
SMALLEST_VOCABULARY = 1000
LONGEST_UNSPACED = 300
"""Code points of a word that has pieces, where a script has no spaces: a Thai clause is often
longer than BERT's 100. Finding the pieces takes time that is cubic in it: 5 ms for 300."""


def settle_tokenizer(
    texts: Iterable[str],
    folder: Path,
    *,
    start: str | Tokenizer,
    vocabulary_size: int,
    lower_case: bool,
    any_kind: bool = False,
) -> Tokenizer:
    """Return an encoder's tokenizer, saved in ``folder``; an existing one there is kept.

    Args:
        texts: a vocabulary is trained on these if there is no start.
        folder: the folder of the tokenizer.
        start: a tokenizer, a folder, a file or a name on the hub; empty trains a vocabulary.
        vocabulary_size: the largest number of pieces where one is trained.
        lower_case: lower the case and strip accents.
        any_kind: whether other pre-tokenizers than BERT's are fine.
    """
    if (folder / TOKENIZER_FILE).is_file():
        return load_tokenizer(folder, any_kind=any_kind)
    if isinstance(start, Tokenizer):
        tokenizer = start
    elif start:
        tokenizer = load_tokenizer(start, lower_case=lower_case, any_kind=any_kind)
    else:
        tokenizer = train_tokenizer(texts, vocabulary_size=vocabulary_size, lower_case=lower_case)
    tokenizer.save(folder)
    return tokenizer


def train_tokenizer(
    texts: Iterable[str],
    *,
    vocabulary_size: int = 30_000,
    lower_case: bool = True,
    min_frequency: int = 2,
) -> Tokenizer:
    """Train a WordPiece vocabulary; the same texts give the same file.

    A small corpus gets a smaller vocabulary: one piece for every 25 words, at least 1,000.

    The tokenizers library numbers the characters within words in the order of a hash map. This
    order differs from run to run and decides ties between merges, so they are numbered here first.

    Args:
        texts: read twice, so a generator is copied into a list first.
        vocabulary_size: the largest number of pieces, special tokens included.
        lower_case: lower the case and strip accents, as ``bert-base-uncased`` does.
        min_frequency: a pair of pieces is merged when it occurs this often.

    Raises:
        ConfigError: the vocabulary cannot hold the special tokens and the alphabet.
    """
    texts = texts if isinstance(texts, Sequence) else list(texts)
    normalizer = normalizers.BertNormalizer(lowercase=lower_case)
    alphabet, words = _alphabet(texts, normalizer)
    forced = [*SPECIAL_TOKENS, *(f"##{character}" for character in alphabet)]
    fewest = len(forced) + len(alphabet)
    # Chinese has thousands of characters, also where there are few words
    wanted = max(SMALLEST_VOCABULARY, words // WORDS_PER_PIECE, fewest)
    size = min(vocabulary_size, wanted)
    if size < fewest:
        raise SettingError(
            "vocabulary_size",
            vocabulary_size,
            f"at least {fewest}, to hold the special tokens and {len(alphabet)} characters",
        )
    inner = tokenizers.Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    inner.normalizer = normalizer
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        special_tokens=forced,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    vocabulary = inner.get_vocab(with_added_tokens=True)
    longest = LONGEST_UNSPACED if has_unspaced("".join(alphabet)) else LONGEST_WORD
    return Tokenizer(wordpiece(vocabulary, lower_case=lower_case, longest_word=longest))


def _alphabet(texts: Iterable[str], normalizer: normalizers.Normalizer) -> tuple[list[str], int]:
    """Return the most frequent characters (ties by code point), sorted, and the number of words."""
    raw: Counter[str] = Counter()
    words = 0
    for text in texts:
        raw.update(text)
        words += count_words(text)
    counts: Counter[str] = Counter()
    for character, count in raw.items():
        for normalized in normalizer.normalize_str(character):
            if not normalized.isspace():
                counts[normalized] += count
    kept = sorted(counts, key=lambda character: (-counts[character], character))
    return sorted(kept[:LARGEST_ALPHABET]), words
