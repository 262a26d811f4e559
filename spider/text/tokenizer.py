"""Tokenizers, always without truncation and padding.

:class:`Tokenizer` gives the ids and offsets of the tokenizers library, many times faster where a
text's tokens are those of its chunks (:mod:`spider.text.wordpiece`); tests compare the two on every
character. Other kinds are tokenised whole: :mod:`spider.text.whole_texts`.
"""

import json
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tokenizers
from jaxtyping import Int32, Int64
from tokenizers import models, normalizers, pre_tokenizers, processors

from spider.artifacts.atomic_files import write_text
from spider.errors import DataError
from spider.reading import parse_json, read_text, reading
from spider.text.special_tokens import CLS, SEP, SPECIAL_TOKENS, UNKNOWN, find_special_tokens
from spider.text.whole_texts import encode_whole, joins_spaces
from spider.text.wordpiece.chunks import ChunkCache, TokenSpans

if TYPE_CHECKING:
    from spider.text.wordpiece.encoder import WordPieceEncoder

TOKENIZER_FILE = "tokenizer.json"
#: the parts of a ``tokenizer.json`` that are objects
PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder", "model")
#: a text with words, numbers, punctuation and several scripts
PROBE = "A text, of 12 words: naïve 東京 \U0001f389 zq\n"
LONGEST_WORD = 100
"""Code points of a word that BERT's WordPiece cuts into pieces."""
LONGEST_TEXT = 1 << 29
"""Characters of a text: places in its at most 4 times as many bytes are numbers of 32 bits."""
FEW_TEXTS = 8
"""The library tokenises up to this number: the compiled scanner takes 0.1 s to start."""


class Tokens(NamedTuple):
    """Token ids of several texts, end to end: text ``i`` is ``ids[offsets[i]:offsets[i + 1]]``.

    Attributes:
        ids: without special tokens.
        offsets: where each text begins, and after the last one the total.
    """

    ids: Int32[np.ndarray, " tokens"]
    offsets: Int64[np.ndarray, " texts_plus_one"]

    def of(self, text: int) -> Int32[np.ndarray, " _"]:
        """Return the ids of one text."""
        return self.ids[self.offsets[text] : self.offsets[text + 1]]


class Tokenizer:
    """A vocabulary, with the rules by which a text is cut into its pieces.

    Args:
        inner: an object of the tokenizers library; its truncation and padding are reset, because
            many files set both, BERT's among them.

    Attributes:
        chunked: whether a text's tokens are those of its chunks, as in BERT and MPNet.
        spaced: whether the tokens of a word differ after a space. The texts of ``encode`` are then
            taken as they are after a space, like the parts of a longer text.
        special: the special tokens.

    Raises:
        DataError: a special token is not in the vocabulary.
    """

    def __init__(self, inner: tokenizers.Tokenizer):
        inner.no_truncation()
        inner.no_padding()
        self.inner = inner
        self.chunked = _is_chunked(inner)
        self.special = find_special_tokens(inner, every=self.chunked)
        self.pad_id, self.unknown_id, self.cls_id, self.sep_id, self.mask_id = self.special[:5]
        self.spaced = not self.chunked and joins_spaces(inner)
        self._lock = threading.Lock()
        self._cache = ChunkCache(inner)

    @property
    def vocabulary_size(self) -> int:
        """Number of rows that a table indexed by token id needs."""
        return 1 + max(self.inner.get_vocab(with_added_tokens=True).values())

    @property
    def lower_case(self) -> bool:
        """Whether texts are lower-cased."""
        normalizer = json.loads(self.inner.to_str())["normalizer"] or {}
        steps = normalizer.get("normalizers", [normalizer])
        return any(step.get("lowercase") or step.get("type") == "Lowercase" for step in steps)

    def encode(self, texts: Sequence[str]) -> Tokens:
        """Turn texts into ids without special tokens, except a ``[SEP]`` in the text."""
        found = self._encode(texts, spans=False)
        return Tokens(found.ids, found.offsets)

    def encode_with_spans(self, texts: Sequence[str]) -> TokenSpans:
        """Turn texts into ids and the code points that each token covers."""
        return self._encode(texts, spans=True)

    def _encode(self, texts: Sequence[str], *, spans: bool) -> TokenSpans:
        longest = max(map(len, texts), default=0)
        if longest > LONGEST_TEXT:
            raise DataError(
                f"a text of {longest:,} characters, expected at most {LONGEST_TEXT:,}; cut it into "
                "passages"
            )
        if not self.chunked:
            return TokenSpans(*encode_whole(self.inner, texts, continued=self.spaced))
        compiled = self._compiled if len(texts) > FEW_TEXTS else None
        if compiled is not None:
            return compiled.encode(texts, spans=spans)
        with self._lock:
            return self._cache.encode(texts)

    @cached_property
    def _compiled(self) -> "WordPieceEncoder | None":
        # numba is imported, and the trie is built, where many texts pay for it
        from spider.text.wordpiece.encoder import WordPieceEncoder, is_representable

        if not is_representable(self.inner):
            return None
        return WordPieceEncoder(self.inner, self._cache, self._lock)

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.json``."""
        write_text(folder / TOKENIZER_FILE, self.inner.to_str(pretty=True))


def _is_chunked(inner: tokenizers.Tokenizer) -> bool:
    if not isinstance(inner.pre_tokenizer, pre_tokenizers.BertPreTokenizer):
        return False
    added = inner.get_added_tokens_decoder().values()
    return isinstance(inner.normalizer, normalizers.BertNormalizer | None) and not any(
        character.isspace() for token in added for character in token.content
    )


def wordpiece(
    vocabulary: dict[str, int], *, lower_case: bool, longest_word: int = LONGEST_WORD
) -> tokenizers.Tokenizer:
    """Make BERT's tokenizer (its normaliser, pre-tokenizer and template) from a vocabulary.

    Args:
        vocabulary: the number of each piece.
        lower_case: lower the case and strip accents.
        longest_word: code points of a word; a longer one is unknown as a whole.
    """
    inner = tokenizers.Tokenizer(
        models.WordPiece(vocab=vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=longest_word)
    )
    inner.normalizer = normalizers.BertNormalizer(lowercase=lower_case)
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.add_special_tokens([token for token in SPECIAL_TOKENS if token in vocabulary])
    if CLS in vocabulary and SEP in vocabulary:
        inner.post_processor = processors.BertProcessing(
            (SEP, vocabulary[SEP]), (CLS, vocabulary[CLS])
        )
    return inner


def load_tokenizer(
    source: str | Path, *, lower_case: bool = True, any_kind: bool = False
) -> Tokenizer:
    """Load a tokenizer from a folder, a ``tokenizer.json``, a ``vocab.txt``, or the hub.

    Args:
        source: a path, else a name on the hub.
        lower_case: used only with a ``vocab.txt``, which does not state it.
        any_kind: whether other pre-tokenizers than BERT's are fine.

    Raises:
        DataError: there is no tokenizer, or its pre-tokenizer is not BERT's.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        path = next(
            (path / name for name in (TOKENIZER_FILE, "vocab.txt") if (path / name).is_file()),
            path / TOKENIZER_FILE,
        )
    if path.suffix == ".txt" and path.is_file():
        return Tokenizer(wordpiece(_vocabulary(path), lower_case=lower_case))
    with reading(path, foreign=True):
        inner = parse_tokenizer(path) if path.is_file() else _from_hub(source, path)
    if not (any_kind or isinstance(inner.pre_tokenizer, pre_tokenizers.BertPreTokenizer)):
        raise DataError(f"expected BERT's pre-tokenizer, got {inner.pre_tokenizer}", path=path)
    return Tokenizer(inner)


def parse_tokenizer(path: Path) -> tokenizers.Tokenizer:
    """Read a ``tokenizer.json`` and use it once, since the library refuses some only then.

    Raises:
        DataError: it cannot be read, or is no tokenizer.
    """
    text = read_text(path)
    parts = parse_json(text, path)
    for name in PARTS:
        # the library takes a list for a part, and ends with a panic on some texts
        if isinstance(parts, dict) and not isinstance(parts.get(name), dict | None):
            raise DataError(f"{name}: got {str(parts[name])[:80]}, expected an object", path=path)
    with reading(path, foreign=True):
        inner = tokenizers.Tokenizer.from_str(text)
        inner.encode(PROBE)
    return inner


def _vocabulary(path: Path) -> dict[str, int]:
    # a word piece may be a character at which splitlines() splits
    lines = read_text(path).removesuffix("\n").split("\n")
    vocabulary = {token.removesuffix("\r"): number for number, token in enumerate(lines)}
    if len(vocabulary) < len(lines):
        raise DataError(
            f"{len(lines) - len(vocabulary)} lines repeat another; expected one word piece on each",
            path=path,
        )
    return vocabulary


def _from_hub(source: str | Path, path: Path) -> tokenizers.Tokenizer:
    if path.suffix == ".json" or path.is_absolute() or str(source).startswith("."):
        raise DataError("no usable tokenizer (no such file)", path=path)
    try:
        return tokenizers.Tokenizer.from_pretrained(str(source))
    except Exception as error:  # the library raises plain Exception
        raise DataError(f"no usable tokenizer ({error})", path=path) from error
