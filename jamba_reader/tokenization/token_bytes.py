"""The bytes of each token, so that the bytes of a token sequence are those of its tokens, joined.

Three kinds of ``tokenizer.json`` are supported: byte-level BPE (each character stands for a byte),
SentencePiece-like BPE with byte fallback (Jamba's own: ``▁`` is a space, ``<0xE2>`` is a byte), and
WordPiece (``##`` marks a piece that continues a word). Special tokens have no bytes.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import tokenizers

from spider.errors import DataError

BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class TokenBytes:
    """The bytes of every token of a vocabulary.

    Args:
        tokenizer: a tokenizer of the tokenizers library.

    Attributes:
        special_ids: ids of the special tokens by their names.
        table: the bytes of each token by its id.

    Raises:
        DataError: its decoder is of another kind.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer):
        added = tokenizer.get_added_tokens_decoder()
        self.special_ids = {token.content: id_ for id_, token in added.items() if token.special}
        literal = {id_: token.content.encode() for id_, token in added.items() if not token.special}
        self._drops_first_space, to_bytes = _reading(tokenizer)
        vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        self.table = [b""] * (1 + max(vocabulary.values(), default=-1))
        silent = set(self.special_ids.values())
        for token, id_ in vocabulary.items():
            if id_ in literal:
                self.table[id_] = literal[id_]
            elif id_ not in silent:
                self.table[id_] = to_bytes(token)

    def of(self, token: int) -> bytes:
        """Return the bytes of a token; none for an id that is not in the vocabulary."""
        return self.table[token] if token < len(self.table) else b""

    def join(self, tokens: Sequence[int], *, begins_text: bool = False) -> bytes:
        """Return the bytes of a token sequence.

        Args:
            tokens: ids of the tokens.
            begins_text: whether these are the first tokens of a text, and do not follow a prompt.
                Some tokenizers put a space before the first word, which is then removed.
        """
        whole = b"".join(map(self.of, tokens))
        return whole.removeprefix(b" ") if begins_text and self._drops_first_space else whole


def _reading(tokenizer: tokenizers.Tokenizer) -> tuple[bool, Any]:
    """Return whether a leading space is removed, and the function from a token to its bytes."""
    decoder = json.loads(tokenizer.to_str())["decoder"]
    parts = list(_parts(decoder)) if decoder else []
    kinds = {part["type"] for part in parts}
    if kinds == {"ByteLevel"}:
        return False, _byte_level
    spaces = {part["pattern"].get("String") for part in parts if part["type"] == "Replace"}
    spaces |= {part["replacement"] for part in parts if part["type"] == "Metaspace"}
    if spaces and kinds <= {"Replace", "Metaspace", "ByteFallback", "Fuse", "Strip"}:
        strips = "Strip" in kinds or any(
            part.get("prepend_scheme", "never") != "never" for part in parts
        )
        space = next(iter(spaces))
        return strips, lambda token: _byte_fallback(token, space)
    if kinds == {"WordPiece"}:
        prefix = parts[0]["prefix"]
        return True, lambda token: _word_piece(token, prefix)
    raise DataError(
        f"tokenizer.json has the decoder {', '.join(sorted(kinds)) or 'null'}: expected byte-level "
        "BPE, BPE with byte fallback, or WordPiece"
    )


def _parts(decoder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if decoder["type"] == "Sequence":
        yield from chain.from_iterable(map(_parts, decoder["decoders"]))
    else:
        yield decoder


def _byte_alphabet() -> dict[str, int]:
    """Return the byte of each character in GPT-2's byte-level alphabet.

    Printable Latin-1 characters stand for themselves. The other 68 bytes have the characters from
    U+0100 on, in ascending order.
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = (byte for byte in range(256) if byte not in printable)
    shifted = {chr(256 + number): byte for number, byte in enumerate(others)}
    return {chr(byte): byte for byte in printable} | shifted


_BYTE_ALPHABET = _byte_alphabet()


def _byte_level(token: str) -> bytes:
    if all(character in _BYTE_ALPHABET for character in token):
        return bytes(map(_BYTE_ALPHABET.__getitem__, token))
    return token.encode()


def _byte_fallback(token: str, space: str) -> bytes:
    match = BYTE_TOKEN.fullmatch(token)
    return bytes([int(match[1], 16)]) if match else token.replace(space, " ").encode()


def _word_piece(token: str, prefix: str) -> bytes:
    return (token.removeprefix(prefix) if token.startswith(prefix) else f" {token}").encode()
