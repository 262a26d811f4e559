"""Text in any encoding is read as what it is, or skipped; it is never read as something else."""

import numpy as np
import pytest

from spider.sources.extraction.decoding import SNIFFED, decode
from spider.sources.extraction.extracted import NotExtractedError

ENGLISH = "The café’s naïve façade cost 5 € – “cheap”, he said.\nA second line.\n"
TEXTS = {
    "English": ENGLISH,
    "German": "Größe und Maß: „Spaß“ für Übermütige, 20° Wärme.\n" * 3,
    "French": "L’été dernier, à Orléans, où l’on «mange» très bien… 2½ kg à 3 €.\n" * 3,
    "Icelandic": "Það er ekki góð hugmynd að þræða nálina í myrkri, sagði Ásta.\n" * 3,
    "Spanish": "¿Qué pasó? ¡Nada! El niño comió 3ª ración y ½ piña.\n" * 3,
    "Catalan": "El col·legi és a l´illa; paral·lel i pingüí.\n" * 3,
}
OTHERS = {
    "Russian": "Вода стекает вниз по склону горы, сказала она.\n" * 3,
    "Chinese": "一个人在水车旁边。它一直转动，从不停止。\n" * 3,
    "Japanese": "水車は回り続ける。「止まらない」と彼は言った。\n" * 3,
    "Korean": "물레방아는 멈추지 않는다. 그는 말했다.\n" * 3,
    "Greek": "Ο νερόμυλος γυρίζει ασταμάτητα, είπε εκείνη.\n" * 3,
    "Polish": "Zażółć gęślą jaźń, powiedział mąż Łucji. Cały świat śpi.\n" * 3,
    "Arabic": "تدور عجلة الماء دون توقف، كما قالت.\n" * 3,
    "Hebrew": "גלגל המים מסתובב ללא הפסקה, אמרה.\n" * 3,
}
OLD = {
    "Russian": ["cp1251", "koi8-r", "iso8859-5"],
    "Chinese": ["gbk", "big5"],
    "Japanese": ["shift_jis", "euc_jp"],
    "Korean": ["euc_kr"],
    "Greek": ["cp1253", "iso8859-7"],
    "Polish": ["cp1250", "iso8859-2"],
    "Arabic": ["cp1256"],
    "Hebrew": ["cp1255"],
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(encoding: str) -> None:
    found = decode("é🦎\r\nb\rc".encode(encoding))
    assert found.text == "é🦎\nb\nc"
    assert found.encoding == ("" if encoding.startswith("utf-8") else encoding)


@pytest.mark.parametrize("name", [*TEXTS, *OTHERS])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(name: str, codec: str) -> None:
    text = (TEXTS | OTHERS)[name]
    for repeated in (text, text * 300, text.replace("\n", "\r\n"), text + "🦎"):
        assert decode(repeated.encode(codec)) == (repeated.replace("\r\n", "\n"), "utf-16")


@pytest.mark.parametrize("name", TEXTS)
def test_western_text_of_windows(name: str) -> None:
    for text in (TEXTS[name], TEXTS[name] * 100):
        assert decode(text.encode("cp1252")) == (text, "cp1252")
        assert decode(text.encode()) == (text, "")


def test_a_few_words_of_western_text() -> None:
    for text in ("café", "naïve façade", "A\tÉcole\r\n", "x" * 9000 + " été"):
        assert decode(text.encode("cp1252")).text == text.replace("\r\n", "\n")


@pytest.mark.parametrize(("name", "codec"), [(n, codec) for n in OLD for codec in OLD[n]])
def test_text_of_other_languages_is_never_read_as_western(name: str, codec: str) -> None:
    text = OTHERS[name].encode(codec, errors="ignore")
    with pytest.raises(NotExtractedError, match="not_utf8") as caught:
        decode(text)
    assert "iconv" in caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        ENGLISH.encode() + b"\xff",
        ("é" * 50).encode()[:-1],
        "Größe".encode() + b"\xe2\x80",
        OTHERS["Russian"].encode() + "café".encode("cp1252"),
        b"a\x01\xe9",
        b"\xff\xfea\xd8\0",
        b"caf\x81",
    ],
)
def test_damaged_utf8_is_not_read_as_western(data: bytes) -> None:
    with pytest.raises(NotExtractedError, match="not_utf8"):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0",
        b"a\0b",
        b"\0" * 100,
        np.arange(3000, dtype=np.int32).tobytes(),
        np.arange(3000, dtype=np.int16).tobytes(),
        np.random.default_rng(0).normal(size=2000).astype(np.float32).tobytes() + b"\0" * 40,
        b"PK\3\4" + bytes(26) + b"word/document.xml" * 9 + b"\0\0\0\0\0",
        b"ab\0cd\0ef\0gh\0",
    ],
)
def test_binary_data_are_no_text(data: bytes) -> None:
    with pytest.raises(NotExtractedError, match=r"binary"):
        decode(data)


def test_a_zero_byte_counts_only_at_the_beginning() -> None:
    assert decode(b"a" * SNIFFED + b"\0").text.endswith("\0")
