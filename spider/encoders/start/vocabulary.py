"""Loads the tokenizer of a published encoder, whatever its files are."""

from pathlib import Path

import tokenizers
from tokenizers import normalizers

from spider.errors import DataError, first_line
from spider.reading import reading
from spider.text.tokenizer import TOKENIZER_FILE, Tokenizer, load_tokenizer


def start_tokenizer(folder: Path, *, lower_case: bool, lower_first: bool) -> Tokenizer:
    """Load the tokenizer of a checkpoint.

    Args:
        folder: the folder of the transformer.
        lower_case: used only with a ``vocab.txt`` alone, which does not state it.
        lower_first: lower the case of texts before the tokenizer's own rules, as
            ``do_lower_case`` of sentence-transformers does.

    Raises:
        DataError: there is no usable tokenizer.
    """
    if (folder / TOKENIZER_FILE).is_file() or not (folder / "tokenizer_config.json").is_file():
        found = load_tokenizer(folder, lower_case=lower_case, any_kind=True)
    else:
        found = Tokenizer(_converted(folder))
    if lower_first and not found.lower_case:
        inner = found.inner
        steps = [normalizers.Lowercase(), *([inner.normalizer] if inner.normalizer else [])]
        inner.normalizer = normalizers.Sequence(steps)
        found = Tokenizer(inner)
    return found


def _converted(folder: Path) -> tokenizers.Tokenizer:
    """Convert the files of older tokenizers: vocab.json and merges.txt, or SentencePiece."""
    from transformers import AutoTokenizer

    try:
        outer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # the library raises what its many converters raise
        raise DataError(f"no usable tokenizer ({first_line(error)})", path=folder) from error
    inner = getattr(outer, "backend_tokenizer", None)
    if inner is None:
        raise DataError("no usable tokenizer (it exists in Python alone)", path=folder)
    with reading(folder, foreign=True):
        return tokenizers.Tokenizer.from_str(inner.to_str())
