"""A byte-level BPE vocabulary: trained on a corpus, or another model's; any text comes back whole.

The special tokens and their numbers are Jamba's. Text that merely looks like one of them is read as
text: a document cannot end a prompt by quoting ``<|endoftext|>``.
"""

from collections.abc import Iterable
from pathlib import Path

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, processors, trainers

from spider.artifacts.atomic_files import write_json, write_text
from spider.errors import ConfigError, DataError
from spider.text.tokenizer import TOKENIZER_FILE

PAD, BEGIN, END, UNKNOWN = "<|pad|>", "<|startoftext|>", "<|endoftext|>", "<|unk|>"
SPECIAL_TOKENS = (PAD, BEGIN, END, UNKNOWN)
"""Numbers 0 to 3, as in Jamba's own vocabulary."""
SMALLEST_VOCABULARY = 256 + len(SPECIAL_TOKENS)
LARGEST_VOCABULARY = 1 << 24
"""The library makes room for all of it beforehand, and dies of what it cannot get."""
TOKENIZER_CONFIG = "tokenizer_config.json"


def settle_vocabulary(
    texts: Iterable[str], folder: Path, *, source: str, vocabulary_size: int
) -> tokenizers.Tokenizer:
    """Return a language model's tokenizer, saved in ``folder``; what it already holds is kept.

    Args:
        texts: a vocabulary is trained on these where there is no source.
        folder: where the tokenizer is, or will be.
        source: a folder with ``tokenizer.json``, or that file; empty trains a vocabulary.
        vocabulary_size: at most this many tokens where one is trained.

    Raises:
        DataError: there is no usable tokenizer at the source.
        ConfigError: the vocabulary cannot hold the 256 bytes.
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

    Each digit is a token of its own, as in Jamba: numbers are read the same way whatever numbers
    the corpus holds.

    Args:
        texts: read once.
        vocabulary_size: at most this many tokens, special ones included; a small corpus has fewer.

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
        # the library gives a set: in this order it is the same in every run
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
    """Check the size of a vocabulary that is to be trained.

    Raises:
        ConfigError: it cannot hold the 256 bytes, or is beyond what the library makes room for.
    """
    if size < SMALLEST_VOCABULARY:
        raise ConfigError(
            f"vocabulary_size={size}: expected at least {SMALLEST_VOCABULARY}, the bytes and "
            f"{len(SPECIAL_TOKENS)} special tokens"
        )
    if size > LARGEST_VOCABULARY:
        raise ConfigError(f"vocabulary_size={size}: expected at most {LARGEST_VOCABULARY:,}")


def load_vocabulary(path: Path) -> tokenizers.Tokenizer:
    """Load a language model's ``tokenizer.json``, truncation and padding reset.

    Args:
        path: the file, or the folder that holds it.

    Raises:
        DataError: there is none, or it lacks the tokens that begin and end a text.
    """
    file = path / TOKENIZER_FILE if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"no tokenizer here; put the model's {TOKENIZER_FILE} there", path=path)
    try:
        inner = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises plain Exception
        raise DataError(f"no usable tokenizer ({error})", path=file) from error
    for token in (BEGIN, END):
        token_number(inner, token, path=file)
    return _plain(inner)


def token_number(inner: tokenizers.Tokenizer, token: str, *, path: Path | None = None) -> int:
    """Return the number of a special token.

    Raises:
        DataError: the vocabulary does not have it.
    """
    number = inner.token_to_id(token)
    if number is None:
        raise DataError(f"the vocabulary has no {token}; expected Jamba's tokens", path=path)
    return number


def save_vocabulary(inner: tokenizers.Tokenizer, folder: Path) -> None:
    """Write ``tokenizer.json``, and what transformers' ``AutoTokenizer`` wants beside it."""
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
    # tokens that only look special are read as text
    inner.encode_special_tokens = True
    return inner
