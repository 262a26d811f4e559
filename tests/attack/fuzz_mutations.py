"""Damages a file: hand-written contents, and mutations that know its format.

A mutation draws from a random generator alone, so a case is repeated by its number.
"""

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
from collections.abc import Callable
from typing import Any

DEEP = 10_000
NUMBERS = (
    "-1", "0", "-0.0", "1e308", "1e999", "NaN", "Infinity", "-Infinity", "4294967296",
    "9223372036854775808", "1" + "0" * 30, "9" * 5_000, "0x10", "1_000", "٣", "true", "null",
)  # fmt: skip
TEXTS = (
    "", " ", "\t", "\n", "\r", "\0", "\ud800", "\udfff\ud800", "\u2028", "\ufeff", "\x85",
    "\x1b]52;c;YQ==\a",
    "../../etc/passwd", "/dev/zero", "%s%n", "=cmd|' /C calc'!A0", '"', '""', "'", "\\", "\\u",
    "<doc ",
    "</doc>", "<", "&#x110000;", "&amp;" * 50, "(a+)+$", "[", "]", "{", "}", "(" * 200,
    "a" * 20_000,
    "\u0300" * 500, "ﷺ" * 50, "x\n" * 2_000, "\t" * 300,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, -(2**63), 1e308, float("nan"), float("inf"), "", " ",
    "x",
    "\0", "\ud800", "a" * 20_000, [], {}, [[]], [None], [""], [1], {"": None},
    {"a": {"a": {"a": []}}},
    "null", "1", "é", "../x", ["a", 1], [["a"]], {"id": 1}, list(range(50)),
)  # fmt: skip
BYTES = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\x80",
    b"\r", b"\n",
    b"\r\n", b"\x1a", b"\x1f\x8b", b"PK\x03\x04", b"BZh9", b"\xfd7zXZ\0", b"(\xb5/\xfd",
    b"\x93NUMPY",
)  # fmt: skip


def deep(opening: str, closing: str = "", inner: str = "") -> str:
    return opening * DEEP + inner + closing * DEEP


#: whole contents that every file is replaced by once
CONTENTS: tuple[bytes, ...] = (
    b"", b"\0", b"\n", b"\xff" * 64, b" " * 100_000, b"a" * 1_000_000, b"\n" * 50_000, b"null",
    b"true", b"0", b"-1", b"[]", b"{}", b'""', b"[[]]", b"[{}]", b"{}\n{}\n", b"NaN", b"1e999",
    b"9" * 5_000, b'{"a":' * DEEP, b"[" * DEEP, deep("[", "]").encode(), b'{"a": 1, "a": 2}',
    b'{"id": "\\ud800", "text": "\\ud800"}', b'{"id": null, "text": null}', b"\xef\xbb\xbf{}",
    b"\xff\xfe{\0}\0", b'{"a": "' + b"x" * 1_000_000 + b'"}', b'"' * 9_999, b"\t" * 9_999,
    b"a\tb\tc\td\n" * 50, b'"a\tb\n' * 50, b"<" * 20_000, b"<a>" * 20_000, b"<doc>" * 500,
    b'<doc id="1" title="a">\n' * 500, b"&" * 20_000, b"#" * 20_000, b"*" * 20_000, b"`" * 20_000,
    b"(" * 20_000, b"[](" * 5_000, b"==\n" * 5_000, b"%PDF-1.4\n%%EOF",
    b"%PDF-1.7\n" + b"<<" * 5_000,
    b"PK\x03\x04" + b"\0" * 100, b"PK\x05\x06" + b"\0" * 18, b"\x1f\x8b\x08" + b"\0" * 20, b"BZh9",
    b"\xfd7zXZ\0\0\x04", b"(\xb5/\xfd\0X", b"PAR1" + b"\0" * 8 + b"PAR1", b"ARROW1\0\0",
    b"\x93NUMPY\x01\0", b"\xff" * 8 + b"{}", (2).to_bytes(8, "little") + b"{}",
    "\u2028".encode() * 100, b"\x0c\x0b\x1c\x1d\x1e\x85" * 50, b"\x80\x04K\x01.",
)  # fmt: skip


def mutate(name: str, data: bytes, rng: random.Random) -> bytes:
    """Return a damaged copy of a file's content, never the same kind of damage for long."""
    structured = _structured(name, data)
    if structured is not None and rng.random() < 0.6:
        try:
            return structured(data, rng)
        except (ValueError, KeyError, IndexError, EOFError, OSError, zipfile.BadZipFile):
            pass
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        data = _mutate_bytes(data, rng)
    return data


Mutation = Callable[[bytes, random.Random], bytes]


def _structured(name: str, data: bytes) -> Mutation | None:
    suffix = name.rpartition(".")[2].lower()
    found: dict[str, Mutation] = {
        "json": _json, "jsonl": _json_lines, "tsv": _cells, "csv": _cells,
        "safetensors": _safetensors,
        "npy": _npy, "gz": _compressed(gzip.decompress, gzip.compress, name),
        "bz2": _compressed(bz2.decompress, bz2.compress, name),
        "xz": _compressed(lzma.decompress, lzma.compress, name),
        "zip": _zip, "docx": _zip, "epub": _zip, "npz": _zip,
    }  # fmt: skip
    if suffix in found:
        return found[suffix]
    return _words if data[:400].isascii() else None


def _mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    length = min(len(data) - place, rng.choice((1, 1, 2, 4, 16, 100, 1_000)))
    end = place + length
    kind = rng.randrange(9)
    if kind == 0 and length:
        return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]
    if kind == 1:
        return data[:place] + data[end:]
    if kind == 2:
        return data[:place]
    if kind == 3:
        return data[:end] + data[place:end] * rng.choice((1, 1, 3, 50)) + data[end:]
    if kind == 4:
        return data[:place] + rng.randbytes(length) + data[end:]
    if kind == 5:
        return data[:place] + rng.choice(BYTES) + data[place:]
    if kind == 6:
        return data[:place] + rng.choice(TEXTS).encode("utf-8", "surrogatepass") + data[place:]
    if kind == 7:
        other = rng.randrange(len(data) + 1)
        return data[:place] + data[other : other + length] + data[end:]
    return data[:place] + rng.choice(NUMBERS).encode() + data[end:]


def _words(data: bytes, rng: random.Random) -> bytes:
    """Replace one word by a number, a text, or another word of the file."""
    words = data.split(b" ")
    place = rng.randrange(len(words))
    choices = (rng.choice(NUMBERS), rng.choice(TEXTS))
    new = rng.choice(
        [*(text.encode("utf-8", "surrogatepass") for text in choices), rng.choice(words)]
    )
    return b" ".join([*words[:place], new, *words[place + 1 :]])


def _cells(data: bytes, rng: random.Random) -> bytes:
    lines = [line.split(b"\t") for line in data.split(b"\n")]
    cells = rng.choice(lines)
    place = rng.randrange(len(cells))
    kind = rng.randrange(5)
    if kind == 0:
        cells[place] = rng.choice(NUMBERS).encode()
    elif kind == 1:
        cells[place] = rng.choice(TEXTS).encode("utf-8", "surrogatepass")
    elif kind == 2:
        cells.insert(place, rng.choice(cells))
    elif kind == 3:
        del cells[place]
    else:
        cells[place] = b'"' + cells[place]
    return b"\n".join(b"\t".join(line) for line in lines)


def _json(data: bytes, rng: random.Random) -> bytes:
    value = [json.loads(data)]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        _change_value(value, rng)
    text = json.dumps(value[0], ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.1:
        # a key twice, or a number that no float holds
        text = text.replace("{", '{"id": 1, "text": 2, "name": null, ', 1)
    elif rng.random() < 0.1:
        text = text.replace("1", rng.choice(NUMBERS), 1)
    elif rng.random() < 0.05:
        text = text.replace("null", deep("[", "]"), 1).replace('""', deep('{"a":', "}", "1"), 1)
    return text.encode("utf-8", "surrogatepass")


def _change_value(holder: list[Any], rng: random.Random) -> None:
    """Change one node of a JSON value, drawn by walking down."""
    place: Any = 0
    node: Any = holder
    while True:
        inner = node[place]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.25:
            break
        node = inner
        place = rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))
    kind = rng.randrange(8)
    if kind == 0 and node is not holder:
        del node[place]
    elif kind == 1 and isinstance(node, dict):
        node[rng.choice(TEXTS)] = node.pop(place)
    elif kind == 2 and isinstance(node, list) and node is not holder:
        node.append(node[place])
    elif kind == 3 and isinstance(node[place], int | float):
        node[place] = rng.choice(
            (-1, 0, 1, 2, 2**31, 2**63, 10**30, 0.5, float("nan"), node[place] + 1)
        )
    elif kind == 4 and isinstance(node[place], str):
        node[place] += rng.choice(TEXTS)
    else:
        node[place] = rng.choice(VALUES)


def _json_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    if rng.random() < 0.2:
        lines.insert(place, rng.choice(CONTENTS[:30]))
    else:
        lines[place] = _json(lines[place], rng)
    return b"\n".join(lines)


def _compressed(
    inflate: Callable[[bytes], bytes], deflate: Callable[[bytes], bytes], name: str
) -> Mutation:
    def inside(data: bytes, rng: random.Random) -> bytes:
        return deflate(mutate(name.rpartition(".")[0], inflate(data), rng))

    return inside


def _zip(data: bytes, rng: random.Random) -> bytes:
    """Damage one member, its name, or the flags of the archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(made, "w") as out:
        chosen = rng.randrange(len(archive.infolist()))
        for number, member in enumerate(archive.infolist()):
            content, name = archive.read(member), member.filename
            if number == chosen and rng.random() < 0.1:
                continue
            if number == chosen and rng.random() < 0.2:
                name = rng.choice(("../x", "/x", "x\0y", "a" * 300, "", name.upper()))
            elif number == chosen:
                content = mutate(name, content, rng)
            method = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2))
            out.writestr(name, content, method)
    found = bytearray(made.getvalue())
    if rng.random() < 0.1:
        # encrypted, or compressed by an unknown method
        place = found.find(b"PK\x01\x02")
        found[place + rng.choice((8, 10, 11, 16, 20, 24))] ^= 1 << rng.randrange(8)
    return bytes(found)


def _safetensors(data: bytes, rng: random.Random) -> bytes:
    size = int.from_bytes(data[:8], "little")
    header = _json(data[8 : 8 + size], rng)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def _npy(data: bytes, rng: random.Random) -> bytes:
    """Change the header and keep its length right."""
    size = int.from_bytes(data[8:10], "little")
    header = data[10 : 10 + size].decode("latin-1").rstrip()
    old = rng.choice(
        ("(", ")", "'<", "<", "8", "4", "2", "False", "shape", "descr", ",", "f", "i", "u")
    )
    new = rng.choice(
        (*NUMBERS[:11], "", "'|O'", "True", "(", "-", "<f4", "[('a', '<i8')]", "lambda: 0")
    )
    header = header.replace(old, new, 1) + "\n"
    text = header.encode("latin-1", "replace")
    return data[:8] + len(text).to_bytes(2, "little") + text + data[10 + size :]
