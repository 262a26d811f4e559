"""Byte-level BPE vocabularies: trained on a corpus or loaded from a model; they lose no text.

The special tokens and their ids are Jamba's. Text that only looks like a special token is read as
text: a document cannot end a prompt by quoting ``<|endoftext|>``.
"""

from collections.abc import Iterable
from pathlib import Path

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, processors, trainers

from spider.artifacts.atomic_files import write_json, write_text
from spider.errors import DataError, SettingError
from spider.text.tokenizer import TOKENIZER_FILE, parse_tokenizer

PAD, BEGIN, END, UNKNOWN = "<|pad|>", "<|startoftext|>", "<|endoftext|>", "<|unk|>"
SPECIAL_TOKENS = (PAD, BEGIN, END, UNKNOWN)
"""Ids 0 to 3, as in Jamba's own vocabulary."""
SMALLEST_VOCABULARY = 256 + len(SPECIAL_TOKENS)
LARGEST_VOCABULARY = 1 << 24
"""The tokenizers library allocates memory for all of it first, and aborts if it gets none."""
TOKENIZER_CONFIG = "tokenizer_config.json"


def settle_vocabulary(
    texts: Iterable[str], folder: Path, *, source: str, vocabulary_size: int
) -> tokenizers.Tokenizer:
    """Return a language model's tokenizer, saved in ``folder``; an existing one there is kept.

    Args:
        texts: texts to train a vocabulary on if there is no source.
        folder: folder of the tokenizer.
        source: a folder with ``tokenizer.json``, or that file; empty trains a vocabulary.
        vocabulary_size: largest number of tokens of a trained vocabulary.

    Raises:
        DataError: there is no usable tokenizer at the source.
        ConfigError: the vocabulary is too small for the 256 bytes, or too large.
    """
    if (folder / TOKENIZER_FILE).is_file():
        return load_vocabulary(folder)
    if source:
        inner = load_vocabulary(Path(source).expanduser())
    else:
        inner = train_vocabulary(texts, vocabulary_size=vocabulary_size)
    save_vocabulary(inner, folder)
    return inner


def train_vocabulary(texts: Iterable[str], *, vocabulary_size: int) -> tokenizers.Tokenizer:
    """Train byte-level BPE; the same texts give the same file.

    Each digit is a separate token, as in Jamba, so the tokens of a number do not depend on the
    numbers in the corpus.

    Args:
        texts: the texts; read once.
        vocabulary_size: largest number of tokens, with special tokens; a small corpus gives fewer.

    Raises:
        ConfigError: the size is out of range.
    """
    check_vocabulary_size(vocabulary_size)
    inner = tokenizers.Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        min_frequency=2,
        special_tokens=list(SPECIAL_TOKENS),
        # the library returns a set; sorting makes the order the same in every run
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    inner.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A",
        pair=f"{BEGIN} $A $B",
        special_tokens=[(BEGIN, token_number(inner, BEGIN))],
    )
    return _plain(inner)


def check_vocabulary_size(size: int) -> None:
    """Check the size of a vocabulary before it is trained.

    Raises:
        ConfigError: it is too small for the 256 bytes, or too large for the library.
    """
    if size < SMALLEST_VOCABULARY:
        raise SettingError(
            "vocabulary_size",
            size,
            f"at least {SMALLEST_VOCABULARY}, the bytes and {len(SPECIAL_TOKENS)} special tokens",
        )
    if size > LARGEST_VOCABULARY:
        raise SettingError("vocabulary_size", size, f"at most {LARGEST_VOCABULARY:,}")


def load_vocabulary(path: Path) -> tokenizers.Tokenizer:
    """Load a language model's ``tokenizer.json``, without truncation and padding.

    Args:
        path: the file, or its folder.

    Raises:
        DataError: there is none, or it has no tokens that begin and end a text.
    """
    file = path / TOKENIZER_FILE if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"no tokenizer here; put the model's {TOKENIZER_FILE} there", path=path)
    inner = parse_tokenizer(file)
    for token in (BEGIN, END):
        token_number(inner, token, path=file)
    return _plain(inner)


def token_number(inner: tokenizers.Tokenizer, token: str, *, path: Path | None = None) -> int:
    """Return the id of a special token.

    Raises:
        DataError: the vocabulary does not have it.
    """
    number = inner.token_to_id(token)
    if number is None:
        raise DataError(f"the vocabulary has no {token}; expected Jamba's tokens", path=path)
    return number


def save_vocabulary(inner: tokenizers.Tokenizer, folder: Path) -> None:
    """Write ``tokenizer.json`` and the file that transformers' ``AutoTokenizer`` needs with it."""
    write_text(folder / TOKENIZER_FILE, inner.to_str(pretty=True))
    names = {"pad_token": PAD, "bos_token": BEGIN, "eos_token": END, "unk_token": UNKNOWN}
    known = {name: token for name, token in names.items() if inner.token_to_id(token) is not None}
    write_json(
        folder / TOKENIZER_CONFIG,
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": False,
            **known,
        },
    )


def _plain(inner: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    inner.no_truncation()
    inner.no_padding()
    # text that only looks like a special token is read as text
    inner.encode_special_tokens = True
    return inner
